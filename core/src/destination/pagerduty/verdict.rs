//! What PagerDuty's answers mean.

use super::super::response::unsuccessful;
use super::super::server_message::server_message;
use super::super::{Action, RowOutcome, Verdict};
use crate::reason::Reason;
use crate::transport::Response;
use serde_json::Value;

pub(super) fn of(rows: usize, response: &Response) -> Verdict {
    let message = message(response);
    let action = match response.status {
        200..=299 => Action::Settle(vec![RowOutcome::Delivered; rows]),
        // Every event would be refused, so that they wait for another key instead.
        400 if message.as_deref().is_some_and(is_about_key) => {
            Action::Stop(format!("PagerDuty refuses the routing key: {}", message.as_deref().unwrap_or_default()))
        }
        status @ (400 | 413 | 422) => {
            let why = message.clone().unwrap_or_else(|| format!("status {status}"));
            Action::Settle(vec![RowOutcome::Dead(Reason::Rejected, why); rows])
        }
        _ => unsuccessful(response, "PagerDuty refuses the routing key", "there is no Events API v2 at this address"),
    };
    let note = message.filter(|_| !(200..=299).contains(&response.status));
    Verdict { note, ..Verdict::of(action) }
}

fn is_about_key(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("routing_key") || message.contains("routing key")
}

/// The message and the first of the errors in the body.
fn message(response: &Response) -> Option<String> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    let parts = [body.get("message"), body.pointer("/errors/0")];
    let parts: Vec<&str> = parts.into_iter().flatten().filter_map(Value::as_str).collect();
    (!parts.is_empty()).then(|| server_message(&parts.join(": ")))
}
