//! Sentry, Datadog and OTLP as a stand-in needs them: which events a request holds, and the vendor's good answer. Their
//! bodies are checked elsewhere, against the vendors' own schemas and crates.

use super::{Problems, Vendor, json};
use crate::standin::{Reply, Seen};
use serde_json::Value;

/// Sentry's envelopes.
pub struct SentryLines;

/// Datadog's two intakes.
pub struct DatadogLines;

/// OTLP over HTTP, encoded as JSON.
pub struct OtlpLines;

impl Vendor for SentryLines {
    fn route(&self, _seen: &Seen) -> &'static str {
        "sentry.envelope"
    }

    fn read(&self, seen: &Seen) -> Result<Vec<String>, Vec<String>> {
        let mut problems = Problems::default();
        let text = String::from_utf8_lossy(&seen.body).into_owned();
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

    fn answer(&self, _seen: &Seen, _events: usize) -> Reply {
        Reply::json(200, r#"{"id":"0123456789abcdef0123456789abcdef"}"#)
    }
}

impl Vendor for DatadogLines {
    fn route(&self, seen: &Seen) -> &'static str {
        if seen.path.ends_with("/rum") { "datadog.rum" } else { "datadog.logs" }
    }

    fn read(&self, seen: &Seen) -> Result<Vec<String>, Vec<String>> {
        let text = String::from_utf8_lossy(&seen.body).into_owned();
        let mut problems = Problems::default();
        // Lines of RUM, one list of logs.
        let values: Vec<Value> = match serde_json::from_str::<Value>(&text) {
            Ok(Value::Array(list)) => list,
            _ => text.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect(),
        };
        problems.unless(values.iter().all(Value::is_object), || "a line is no object".into());
        problems.or(values.iter().map(Value::to_string).collect())
    }

    fn answer(&self, _seen: &Seen, _events: usize) -> Reply {
        Reply::json(202, "{}")
    }
}

impl Vendor for OtlpLines {
    fn route(&self, seen: &Seen) -> &'static str {
        match seen.path.rsplit('/').next() {
            Some("traces") => "otlp.traces",
            Some("metrics") => "otlp.metrics",
            _ => "otlp.logs",
        }
    }

    fn read(&self, seen: &Seen) -> Result<Vec<String>, Vec<String>> {
        let body = json(seen)?;
        let (scopes, records) = match self.route(seen) {
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

    fn answer(&self, _seen: &Seen, _events: usize) -> Reply {
        Reply::json(200, "{}")
    }
}
