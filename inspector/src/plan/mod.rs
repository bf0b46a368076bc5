//! A tracking plan: which events an app records, what each of them has, and in which order they come.
//!
//! | file | idea |
//! | --- | --- |
//! | `read` | a plan file becomes a [`Plan`], or an error that names the member |
//! | `member` | typed access to the members of a JSON file |
//! | `pattern` | names with `*` |
//! | `schema` | a JSON Schema, and its errors as findings |
//! | `check` | events against a plan |
//! | `rules` | what arrives at a collector against a plan |
//! | `draft`, `shape` | a plan made from recorded events |
//!
//! `docs/guide/tracking-plan.md` describes the file.

mod check;
mod draft;
mod member;
mod pattern;
mod read;
mod rules;
mod schema;
mod shape;

pub use check::{Check, Finding, check};
pub use draft::{Draft, Drafted, draft};
pub use member::PlanError;

use pattern::Selector;
use rez_monitor::Kind;
use schema::Schema;

/// Version of the form of a plan.
pub const VERSION: u64 = 1;

/// A tracking plan that was read.
#[derive(Debug)]
pub struct Plan {
    events: Vec<Planned>,
    /// An event of a planned kind with another name is no finding.
    allows_unknown: bool,
    required: Vec<Selector>,
    forbidden: Vec<Selector>,
    order: Vec<Order>,
}

/// An event of a plan.
#[derive(Debug)]
struct Planned {
    kind: Kind,
    name: Selector,
    attrs: Option<Schema>,
    row: Option<Schema>,
    per_session: Times,
}

/// How often an event comes. `None` = any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Times {
    least: Option<u64>,
    most: Option<u64>,
}

/// An event that comes only after another one of its session.
#[derive(Debug)]
struct Order {
    first: Selector,
    then: Selector,
}
