//! Delivery: when to send which rows, and what a response means for them.
//!
//! | file | idea |
//! | --- | --- |
//! | `pace` | how soon: as the limits say, or at once in test mode |
//! | `schedule` | triggers: counts, timers, hints |
//! | `wait`, `backoff` | waits that survive reboots and wrong clocks |
//! | `state` | the state of a route that survives restarts |
//! | `bisect`, `outcome` | what the end of a request means |
//! | `machine` | the state machine: events in, tasks and a deadline out; no I/O, no clock |
//! | `request` | builds a request from rows: consent, encoding, compression |
//! | `driver` | does the tasks: store, transport, settlement |
//! | `shared` | what the delivery thread publishes for other threads |
//! | `handle` | the thread and the handle to it |

mod backoff;
mod bisect;
mod driver;
mod handle;
mod machine;
mod outcome;
mod pace;
mod request;
mod schedule;
mod shared;
mod state;
mod wait;

pub(crate) use driver::losses::{has_unreported_losses, unreported_losses};
pub(crate) use handle::{Delivery, DeliveryHandle, ForDelivery, Options};
pub(crate) use machine::status::stored_held;
pub(crate) use pace::Pace;
pub use schedule::{Hint, Network, Power};

use crate::destination::Granted;
use crate::phrases::HeldCode;
use crate::ring::losses::UnreportedLoss;
use crate::store::{Now, RouteKey, Store, StoreError};

/// The writer, as the delivery thread sees it. The writer owns the store and does one piece of work at a time.
pub(crate) trait WriterAccess: Send + Sync + 'static {
    /// Runs `work` with the store on the writer's thread and waits for the result. `None` = the store cannot be used
    /// now; the writer calls [`DeliveryHandle::store_back`] when it can be used again.
    fn with_store<R: Send + 'static>(&self, work: impl FnOnce(&mut Store, Now) -> R + Send + 'static) -> Option<R>;

    /// The purposes that are granted now.
    fn granted(&self) -> Granted;

    /// The purposes that are denied now.
    fn denied(&self) -> Granted;

    /// Writes the ring's superblock after the store marked a batch as `sending` or stored a report of losses. Returns when it is written.
    /// Settlements are noted by [`Store::on_settle`].
    fn write_superblock(&self);

    /// The losses of epochs before this one that the route (by the hash of its name) has not reported.
    fn old_losses(&self, route: u64, epoch: u64) -> Vec<UnreportedLoss>;

    /// Removes the losses that the route has reported for this earlier epoch.
    fn old_losses_reported(&self, route: u64, epoch: u64);

    /// Reports that work with the store failed. The writer decides what to do about the file. After a quarantine it
    /// calls [`DeliveryHandle::store_replaced`].
    fn store_failed(&self, error: &StoreError);
}

/// Why something waits, and until when.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Held {
    /// The reason, for programs.
    pub code: HeldCode,
    /// End of the wait in milliseconds since 1970; `None` = until an event, not until a time.
    pub until_ms: Option<i64>,
    /// The reason, as text for people: the code's sentence, and what the server or the transport reported. See [`Held::text`].
    pub why: String,
    /// Failed requests in a row.
    pub failures: u32,
}

impl Held {
    /// A wait with this reason and, unless it is empty, what the server or the transport reported.
    pub(crate) fn new(code: HeldCode, until_ms: Option<i64>, detail: &str) -> Held {
        let why = if detail.is_empty() { code.text().to_owned() } else { format!("{}: {detail}", code.text()) };
        Held { code, until_ms, why, failures: 0 }
    }
}

/// The status of one route.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RouteStatus {
    /// Name of its destination.
    pub destination: String,
    /// `<destination>/<route>`.
    pub route: RouteKey,
    /// Rows that wait for it, one number per lane 0 to 3, as last read from the store. May include rows that it will not
    /// want.
    pub waiting: Vec<u64>,
    /// Rows delivered by this process.
    pub delivered: u64,
    /// A request is in flight.
    pub in_flight: bool,
    /// It sends only probes.
    pub stopped: bool,
    /// Why nothing is sent now; `None` = nothing to send, or a request is in flight.
    pub held: Option<Held>,
}

/// The result of `flush()` for one destination.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Flushed {
    /// Its name.
    pub destination: String,
    /// Rows delivered during the call, counted per route.
    pub delivered: u64,
    /// Rows that still wait. May include rows that the destination will not want.
    pub left: u64,
    /// Why they wait.
    pub held: Option<Held>,
}

/// A value of the configuration that a destination sends in another form.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DestinationNote {
    /// Name of the destination.
    pub destination: String,
    /// The field, under the app's name: `release`.
    pub field: String,
    /// The change, for example ``sent as `x_error` ``.
    pub what: String,
}
