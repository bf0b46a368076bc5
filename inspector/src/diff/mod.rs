//! What a queue recorded, compared with what a server received.
//!
//! | file | idea |
//! | --- | --- |
//! | `server` | the events of a collector, from its file or over HTTP |
//! | `device` | the events of a source and what its ledger says of them |
//! | `compare` | both sides, event by event and number by number |
//! | `arrived` | what a collector received by any protocol |
//! | `protocol` | a queue, and what arrived of it by a vendor's protocol |
//! | `names` | two sides without ids in common, by name |
//! | `members` | the members in which two events differ |

mod arrived;
mod compare;
mod device;
mod members;
mod names;
mod protocol;
mod server;

pub(crate) use arrived::{events as arrived, open as open_collector};
pub(crate) use compare::{Diff, Difference, Explained, compare};
pub(crate) use device::{Device, DeviceError};
pub(crate) use names::{Named, during, names};
pub(crate) use protocol::Sent;
pub(crate) use server::{Received, Server, ServerError};
