//! The team's own backend: `POST /v1/batch` with one JSON object that contains the rows as they are stored.
//!
//! It is the only destination that keeps every field of a row, takes every kind, and gets a response for each event. A
//! batch is settled only by a response that accounts for all of its events; any other 2xx is ambiguous.

use super::response::unsuccessful;
use super::server_message::server_message;
use super::settings::{Settings, check_credential, encoder, request, stable_hash};
use super::{
    Action, Backoff, Batch, Caps, Destination, DestinationError, Limit, RouteSpec, RowOutcome, Sampling, Stamp,
    Verdict, Want,
};
use crate::calendar::rfc3339;
use crate::json::Object;
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::reason::Reason;
use crate::row::{Row, Run};
use crate::transport::{Request, Response};
use serde_json::value::RawValue;
use std::time::Duration;

/// Version of the batch format.
const VERSION: u32 = 1;

/// Path of the endpoint below the base address.
const PATH: &str = "/v1/batch";

/// Limit of row JSON in one request, in bytes. With what the envelope adds to 500 rows, the body stays below the
/// endpoint's limit of 1 MiB.
const ROWS_BYTES: usize = limits::BATCH_MAX_BYTES - limits::BATCH_MAX_EVENTS * 300 - 16 * 1024;

const ROUTES: &[RouteSpec] = &[RouteSpec {
    name: "rez.batch",
    at_most_once: false,
    max_events: limits::BATCH_MAX_EVENTS,
    max_bytes: ROWS_BYTES,
    backoff: Backoff::STANDARD,
    gzip: true,
    reports_losses: true,
    adds_losses: false,
}];

/// The team's own backend, over the `rez` batch protocol version 1.
#[derive(Clone)]
pub struct Rez {
    url: String,
    authorization: String,
    purposes: Vec<Purpose>,
    key_hash: u64,
}

/// Builds a [`Rez`].
#[derive(Clone)]
pub struct RezBuilder {
    settings: Settings,
    write_key: String,
}

impl Rez {
    /// A builder with the address of the server, for example `https://in.example.com`, and a write key.
    ///
    /// `/v1/batch` is appended unless the address ends with it. The address uses `https`; `http` is allowed to a loopback
    /// address only. The write key is sent as a bearer token.
    ///
    /// The backend gets both purposes: monitoring and analytics, each while the user consents to it.
    ///
    /// ```
    /// use rez_monitor::destination::Rez;
    ///
    /// let rez = Rez::builder("https://in.example.com", "write-key").build()?;
    /// assert_eq!(rez.url(), "https://in.example.com/v1/batch");
    /// # Ok::<(), rez_monitor::destination::DestinationError>(())
    /// ```
    #[must_use]
    pub fn builder(endpoint: impl Into<String>, write_key: impl Into<String>) -> RezBuilder {
        RezBuilder { settings: Settings::new(endpoint, &Purpose::ALL), write_key: write_key.into() }
    }

    /// The address that batches are posted to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl RezBuilder {
    /// The purposes for which the backend gets data. Default: monitoring and analytics.
    #[must_use]
    pub fn purposes(mut self, purposes: &[Purpose]) -> Self {
        self.settings.set_purposes(purposes);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`DestinationError`] names the invalid setting.
    pub fn build(self) -> Result<Rez, DestinationError> {
        let url = format!("{}{PATH}", self.settings.base_url(&[PATH])?);
        check_credential("write key", &self.write_key)?;
        let key_hash = stable_hash(&[&url, &self.write_key]);
        let purposes = self.settings.into_purposes()?;
        Ok(Rez { url, authorization: format!("Bearer {}", self.write_key), purposes, key_hash })
    }
}

impl std::fmt::Debug for Rez {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rez").field("url", &self.url).field("purposes", &self.purposes).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RezBuilder {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RezBuilder").field("endpoint", &self.settings.endpoint()).finish_non_exhaustive()
    }
}

impl Destination for Rez {
    fn routes(&self) -> &'static [RouteSpec] {
        ROUTES
    }

    fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn wants(&self, _route: &RouteSpec, _row: &Row) -> Want {
        Want::Yes
    }

    fn encode(&self, _route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp<'_>) -> Request {
        let main = main_run(batch);
        let (sent_at, mono) = (rfc3339(stamp.wall_ms), stamp.mono_ms.to_string());
        let mut headers = vec![
            ("Authorization", self.authorization.as_str()),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", batch.batch_id),
            ("X-Rez-Sent-At", &sent_at),
        ];
        // The server subtracts the events' `mono_ms` from it, which are times of the body's boot.
        if main.is_some_and(|run| run.boot == stamp.boot) {
            headers.push(("X-Rez-Mono", &mono));
        }
        request(&self.url, &headers, body(batch, main))
    }

    fn verdict(&self, _route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        let reply = Reply::read(response);
        let action = match response.status {
            200..=299 if response.cut => Action::Ambiguous("the response was cut short".into()),
            200..=299 => match reply.outcomes(batch) {
                Ok(outcomes) => Action::Settle(outcomes),
                Err(what) => Action::Ambiguous(what),
            },
            415 => Action::Uncompressed,
            422 => Action::NewBatchId,
            _ => unsuccessful(response, "the write key was refused", "there is no batch endpoint at this address"),
        };
        let note = reply.note();
        Verdict {
            action,
            limits: reply.limits(),
            note,
            caps: (response.status == 413).then(|| reply.caps()),
            back_off: None,
        }
    }

    fn sampling(&self) -> Option<Sampling> {
        // It gets every row.
        Some(Sampling::by_trace(1.0))
    }

    fn encoder(&self) -> u32 {
        encoder("rez", VERSION, &[])
    }
}

/// The run whose `resource` and `boot` the batch carries: the newest one. Events of other runs carry their own.
fn main_run<'a>(batch: &Batch<'a>) -> Option<&'a Run> {
    batch.runs.iter().max_by_key(|run| run.number)
}

fn body(batch: &Batch<'_>, main: Option<&Run>) -> String {
    let bytes: usize = batch.rows.iter().map(|row| row.json.len() + 320).sum();
    let mut out = String::with_capacity(bytes + 1024);
    Object::write(&mut out, |body| {
        body.number("v", VERSION);
        body.text("batch_id", batch.batch_id);
        body.text("install", batch.install);
        body.number("epoch", batch.epoch);
        body.text("boot", main.map_or("", |run| run.boot.as_str()));
        body.object("sdk", |sdk| {
            sdk.text("name", "rez-monitor");
            sdk.text("version", env!("CARGO_PKG_VERSION"));
        });
        body.object("resource", |out| main.into_iter().for_each(|run| resource(out, run)));
        body.array("lost", batch.lost, |out, lost| {
            Object::write(out, |entry| {
                entry.text("reason", lost.reason.as_str());
                entry.text("kind", lost.kind.map_or("unknown", Kind::as_str));
                entry.number("count", lost.count);
            });
        });
        body.array("events", batch.rows, |out, row| event(out, batch.run_of(row), main, row));
    });
    out
}

/// App, release and device of a run.
fn resource(out: &mut Object<'_>, run: &Run) {
    out.text("run", &run.id);
    out.text("app", &run.app);
    out.text("release", &run.release);
    out.text("os", &run.os);
    out.text_if_some("dist", run.dist.as_deref());
    out.text_if_some("environment", run.environment.as_deref());
    out.text_if_some("device", run.device.as_deref());
    let facts = (!run.facts.is_empty()).then(|| serde_json::to_string(&run.facts).ok()).flatten();
    out.json_if_some("facts", facts.as_deref());
}

/// One event: the columns of the row, then the fields of its JSON.
fn event(out: &mut String, run: Option<&Run>, main: Option<&Run>, row: &Row) {
    Object::write(out, |event| {
        event.text("id", &row.id.to_string());
        event.number("seq", row.seq);
        event.time("ts", row.wall_ms);
        event.text("kind", row.kind.as_str());
        if let Some(run) = run {
            event.text("boot", &run.boot);
            event.number("mono_ms", row.mono_ms);
            if main.is_some_and(|main| main.number != run.number) {
                event.object("resource", |out| resource(out, run));
            }
        }
        // A row that is not a JSON object would make the whole body invalid; it is sent without fields.
        let fields = serde_json::from_str::<&RawValue>(&row.json).ok().map(RawValue::get);
        event.members(fields.and_then(|text| text.strip_prefix('{')?.strip_suffix('}')).map_or("", str::trim));
    });
}

/// The body of a response, as far as it is one of ours.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Reply {
    batch_id: Option<String>,
    accepted: Option<u64>,
    duplicate: u64,
    rejected: Vec<Rejected>,
    limits: Vec<Limited>,
    max_bytes: Option<u64>,
    max_events: Option<u64>,
    error: Option<serde_json::Value>,
}

#[derive(serde::Deserialize)]
struct Rejected {
    index: usize,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(serde::Deserialize)]
struct Limited {
    /// Absent: all kinds.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    retry_after: f64,
}

impl Reply {
    /// An empty reply where the body is none of ours.
    fn read(response: &Response) -> Reply {
        if response.cut {
            return Reply::default();
        }
        serde_json::from_slice(&response.body).unwrap_or_default()
    }

    /// One outcome per row, if the response accounts for all of them.
    fn outcomes(&self, batch: &Batch<'_>) -> Result<Vec<RowOutcome>, String> {
        let Some(accepted) = self.accepted else { return Err("the response is not a batch response".into()) };
        if self.batch_id.as_deref().is_some_and(|id| !id.eq_ignore_ascii_case(batch.batch_id)) {
            return Err("the response is about another batch".into());
        }
        let counted = accepted.saturating_add(self.duplicate).saturating_add(self.rejected.len() as u64);
        if counted != batch.rows.len() as u64 {
            return Err(format!("the response accounts for {counted} of {} events", batch.rows.len()));
        }
        let mut outcomes = vec![RowOutcome::Delivered; batch.rows.len()];
        for rejected in &self.rejected {
            let (Some(outcome), Some(row)) = (outcomes.get_mut(rejected.index), batch.rows.get(rejected.index)) else {
                return Err("the response rejects an event that was not sent".into());
            };
            if rejected.id.as_deref().is_some_and(|id| !id.eq_ignore_ascii_case(&row.id.to_string())) {
                return Err("the response rejects an event under another one's id".into());
            }
            if *outcome != RowOutcome::Delivered {
                return Err("the response rejects an event twice".into());
            }
            *outcome = RowOutcome::Dead(Reason::Rejected, rejected.note());
        }
        Ok(outcomes)
    }

    fn limits(&self) -> Vec<Limit> {
        let read = |limit: &Limited| {
            let kinds = match &limit.kind {
                None => Vec::new(),
                // A kind this build does not know limits nothing it can send.
                Some(kind) => vec![Kind::parse(kind)?],
            };
            let wait = Duration::try_from_secs_f64(limit.retry_after).unwrap_or(Duration::ZERO);
            (!wait.is_zero()).then(|| Limit { kinds, wait: wait.min(limits::RETRY_AFTER) })
        };
        self.limits.iter().filter_map(read).collect()
    }

    fn caps(&self) -> Caps {
        Caps { max_bytes: self.max_bytes, max_events: self.max_events }
    }

    /// Counts and codes, no payload.
    fn note(&self) -> Option<String> {
        if let Some(error) = &self.error {
            return Some(server_message(error.as_str().map_or_else(|| error.to_string(), str::to_owned).as_str()));
        }
        let first = self.rejected.first()?;
        Some(server_message(&format!("{} rejected, first: {}", self.rejected.len(), first.code)))
    }
}

impl Rejected {
    fn note(&self) -> String {
        let mut note = self.code.clone();
        for part in [&self.field, &self.message].into_iter().flatten() {
            note.push_str(": ");
            note.push_str(part);
        }
        server_message(&note)
    }
}

#[cfg(test)]
mod tests;
