//! A page that contains the answers of a source, to attach to a ticket.

use super::document::{self, Carrier};
use super::{Inspect, random};
use serde_json::{Map, Value, json};

/// Why the page cannot be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The source does not answer.
    #[error("cannot save the page: the source answers to `{request}`: {error}")]
    Source {
        /// The request.
        request: &'static str,
        /// Its answer.
        error: String,
    },
    /// The system has no random numbers.
    #[error("cannot save the page: {0}")]
    Random(std::io::Error),
}

/// Returns the page with the newest `most` events of the source, and its answers to `about`, `status` and `drops`. The page
/// needs no server.
pub fn saved(source: &dyn Inspect, most: usize) -> Result<String, SaveError> {
    let answers = collect(source, most)?;
    let nonce = random::hex().map_err(SaveError::Random)?;
    Ok(document::compose(&nonce, Carrier::Saved(&answers)))
}

fn collect(source: &dyn Inspect, most: usize) -> Result<Value, SaveError> {
    let mut shows: Vec<Value> = Vec::new();
    let mut before = Value::Null;
    let is_cut = loop {
        let left = most.saturating_sub(shows.len());
        if left == 0 {
            break true;
        }
        let list = json!({"ask": "list", "show": true, "before": before, "limit": left});
        let mut page = ask(source, "list", &list)?;
        if let Some(Value::Array(events)) = page.remove("events") {
            shows.extend(events);
        }
        before = page.remove("before").unwrap_or_default();
        if before.is_null() {
            break false;
        }
    };
    Ok(json!({
        "about": answer(source, &json!({"ask": "about"})),
        "status": ask(source, "status", &json!({"ask": "status"}))?,
        "drops": answer(source, &json!({"ask": "drops"})),
        "shows": shows,
        "cut": is_cut,
    }))
}

/// An answer, also one that is an error: the page shows it where it belongs.
fn answer(source: &dyn Inspect, request: &Value) -> Map<String, Value> {
    match serde_json::from_str(&source.inspect(&request.to_string())) {
        Ok(Value::Object(answer)) => answer,
        _ => Map::from_iter([("error".to_owned(), "the source answered with no JSON object".into())]),
    }
}

/// An answer without which there is nothing to save.
fn ask(source: &dyn Inspect, name: &'static str, request: &Value) -> Result<Map<String, Value>, SaveError> {
    let answer = answer(source, request);
    match answer.get("error") {
        None => Ok(answer),
        Some(error) => {
            let error = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
            Err(SaveError::Source { request: name, error })
        }
    }
}
