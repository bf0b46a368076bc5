//! The part of the batch protocol that the test server needs. The complete server is the local collector.

use super::{Problems, Vendor, json};
use crate::vendor_server::{ReceivedRequest, Response};
use serde_json::Value;

/// The batch endpoint.
pub struct RezRules;

impl Vendor for RezRules {
    fn route(&self, _request: &ReceivedRequest) -> &'static str {
        "rez.batch"
    }

    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        let body = json(request)?;
        let mut problems = Problems::default();
        problems.unless(request.path == "/v1/batch", || format!("no such path {}", request.path));
        problems.unless(body["v"] == 1 && body["batch_id"].is_string(), || "no batch".into());
        let ids = body["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        let keys = ids.iter().filter_map(|event| event["id"].as_str().map(str::to_owned)).collect::<Vec<_>>();
        problems.unless(keys.len() == ids.len(), || "an event without an id".into());
        problems.or(keys)
    }

    fn respond(&self, request: &ReceivedRequest, events: usize) -> Response {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        Response::json(200, format!(r#"{{"batch_id":{},"accepted":{events}}}"#, body["batch_id"]))
    }
}
