//! Crash-safe mobile monitoring: one durable queue on the device, delivered to every backend.

mod attributes;
pub mod destination;
mod id;
mod kind;
mod level;
pub mod limits;
#[allow(dead_code)]
mod metrics;
#[allow(dead_code, unused_imports)]
mod privacy;
mod reason;
mod row;
#[allow(dead_code)]
mod timing;
#[allow(dead_code, unused_imports)]
mod trace;
pub mod transport;

pub use attributes::{Attrs, Value};
pub use id::{EventId, ParseIdError};
pub use kind::{Kind, Lane, Purpose};
pub use level::Level;
pub use metrics::Summary;
pub use reason::Reason;
pub use row::{Lost, Row, Run};
pub use trace::{TargetError, TargetFault, TraceStyle};
