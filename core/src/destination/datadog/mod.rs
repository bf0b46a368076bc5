//! Datadog: RUM (views, actions, resources, errors, long tasks, vitals) and logs, sent to the intakes for client
//! tokens.

mod becomes;
mod device;
mod error;
mod logs;
mod origin;
mod privacy;
mod rum;
mod view;

use super::response::unsuccessful;
use super::screen_view::changes_view;
use super::server_message::server_message;
use super::settings::{Settings, check_credential, check_rate, encoder, request, stable_hash};
use super::{
    Action, Backoff, Batch, Destination, DestinationError, RouteSpec, RowOutcome, Sampling, Stamp, Verdict, Want,
};
use crate::json::Json;
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::row::{Row, Run};
use crate::trace::TraceStyle;
use crate::trace::share::{session_share, trace_share};
use crate::transport::{Request, Response};
use std::time::Duration;

/// Raised when the body for the same rows changes.
const VERSION: u32 = 2;

const ORIGIN: &str = "rez-monitor";

/// Age up to which the intake accepts logs.
const LOG_AGE: Duration = Duration::from_secs(18 * 3600);

/// Age up to which the vendor's own SDKs send RUM events.
const RUM_AGE: Duration = Duration::from_secs(24 * 3600);

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

const RUM: RouteSpec = route("datadog.rum", false);
const LOGS: RouteSpec = route("datadog.logs", true);

/// The sites and their intakes for client tokens.
const SITES: [(&str, &str); 7] = [
    ("datadoghq.com", "browser-intake-datadoghq.com"),
    ("us3.datadoghq.com", "browser-intake-us3-datadoghq.com"),
    ("us5.datadoghq.com", "browser-intake-us5-datadoghq.com"),
    ("datadoghq.eu", "browser-intake-datadoghq.eu"),
    ("ap1.datadoghq.com", "browser-intake-ap1-datadoghq.com"),
    ("ap2.datadoghq.com", "browser-intake-ap2-datadoghq.com"),
    ("ddog-gov.com", "browser-intake-ddog-gov.com"),
];

/// Datadog RUM and logs.
#[derive(Clone)]
pub struct Datadog {
    base: String,
    application: String,
    token: String,
    service: Option<String>,
    rum_rate: f64,
    log_rate: f64,
    forward_errors: bool,
    mask_input: bool,
    interactions: bool,
    resources: bool,
    long_tasks: bool,
    purposes: Vec<Purpose>,
    key_hash: u64,
}

/// Builds a [`Datadog`].
#[derive(Clone)]
pub struct DatadogBuilder {
    site: String,
    has_endpoint: bool,
    settings: Settings,
    datadog: Datadog,
}

impl Datadog {
    /// A builder with the application id and the client token, as shown on the page of the RUM application.
    #[must_use]
    pub fn builder(application_id: impl Into<String>, client_token: impl Into<String>) -> DatadogBuilder {
        DatadogBuilder {
            site: "datadoghq.com".into(),
            has_endpoint: false,
            settings: Settings::new("", &[Purpose::Monitoring]),
            datadog: Datadog {
                base: String::new(),
                application: application_id.into(),
                token: client_token.into(),
                service: None,
                rum_rate: 1.0,
                log_rate: 1.0,
                forward_errors: false,
                mask_input: true,
                interactions: true,
                resources: true,
                long_tasks: true,
                purposes: Vec::new(),
                key_hash: 0,
            },
        }
    }

    /// The configured service, or the app's name.
    fn service<'a>(&'a self, run: Option<&'a Run>) -> &'a str {
        self.service.as_deref().or(run.map(|run| run.app.as_str())).unwrap_or("unknown")
    }

    /// Whether the RUM route takes this row, before sampling.
    fn is_rum(&self, row: &Row, fields: &Json<'_>) -> bool {
        match row.kind {
            Kind::Crash | Kind::Error | Kind::Hang | Kind::AppExit => true,
            Kind::ScreenView => changes_view(fields),
            Kind::ScreenLoad | Kind::Frames | Kind::AppStart | Kind::Span => true,
            Kind::Analytics | Kind::Revenue => true,
            Kind::ApiCall | Kind::ImageLoad => self.resources,
            Kind::Interaction => self.interactions,
            Kind::LongTask => self.long_tasks,
            // The end of a session ends its last view. Its start adds nothing to the next event.
            Kind::Session => !fields.is("init") && fields.get("view").is_some(),
            Kind::Metric => is_vital(fields),
            Kind::Message | Kind::Log | Kind::Feedback | Kind::Alert | Kind::UserProp => false,
        }
    }

    /// Whether the logs route takes this row, before sampling.
    fn is_log(&self, row: &Row, fields: &Json<'_>) -> bool {
        match row.kind {
            Kind::Message | Kind::Log | Kind::Feedback | Kind::Alert => true,
            Kind::Crash | Kind::Error | Kind::Hang | Kind::AppExit => self.forward_errors,
            Kind::Metric => !is_vital(fields),
            _ => false,
        }
    }

    /// RUM is sampled by session, so that a session is sent whole or not at all. A span whose trace a server has decided
    /// follows the server. Without a session, a span is sampled by its trace, anything else by its run.
    fn keeps(&self, row: &Row, fields: &Json<'_>) -> bool {
        let trace = fields.get("trace").filter(|_| matches!(row.kind, Kind::ApiCall | Kind::ImageLoad | Kind::Span));
        if let Some(Json::Bool(sampled)) = trace.and_then(|trace| trace.get("sampled")) {
            return *sampled;
        }
        let id = || u128::from_str_radix(trace?.text("trace_id")?, 16).ok();
        let share = match (fields.text("session"), id()) {
            (Some(session), _) => session_share(session),
            (None, Some(id)) => trace_share(id),
            (None, None) => session_share(&row.run.to_string()),
        };
        share < self.rum_rate
    }
}

/// Whether a metric is a duration, which RUM accepts as a vital.
fn is_vital(fields: &Json<'_>) -> bool {
    let is_duration = fields.text("unit").is_some_and(|unit| rum::time_unit(unit).is_some());
    is_duration && fields.text("type") != Some("counter") && fields.float("value").is_some()
}

impl DatadogBuilder {
    /// The Datadog site, for example `datadoghq.eu`. Default: `datadoghq.com`.
    #[must_use]
    pub fn site(mut self, site: impl Into<String>) -> Self {
        self.site = site.into();
        self
    }

    /// Sends to this base address instead of a site's, for example to a relay of the team; `/api/v2/rum` and
    /// `/api/v2/logs` are appended. The address uses `https`; `http` is allowed to a loopback address only.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.settings.endpoint = endpoint.into();
        self.has_endpoint = true;
        self
    }

    /// The tag `service`. Default: the app's name.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.datadog.service = Some(service.into());
        self
    }

    /// Share of sessions that are sent to RUM, 0 to 1. A session is sent whole or not at all. Default: 1.
    #[must_use]
    pub fn session_sample_rate(mut self, rate: f64) -> Self {
        self.datadog.rum_rate = rate;
        self
    }

    /// Share of logs that are sent, 0 to 1, independent of the session. Default: 1.
    #[must_use]
    pub fn log_sample_rate(mut self, rate: f64) -> Self {
        self.datadog.log_rate = rate;
        self
    }

    /// Sends errors, crashes, hangs and app exits to the logs as well. Default: false, as in the vendor's own SDKs.
    #[must_use]
    pub fn forward_errors_to_logs(mut self, on: bool) -> Self {
        self.datadog.forward_errors = on;
        self
    }

    /// Removes user input from the names and contexts of actions (`mask-user-input`). Default: true.
    #[must_use]
    pub fn mask_user_input(mut self, on: bool) -> Self {
        self.datadog.mask_input = on;
        self
    }

    /// Sends interactions as actions. Default: true.
    #[must_use]
    pub fn track_user_interactions(mut self, on: bool) -> Self {
        self.datadog.interactions = on;
        self
    }

    /// Sends API calls and image loads as resources. Default: true.
    #[must_use]
    pub fn track_resources(mut self, on: bool) -> Self {
        self.datadog.resources = on;
        self
    }

    /// Sends long tasks. Default: true.
    #[must_use]
    pub fn track_long_tasks(mut self, on: bool) -> Self {
        self.datadog.long_tasks = on;
        self
    }

    /// The purposes for which Datadog gets data. Default: monitoring. With analytics, events and purchases are sent as
    /// custom actions.
    #[must_use]
    pub fn purposes(mut self, purposes: &[Purpose]) -> Self {
        self.settings.set_purposes(purposes);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`DestinationError`] names the invalid setting.
    pub fn build(self) -> Result<Datadog, DestinationError> {
        let mut datadog = self.datadog;
        if datadog.application.is_empty() {
            return Err(DestinationError::Empty { part: "application id" });
        }
        datadog.application.make_ascii_lowercase();
        if !origin::is_uuid(&datadog.application) {
            let why = "expected a UUID such as 0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11";
            return Err(DestinationError::Form { part: "application id", why });
        }
        check_credential("client token", &datadog.token)?;
        datadog.base = if self.has_endpoint {
            self.settings.base_url(&["/api/v2/rum", "/api/v2/logs"])?
        } else {
            match SITES.iter().find(|(site, _)| site.eq_ignore_ascii_case(&self.site)) {
                Some((_, host)) => format!("https://{host}"),
                None => {
                    let why = "expected one of datadoghq.com, us3.datadoghq.com, us5.datadoghq.com, datadoghq.eu, \
                               ap1.datadoghq.com, ap2.datadoghq.com, ddog-gov.com";
                    return Err(DestinationError::Form { part: "site", why });
                }
            }
        };
        if datadog.service.as_deref().is_some_and(str::is_empty) {
            return Err(DestinationError::Empty { part: "service" });
        }
        check_rate("session_sample_rate", datadog.rum_rate)?;
        check_rate("log_sample_rate", datadog.log_rate)?;
        datadog.purposes = self.settings.into_purposes()?;
        datadog.key_hash = stable_hash(&[&datadog.base, &datadog.application, &datadog.token]);
        Ok(datadog)
    }
}

impl std::fmt::Debug for Datadog {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Datadog").field("base", &self.base).field("purposes", &self.purposes).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DatadogBuilder {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatadogBuilder").field("site", &self.site).finish_non_exhaustive()
    }
}

impl Destination for Datadog {
    fn routes(&self) -> &'static [RouteSpec] {
        &[RUM, LOGS]
    }

    fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    fn key_hash(&self) -> u64 {
        self.key_hash
    }

    fn wants(&self, route: &RouteSpec, row: &Row) -> Want {
        let fields = Json::of(row);
        let wanted = if route.name == RUM.name {
            self.is_rum(row, &fields) && self.keeps(row, &fields)
        } else {
            self.is_log(row, &fields) && session_share(&row.id.to_string()) < self.log_rate
        };
        if wanted { Want::Yes } else { Want::No }
    }

    fn max_age(&self, route: &RouteSpec) -> Option<Duration> {
        Some(if route.name == RUM.name { RUM_AGE } else { LOG_AGE })
    }

    fn encode(&self, route: &RouteSpec, batch: &Batch<'_>, stamp: &Stamp<'_>) -> Request {
        let run = batch.runs.iter().max_by_key(|run| run.number);
        let source = origin::source(run);
        let is_rum = route.name == RUM.name;
        let (path, media_type, body) = if is_rum {
            ("/api/v2/rum", "text/plain;charset=UTF-8", rum::body(self, batch))
        } else {
            ("/api/v2/logs", "application/json", logs::body(self, batch))
        };
        let mut url = format!("{}{path}?ddsource={source}", self.base);
        if is_rum && stamp.attempt > 0 {
            url.push_str(&format!("&ddtags=retry_count:{}", stamp.attempt));
            if stamp.last_status != 0 {
                url.push_str(&format!(",last_failure_status:{}", stamp.last_status));
            }
        }
        let headers = [
            ("DD-API-KEY", self.token.as_str()),
            ("DD-EVP-ORIGIN", ORIGIN),
            ("DD-EVP-ORIGIN-VERSION", env!("CARGO_PKG_VERSION")),
            ("DD-REQUEST-ID", batch.batch_id),
            ("Content-Type", media_type),
        ];
        request(&url, &headers, body)
    }

    fn verdict(&self, _route: &RouteSpec, batch: &Batch<'_>, response: &Response) -> Verdict {
        let action = match response.status {
            // The intake responds with 202, a proxy in front of it with any 2xx; the body says nothing about the events.
            200..=299 => Action::Settle(vec![RowOutcome::Delivered; batch.rows.len()]),
            415 => Action::Uncompressed,
            _ => unsuccessful(response, "the client token was refused", "there is no intake at this address"),
        };
        Verdict { note: (response.status >= 400).then(|| error(response)).flatten(), ..Verdict::of(action) }
    }

    fn sampling(&self) -> Option<Sampling> {
        let sampling = Sampling::by_session(if self.resources { self.rum_rate } else { 0.0 });
        Some(sampling.style(TraceStyle::Datadog))
    }

    fn encoder(&self) -> u32 {
        let mut settings = vec![u8::from(self.mask_input), u8::from(self.forward_errors)];
        settings.extend(self.service.as_deref().unwrap_or_default().bytes());
        encoder("datadog", VERSION, &settings)
    }
}

/// The first of the intake's own words: `{"errors":[{"detail":..}]}` or `{"errors":["..."]}`.
fn error(response: &Response) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(&response.body).ok().filter(|_| !response.cut)?;
    let first = json.get("errors")?.get(0)?;
    let words = first.as_str().or_else(|| first.get("detail")?.as_str()).or_else(|| first.get("title")?.as_str())?;
    Some(server_message(words)).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests;
