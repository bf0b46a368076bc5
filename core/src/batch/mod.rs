//! The door for languages that cannot pass pointers: one JSON document with many events, breadcrumbs and scope changes.
//!
//! The caller finds where the items are and what they are ([`items`]), and copies them into the ring, up to [`CHUNK_EVENTS`]
//! in a record. The writer decodes each item ([`json`], [`item`]) into the record that the typed call would have written, so
//! cuts, privacy rules and rows are the same. All rows of one ring record are committed in one transaction.
//!
//! `docs/guide/batch.md` describes the document, `tests/contract/schema/batch-v1.json` is its schema.

pub(crate) mod fields;
pub(crate) mod item;
pub(crate) mod items;
pub(crate) mod json;
pub(crate) mod record;
mod structured;

/// Version of the schema that this build reads.
pub(crate) const VERSION: u64 = 1;

/// Events in one ring record, and so in one transaction: its rows stay near the size of other transactions.
pub(crate) const CHUNK_EVENTS: u16 = 128;

/// Events with a breadcrumb trail in one ring record: such a row can have 64 KiB.
pub(crate) const CHUNK_TRAILS: u16 = 4;
