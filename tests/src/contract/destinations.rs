//! All destinations, as the vectors use them. Tests of all destinations use this list.

use rez_monitor::Purpose;
use rez_monitor::destination::{
    Datadog, Destination, Ga4, Mixpanel, Otlp, OtlpEncoding, PagerDuty, Rez, Sentry, Slack,
};
use rez_monitor::transport::{Request, Response};
use serde_json::{Value, json};
use std::sync::Arc;

/// A destination.
pub struct Entry {
    /// Its name in vectors and in the user guide.
    pub name: &'static str,
    /// Builds it with the options of the vector (`null` if there are none).
    pub make: fn(&Value) -> Arc<dyn Destination>,
    /// Returns the success response of the vendor.
    pub accept: fn(&Request) -> Response,
}

/// The destinations of every build.
pub const ALL: &[Entry] = &[
    Entry { name: "rez", make: rez, accept: accept_rez },
    Entry { name: "ga4", make: ga4, accept: accept_ga4 },
    Entry { name: "mixpanel", make: mixpanel, accept: accept_mixpanel },
    Entry {
        name: "sentry",
        make: sentry,
        accept: |_| response(200, &json!({"id": "0123456789abcdef0123456789abcdef"})),
    },
    Entry { name: "datadog", make: datadog, accept: accept_datadog },
    Entry { name: "otlp", make: otlp, accept: accept_otlp },
];

/// The destinations of servers, which the library of a phone does not contain.
pub const SERVER: &[Entry] = &[
    Entry { name: "slack", make: slack, accept: accept_slack },
    Entry { name: "pagerduty", make: pagerduty, accept: accept_pagerduty },
];

/// Returns the entry with this name.
#[must_use]
pub fn entry(name: &str) -> Option<&'static Entry> {
    ALL.iter().chain(SERVER).find(|entry| entry.name == name)
}

/// Returns a response with a JSON body.
#[must_use]
pub fn response(status: u16, body: &Value) -> Response {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Response { status, headers, body: body.to_string().into_bytes(), cut: false }
}

fn rez(_: &Value) -> Arc<dyn Destination> {
    let rez = Rez::builder("https://in.example.com", "write-key").purposes(&Purpose::ALL).build();
    Arc::new(rez.expect("a valid configuration"))
}

/// Options: `app` selects an app stream, `all` enables both purposes and all settings.
fn ga4(options: &Value) -> Arc<dyn Destination> {
    let mut builder = match options["app"] == true {
        true => Ga4::app_stream("1:1234567890:android:321abc456def7890", "0123456789abcdef0123456789abcdef", "s3cret"),
        false => Ga4::web_stream("G-1A2B3C4D5E", "s3cret"),
    };
    if options["all"] == true {
        builder = builder.purposes(&Purpose::ALL).api_calls(true);
    }
    Arc::new(builder.build().expect("a valid configuration"))
}

fn accept_ga4(_: &Request) -> Response {
    Response { status: 204, ..Response::default() }
}

/// Options: `all` enables both purposes and all settings.
fn mixpanel(options: &Value) -> Arc<dyn Destination> {
    let mut builder = Mixpanel::builder("T0K3N");
    if options["all"] == true {
        builder = builder.purposes(&Purpose::ALL).errors(true).interactions(true).api_calls(true);
    }
    Arc::new(builder.build().expect("a valid configuration"))
}

fn accept_mixpanel(request: &Request) -> Response {
    if !request.url.contains("/import") {
        return response(200, &json!({"error": null, "status": 1}));
    }
    let body: Value = serde_json::from_slice(&super::wire::plain(request)).unwrap_or_default();
    let events = body.as_array().map_or(0, Vec::len);
    response(200, &json!({"code": 200, "num_records_imported": events, "status": "OK"}))
}

/// Options: `traces_sample_rate`, `messages_as_logs`, `analytics_as_logs`.
fn sentry(options: &Value) -> Arc<dyn Destination> {
    let sentry = Sentry::builder("https://0123456789abcdef@o1.ingest.sentry.io/42")
        .traces_sample_rate(options["traces_sample_rate"].as_f64().unwrap_or(1.0))
        .messages_as_logs(options["messages_as_logs"] == true)
        .analytics_as_logs(options["analytics_as_logs"] == true);
    Arc::new(sentry.build().expect("a valid configuration"))
}

fn accept_rez(request: &Request) -> Response {
    let body: Value = serde_json::from_slice(&super::wire::plain(request)).unwrap_or_default();
    let events = body["events"].as_array().map_or(0, Vec::len);
    response(200, &json!({"batch_id": body["batch_id"], "accepted": events}))
}

/// Returns the value of an option.
fn option<T>(options: &Value, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    options.get(name).map(|value| read(value).expect("an option of the right type"))
}

fn both_if_analytics(options: &Value) -> &'static [Purpose] {
    if option(options, "analytics", Value::as_bool) == Some(true) { &Purpose::ALL } else { &[Purpose::Monitoring] }
}

fn datadog(options: &Value) -> Arc<dyn Destination> {
    let mut datadog = Datadog::builder("0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11", "pub-token")
        .purposes(both_if_analytics(options))
        .forward_errors_to_logs(option(options, "forward_errors_to_logs", Value::as_bool).unwrap_or(false))
        .mask_user_input(option(options, "mask_user_input", Value::as_bool).unwrap_or(true))
        .track_resources(option(options, "track_resources", Value::as_bool).unwrap_or(true));
    if let Some(rate) = option(options, "session_sample_rate", Value::as_f64) {
        datadog = datadog.session_sample_rate(rate);
    }
    Arc::new(datadog.build().expect("a valid configuration"))
}

fn accept_datadog(_: &Request) -> Response {
    response(202, &json!({}))
}

fn otlp(options: &Value) -> Arc<dyn Destination> {
    let json = option(options, "json", Value::as_bool) == Some(true);
    let otlp = Otlp::builder("https://otlp.example.com")
        .traces_sample_rate(option(options, "traces_sample_rate", Value::as_f64).unwrap_or(1.0))
        .header("api-key", "secret")
        .purposes(both_if_analytics(options))
        .breadcrumbs(option(options, "breadcrumbs", Value::as_bool).unwrap_or(true))
        .encoding(if json { OtlpEncoding::Json } else { OtlpEncoding::Protobuf });
    Arc::new(otlp.build().expect("a valid configuration"))
}

fn accept_otlp(_: &Request) -> Response {
    response(200, &json!({"partialSuccess": {}}))
}

fn slack(_: &Value) -> Arc<dyn Destination> {
    Arc::new(Slack::builder("https://hooks.slack.com/services/T0/B0/s3cret").build().expect("a valid configuration"))
}

fn accept_slack(_: &Request) -> Response {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    Response { status: 200, headers, body: b"ok".to_vec(), cut: false }
}

/// Options: `source`, `component`.
fn pagerduty(options: &Value) -> Arc<dyn Destination> {
    let mut pagerduty = PagerDuty::builder("0123456789abcdef0123456789abcdef");
    if let Some(source) = options["source"].as_str() {
        pagerduty = pagerduty.source(source);
    }
    if let Some(component) = options["component"].as_str() {
        pagerduty = pagerduty.component(component);
    }
    Arc::new(pagerduty.build().expect("a valid configuration"))
}

fn accept_pagerduty(request: &Request) -> Response {
    let body: Value = serde_json::from_slice(&super::wire::plain(request)).unwrap_or_default();
    response(202, &json!({"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}))
}
