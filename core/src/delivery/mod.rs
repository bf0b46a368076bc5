//! Delivery: when to send what, and what an answer means for the rows.
//!
//! | file | idea |
//! | --- | --- |
//! | `schedule` | triggers: counts, timers, hints |
//! | `wait`, `backoff` | waits that survive reboots and wrong clocks |
//! | `state` | what a route remembers across restarts |
//! | `bisect`, `outcome` | what the end of a request means |
//! | `machine` | all of it together: events in, actions and a deadline out; no I/O, no clock |
//! | `request` | rows to request: consent, encoding, compression |
//! | `driver` | does the actions: store, transport, settlement |
//! | `handle` | the thread, and what the rest of the engine tells it |

mod backoff;
mod bisect;
mod driver;
mod handle;
mod machine;
mod outcome;
mod request;
mod schedule;
mod state;
mod wait;

pub(crate) use driver::losses::owes_losses;
pub(crate) use handle::{Delivery, DeliveryHandle, Directory, Options};
pub use schedule::{Hint, Network, Power};

use crate::destination::Granted;
use crate::store::{Now, RouteKey, Store, StoreError};

/// The writer, as the delivery sees it: it owns the store and does one piece of work at a time.
pub(crate) trait Outbox: Send + Sync + 'static {
    /// Does this work with the store on the writer's thread and waits for it. `None` = the store cannot be used now;
    /// the writer calls [`DeliveryHandle::store_back`] when it can.
    fn ask<R: Send + 'static>(&self, work: impl FnOnce(&mut Store, Now) -> R + Send + 'static) -> Option<R>;

    /// The consent of this moment.
    fn granted(&self) -> Granted;

    /// The purposes that are refused at this moment.
    fn denied(&self) -> Granted;

    /// The store settled rows or began to send: writes the ring's superblock, and returns when they are written.
    fn changed(&self);

    /// A piece of work failed with this; the writer decides what to do about the file. After a quarantine it calls
    /// [`DeliveryHandle::store_replaced`].
    fn failed(&self, error: &StoreError);
}

/// Why something waits, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Milliseconds since 1970; `None` = until something happens, not until a time.
    pub until_ms: Option<i64>,
    /// For people.
    pub why: String,
}

/// One route as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteStatus {
    /// Its destination's name.
    pub destination: String,
    /// `<destination>/<route>`.
    pub route: RouteKey,
    /// Rows per lane that wait for it, as last heard from the store; may count some it will not want.
    pub waiting: [u64; 4],
    /// Rows delivered in this run.
    pub delivered: u64,
    /// A request is under way.
    pub in_flight: bool,
    /// Only probes are sent.
    pub stopped: bool,
    /// Why nothing is sent now; `None` = nothing to send, or under way.
    pub held: Option<Held>,
}

/// What `flush()` did for one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flushed {
    /// Its name.
    pub destination: String,
    /// Rows delivered while it waited; counted per route.
    pub delivered: u64,
    /// Rows that still wait; may count some the destination will not want.
    pub left: u64,
    /// Why they wait.
    pub held: Option<Held>,
}
