//! OTLP over HTTP: logs, traces and metrics, in protobuf or JSON. The way to an OpenTelemetry Collector, and to every
//! backend that takes OpenTelemetry's own protocol.

mod attributes;
mod becomes;
mod headers;
mod logs;
mod metrics;
mod names;
mod resource;
mod traces;
mod verdict;
mod wire;

use self::headers::check_headers;
use self::wire::{JsonText, Protobuf};
use super::base64::base64;
use super::{Backoff, Batch, Destination, DestinationError, RouteSpec, Stamp, Verdict, Want, json::Json, stable_hash};
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::Row;
use crate::transport::{Answer, Endpoint, Request};

/// Version of the encoder: raised when the body for the same rows changes.
const VERSION: u32 = 1;

const fn route(name: &'static str, reports_losses: bool) -> RouteSpec {
    RouteSpec {
        name,
        at_most_once: false,
        max_events: limits::CUT_EVENTS,
        max_bytes: limits::CUT_BYTES,
        backoff: Backoff::STANDARD,
        gzip: true,
        reports_losses,
        adds_losses: false,
    }
}

const LOGS: RouteSpec = route("otlp.logs", false);
const TRACES: RouteSpec = route("otlp.traces", false);
const METRICS: RouteSpec = route("otlp.metrics", true);

/// One of OpenTelemetry's signals: each has a route and an endpoint of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OtlpSignal {
    /// Errors, messages and events.
    Logs,
    /// Everything that was timed.
    Traces,
    /// Counters, gauges, distributions, frames and our own losses.
    Metrics,
}

impl OtlpSignal {
    /// All of them, in the order of the routes.
    pub const ALL: [OtlpSignal; 3] = [OtlpSignal::Logs, OtlpSignal::Traces, OtlpSignal::Metrics];

    /// Its path below a base address.
    fn path(self) -> &'static str {
        match self {
            OtlpSignal::Logs => "/v1/logs",
            OtlpSignal::Traces => "/v1/traces",
            OtlpSignal::Metrics => "/v1/metrics",
        }
    }

    fn of(route: &RouteSpec) -> OtlpSignal {
        match route.name {
            "otlp.traces" => OtlpSignal::Traces,
            "otlp.metrics" => OtlpSignal::Metrics,
            _ => OtlpSignal::Logs,
        }
    }

    /// The signal a row of this kind is, before any look at the row itself.
    fn of_kind(kind: Kind) -> OtlpSignal {
        match kind {
            Kind::ScreenLoad | Kind::AppStart | Kind::ApiCall | Kind::ImageLoad | Kind::LongTask => OtlpSignal::Traces,
            Kind::Metric | Kind::Frames => OtlpSignal::Metrics,
            _ => OtlpSignal::Logs,
        }
    }
}

/// How a request's body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtlpEncoding {
    /// Smaller, and every receiver takes it.
    #[default]
    Protobuf,
    /// Can be read by people and by receivers without a protobuf library.
    Json,
}

/// OTLP/HTTP.
#[derive(Clone)]
pub struct Otlp {
    /// Where each signal goes; none = not at all.
    urls: [Option<String>; 3],
    headers: Vec<(String, String)>,
    encoding: OtlpEncoding,
    breadcrumbs: bool,
    purposes: Vec<Purpose>,
    key_hash: u64,
}

/// Builds an [`Otlp`].
#[derive(Clone)]
pub struct OtlpBuilder {
    base: Option<String>,
    own: [Option<String>; 3],
    off: [bool; 3],
    headers: Vec<(String, String)>,
    encoding: OtlpEncoding,
    breadcrumbs: bool,
    purposes: Vec<Purpose>,
}

impl Otlp {
    /// All three signals go to one base address, for example `https://otlp.example.com`: `/v1/logs`, `/v1/traces` and
    /// `/v1/metrics` are appended. `https`, or `http` to this machine.
    #[must_use]
    pub fn builder(endpoint: impl Into<String>) -> OtlpBuilder {
        OtlpBuilder { base: Some(endpoint.into()), ..Otlp::per_signal() }
    }

    /// No base address: only the signals that are given an [`OtlpBuilder::endpoint`] of their own are sent.
    #[must_use]
    pub fn per_signal() -> OtlpBuilder {
        OtlpBuilder {
            base: None,
            own: [None, None, None],
            off: [false; 3],
            headers: Vec::new(),
            encoding: OtlpEncoding::default(),
            breadcrumbs: true,
            purposes: vec![Purpose::Monitoring],
        }
    }

    /// The address a signal is posted to, if it is sent.
    #[must_use]
    pub fn url(&self, signal: OtlpSignal) -> Option<&str> {
        self.urls.get(signal as usize)?.as_deref()
    }

    /// The protocol a route's body is written in.
    fn body(&self, signal: OtlpSignal, batch: &Batch<'_>) -> Vec<u8> {
        let room = batch.rows.iter().map(|row| row.json.len() + 512).sum::<usize>() + 1024;
        match self.encoding {
            OtlpEncoding::Protobuf => {
                let mut w = Protobuf::with_capacity(room);
                self.write(&mut w, signal, batch);
                w.finish()
            }
            OtlpEncoding::Json => {
                let mut w = JsonText::with_capacity(room * 2);
                self.write(&mut w, signal, batch);
                w.finish()
            }
        }
    }

    fn write(&self, w: &mut impl wire::Wire, signal: OtlpSignal, batch: &Batch<'_>) {
        match signal {
            OtlpSignal::Logs => logs::write(w, batch, self.breadcrumbs),
            OtlpSignal::Traces => traces::write(w, batch),
            OtlpSignal::Metrics => metrics::write(w, batch),
        }
    }
}

impl OtlpBuilder {
    /// The whole address of one signal, used as it is: for backends that have a host or a path for each.
    #[must_use]
    pub fn endpoint(mut self, signal: OtlpSignal, endpoint: impl Into<String>) -> Self {
        if let Some(own) = self.own.get_mut(signal as usize) {
            *own = Some(endpoint.into());
        }
        self
    }

    /// This signal is not sent.
    #[must_use]
    pub fn without(mut self, signal: OtlpSignal) -> Self {
        if let Some(off) = self.off.get_mut(signal as usize) {
            *off = true;
        }
        self
    }

    /// A header of every request, such as New Relic's `api-key`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// `Authorization: Basic`, as Grafana Cloud wants it: instance id and token.
    #[must_use]
    pub fn basic_auth(self, user: &str, password: &str) -> Self {
        let credentials = base64(format!("{user}:{password}").as_bytes());
        self.header("Authorization", format!("Basic {credentials}"))
    }

    /// `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// Protobuf by default.
    #[must_use]
    pub fn encoding(mut self, encoding: OtlpEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Whether an error takes its breadcrumbs along, as log records of level debug. On by default.
    #[must_use]
    pub fn breadcrumbs(mut self, on: bool) -> Self {
        self.breadcrumbs = on;
        self
    }

    /// What the endpoint gets. Monitoring by default; a team's own Collector normally takes both.
    #[must_use]
    pub fn purposes(mut self, purposes: &[Purpose]) -> Self {
        self.purposes = Purpose::ALL.into_iter().filter(|purpose| purposes.contains(purpose)).collect();
        self
    }

    /// Checks the values.
    ///
    /// # Errors
    /// [`DestinationError`] names the part that cannot work.
    pub fn build(self) -> Result<Otlp, DestinationError> {
        let base = match &self.base {
            Some(base) => {
                let endpoint = Endpoint::parse(base)?;
                let path = OtlpSignal::ALL.iter().find_map(|signal| endpoint.path.strip_suffix(signal.path()));
                Some(format!("{}{}", endpoint.origin, path.unwrap_or(&endpoint.path)))
            }
            None => None,
        };
        let mut urls = [None, None, None];
        for (((url, signal), own), off) in urls.iter_mut().zip(OtlpSignal::ALL).zip(&self.own).zip(self.off) {
            *url = match (own, &base) {
                _ if off => None,
                (Some(own), _) => {
                    let endpoint = Endpoint::parse(own)?;
                    Some(format!("{}{}", endpoint.origin, endpoint.path))
                }
                (None, Some(base)) => Some(format!("{base}{}", signal.path())),
                (None, None) => None,
            };
        }
        if urls.iter().all(Option::is_none) {
            return Err(DestinationError::Empty { part: "endpoint" });
        }
        check_headers(&self.headers)?;
        if self.purposes.is_empty() {
            return Err(DestinationError::NoPurpose);
        }
        let mut parts: Vec<&str> = urls.iter().map(|url| url.as_deref().unwrap_or_default()).collect();
        parts.extend(self.headers.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        let key_hash = stable_hash(&parts);
        let OtlpBuilder { headers, encoding, breadcrumbs, purposes, .. } = self;
        Ok(Otlp { urls, headers, encoding, breadcrumbs, purposes, key_hash })
    }
}

impl std::fmt::Debug for Otlp {
    /// Without the values of the headers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Otlp").field("urls", &self.urls).field("headers", &headers).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for OtlpBuilder {
    /// Without the values of the headers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OtlpBuilder").field("endpoint", &self.base).finish_non_exhaustive()
    }
}

impl Destination for Otlp {
    fn routes(&self) -> &'static [RouteSpec] {
        // A signal that is off has no route at all: no cursor to move and no losses to report.
        match self.urls.each_ref().map(Option::is_some) {
            [true, true, true] => &[LOGS, TRACES, METRICS],
            [true, true, false] => &[LOGS, TRACES],
            [true, false, true] => &[LOGS, METRICS],
            [false, true, true] => &[TRACES, METRICS],
            [true, false, false] => &[LOGS],
            [false, true, false] => &[TRACES],
            [false, false, true] => &[METRICS],
            [false, false, false] => &[],
        }
    }

    fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn wants(&self, route: &RouteSpec, row: &Row) -> Want {
        let signal = OtlpSignal::of(route);
        if OtlpSignal::of_kind(row.kind) != signal || self.url(signal).is_none() {
            return Want::No;
        }
        let can_be_said = match row.kind {
            // OpenTelemetry has no state of a user that could be changed; what is known of a property is its new value.
            Kind::UserProp => Json::of(row).text("op") == Some("set"),
            Kind::Metric => metrics::is_number(row),
            _ => true,
        };
        if can_be_said { Want::Yes } else { Want::No }
    }

    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, _stamp: &Stamp<'_>) -> Request {
        let signal = OtlpSignal::of(route);
        let media_type = match self.encoding {
            OtlpEncoding::Protobuf => "application/x-protobuf",
            OtlpEncoding::Json => "application/json",
        };
        let mut headers = vec![("Content-Type".to_owned(), media_type.to_owned())];
        headers.extend(self.headers.iter().cloned());
        // A signal that is off wants nothing, so nothing is encoded for it.
        let url = self.url(signal).unwrap_or_default().to_owned();
        Request { url, headers, body: self.body(signal, batch) }
    }

    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, answer: &Answer) -> Verdict {
        verdict::verdict(batch, answer, || match OtlpSignal::of(route) {
            OtlpSignal::Logs => batch.rows.iter().map(|row| logs::count(row, self.breadcrumbs)).sum(),
            OtlpSignal::Traces => batch.rows.len() as u64,
            OtlpSignal::Metrics => metrics::count(batch),
        })
    }

    fn encoder(&self) -> u32 {
        let settings = [self.encoding as u8, u8::from(self.breadcrumbs)];
        // The body names the version of the library, so another version writes another body.
        crc32fast::hash(env!("CARGO_PKG_VERSION").as_bytes()) ^ crc32fast::hash(&settings) ^ VERSION
    }
}

#[cfg(test)]
mod tests;
