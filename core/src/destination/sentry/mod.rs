//! Sentry: envelopes with one event or transaction each, sessions, logs, metrics, feedback and client reports.
//!
//! | file | idea |
//! | --- | --- |
//! | `dsn` | the address of a project |
//! | `kinds` | what becomes of each kind, and under which category it is counted |
//! | `raw` | rows taken apart without a parser; an object written |
//! | `fields` | a row, and what all payloads share |
//! | `event`, `transaction`, `items` | payloads |
//! | `envelope` | lines of a body |
//! | `verdict` | what answers mean |

mod dsn;
mod envelope;
mod event;
mod fields;
mod items;
mod kinds;
mod raw;
mod transaction;
mod verdict;

pub use dsn::{Dsn, DsnError};

use super::{Backoff, Batch, Destination, DestinationError, RouteSpec, Stamp, Verdict, Want, stable_hash};
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::Row;
use crate::transport::{Answer, Request};
use kinds::{Shape, Switches, shape};
use raw::members;

/// Our name in Sentry's `sdk` and headers.
const SDK: &str = "rez.monitor";

/// Version of what this room writes; raise it with every change of a payload.
const VERSION: u32 = 1;

/// Sessions, logs or metrics in one envelope.
const ENTRIES: usize = 100;

/// Most bytes of row JSON in one envelope: with what an encoder adds, logs and metrics stay under Sentry's 1 MiB.
const ROWS_BYTES: usize = limits::CUT_BYTES / 2;

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

/// A project at Sentry, or at a server that speaks its protocol.
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
    /// The DSN as Sentry shows it in the project's settings: `https://<key>@<host>/<project>`. `https`, or `http` to this
    /// machine. Release, environment, dist, system and device come from [`crate::Config`].
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

    /// The address envelopes are posted to.
    #[must_use]
    pub fn url(&self) -> &str {
        self.dsn.url()
    }

    /// What becomes of a kind at Sentry, in words: the table in the user guide.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        kinds::becomes(kind)
    }

    fn shape(&self, kind: Kind) -> Shape {
        shape(kind, self.switches)
    }

    /// Whether the transaction of this row is among those that are sent. The same for all of a trace, on every device, at
    /// every try.
    fn sampled(&self, row: &Row) -> bool {
        if self.traces_sample_rate >= 1.0 {
            return true;
        }
        let trace = members(&row.json).find(|(name, _)| *name == "trace").map_or("", |(_, trace)| trace);
        let id = members(trace).find(|(name, _)| *name == "trace_id").map(|(_, id)| raw::text(id));
        // The lower half of either id is evenly spread.
        let id = id.unwrap_or_else(|| row.id.simple());
        let low = id.get(16..).and_then(|low| u64::from_str_radix(low, 16).ok()).unwrap_or(0);
        // Two of its bits are fixed in an id of ours.
        let share = (low << 2 >> 2) as f64 / (1u64 << 62) as f64;
        share < self.traces_sample_rate
    }
}

impl SentryBuilder {
    /// Share of the traces whose transactions are sent, 0 to 1 (default 1). The others are passed as unwanted.
    #[must_use]
    pub fn traces_sample_rate(mut self, rate: f64) -> Self {
        self.traces_sample_rate = rate;
        self
    }

    /// Messages become entries of Sentry's log instead of issues (default false).
    #[must_use]
    pub fn messages_as_logs(mut self, logs: bool) -> Self {
        self.switches.messages_as_logs = logs;
        self
    }

    /// Analytics events become entries of Sentry's log (default false: they are not sent). They still need the user's
    /// consent to analytics.
    #[must_use]
    pub fn analytics_as_logs(mut self, logs: bool) -> Self {
        self.switches.analytics_as_logs = logs;
        self
    }

    /// Checks the values.
    ///
    /// # Errors
    /// [`DestinationError`] names the part that cannot work.
    pub fn build(self) -> Result<Sentry, DestinationError> {
        let dsn = Dsn::parse(&self.dsn)?;
        let rate = self.traces_sample_rate;
        if !(0.0..=1.0).contains(&rate) {
            return Err(DestinationError::Rate { part: "traces_sample_rate", value: rate.to_string() });
        }
        let mut purposes = vec![Purpose::Monitoring];
        if self.switches.analytics_as_logs {
            purposes.push(Purpose::Analytics);
        }
        let key_hash = stable_hash(&[&dsn.url, &dsn.key]);
        Ok(Sentry { dsn, traces_sample_rate: rate, switches: self.switches, purposes, key_hash })
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
            Shape::Transaction => {
                let has = |name: &str, value: &str| members(&row.json).any(|member| member == (name, value));
                let call = row.kind == Kind::ApiCall;
                let inside = || members(&row.json).any(|(name, _)| name == "child_of");
                (!call || (!inside() && (has("slow", "true") || has("failed", "true")))) && self.sampled(row)
            }
            Shape::Event | Shape::Session | Shape::Feedback | Shape::Log | Shape::Metric => true,
        };
        if wanted { Want::Yes } else { Want::No }
    }

    fn fits(&self, _route: &RouteSpec, first: &Row, taken: usize, next: &Row) -> bool {
        let next = self.shape(next.kind);
        match self.shape(first.kind) {
            // One of them in an envelope; sessions may ride along.
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
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Request { url: self.dsn.url.clone(), headers, body: envelope::body(self, batch, stamp).into_bytes() }
    }

    fn verdict(&self, _route: &RouteSpec, batch: &Batch<'_>, answer: &Answer) -> Verdict {
        verdict::verdict(batch, answer, self.switches)
    }

    fn encoder(&self) -> u32 {
        let switches = u32::from(self.switches.messages_as_logs) << 8 | u32::from(self.switches.analytics_as_logs) << 9;
        crc32fast::hash(env!("CARGO_PKG_VERSION").as_bytes()) ^ VERSION ^ switches
    }
}

#[cfg(test)]
mod tests;
