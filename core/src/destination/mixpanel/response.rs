//! What Mixpanel's responses mean.
//!
//! `/import` reports on each row: 200 with a count, or 400 that names the refused rows and has stored the others.
//! `/engage` responds with 200 to everything; only the body says whether it took the updates, all or none. A 2xx whose body
//! is neither of these is success: a proxy may replace the body.

use super::super::response::unsuccessful;
use super::super::server_message::server_message;
use super::super::{Action, Batch, RowOutcome, Verdict};
use crate::reason::Reason;
use crate::transport::Response;
use serde_json::Value;

/// The response to an import.
pub(super) fn import(batch: &Batch<'_>, response: &Response) -> Verdict {
    let body = Body::read(response);
    let action = match response.status {
        200..=299 => imported(batch, &body),
        // The rows it does not name are stored.
        400 => failed(batch, &body).map_or(Action::Split, Action::Settle),
        _ => refused(response),
    };
    verdict(action, &body)
}

/// The response to `$set`.
pub(super) fn set(batch: &Batch<'_>, response: &Response) -> Verdict {
    let body = Body::read(response);
    let action = match response.status {
        200..=299 => updated(batch, &body),
        _ => refused(response),
    };
    verdict(action, &body)
}

/// The response to `$add` and `$append`, which are not idempotent: an update that may have been made is not sent again.
pub(super) fn add(batch: &Batch<'_>, response: &Response) -> Verdict {
    let body = Body::read(response);
    let action = match response.status {
        200..=299 => updated(batch, &body),
        503 => Action::Keep(response.retry_after()),
        status @ (408 | 425 | 500..=599) => Action::Ambiguous(format!("status {status}")),
        _ => refused(response),
    };
    verdict(action, &body)
}

fn refused(response: &Response) -> Action {
    unsuccessful(response, "the project token was refused", "there is no Mixpanel at this address")
}

fn verdict(action: Action, body: &Body) -> Verdict {
    Verdict { note: body.note(), ..Verdict::of(action) }
}

/// The body of a response, as far as it is Mixpanel's.
enum Body {
    /// `1` or `0`.
    Digit(bool),
    /// An object.
    Json(Value),
    /// Ended early: an error in it may be missing.
    Cut,
    /// Something else, or nothing.
    Other,
}

impl Body {
    fn read(response: &Response) -> Body {
        if response.cut {
            return Body::Cut;
        }
        match serde_json::from_slice(&response.body) {
            Ok(json @ Value::Object(_)) => Body::Json(json),
            Ok(digit) if digit == 1 => Body::Digit(true),
            Ok(digit) if digit == 0 => Body::Digit(false),
            _ => Body::Other,
        }
    }

    /// Mixpanel's error message; no payload.
    fn note(&self) -> Option<String> {
        let Body::Json(json) = self else { return None };
        let error = json.get("error")?.as_str()?;
        let first = json.pointer("/failed_records/0/message").and_then(Value::as_str);
        Some(server_message(&match first {
            Some(first) => format!("{error}: {first}"),
            None => error.to_owned(),
        }))
    }

    /// Whether it says that the whole request failed: `0`, `{"status": 0}`, or an error code.
    fn is_failure(&self) -> bool {
        match self {
            Body::Digit(success) => !success,
            Body::Json(json) => {
                let number = |name: &str| json.get(name).and_then(Value::as_u64);
                number("status") == Some(0) || number("code").is_some_and(|code| !(200..=299).contains(&code))
            }
            Body::Cut | Body::Other => false,
        }
    }
}

fn delivered(batch: &Batch<'_>) -> Action {
    Action::Settle(vec![RowOutcome::Delivered; batch.rows.len()])
}

fn cut() -> Action {
    Action::Ambiguous("the response was cut short".into())
}

/// A 2xx response to an import.
fn imported(batch: &Batch<'_>, body: &Body) -> Action {
    let Body::Json(json) = body else {
        return match body {
            Body::Cut => cut(),
            body if body.is_failure() => Action::Split,
            _ => delivered(batch),
        };
    };
    let names_failures = json.get("failed_records").and_then(Value::as_array).is_some_and(|failed| !failed.is_empty());
    if names_failures {
        return failed(batch, body).map_or(Action::Split, Action::Settle);
    }
    // A row that was stored twice is one row to Mixpanel, so that looking for the missing one does no harm.
    let counted = json.get("num_records_imported").and_then(Value::as_u64);
    let is_short = counted.is_some_and(|counted| counted != batch.rows.len() as u64);
    if body.is_failure() || is_short { Action::Split } else { delivered(batch) }
}

/// A 2xx response to updates; a failure is one of the whole request.
fn updated(batch: &Batch<'_>, body: &Body) -> Action {
    match body {
        Body::Cut => cut(),
        body if body.is_failure() => Action::Split,
        _ => delivered(batch),
    }
}

/// One outcome per row from `failed_records`; `None` if it is empty or does not account for all rows.
fn failed(batch: &Batch<'_>, body: &Body) -> Option<Vec<RowOutcome>> {
    let Body::Json(json) = body else { return None };
    let failed = json.get("failed_records")?.as_array().filter(|failed| !failed.is_empty())?;
    let imported = json.get("num_records_imported").and_then(Value::as_u64)?;
    if imported.saturating_add(failed.len() as u64) != batch.rows.len() as u64 {
        return None;
    }
    let mut outcomes = vec![RowOutcome::Delivered; batch.rows.len()];
    for record in failed {
        let index = usize::try_from(record.get("index")?.as_u64()?).ok()?;
        let (outcome, row) = (outcomes.get_mut(index)?, batch.rows.get(index)?);
        let id = record.get("$insert_id").and_then(Value::as_str);
        if id.is_some_and(|id| !id.eq_ignore_ascii_case(&row.id.to_string())) || *outcome != RowOutcome::Delivered {
            return None;
        }
        let part = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        *outcome =
            RowOutcome::Dead(Reason::Rejected, server_message(&format!("{}: {}", part("field"), part("message"))));
    }
    Some(outcomes)
}
