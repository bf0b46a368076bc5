//! PagerDuty's rules for a trigger event of the Events API v2, from its developer documentation.

use super::{Problems, Vendor, json};
use crate::vendor_server::{ReceivedRequest, Response};
use serde_json::{Value, json};

const MEMBERS: [&str; 8] =
    ["client", "client_url", "dedup_key", "event_action", "images", "links", "payload", "routing_key"];
const PAYLOAD: [&str; 8] =
    ["class", "component", "custom_details", "group", "severity", "source", "summary", "timestamp"];

/// Limit of a request, in bytes.
const BYTES: usize = 512 * 1024;

/// An integration.
pub struct PagerDutyRules {
    /// Its key.
    pub routing_key: String,
}

impl Vendor for PagerDutyRules {
    fn route(&self, _request: &ReceivedRequest) -> &'static str {
        "pagerduty.enqueue"
    }

    /// The key is `dedup_key`: an open alert with the same one takes the event.
    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        let body = json(request)?;
        let mut problems = Problems::default();
        problems.unless(request.path == "/v2/enqueue" && request.query.is_empty(), || {
            format!("no such path {}", request.path)
        });
        problems.unless(request.headers.get("content-type").is_some_and(|of| of == "application/json"), || {
            "the content type".into()
        });
        problems.unless(!request.compressed, || "a compressed body".into());
        problems.unless(request.body.len() <= BYTES, || format!("{} bytes", request.body.len()));
        members(&body, &MEMBERS, "the event", &mut problems);
        problems.unless(self.routing_key.len() == 32 && body["routing_key"] == self.routing_key.as_str(), || {
            "routing_key".into()
        });
        problems.unless(body["event_action"] == "trigger", || format!("event_action {}", body["event_action"]));
        let key = body["dedup_key"].as_str().unwrap_or_default();
        problems.unless((1..=255).contains(&key.chars().count()), || format!("dedup_key `{key}`"));
        let payload = &body["payload"];
        members(payload, &PAYLOAD, "payload", &mut problems);
        let text = |name: &str| payload[name].as_str().unwrap_or_default();
        let summary = text("summary");
        problems.unless(!summary.trim().is_empty(), || "'payload.summary' is missing or blank".into());
        problems.unless(summary.chars().count() <= 1024, || format!("a summary of {}", summary.chars().count()));
        problems.unless(!text("source").trim().is_empty(), || "'payload.source' is missing or blank".into());
        problems.unless(["critical", "error", "warning", "info"].contains(&text("severity")), || {
            format!("'payload.severity' is invalid: {}", text("severity"))
        });
        let time = text("timestamp");
        problems.unless(time.len() == 24 && time.ends_with('Z') && time.as_bytes()[10] == b'T', || {
            format!("timestamp {time}")
        });
        problems.unless(payload["custom_details"].is_object(), || "custom_details is no object".into());
        problems.or(vec![key.to_owned()])
    }

    fn respond(&self, request: &ReceivedRequest, _events: usize) -> Response {
        let key = json(request).map(|body| body["dedup_key"].clone()).unwrap_or_default();
        let body = json!({"status": "success", "message": "Event processed", "dedup_key": key});
        Response::json(202, body.to_string())
    }
}

fn members(value: &Value, known: &[&str], what: &str, problems: &mut Problems) {
    let Some(members) = value.as_object() else { return problems.unless(false, || format!("{what} is no object")) };
    let odd: Vec<_> = members.keys().filter(|key| !known.contains(&key.as_str())).collect();
    problems.unless(odd.is_empty(), || format!("{what} has unknown members {odd:?}"));
}
