//! The record of a destination, and the way from it to a destination.

use super::error::{Fault, hidden};
use super::table::{Member, Shape, record, wrong};
use crate::destination::{Destination, DestinationError};
use crate::kind::Purpose;
#[cfg(feature = "destination-otlp")]
use crate::sorted::sort_by;
use crate::transport::Endpoint;
use serde_json::Value;
use std::sync::Arc;

/// The kinds of destination.
const KINDS: &[&str] = &["rez", "sentry", "datadog", "mixpanel", "ga4", "otlp", "slack", "pagerduty"];

record! {
    /// A destination: its name, its kind, and the settings of that kind. A setting of another kind is an error.
    DestinationSettings {
        name: Text(64) = "required", "The name, which is its identity across starts: letters, digits, `-`, `_`, `.`.";
        kind: OneOf(KINDS) = "required", "The vendor.";
        purposes: SomeOf(&["monitoring", "analytics"]) ["rez" "datadog" "mixpanel" "ga4" "otlp"] = "the vendor's usual one; both for `rez`", "What it receives, while the user consents to it.";
        endpoint: Address ["rez" "datadog" "mixpanel" "ga4" "otlp" "pagerduty"] = "the vendor's; required for `rez`, and for `otlp` unless each signal has its own", "The base address, or that of a relay of the team.";
        dsn: Secret ["sentry"] = "required", "The DSN of the project.";
        key: Secret ["rez" "datadog" "mixpanel" "ga4" "otlp" "slack" "pagerduty"] = "required, but not for `otlp`", "Write key (`rez`), client token (Datadog), project token (Mixpanel), API secret (GA4), bearer token (OTLP), URL of the webhook (Slack), routing key (PagerDuty).";
        application_id: Text(200) ["datadog"] = "required", "The id of the RUM application.";
        site: Text(200) ["datadog"] = "datadoghq.com", "The Datadog site.";
        service: Text(200) ["datadog" "slack" "pagerduty"] = "the app's name; `REZ API Monitoring` for Slack", "The tag `service` (Datadog), the footer (Slack), the `source` (PagerDuty).";
        region: OneOf(&["us", "eu", "in"]) ["mixpanel" "ga4" "pagerduty"] = "us", "Where the data is stored; only Mixpanel has `in`.";
        measurement_id: Text(200) ["ga4"] = "required for a web stream", "The id of the web stream: `G-1A2B3C4D5E`.";
        firebase_app_id: Text(200) ["ga4"] = "required for an app stream", "The Firebase id of the app.";
        app_instance_id: Text(200) ["ga4"] = "required for an app stream", "The instance id that the Firebase SDK in the same app made.";
        headers: Headers(32) ["otlp"] = "none", "Headers of every request.";
        logs_endpoint: Address ["otlp"] = "`endpoint` and `/v1/logs`", "The complete address of the logs.";
        traces_endpoint: Address ["otlp"] = "`endpoint` and `/v1/traces`", "The complete address of the traces.";
        metrics_endpoint: Address ["otlp"] = "`endpoint` and `/v1/metrics`", "The complete address of the metrics.";
        signals: SomeOf(&["logs", "traces", "metrics"]) ["otlp"] = "all", "The signals that are sent.";
        encoding: OneOf(&["protobuf", "json"]) ["otlp"] = "protobuf", "The encoding of the bodies.";
        breadcrumbs: Switch ["otlp"] = "true", "Send the breadcrumbs of an error as log records.";
        traces_sample_rate: Rate ["sentry" "otlp"] = "1", "Share of the traces whose transactions are sent.";
        messages_as_logs: Switch ["sentry"] = "false", "Send messages as log entries instead of issues.";
        analytics_as_logs: Switch ["sentry"] = "false", "Send analytics events as log entries.";
        session_sample_rate: Rate ["datadog"] = "1", "Share of sessions that are sent to RUM.";
        log_sample_rate: Rate ["datadog"] = "1", "Share of logs that are sent.";
        forward_errors_to_logs: Switch ["datadog"] = "false", "Send errors to the logs as well.";
        mask_user_input: Switch ["datadog"] = "true", "Remove user input from actions.";
        track_user_interactions: Switch ["datadog"] = "true", "Send interactions as actions.";
        track_resources: Switch ["datadog"] = "true", "Send API calls and image loads as resources.";
        track_long_tasks: Switch ["datadog"] = "true", "Send long tasks.";
        errors: Switch ["mixpanel"] = "false", "Send errors and crashes; requires the purpose monitoring.";
        interactions: Switch ["mixpanel" "ga4"] = "false for Mixpanel, true for GA4", "Send interactions.";
        api_calls: Switch ["mixpanel" "ga4"] = "false", "Send API calls; requires the purpose monitoring.";
    }
}

impl std::fmt::Debug for DestinationSettings {
    /// Without keys, tokens and headers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let given: Vec<&str> = self.given().iter().map(|setting| setting.name).collect();
        f.debug_struct("DestinationSettings")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("given", &given)
            .finish_non_exhaustive()
    }
}

impl Member for Vec<DestinationSettings> {
    fn read(value: Value, shape: Shape) -> Result<Self, Fault> {
        let Value::Array(items) = value else {
            return Err(wrong("no list".to_owned(), shape));
        };
        let one = |(at, item): (usize, Value)| {
            DestinationSettings::from_value(item).map_err(|fault| fault.inside(format!("[{at}]")))
        };
        // Nobody needs the members of ten thousand.
        check_count(items.len(), shape)?;
        items.into_iter().enumerate().map(one).collect()
    }

    fn check(&self, shape: Shape) -> Result<(), Fault> {
        check_count(self.len(), shape)?;
        for (at, one) in self.iter().enumerate() {
            one.check().and_then(|()| one.check_kind()).map_err(|fault| fault.inside(format!("[{at}]")))?;
        }
        Ok(())
    }

    fn is_given(&self) -> bool {
        !self.is_empty()
    }
}

fn check_count(n: usize, shape: Shape) -> Result<(), Fault> {
    match shape {
        Shape::Destinations(most) if n > most => Err(wrong(format!("a list of {n}"), shape)),
        _ => Ok(()),
    }
}

impl DestinationSettings {
    fn from_value(value: Value) -> Result<DestinationSettings, Fault> {
        let mut settings = DestinationSettings::default();
        super::table::read_object(value, DestinationSettings::ALL, |setting, value| settings.set(setting, value))?;
        Ok(settings)
    }

    /// Every given setting belongs to the kind.
    fn check_kind(&self) -> Result<(), Fault> {
        let missing = |name: &str| {
            Fault::value("missing".to_owned(), "every destination needs it".to_owned()).inside(name.to_owned())
        };
        self.name.as_ref().ok_or_else(|| missing("name"))?;
        let kind = self.kind.as_deref().ok_or_else(|| missing("kind"))?;
        for setting in self.given() {
            if !setting.of.is_empty() && !setting.of.contains(&kind) {
                let why = format!("leave it out: it is a setting of {}, not of {kind}", setting.of.join(", "));
                return Err(Fault::value("given".to_owned(), why).inside(setting.name.to_owned()));
            }
        }
        Ok(())
    }

    /// The name, and the destination.
    pub(super) fn build(&self) -> Result<(String, Arc<dyn Destination>), Fault> {
        let name = self.name.clone().unwrap_or_default();
        if let Err(error) = crate::config::check_destination(&name) {
            let why = match error {
                crate::ConfigError::Destination { why, .. } => why.to_owned(),
                other => other.to_string(),
            };
            return Err(Fault::value(hidden(&name), why).inside("name".to_owned()));
        }
        let kind = self.kind.as_deref().unwrap_or_default();
        let destination = self.of_kind(kind).map_err(|error| self.fault(kind, &error))?;
        match destination {
            Some(destination) => Ok((name, destination)),
            None => {
                let why = format!("this build does not contain it: enable the feature `destination-{kind}`");
                Err(Fault::value(hidden(kind), why).inside("kind".to_owned()))
            }
        }
    }

    fn of_kind(&self, kind: &str) -> Result<Option<Arc<dyn Destination>>, DestinationError> {
        let purposes = self.purposes.as_ref().map(|names| {
            let all = Purpose::ALL.into_iter();
            all.filter(|purpose| names.iter().any(|name| name == purpose.as_str())).collect::<Vec<_>>()
        });
        Ok(match kind {
            #[cfg(feature = "destination-rez")]
            "rez" => Some(Arc::new(self.rez(purposes.as_deref())?)),
            #[cfg(feature = "destination-sentry")]
            "sentry" => Some(Arc::new(self.sentry()?)),
            #[cfg(feature = "destination-datadog")]
            "datadog" => Some(Arc::new(self.datadog(purposes.as_deref())?)),
            #[cfg(feature = "destination-mixpanel")]
            "mixpanel" => Some(Arc::new(self.mixpanel(purposes.as_deref())?)),
            #[cfg(feature = "destination-ga4")]
            "ga4" => Some(Arc::new(self.ga4(purposes.as_deref())?)),
            #[cfg(feature = "destination-otlp")]
            "otlp" => Some(Arc::new(self.otlp(purposes.as_deref())?)),
            #[cfg(feature = "destination-slack")]
            "slack" => Some(Arc::new(self.slack()?)),
            #[cfg(feature = "destination-pagerduty")]
            "pagerduty" => Some(Arc::new(self.pagerduty()?)),
            _ => {
                drop(purposes);
                None
            }
        })
    }

    fn text(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }

    #[cfg(feature = "destination-rez")]
    fn rez(&self, purposes: Option<&[Purpose]>) -> Result<crate::destination::Rez, DestinationError> {
        let builder = crate::destination::Rez::builder(Self::text(&self.endpoint), Self::text(&self.key));
        set(builder, purposes, |builder, purposes| builder.purposes(purposes)).build()
    }

    #[cfg(feature = "destination-sentry")]
    fn sentry(&self) -> Result<crate::destination::Sentry, DestinationError> {
        let mut builder = crate::destination::Sentry::builder(Self::text(&self.dsn));
        builder = set(builder, self.traces_sample_rate, |builder, rate| builder.traces_sample_rate(rate));
        builder = set(builder, self.messages_as_logs, |builder, on| builder.messages_as_logs(on));
        set(builder, self.analytics_as_logs, |builder, on| builder.analytics_as_logs(on)).build()
    }

    #[cfg(feature = "destination-datadog")]
    fn datadog(&self, purposes: Option<&[Purpose]>) -> Result<crate::destination::Datadog, DestinationError> {
        let mut builder = crate::destination::Datadog::builder(Self::text(&self.application_id), Self::text(&self.key));
        builder = set(builder, self.site.as_ref(), |builder, site| builder.site(site));
        builder = set(builder, self.endpoint.as_ref(), |builder, endpoint| builder.endpoint(endpoint));
        builder = set(builder, self.service.as_ref(), |builder, service| builder.service(service));
        builder = set(builder, self.session_sample_rate, |builder, rate| builder.session_sample_rate(rate));
        builder = set(builder, self.log_sample_rate, |builder, rate| builder.log_sample_rate(rate));
        builder = set(builder, self.forward_errors_to_logs, |builder, on| builder.forward_errors_to_logs(on));
        builder = set(builder, self.mask_user_input, |builder, on| builder.mask_user_input(on));
        builder = set(builder, self.track_user_interactions, |builder, on| builder.track_user_interactions(on));
        builder = set(builder, self.track_resources, |builder, on| builder.track_resources(on));
        builder = set(builder, self.track_long_tasks, |builder, on| builder.track_long_tasks(on));
        set(builder, purposes, |builder, purposes| builder.purposes(purposes)).build()
    }

    #[cfg(feature = "destination-mixpanel")]
    fn mixpanel(&self, purposes: Option<&[Purpose]>) -> Result<crate::destination::Mixpanel, DestinationError> {
        use crate::destination::MixpanelRegion;
        let mut builder = crate::destination::Mixpanel::builder(Self::text(&self.key));
        builder = builder.region(match self.region.as_deref() {
            Some("eu") => MixpanelRegion::Eu,
            Some("in") => MixpanelRegion::India,
            _ => MixpanelRegion::Us,
        });
        builder = set(builder, self.endpoint.as_ref(), |builder, endpoint| builder.endpoint(endpoint));
        builder = set(builder, self.errors, |builder, on| builder.errors(on));
        builder = set(builder, self.interactions, |builder, on| builder.interactions(on));
        builder = set(builder, self.api_calls, |builder, on| builder.api_calls(on));
        set(builder, purposes, |builder, purposes| builder.purposes(purposes)).build()
    }

    #[cfg(feature = "destination-ga4")]
    fn ga4(&self, purposes: Option<&[Purpose]>) -> Result<crate::destination::Ga4, DestinationError> {
        use crate::destination::Ga4;
        let secret = Self::text(&self.key);
        let mut builder = match (&self.firebase_app_id, &self.app_instance_id) {
            (None, None) => Ga4::web_stream(Self::text(&self.measurement_id), secret),
            _ if self.measurement_id.is_some() => {
                let why = "leave it out: a stream of an app has `firebase_app_id` and `app_instance_id` instead";
                return Err(DestinationError::Form { part: "measurement id", why });
            }
            (app, instance) => Ga4::app_stream(Self::text(app), Self::text(instance), secret),
        };
        match self.region.as_deref() {
            Some("eu") => builder = builder.eu(),
            Some("in") => return Err(DestinationError::Form { part: "region", why: "use us or eu" }),
            _ => {}
        }
        builder = set(builder, self.endpoint.as_ref(), |builder, endpoint| builder.endpoint(endpoint));
        builder = set(builder, self.interactions, |builder, on| builder.interactions(on));
        builder = set(builder, self.api_calls, |builder, on| builder.api_calls(on));
        set(builder, purposes, |builder, purposes| builder.purposes(purposes)).build()
    }

    #[cfg(feature = "destination-otlp")]
    fn otlp(&self, purposes: Option<&[Purpose]>) -> Result<crate::destination::Otlp, DestinationError> {
        use crate::destination::{Otlp, OtlpEncoding, OtlpSignal};
        if self.signals.as_ref().is_some_and(Vec::is_empty) {
            return Err(DestinationError::Empty { part: "signals" });
        }
        let mut builder = match &self.endpoint {
            Some(endpoint) => Otlp::builder(endpoint),
            None => Otlp::per_signal(),
        };
        let signals = [
            (OtlpSignal::Logs, "logs", &self.logs_endpoint),
            (OtlpSignal::Traces, "traces", &self.traces_endpoint),
            (OtlpSignal::Metrics, "metrics", &self.metrics_endpoint),
        ];
        for (signal, name, endpoint) in signals {
            builder = set(builder, endpoint.as_ref(), |builder, endpoint| builder.endpoint(signal, endpoint));
            if self.signals.as_ref().is_some_and(|wanted| !wanted.iter().any(|wanted| wanted == name)) {
                builder = builder.without(signal);
            }
        }
        // In order, so that the same settings give the same requests.
        let mut headers: Vec<_> = self.headers.iter().collect();
        sort_by(&mut headers, Ord::cmp);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        builder = set(builder, self.key.as_ref(), |builder, token| builder.bearer(token));
        builder = set(builder, self.breadcrumbs, |builder, on| builder.breadcrumbs(on));
        builder = set(builder, self.traces_sample_rate, |builder, rate| builder.traces_sample_rate(rate));
        if self.encoding.as_deref() == Some("json") {
            builder = builder.encoding(OtlpEncoding::Json);
        }
        set(builder, purposes, |builder, purposes| builder.purposes(purposes)).build()
    }

    #[cfg(feature = "destination-slack")]
    fn slack(&self) -> Result<crate::destination::Slack, DestinationError> {
        let builder = crate::destination::Slack::builder(Self::text(&self.key));
        set(builder, self.service.as_ref(), |builder, service| builder.footer(service)).build()
    }

    #[cfg(feature = "destination-pagerduty")]
    fn pagerduty(&self) -> Result<crate::destination::PagerDuty, DestinationError> {
        let mut builder = crate::destination::PagerDuty::builder(Self::text(&self.key));
        match self.region.as_deref() {
            Some("eu") => builder = builder.eu(),
            Some("in") => return Err(DestinationError::Form { part: "region", why: "use us or eu" }),
            _ => {}
        }
        builder = set(builder, self.endpoint.as_ref(), |builder, endpoint| builder.endpoint(endpoint));
        set(builder, self.service.as_ref(), |builder, service| builder.source(service)).build()
    }

    /// The error of a destination's builder, under the name of the setting that it is about. It never contains a key.
    fn fault(&self, kind: &str, error: &DestinationError) -> Fault {
        let given = |name: &str| self.given().iter().any(|setting| setting.name == name);
        let field = match error {
            DestinationError::Endpoint(_) if kind == "slack" => "key",
            DestinationError::Endpoint(_) => {
                let all = [
                    ("endpoint", &self.endpoint),
                    ("logs_endpoint", &self.logs_endpoint),
                    ("traces_endpoint", &self.traces_endpoint),
                    ("metrics_endpoint", &self.metrics_endpoint),
                ];
                let refused = |text: &String| Endpoint::parse(text).is_err();
                all.into_iter()
                    .find(|(_, text)| text.as_ref().is_some_and(refused))
                    .map_or("endpoint", |(name, _)| name)
            }
            #[cfg(feature = "destination-sentry")]
            DestinationError::Dsn(_) => "dsn",
            DestinationError::NoPurpose => "purposes",
            DestinationError::HeaderName { name, .. }
            | DestinationError::HeaderValue { name, .. }
            | DestinationError::HeaderTaken { name } => {
                // The key is the bearer token.
                let is_key = self.key.is_some() && name.eq_ignore_ascii_case("authorization");
                if is_key && !self.headers.keys().any(|own| own.eq_ignore_ascii_case(name)) { "key" } else { "headers" }
            }
            DestinationError::Empty { part }
            | DestinationError::NotAHeader { part, .. }
            | DestinationError::Form { part, .. }
            | DestinationError::Rate { part, .. } => match *part {
                "write key" | "client token" | "project token" | "API secret" | "webhook URL" | "routing key" => "key",
                "application id" => "application_id",
                "measurement id" => "measurement_id",
                "Firebase app id" => "firebase_app_id",
                "app instance id" => "app_instance_id",
                "header name" => "headers",
                part => {
                    DestinationSettings::ALL.iter().map(|one| one.name).find(|name| *name == part).unwrap_or("kind")
                }
            },
        };
        let value = if given(field) { "not valid" } else { "missing" };
        Fault::value(value.to_owned(), self.without_secrets(&format!("{kind}: {error}"))).inside(field.to_owned())
    }

    /// The text without the parts of keys. The errors name parts of an address, and a key can stand where the host
    /// should be: `http://<key>.example.com`.
    fn without_secrets(&self, text: &str) -> String {
        let addresses = [&self.endpoint, &self.logs_endpoint, &self.traces_endpoint, &self.metrics_endpoint];
        let addresses = addresses.into_iter().flatten().map(|text| (text, 20));
        let secrets = [&self.dsn, &self.key].into_iter().flatten().chain(self.headers.values()).map(|text| (text, 12));
        let mut text = text.to_owned();
        for (secret, least) in secrets.chain(addresses) {
            for part in secret.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| part.len() >= least) {
                text = text.replace(part, "...").replace(&part.to_ascii_lowercase(), "...");
            }
        }
        text
    }
}

/// Applies a setting that is given.
pub(super) fn set<B, T>(builder: B, value: Option<T>, apply: impl FnOnce(B, T) -> B) -> B {
    match value {
        Some(value) => apply(builder, value),
        None => builder,
    }
}
