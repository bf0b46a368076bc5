//! Crash-safe mobile monitoring: one durable queue on the device, delivered to every backend.

mod attributes;
mod carve;
mod courier;
pub mod destination;
mod event;
mod id;
pub mod inspect;
mod kind;
mod level;
pub mod limits;
mod metrics;
mod privacy;
mod reason;
mod ring;
mod row;
mod store;
mod sys;
mod timing;
mod trace;
pub mod transport;

pub use attributes::{Attrs, Value};
pub use event::{
    Breadcrumb, ErrorEvent, Event, Feedback, Frame, Metric, People, Revenue, Severity, StartKind, Timing, TimingKind,
    User,
};
pub use id::{EventId, ParseIdError};
pub use kind::{Kind, Lane, Purpose};
pub use level::Level;
pub use metrics::Summary;
pub use reason::Reason;
pub use row::{Lost, Row, Run};
pub use sys::Clock;
pub use trace::{TargetError, TargetFault, TraceStyle};
