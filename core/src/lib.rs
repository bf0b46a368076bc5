//! Crash-safe mobile monitoring: one durable queue on the device, delivered to every backend.

mod courier;
pub mod destination;
mod id;
mod kind;
pub mod limits;
mod reason;
mod row;
#[allow(dead_code, unused_imports)]
mod store;
pub mod transport;

pub use id::{EventId, ParseIdError};
pub use kind::{Kind, Lane, Purpose};
pub use reason::Reason;
pub use row::{Lost, Row, Run};
