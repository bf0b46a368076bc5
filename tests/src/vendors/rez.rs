//! The batch protocol, as far as a test server needs it. The full server is the local collector.

use super::{Problems, Vendor, json};
use crate::standin::{Reply, Seen};
use serde_json::Value;

/// The team's own endpoint.
pub struct RezRules;

impl Vendor for RezRules {
    fn route(&self, _seen: &Seen) -> &'static str {
        "rez.batch"
    }

    fn read(&self, seen: &Seen) -> Result<Vec<String>, Vec<String>> {
        let body = json(seen)?;
        let mut problems = Problems::default();
        problems.unless(seen.path == "/v1/batch", || format!("no such path {}", seen.path));
        problems.unless(body["v"] == 1 && body["batch_id"].is_string(), || "no batch".into());
        let ids = body["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        let keys = ids.iter().filter_map(|event| event["id"].as_str().map(str::to_owned)).collect::<Vec<_>>();
        problems.unless(keys.len() == ids.len(), || "an event without an id".into());
        problems.or(keys)
    }

    fn answer(&self, seen: &Seen, events: usize) -> Reply {
        let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        Reply::json(200, format!(r#"{{"batch_id":{},"accepted":{events}}}"#, body["batch_id"]))
    }
}
