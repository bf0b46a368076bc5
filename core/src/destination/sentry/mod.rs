//! Sentry: envelopes with one event or transaction each, sessions, logs, metrics, feedback and client reports.
//!
//! | file | idea |
//! | --- | --- |
//! | `dsn` | address and key of a project |
//! | `kinds` | the form of each kind and its rate limit category |
//! | `raw` | splits JSON without parsing it, and writes objects |
//! | `fields` | the fields of a row, and what all payloads share |
//! | `name` | names of releases and environments that Sentry accepts |
//! | `event`, `transaction`, `items` | payloads of the items |
//! | `envelope` | the lines of an envelope |
//! | `verdict` | the meaning of responses |

mod common;
mod device;
mod dsn;
mod envelope;
mod event;
mod exception;
mod fields;
mod items;
mod kinds;
mod name;
mod transaction;
mod verdict;

pub use dsn::{Dsn, DsnError};

use super::settings::{check_rate, encoder, request, stable_hash};
use super::{Backoff, Batch, Destination, DestinationError, Note, RouteSpec, Sampling, Stamp, Verdict, Want};
use crate::json::split::{self, member, members};
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::{Row, Run};
use crate::trace::share::trace_share;
use crate::trace::{Project, TraceStyle};
use crate::transport::{Request, Response};
use kinds::{Shape, Switches, shape};
use std::borrow::Cow;

/// Name of the SDK in payloads and headers.
const SDK: &str = "rez.monitor";

/// Raised when the body for the same rows changes.
const VERSION: u32 = 3;

/// Limit of sessions, logs or metrics in one envelope.
const ENTRIES: usize = 100;

/// Limit of row JSON in one envelope, in bytes. With what the encoder adds, logs and metrics stay below Sentry's 1 MiB.
const ROWS_BYTES: usize = limits::BATCH_MAX_BYTES / 2;

const ROUTES: &[RouteSpec] = &[RouteSpec {
    name: "sentry.envelope",
    at_most_once: false,
    max_events: ENTRIES,
    max_bytes: ROWS_BYTES,
    backoff: Backoff::STANDARD,
    gzip: true,
    reports_losses: true,
    adds_losses: true,
}];

/// A project at Sentry, or at another server that implements the envelope protocol.
#[derive(Clone)]
pub struct Sentry {
    dsn: Dsn,
    traces_sample_rate: f64,
    switches: Switches,
    purposes: Vec<Purpose>,
    key_hash: u64,
}

/// Builds a [`Sentry`].
#[derive(Clone)]
pub struct SentryBuilder {
    dsn: String,
    traces_sample_rate: f64,
    switches: Switches,
}

impl Sentry {
    /// A builder with the DSN from the project's settings: `https://<key>@<host>/<project>`. The address uses `https`;
    /// `http` is allowed to a loopback address only.
    ///
    /// Release, environment, dist, operating system and device come from [`crate::Config`]. A release, environment or
    /// dist that Sentry does not accept is repaired; [`crate::Monitor::status`] lists the changes.
    ///
    /// ```
    /// use rez_monitor::destination::Sentry;
    ///
    /// let sentry = Sentry::builder("https://0123abcd@o1.ingest.sentry.io/42").traces_sample_rate(0.2).build()?;
    /// assert_eq!(sentry.url(), "https://o1.ingest.sentry.io/api/42/envelope/");
    /// # Ok::<(), rez_monitor::destination::DestinationError>(())
    /// ```
    #[must_use]
    pub fn builder(dsn: impl Into<String>) -> SentryBuilder {
        SentryBuilder { dsn: dsn.into(), traces_sample_rate: 1.0, switches: Switches::default() }
    }

    /// The address that envelopes are posted to.
    #[must_use]
    pub fn url(&self) -> &str {
        self.dsn.url()
    }

    /// What Sentry gets of a kind, as Markdown for the user guide.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        kinds::becomes(kind)
    }

    fn shape(&self, kind: Kind) -> Shape {
        shape(kind, self.switches)
    }

    /// Whether the trace of this row is kept. The same for all transactions of a trace, on every device and at every
    /// attempt, and what the trace headers of its calls have told the servers.
    fn keeps(&self, row: &Row) -> bool {
        let trace = member(&row.json, "trace").unwrap_or_default();
        let get = |name: &str| member(trace, name);
        match get("sampled") {
            Some(sampled) => sampled == "true",
            None => {
                // A row without a trace is the root of one, whose id is that of the event.
                let id = get("trace_id").and_then(|id| u128::from_str_radix(&split::text(id), 16).ok());
                trace_share(id.unwrap_or_else(|| u128::from_be_bytes(*row.id.as_bytes()))) < self.traces_sample_rate
            }
        }
    }

    /// Whether a transaction of its own is sent for this row. A call inside a screen load or a span is part of that one's
    /// transaction. Any other call is sent if it is slow or failed, if a server continues its trace, or if its parent was
    /// recorded elsewhere.
    fn is_transaction(row: &Row) -> bool {
        let mut own = row.kind != Kind::ApiCall;
        for (name, value) in members(&row.json) {
            match name {
                "child_of" => return false,
                "slow" | "failed" => own |= value == "true",
                "trace" => own |= members(value).any(|(name, _)| matches!(name, "propagated" | "parent")),
                _ => {}
            }
        }
        own
    }
}

impl SentryBuilder {
    /// Share of the traces whose transactions are sent, 0 to 1. The others are counted as `unwanted`. Default: 1.
    #[must_use]
    pub fn traces_sample_rate(mut self, rate: f64) -> Self {
        self.traces_sample_rate = rate;
        self
    }

    /// Sends messages as log entries instead of issues. Default: false.
    #[must_use]
    pub fn messages_as_logs(mut self, logs: bool) -> Self {
        self.switches.messages_as_logs = logs;
        self
    }

    /// Sends analytics events as log entries. They still require the user's consent to analytics. Default: false, they
    /// are not sent.
    #[must_use]
    pub fn analytics_as_logs(mut self, logs: bool) -> Self {
        self.switches.analytics_as_logs = logs;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`DestinationError`] names the invalid setting.
    pub fn build(self) -> Result<Sentry, DestinationError> {
        let dsn = Dsn::parse(&self.dsn)?;
        check_rate("traces_sample_rate", self.traces_sample_rate)?;
        let mut purposes = vec![Purpose::Monitoring];
        if self.switches.analytics_as_logs {
            purposes.push(Purpose::Analytics);
        }
        let key_hash = stable_hash(&[&dsn.url, &dsn.key]);
        let SentryBuilder { traces_sample_rate, switches, .. } = self;
        Ok(Sentry { dsn, traces_sample_rate, switches, purposes, key_hash })
    }
}

impl std::fmt::Debug for Sentry {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sentry").field("dsn", &self.dsn).field("switches", &self.switches).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SentryBuilder {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SentryBuilder").field("switches", &self.switches).finish_non_exhaustive()
    }
}

impl Destination for Sentry {
    fn routes(&self) -> &'static [RouteSpec] {
        ROUTES
    }

    fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn wants(&self, _route: &RouteSpec, row: &Row) -> Want {
        let wanted = match self.shape(row.kind) {
            Shape::Never => false,
            Shape::Transaction => Self::is_transaction(row) && self.keeps(row),
            Shape::Event | Shape::Session | Shape::Feedback | Shape::Log | Shape::Metric => true,
        };
        if wanted { Want::Yes } else { Want::No }
    }

    fn fits(&self, _route: &RouteSpec, first: &Row, taken: usize, next: &Row) -> bool {
        let next = self.shape(next.kind);
        match self.shape(first.kind) {
            // An envelope contains at most one of them, and sessions.
            Shape::Event | Shape::Transaction => next == Shape::Session && taken < ENTRIES,
            Shape::Feedback | Shape::Never => false,
            shape @ (Shape::Session | Shape::Log | Shape::Metric) => next == shape && taken < ENTRIES,
        }
    }

    fn encode(&self, _route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp<'_>) -> Request {
        let client = concat!("rez.monitor/", env!("CARGO_PKG_VERSION"));
        let auth = format!("Sentry sentry_version=7, sentry_client={client}, sentry_key={}", self.dsn.key);
        let headers = [
            ("Content-Type", "application/x-sentry-envelope"),
            ("X-Sentry-Auth", auth.as_str()),
            ("User-Agent", client),
        ];
        request(&self.dsn.url, &headers, envelope::body(self, batch, stamp))
    }

    fn run_notes(&self, run: &Run) -> Vec<Note> {
        name::notes(run)
    }

    fn verdict(&self, _route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        verdict::verdict(batch, response, self.switches)
    }

    fn sampling(&self) -> Option<Sampling> {
        let project = Project {
            public_key: self.dsn.key.clone(),
            org_id: self.dsn.org_id().map(str::to_owned),
            release: |release| name::release(release).map(Cow::into_owned),
            environment: |environment| name::environment(environment).map(Cow::into_owned),
        };
        Some(Sampling::by_trace(self.traces_sample_rate).style(TraceStyle::Sentry).project(project))
    }

    fn encoder(&self) -> u32 {
        encoder("sentry", VERSION, &[self.switches.messages_as_logs, self.switches.analytics_as_logs].map(u8::from))
    }
}

#[cfg(test)]
mod tests;
