//! What a queue recorded, compared with what a server received.
//!
//! | file | idea |
//! | --- | --- |
//! | `server` | the events of a collector, from its file or over HTTP |
//! | `device` | the events of a source and what its ledger says of them |
//! | `compare` | both sides, event by event and number by number |
//! | `members` | the members in which two events differ |

mod compare;
mod device;
mod members;
mod server;

pub(crate) use compare::{Diff, Difference, Explained, compare};
pub(crate) use device::{Device, DeviceError};
pub(crate) use server::{Received, Server, ServerError};
