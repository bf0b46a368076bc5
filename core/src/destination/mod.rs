//! Wire formats: what each backend wants, how a batch looks on the wire, and what its answers mean.
//!
//! Everything here is a pure function of rows and answers: no clock, no file, no socket, no store. What must be read
//! at the moment of sending comes in as [`Stamp`].

use crate::kind::{Kind, Purpose};
use crate::reason::Reason;
use crate::row::{Lost, Row, Run};
use crate::transport::{Answer, Request};
use std::time::Duration;

/// One endpoint of a destination, with its own cursor, hold and retry class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// Its name, for example `sentry.envelope`.
    pub name: &'static str,
    /// The vendor cannot tell a resend from a new event: a request whose fate is unknown is not repeated.
    pub at_most_once: bool,
    /// Most events in one request.
    pub max_events: usize,
    /// Most bytes of row JSON in one request (before encoding and compression).
    pub max_bytes: usize,
    /// Waits after a failure: full jitter between `first` and `most`, doubled with each attempt.
    pub backoff: Backoff,
}

/// The bounds of exponential waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first wait.
    pub first: Duration,
    /// Upper bound of any wait.
    pub most: Duration,
}

impl Backoff {
    /// Full jitter, 1 s to 5 min (architecture section 8).
    pub const STANDARD: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(300) };
}

/// Whether a route takes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// It does.
    Yes,
    /// It never will: the row is passed and counted `unwanted`.
    No,
    /// Not now (a limit of its category, consent pending): the row is parked, others pass.
    Later,
}

/// What is on its way in one request.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// Id of the batch (UUID); a resend of the same rows bears the same one.
    pub batch_id: &'a str,
    /// Id of this installation (UUID).
    pub install: &'a str,
    /// Epoch of the store.
    pub epoch: u64,
    /// The rows, in order of lane, then of `seq`.
    pub rows: &'a [Row],
    /// The runs the rows name; always contains each of them.
    pub runs: &'a [Run],
    /// Cumulative losses of this epoch on this route and before any route.
    pub lost: &'a [Lost],
    /// How much the user consented to.
    pub granted: Granted,
}

impl Batch<'_> {
    /// The run of a row.
    #[must_use]
    pub fn run_of(&self, row: &Row) -> Option<&Run> {
        self.runs.iter().find(|run| run.number == row.run)
    }
}

/// Which purposes are granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Granted {
    /// Monitoring.
    pub monitoring: bool,
    /// Analytics.
    pub analytics: bool,
}

/// Read at the moment of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: i64,
    /// Milliseconds since boot.
    pub mono_ms: i64,
    /// How often this batch was tried before.
    pub attempt: u32,
    /// Status of the last try, 0 if there was none.
    pub last_status: u16,
    /// The server refused compression once: send identity.
    pub uncompressed: bool,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// For the batch.
    pub action: Action,
    /// Limits the server announced, on any status.
    pub limits: Vec<Limit>,
    /// What the server said, for receipts; short, no payload.
    pub note: Option<String>,
}

impl Verdict {
    /// A verdict without limits and note.
    #[must_use]
    pub fn of(action: Action) -> Verdict {
        Verdict { action, limits: Vec::new(), note: None }
    }
}

/// What to do with the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Every row is accounted for: one outcome per row, in their order.
    Settle(Vec<RowOutcome>),
    /// The request as such was refused (400, 413 ...): halve until the guilty row stands alone.
    Split,
    /// Not now: keep the rows, wait at least this long if the server said so, else back off.
    Keep(Option<Duration>),
    /// Keep the rows, but this is an outage that the whole route shares (5xx).
    Outage(Option<Duration>),
    /// The key or the endpoint is wrong: stop, keep the rows, tell the host.
    Stop(String),
    /// Send the same rows again under a new batch id.
    NewBatchId,
    /// Send the same request once more without compression.
    Uncompressed,
    /// Nothing certain can be read from the answer.
    Ambiguous(String),
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// The destination has it.
    Delivered,
    /// It will never have it; booked under this reason.
    Dropped(Reason),
    /// The destination refused just this row; kept as a dead letter for QA.
    Dead(Reason, String),
    /// Keep it for the next request of this route.
    Keep,
}

/// A limit the server put on some kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The kinds; empty = all.
    pub kinds: Vec<Kind>,
    /// For how long from the answer on.
    pub wait: Duration,
}

/// One wire format with its endpoint and key. Called on the courier's thread only.
pub trait Destination: Send + Sync + 'static {
    /// Its routes; the same for the life of the process.
    fn routes(&self) -> &'static [RouteSpec];

    /// The purpose for which it gets data.
    fn purpose(&self) -> Purpose;

    /// Changes when endpoint or key change: clears a `stop`.
    fn key_hash(&self) -> u64;

    /// Whether `route` takes this row. Constant for a row: it may be asked again after a restart.
    fn wants(&self, route: &RouteSpec, row: &Row) -> Want;

    /// The request for these rows. Total: a field the vendor cannot take is renamed, cut or left out, never the row.
    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp) -> Request;

    /// What the answer means for these rows.
    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, answer: &Answer) -> Verdict;

    /// Identifies the encoder's format: a batch in flight that another build encoded is cut anew.
    fn encoder(&self) -> u32;
}
