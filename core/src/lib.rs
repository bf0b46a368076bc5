//! Crash-safe mobile monitoring: one durable queue on the device, delivered to every backend.

mod attributes;
pub mod destination;
mod event;
mod id;
pub mod inspect;
mod kind;
mod level;
pub mod limits;
mod reason;
mod ring;
mod row;
#[allow(dead_code, unused_imports)]
mod store;
mod sys;
pub mod transport;

pub use attributes::{Attrs, Value};
pub use event::{
    Breadcrumb, ErrorEvent, Event, Feedback, Frame, Metric, People, Revenue, Severity, StartKind, Timing, TimingKind,
    User,
};
pub use id::{EventId, ParseIdError};
pub use kind::{Kind, Lane, Purpose};
pub use level::Level;
pub use reason::Reason;
pub use row::{Lost, Row, Run};
pub use sys::Clock;
