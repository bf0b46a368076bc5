//! OTLP over HTTP: logs, traces and metrics as protobuf or JSON, for the OpenTelemetry Collector and every backend that
//! accepts OTLP.

mod attributes;
mod becomes;
mod device;
mod logs;
mod metrics;
mod names;
mod resource;
mod traces;
mod verdict;
mod wire;

use self::wire::{JsonText, Protobuf};
use super::base64::base64;
use super::screen_view::changes_view;
use super::settings::{Settings, base_url, check_headers, check_rate, encoder, request, stable_hash};
use super::{Backoff, Batch, Destination, DestinationError, RouteSpec, Sampling, Stamp, Verdict, Want, trace_ids};
use crate::json::Json;
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::Row;
use crate::transport::{Request, Response};

/// Raised when the body for the same rows changes.
const VERSION: u32 = 3;

const fn route(name: &'static str, reports_losses: bool) -> RouteSpec {
    RouteSpec {
        name,
        at_most_once: false,
        max_events: limits::BATCH_MAX_EVENTS,
        max_bytes: limits::BATCH_MAX_BYTES,
        backoff: Backoff::STANDARD,
        gzip: true,
        reports_losses,
        adds_losses: false,
    }
}

const LOGS: RouteSpec = route("otlp.logs", false);
const TRACES: RouteSpec = route("otlp.traces", false);
const METRICS: RouteSpec = route("otlp.metrics", true);

/// A signal of OpenTelemetry. Each has its own route and its own endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OtlpSignal {
    /// Errors, messages and events.
    Logs,
    /// Everything with a duration.
    Traces,
    /// Counters, gauges, distributions, frame counts and the number of lost events.
    Metrics,
}

impl OtlpSignal {
    /// All signals, in the order of the routes.
    pub const ALL: [OtlpSignal; 3] = [OtlpSignal::Logs, OtlpSignal::Traces, OtlpSignal::Metrics];

    /// Path below the base address.
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

    /// The signal as which rows of this kind are sent.
    fn of_kind(kind: Kind) -> OtlpSignal {
        match kind {
            Kind::ScreenLoad | Kind::AppStart | Kind::ApiCall | Kind::ImageLoad | Kind::LongTask | Kind::Span => {
                OtlpSignal::Traces
            }
            Kind::Metric | Kind::Frames => OtlpSignal::Metrics,
            _ => OtlpSignal::Logs,
        }
    }
}

/// Encoding of the bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtlpEncoding {
    /// Protobuf: smaller, and accepted by every receiver.
    #[default]
    Protobuf,
    /// JSON: readable, and accepted by receivers without a protobuf library.
    Json,
}

/// OTLP/HTTP.
#[derive(Clone)]
pub struct Otlp {
    /// Address of each signal; `None` if the signal is not sent.
    urls: [Option<String>; 3],
    headers: Vec<(String, String)>,
    encoding: OtlpEncoding,
    breadcrumbs: bool,
    traces_sample_rate: f64,
    purposes: Vec<Purpose>,
    key_hash: u64,
}

/// Builds an [`Otlp`].
#[derive(Clone)]
pub struct OtlpBuilder {
    has_base: bool,
    settings: Settings,
    own: [Option<String>; 3],
    off: [bool; 3],
    headers: Vec<(String, String)>,
    encoding: OtlpEncoding,
    breadcrumbs: bool,
    traces_sample_rate: f64,
}

impl Otlp {
    /// A builder that sends all three signals to one base address, for example `https://otlp.example.com`: `/v1/logs`,
    /// `/v1/traces` and `/v1/metrics` are appended. The address uses `https`; `http` is allowed to a loopback address
    /// only.
    #[must_use]
    pub fn builder(endpoint: impl Into<String>) -> OtlpBuilder {
        let mut builder = Otlp::per_signal();
        builder.settings.endpoint = endpoint.into();
        builder.has_base = true;
        builder
    }

    /// A builder without a base address: only the signals with an [`OtlpBuilder::endpoint`] of their own are sent.
    #[must_use]
    pub fn per_signal() -> OtlpBuilder {
        OtlpBuilder {
            has_base: false,
            settings: Settings::new("", &[Purpose::Monitoring]),
            own: [None, None, None],
            off: [false; 3],
            headers: Vec::new(),
            encoding: OtlpEncoding::default(),
            breadcrumbs: true,
            traces_sample_rate: 1.0,
        }
    }

    /// The address that a signal is posted to; `None` if it is not sent.
    #[must_use]
    pub fn url(&self, signal: OtlpSignal) -> Option<&str> {
        self.urls.get(signal as usize)?.as_deref()
    }

    fn body(&self, signal: OtlpSignal, batch: &Batch<'_>) -> Vec<u8> {
        let bytes = batch.rows.iter().map(|row| row.json.len() + 512).sum::<usize>() + 1024;
        match self.encoding {
            OtlpEncoding::Protobuf => {
                let mut w = Protobuf::with_capacity(bytes);
                self.write(&mut w, signal, batch);
                w.finish()
            }
            OtlpEncoding::Json => {
                let mut w = JsonText::with_capacity(bytes * 2);
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
    /// The complete address of one signal, to which nothing is appended: for backends with a host or a path of its own
    /// for each signal.
    #[must_use]
    pub fn endpoint(mut self, signal: OtlpSignal, endpoint: impl Into<String>) -> Self {
        if let Some(own) = self.own.get_mut(signal as usize) {
            *own = Some(endpoint.into());
        }
        self
    }

    /// Does not send this signal.
    #[must_use]
    pub fn without(mut self, signal: OtlpSignal) -> Self {
        if let Some(off) = self.off.get_mut(signal as usize) {
            *off = true;
        }
        self
    }

    /// Adds a header to every request, for example New Relic's `api-key`.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends `Authorization: Basic` with a user and a password; for Grafana Cloud the instance id and the token.
    #[must_use]
    pub fn basic_auth(self, user: &str, password: &str) -> Self {
        let credentials = base64(format!("{user}:{password}").as_bytes());
        self.header("Authorization", format!("Basic {credentials}"))
    }

    /// Sends `Authorization: Bearer` with this token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// Encoding of the bodies. Default: protobuf.
    #[must_use]
    pub fn encoding(mut self, encoding: OtlpEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Sends the breadcrumbs of an error as log records of level DEBUG. Default: true.
    #[must_use]
    pub fn breadcrumbs(mut self, on: bool) -> Self {
        self.breadcrumbs = on;
        self
    }

    /// Share of the traces whose spans are sent, 0 to 1. A trace that a server has decided follows the server. Default: 1.
    #[must_use]
    pub fn traces_sample_rate(mut self, rate: f64) -> Self {
        self.traces_sample_rate = rate;
        self
    }

    /// The purposes for which the endpoint gets data. Default: monitoring. A Collector of the team usually gets both.
    #[must_use]
    pub fn purposes(mut self, purposes: &[Purpose]) -> Self {
        self.settings.set_purposes(purposes);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`DestinationError`] names the invalid setting.
    pub fn build(self) -> Result<Otlp, DestinationError> {
        let base = match self.has_base {
            true => Some(self.settings.base_url(&OtlpSignal::ALL.map(OtlpSignal::path))?),
            false => None,
        };
        let mut urls = [None, None, None];
        for (((url, signal), own), off) in urls.iter_mut().zip(OtlpSignal::ALL).zip(&self.own).zip(self.off) {
            *url = match (own, &base) {
                _ if off => None,
                (Some(own), _) => Some(base_url(own, &[])?),
                (None, Some(base)) => Some(format!("{base}{}", signal.path())),
                (None, None) => None,
            };
        }
        if urls.iter().all(Option::is_none) {
            return Err(DestinationError::Empty { part: "endpoint" });
        }
        check_headers(&self.headers)?;
        check_rate("traces_sample_rate", self.traces_sample_rate)?;
        let purposes = self.settings.into_purposes()?;
        let mut parts: Vec<&str> = urls.iter().map(|url| url.as_deref().unwrap_or_default()).collect();
        parts.extend(self.headers.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        let key_hash = stable_hash(&parts);
        let OtlpBuilder { headers, encoding, breadcrumbs, traces_sample_rate, .. } = self;
        Ok(Otlp { urls, headers, encoding, breadcrumbs, traces_sample_rate, purposes, key_hash })
    }
}

impl std::fmt::Debug for Otlp {
    /// Without the values of the headers, which can be credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Otlp").field("urls", &self.urls).field("headers", &headers).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for OtlpBuilder {
    /// Without the values of the headers, which can be credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OtlpBuilder").field("endpoint", &self.settings.endpoint()).finish_non_exhaustive()
    }
}

impl Destination for Otlp {
    fn routes(&self) -> &'static [RouteSpec] {
        // A signal that is not sent has no route: no cursor to move and no losses to report.
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
        let can_be_sent = match row.kind {
            // OpenTelemetry has no user profile to update: changes of numbers and lists are not sent.
            Kind::UserProp => matches!(Json::of(row).text("op"), Some("set" | "set_once" | "unset" | "delete")),
            // The stop of a view that was not shown ends nothing.
            Kind::ScreenView => changes_view(&Json::of(row)),
            Kind::Metric => metrics::is_number(row),
            _ if signal == OtlpSignal::Traces => trace_ids::keeps(row, self.traces_sample_rate),
            _ => true,
        };
        if can_be_sent { Want::Yes } else { Want::No }
    }

    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, _stamp: &Stamp<'_>) -> Request {
        let signal = OtlpSignal::of(route);
        let media_type = match self.encoding {
            OtlpEncoding::Protobuf => "application/x-protobuf",
            OtlpEncoding::Json => "application/json",
        };
        // A signal that is not sent takes no rows, so nothing is encoded for it.
        let url = self.url(signal).unwrap_or_default();
        let mut request = request(url, &[("Content-Type", media_type)], self.body(signal, batch));
        request.headers.extend(self.headers.iter().cloned());
        request
    }

    fn verdict(&self, route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        verdict::verdict(batch, response, || match OtlpSignal::of(route) {
            OtlpSignal::Logs => batch.rows.iter().map(|row| logs::count(row, self.breadcrumbs)).sum(),
            OtlpSignal::Traces => batch.rows.len() as u64,
            OtlpSignal::Metrics => metrics::count(batch),
        })
    }

    fn sampling(&self) -> Option<Sampling> {
        self.url(OtlpSignal::Traces).map(|_| Sampling::by_trace(self.traces_sample_rate))
    }

    fn encoder(&self) -> u32 {
        encoder("otlp", VERSION, &[self.encoding as u8, u8::from(self.breadcrumbs)])
    }
}

#[cfg(test)]
mod tests;
