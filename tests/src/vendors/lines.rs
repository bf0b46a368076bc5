//! Sentry, Datadog and OTLP for the test server: the events of a request, and the response to a valid one. Other tests
//! check the bodies against the vendors' own schemas and crates.

use super::{Problems, Vendor, json};
use crate::vendor_server::{ReceivedRequest, Response};
use serde_json::Value;

/// Sentry's envelope endpoint.
pub struct SentryLines;

/// Datadog's intakes for RUM and logs.
pub struct DatadogLines;

/// OTLP over HTTP, encoded as JSON.
pub struct OtlpLines;

impl Vendor for SentryLines {
    fn route(&self, _request: &ReceivedRequest) -> &'static str {
        "sentry.envelope"
    }

    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        let mut problems = Problems::default();
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let mut lines = text.split_terminator('\n');
        let head: Value = lines.next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        let mut keys = Vec::new();
        while let Some(header) = lines.next() {
            let header: Value = serde_json::from_str(header).unwrap_or_default();
            let payload = lines.next().unwrap_or_default();
            let length = header["length"].as_u64();
            problems.unless(length.is_none_or(|length| length == payload.len() as u64), || format!("{header}: length"));
            let payload: Value = serde_json::from_str(payload).unwrap_or_default();
            problems.unless(payload.is_object(), || format!("{header}: no payload"));
            match header["type"].as_str() {
                Some("event" | "transaction" | "feedback") => keys.push(head["event_id"].to_string()),
                Some("client_report") => {}
                Some(_) => match payload["items"].as_array() {
                    Some(items) => keys.extend(items.iter().map(Value::to_string)),
                    None => keys.push(payload.to_string()),
                },
                None => problems.unless(false, || format!("no type in {header}")),
            }
        }
        problems.or(keys)
    }

    fn respond(&self, _request: &ReceivedRequest, _events: usize) -> Response {
        Response::json(200, r#"{"id":"0123456789abcdef0123456789abcdef"}"#)
    }
}

impl Vendor for DatadogLines {
    fn route(&self, request: &ReceivedRequest) -> &'static str {
        if request.path.ends_with("/rum") { "datadog.rum" } else { "datadog.logs" }
    }

    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let mut problems = Problems::default();
        // RUM sends one object per line, logs are one array.
        let values: Vec<Value> = match serde_json::from_str::<Value>(&text) {
            Ok(Value::Array(list)) => list,
            _ => text.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect(),
        };
        problems.unless(values.iter().all(Value::is_object), || "a line is no object".into());
        problems.or(values.iter().map(Value::to_string).collect())
    }

    fn respond(&self, _request: &ReceivedRequest, _events: usize) -> Response {
        Response::json(202, "{}")
    }
}

impl Vendor for OtlpLines {
    fn route(&self, request: &ReceivedRequest) -> &'static str {
        match request.path.rsplit('/').next() {
            Some("traces") => "otlp.traces",
            Some("metrics") => "otlp.metrics",
            _ => "otlp.logs",
        }
    }

    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        let body = json(request)?;
        let (scopes, records) = match self.route(request) {
            "otlp.traces" => ("scopeSpans", "spans"),
            "otlp.metrics" => ("scopeMetrics", "metrics"),
            _ => ("scopeLogs", "logRecords"),
        };
        let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
        let resources =
            body.as_object().into_iter().flat_map(|body| body.values()).filter_map(Value::as_array).flatten();
        let all: Vec<Value> =
            resources.flat_map(|resource| list(resource, scopes)).flat_map(|scope| list(&scope, records)).collect();
        let mut problems = Problems::default();
        problems.unless(!all.is_empty(), || "nothing in it".into());
        let keys = all.iter().filter(|one| one["name"] != "app.queue.dropped").flat_map(|one| {
            let data = ["gauge", "sum", "histogram"].into_iter().find_map(|kind| one[kind]["dataPoints"].as_array());
            match data {
                Some(points) => points.iter().map(|point| format!("{} {point}", one["name"])).collect(),
                None => vec![one.to_string()],
            }
        });
        problems.or(keys.collect())
    }

    fn respond(&self, _request: &ReceivedRequest, _events: usize) -> Response {
        Response::json(200, "{}")
    }
}
