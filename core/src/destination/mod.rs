//! Wire formats: what each backend wants, how a batch looks on the wire, and what its answers mean.
//!
//! Everything here is a pure function of rows and answers: no clock, no file, no socket, no store. What must be read
//! at the moment of sending comes in as [`Stamp`].

#[cfg(any(feature = "destination-mixpanel", feature = "destination-otlp"))]
mod base64;
#[cfg(feature = "destination-datadog")]
mod datadog;
mod error;
#[cfg(feature = "destination-ga4")]
mod ga4;
#[cfg(any(feature = "destination-datadog", feature = "destination-otlp"))]
mod json;
#[cfg(feature = "destination-mixpanel")]
mod mixpanel;
#[cfg(feature = "destination-otlp")]
mod otlp;
#[cfg(feature = "destination-rez")]
mod rez;
#[cfg(feature = "destination-sentry")]
mod sentry;
mod server_message;
#[cfg(any(feature = "destination-datadog", feature = "destination-otlp"))]
mod span;
#[cfg(any(feature = "destination-datadog", feature = "destination-otlp"))]
mod text;
#[cfg(any(feature = "destination-ga4", feature = "destination-mixpanel"))]
mod write;

#[cfg(feature = "destination-datadog")]
pub use self::datadog::{Datadog, DatadogBuilder};
#[cfg(feature = "destination-ga4")]
pub use self::ga4::{Ga4, Ga4Builder};
#[cfg(feature = "destination-mixpanel")]
pub use self::mixpanel::{Mixpanel, MixpanelBuilder, MixpanelRegion};
#[cfg(feature = "destination-otlp")]
pub use self::otlp::{Otlp, OtlpBuilder, OtlpEncoding, OtlpSignal};
#[cfg(feature = "destination-rez")]
pub use self::rez::{Rez, RezBuilder};
#[cfg(feature = "destination-sentry")]
pub use self::sentry::{Dsn, DsnError, Sentry, SentryBuilder};

pub use self::error::DestinationError;
pub(crate) use self::error::{header_value, stable_hash};

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
    /// Waits after a failure.
    pub backoff: Backoff,
    /// The endpoint takes `Content-Encoding: gzip`: the delivery compresses the body and adds the header. Otherwise
    /// bodies go as they are.
    pub gzip: bool,
    /// [`Destination::encode`] can say what was lost in a request without events; it is then called with no rows. An empty
    /// body = nothing of it is worth a request.
    pub reports_losses: bool,
    /// Where losses are reported: the backend adds reports up, so that [`Batch::lost`] holds only what it was not told yet.
    pub adds_losses: bool,
}

/// The bounds of exponential waiting. The n-th wait in a row (n = 1, 2 ..) is drawn evenly from
/// `first ..= min(most, first * 2^n)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Shortest wait.
    pub first: Duration,
    /// Longest wait.
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
    /// It does, but not in this request: the cut ends before it. The delivery says this where [`Destination::fits`] says no.
    Next,
}

/// Something of a row that a destination says in other words, or not at all. Derived from the row, never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The field, as the app named it.
    pub field: String,
    /// What became of it.
    pub what: String,
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
    /// Losses of this epoch on this route and before any route: cumulative, or since the last report
    /// ([`RouteSpec::adds_losses`]).
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
pub struct Stamp<'a> {
    /// Id of the present boot: `mono_ms` counts from its start.
    pub boot: &'a str,
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: i64,
    /// Milliseconds since boot.
    pub mono_ms: i64,
    /// How often this batch was tried before.
    pub attempt: u32,
    /// Status of the last try, 0 if there was none.
    pub last_status: u16,
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
    /// The server's own caps (rez: body of a 413); they count for all later requests of the route.
    pub caps: Option<Caps>,
    /// The service is in trouble although `action` settles the batch (Sentry's 5xx): later requests back off, and the
    /// request counts as failed. The bounds of the wait.
    pub back_off: Option<Backoff>,
}

/// Caps a server announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Caps {
    /// Most bytes of one uncompressed body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Most events in one body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_events: Option<u64>,
}

impl Verdict {
    /// A verdict with nothing beside the action.
    #[must_use]
    pub fn of(action: Action) -> Verdict {
        Verdict { action, limits: Vec::new(), note: None, caps: None, back_off: None }
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

/// One wire format with its endpoint and key. Called on the delivery's thread only.
pub trait Destination: Send + Sync + 'static {
    /// Its routes; the same for the life of the process.
    fn routes(&self) -> &'static [RouteSpec];

    /// The purposes for which it gets data. An event goes to it if one of its kind's purposes is among them and
    /// granted. A vendor has one; a team's own backend normally has both.
    fn purposes(&self) -> &[Purpose];

    /// Changes when endpoint or key change: clears a `stop`.
    fn key_hash(&self) -> u64;

    /// Whether `route` takes this row. Constant for a row: it may be asked again after a restart.
    fn wants(&self, route: &RouteSpec, row: &Row) -> Want;

    /// Whether `next` can go into a request that has `taken` rows already, the first of them `first` (in the order in which
    /// they were found). If not, the cut ends before it. `true` unless the vendor says otherwise: one event per request,
    /// one user per request.
    fn fits(&self, _route: &RouteSpec, _first: &Row, _taken: usize, _next: &Row) -> bool {
        true
    }

    /// The request for these rows. The body depends on `route` and `batch` alone, so that a resend bears the same one;
    /// what `stamp` says goes into headers only, unless the vendor wants the time of sending in the body. Total: a field the vendor cannot take is renamed, cut or left out, never the row.
    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp<'_>) -> Request;

    /// How old a row may be when it is sent, where the vendor would refuse or re-date an older one; it is then booked as
    /// `expired`.
    fn max_age(&self, _route: &RouteSpec) -> Option<Duration> {
        None
    }

    /// What [`Destination::encode`] renames, cuts or leaves out of this row, for the inspector.
    fn notes(&self, _route: &RouteSpec, _row: &Row) -> Vec<Note> {
        Vec::new()
    }

    /// What the answer means for these rows.
    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, answer: &Answer) -> Verdict;

    /// Identifies the encoder's format: a batch in flight that another build encoded is cut anew.
    fn encoder(&self) -> u32;
}

impl<D: Destination + ?Sized> Destination for std::sync::Arc<D> {
    fn routes(&self) -> &'static [RouteSpec] {
        (**self).routes()
    }

    fn purposes(&self) -> &[Purpose] {
        (**self).purposes()
    }

    fn key_hash(&self) -> u64 {
        (**self).key_hash()
    }

    fn wants(&self, route: &RouteSpec, row: &Row) -> Want {
        (**self).wants(route, row)
    }

    fn fits(&self, route: &RouteSpec, first: &Row, taken: usize, next: &Row) -> bool {
        (**self).fits(route, first, taken, next)
    }

    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp<'_>) -> Request {
        (**self).encode(route, batch, stamp)
    }

    fn max_age(&self, route: &RouteSpec) -> Option<Duration> {
        (**self).max_age(route)
    }

    fn notes(&self, route: &RouteSpec, row: &Row) -> Vec<Note> {
        (**self).notes(route, row)
    }

    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, answer: &Answer) -> Verdict {
        (**self).verdict(route, batch, answer)
    }

    fn encoder(&self) -> u32 {
        (**self).encoder()
    }
}
