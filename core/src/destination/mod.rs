//! Wire formats: which rows each backend takes, how a batch is encoded, and what its responses mean.
//!
//! Everything here is a pure function of rows and responses: no clock, no file, no socket, no store. Values that are read
//! at the moment of sending come in as [`Stamp`].

#[cfg(any(feature = "destination-pagerduty", feature = "destination-slack"))]
mod alert;
#[cfg(any(test, feature = "destination-mixpanel", feature = "destination-otlp"))]
mod base64;
#[cfg(feature = "destination-datadog")]
mod datadog;
mod error;
#[cfg(any(
    feature = "destination-ga4",
    feature = "destination-mixpanel",
    feature = "destination-pagerduty",
    feature = "destination-slack"
))]
mod fields;
#[cfg(feature = "destination-ga4")]
mod ga4;
#[cfg(feature = "destination-mixpanel")]
mod mixpanel;
#[cfg(feature = "destination-otlp")]
mod otlp;
#[cfg(feature = "destination-pagerduty")]
mod pagerduty;
mod response;
#[cfg(feature = "destination-rez")]
mod rez;
#[cfg(any(feature = "destination-datadog", feature = "destination-otlp"))]
mod screen_view;
#[cfg(feature = "destination-sentry")]
mod sentry;
mod server_message;
mod settings;
#[cfg(feature = "destination-slack")]
mod slack;
#[cfg(any(feature = "destination-datadog", feature = "destination-otlp"))]
mod stack_trace;
#[cfg(any(
    feature = "destination-datadog",
    feature = "destination-ga4",
    feature = "destination-mixpanel",
    feature = "destination-otlp",
    feature = "destination-sentry"
))]
mod system;
#[cfg(any(feature = "destination-datadog", feature = "destination-otlp"))]
mod trace_ids;

#[cfg(feature = "destination-datadog")]
pub use self::datadog::{Datadog, DatadogBuilder};
#[cfg(feature = "destination-ga4")]
pub use self::ga4::{Ga4, Ga4Builder};
#[cfg(feature = "destination-mixpanel")]
pub use self::mixpanel::{Mixpanel, MixpanelBuilder, MixpanelRegion};
#[cfg(feature = "destination-otlp")]
pub use self::otlp::{Otlp, OtlpBuilder, OtlpEncoding, OtlpSignal};
#[cfg(feature = "destination-pagerduty")]
pub use self::pagerduty::{PagerDuty, PagerDutyBuilder};
#[cfg(feature = "destination-rez")]
pub use self::rez::{Rez, RezBuilder};
#[cfg(feature = "destination-sentry")]
pub use self::sentry::{Dsn, DsnError, Sentry, SentryBuilder};
#[cfg(feature = "destination-slack")]
pub use self::slack::{Slack, SlackBuilder};

#[cfg(test)]
pub(crate) use self::base64::base64;
pub use self::error::DestinationError;
pub(crate) use self::response::intercepted;
pub(crate) use self::settings::stable_hash;

use crate::kind::{Kind, Purpose};
use crate::reason::Reason;
use crate::row::{Lost, Row, Run};
pub use crate::trace::Sampling;
use crate::transport::{Request, Response};
use std::time::Duration;

/// An endpoint of a destination, with its own cursor, wait and retry class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// Name of the route, for example `sentry.envelope`.
    pub name: &'static str,
    /// The server cannot recognise a second copy of an event: a request whose outcome is unknown is not repeated.
    pub at_most_once: bool,
    /// Limit of events in one request.
    pub max_events: usize,
    /// Limit of row JSON in one request, in bytes, before encoding and compression.
    pub max_bytes: usize,
    /// Waits after failures.
    pub backoff: Backoff,
    /// The endpoint accepts `Content-Encoding: gzip`: the delivery thread compresses the body and adds the header.
    pub gzip: bool,
    /// [`Destination::encode`] can report lost events in a request without rows; it is then called with no rows. An
    /// empty body means that there is nothing to report.
    pub reports_losses: bool,
    /// The backend adds up the reports of lost events, so [`Batch::lost`] contains only what has not been reported yet.
    pub adds_losses: bool,
}

/// The bounds of exponential backoff. The n-th wait in a row (n = 1, 2 ..) is uniformly distributed in
/// `first ..= min(most, first * 2^n)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Shortest wait.
    pub first: Duration,
    /// Longest wait.
    pub most: Duration,
}

impl Backoff {
    /// Full jitter, 1 s to 5 min (see ADR 0005).
    pub const STANDARD: Backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(300) };
}

/// Whether a route takes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// The route takes the row.
    Yes,
    /// The route never takes the row; it is passed over and counted as `unwanted`.
    No,
    /// The route takes the row later: the row is parked and later rows overtake it. It is offered again after
    /// [`crate::limits::OFFER_INTERVAL`].
    Later,
    /// The route takes the row in a later request: this request ends before it. The delivery thread returns this where
    /// [`Destination::fits`] is false.
    Next,
}

/// A value that a destination changes or leaves out because the vendor does not accept it. Derived, never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The field, under the app's name.
    pub field: String,
    /// The change, for example ``sent as `x_error` ``.
    pub what: String,
}

/// The content of one request.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// Id of the batch (UUID); a repeated request has the same one.
    pub batch_id: &'a str,
    /// Id of this installation (UUID).
    pub install: &'a str,
    /// Epoch of the store.
    pub epoch: u64,
    /// The rows, ordered by lane, then by `seq`.
    pub rows: &'a [Row],
    /// The runs of the rows; each row's run is among them.
    pub runs: &'a [Run],
    /// Events of this epoch that were lost on this route or before any route: cumulative, or since the last report with
    /// [`RouteSpec::adds_losses`].
    pub lost: &'a [Lost],
    /// The purposes that the user consents to.
    pub granted: Granted,
}

impl Batch<'_> {
    /// The run in which the row was recorded.
    #[must_use]
    pub fn run_of(&self, row: &Row) -> Option<&Run> {
        self.runs.iter().find(|run| run.number == row.run)
    }
}

/// The granted purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Granted {
    /// Monitoring is granted.
    pub monitoring: bool,
    /// Analytics is granted.
    pub analytics: bool,
}

/// Values read at the moment of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// Id of the current boot, from whose start `mono_ms` counts.
    pub boot: &'a str,
    /// Wall clock, milliseconds since 1970.
    pub wall_ms: i64,
    /// Milliseconds since boot.
    pub mono_ms: i64,
    /// Number of earlier attempts with this batch.
    pub attempt: u32,
    /// HTTP status of the last attempt, 0 if there was none.
    pub last_status: u16,
}

/// The meaning of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What to do with the batch.
    pub action: Action,
    /// Rate limits announced by the server, with any status.
    pub limits: Vec<Limit>,
    /// The server's message for the receipt; short, without payload.
    pub note: Option<String>,
    /// Size limits announced by the server (rez: body of a 413); they apply to all later requests of the route.
    pub caps: Option<Caps>,
    /// The request failed although `action` settles the batch (Sentry's 5xx): bounds of the backoff of later requests.
    pub back_off: Option<Backoff>,
}

/// Size limits announced by a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Caps {
    /// Limit of an uncompressed body, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Limit of events in one body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_events: Option<u64>,
}

impl Verdict {
    /// A verdict with an action only.
    #[must_use]
    pub fn of(action: Action) -> Verdict {
        Verdict { action, limits: Vec::new(), note: None, caps: None, back_off: None }
    }
}

/// What to do with the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Every row is settled: one outcome per row, in their order.
    Settle(Vec<RowOutcome>),
    /// The request was refused as a whole (400, 413 ...): bisect it to find the row that causes it.
    Split,
    /// Keep the rows and wait as long as the server asks, or back off.
    Keep(Option<Duration>),
    /// An outage of the service (5xx): keep the rows and back off the whole route.
    Outage(Option<Duration>),
    /// The key or the address is wrong: stop the route, keep the rows and report it to the host.
    Stop(String),
    /// Repeat the request with a new batch id.
    NewBatchId,
    /// Repeat the request once without compression.
    Uncompressed,
    /// The response does not tell whether the events arrived.
    Ambiguous(String),
}

/// The outcome of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// The destination has accepted it.
    Delivered,
    /// It is given up and counted under this reason.
    Dropped(Reason),
    /// The destination refused this row alone; it is kept as a dead letter for inspection.
    Dead(Reason, String),
    /// It stays queued for a later request of this route.
    Keep,
}

/// A rate limit on some kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The limited kinds; empty means all.
    pub kinds: Vec<Kind>,
    /// Duration of the limit, counted from the response.
    pub wait: Duration,
}

/// A destination and its name in the configuration.
pub(crate) type Named = (String, std::sync::Arc<dyn Destination>);

/// A wire format with its address and key. Called on the delivery thread, and `wants` on the writer thread as well.
pub trait Destination: Send + Sync + 'static {
    /// The routes; constant for the life of the process.
    fn routes(&self) -> &'static [RouteSpec];

    /// The purposes for which the destination gets data. It gets an event if one of the purposes of the event's kind is
    /// among them and granted. A vendor usually has one, a team's own backend both.
    fn purposes(&self) -> &[Purpose];

    /// A hash of address and key. A stopped route starts again when it changes.
    fn key_hash(&self) -> u64;

    /// Whether `route` takes this row. Must return the same for the same row, also after a restart.
    fn wants(&self, route: &RouteSpec, row: &Row) -> Want;

    /// Whether `next` fits into a request that already has `taken` rows, of which `first` was found first. If not, the
    /// request ends before it. Default: true. Vendors restrict it to one event per request, or to one user per request.
    fn fits(&self, _route: &RouteSpec, _first: &Row, _taken: usize, _next: &Row) -> bool {
        true
    }

    /// The request for these rows.
    ///
    /// The body depends on `route` and `batch` alone, so that a repeated request has the same body; values of `stamp`
    /// go into headers, unless the vendor requires the time of sending in the body. Every row is encoded: a value that
    /// the vendor does not accept is renamed, cut or left out.
    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp<'_>) -> Request;

    /// Maximum age of a row at sending, where the vendor refuses or re-dates older events. An older row is given up as
    /// `expired`. Default: none.
    fn max_age(&self, _route: &RouteSpec) -> Option<Duration> {
        None
    }

    /// What [`Destination::encode`] renames, cuts or leaves out of this row, for the inspector. Default: nothing.
    fn notes(&self, _route: &RouteSpec, _row: &Row) -> Vec<Note> {
        Vec::new()
    }

    /// What [`Destination::encode`] changes of the values that all rows of a run share, such as the release.
    /// [`crate::Monitor::status`] lists them. Default: nothing.
    fn run_notes(&self, _run: &Run) -> Vec<Note> {
        Vec::new()
    }

    /// Whether a response is certainly the vendor's own, although it looks like a web page: Slack labels its `ok` as `text/html`. Default:
    /// false.
    fn recognizes(&self, _response: &Response) -> bool {
        false
    }

    /// The meaning of the response for these rows. Not called for a response that the server did not send (a captive
    /// portal's page or redirect): the delivery thread treats the server as unreachable then.
    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict;

    /// How the destination samples traces, for the headers that tell servers about them. What it returns must agree with
    /// [`Destination::wants`]: a row whose trace it does not keep is not wanted. Default: `None`, it keeps no traces.
    fn sampling(&self) -> Option<Sampling> {
        None
    }

    /// Identifies the format of the encoder. A batch that another encoder sent is built anew before it is repeated.
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

    fn run_notes(&self, run: &Run) -> Vec<Note> {
        (**self).run_notes(run)
    }

    fn recognizes(&self, response: &Response) -> bool {
        (**self).recognizes(response)
    }

    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        (**self).verdict(route, batch, response)
    }

    fn sampling(&self) -> Option<Sampling> {
        (**self).sampling()
    }

    fn encoder(&self) -> u32 {
        (**self).encoder()
    }
}
