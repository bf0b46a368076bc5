//! What Mixpanel's answers mean.
//!
//! `/import` answers for each row: 200 with its count, or 400 that names the refused rows and has stored the others.
//! `/engage` answers 200 to anything; only its body says whether it took the updates, all or none.

use super::super::server_message::server_message;
use super::super::{Action, Batch, RowOutcome, Verdict};
use crate::reason::Reason;
use crate::transport::Answer;
use serde_json::Value;

/// The answer to an import.
pub(super) fn import(batch: &Batch<'_>, answer: &Answer) -> Verdict {
    let body = Body::read(answer);
    let action = match answer.status {
        200..=299 => match (&body, imported(batch, &body)) {
            (Body::Cut, _) => Action::Ambiguous("the answer was cut short".into()),
            (_, Some(action)) => action,
            _ => Action::Ambiguous("the answer is not Mixpanel's".into()),
        },
        // The rows it does not name are stored.
        400 => failed(batch, &body).map_or(Action::Split, Action::Settle),
        _ => usual(answer, "the project token was refused"),
    };
    verdict(action, &body)
}

/// The answer to `$set`.
pub(super) fn set(batch: &Batch<'_>, answer: &Answer) -> Verdict {
    let body = Body::read(answer);
    let action = match answer.status {
        200..=299 => engaged(batch, &body),
        _ => usual(answer, "the project token was refused"),
    };
    verdict(action, &body)
}

/// The answer to `$add` and `$append`: what may have been done is not done again.
pub(super) fn add(batch: &Batch<'_>, answer: &Answer) -> Verdict {
    let body = Body::read(answer);
    let action = match answer.status {
        200..=299 => engaged(batch, &body),
        503 => Action::Keep(answer.retry_after()),
        status @ (408 | 425 | 500..=599) => Action::Ambiguous(format!("status {status}")),
        _ => usual(answer, "the project token was refused"),
    };
    verdict(action, &body)
}

/// Everything but 2xx, as the design's table has it.
fn usual(answer: &Answer, refused: &str) -> Action {
    let wait = answer.retry_after();
    match answer.status {
        300..=399 => Action::Stop(match answer.header("location") {
            Some(to) => format!("the endpoint redirects to {}", server_message(to)),
            None => "the endpoint redirects".to_owned(),
        }),
        401 | 403 => Action::Stop(format!("{refused} ({})", answer.status)),
        404 | 405 | 410 => Action::Stop(format!("there is no Mixpanel at this address ({})", answer.status)),
        408 | 425 | 429 => Action::Keep(wait),
        400..=499 => Action::Split,
        500..=599 => Action::Outage(wait),
        status => Action::Ambiguous(format!("status {status} means nothing here")),
    }
}

fn verdict(action: Action, body: &Body) -> Verdict {
    Verdict { note: body.note(), ..Verdict::of(action) }
}

/// The body of an answer, as far as it is Mixpanel's.
enum Body {
    /// `1` or `0`.
    Digit(bool),
    /// An object.
    Json(Value),
    /// Cut short: says nothing.
    Cut,
    /// Something else.
    Other,
}

impl Body {
    fn read(answer: &Answer) -> Body {
        if answer.cut {
            return Body::Cut;
        }
        match serde_json::from_slice(&answer.body) {
            Ok(json @ Value::Object(_)) => Body::Json(json),
            Ok(digit) if digit == 1 => Body::Digit(true),
            Ok(digit) if digit == 0 => Body::Digit(false),
            _ => Body::Other,
        }
    }

    /// What Mixpanel says is wrong; no payload.
    fn note(&self) -> Option<String> {
        let Body::Json(json) = self else { return None };
        let error = json.get("error")?.as_str()?;
        let first = json.pointer("/failed_records/0/message").and_then(Value::as_str);
        Some(server_message(&match first {
            Some(first) => format!("{error}: {first}"),
            None => error.to_owned(),
        }))
    }
}

/// A good answer to an import: all rows, or a count that does not add up.
fn imported(batch: &Batch<'_>, body: &Body) -> Option<Action> {
    let all = || Action::Settle(vec![RowOutcome::Delivered; batch.rows.len()]);
    match body {
        Body::Digit(true) => Some(all()),
        Body::Digit(false) => Some(Action::Split),
        Body::Json(json) => {
            if json.get("code").and_then(Value::as_u64) != Some(200) {
                return None;
            }
            let counted = json.get("num_records_imported").and_then(Value::as_u64)?;
            // A row that was stored twice is one row to Mixpanel, so that looking for the missing one does no harm.
            Some(if counted == batch.rows.len() as u64 { all() } else { Action::Split })
        }
        Body::Cut | Body::Other => None,
    }
}

/// The rows a 400 names; `None` if it names none, or does not account for all.
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

/// `1` or `{"status": 1}`; a refusal is of the request as a whole.
fn engaged(batch: &Batch<'_>, body: &Body) -> Action {
    let taken = match body {
        Body::Digit(taken) => Some(*taken),
        Body::Json(json) => json.get("status").and_then(Value::as_u64).filter(|status| *status <= 1).map(|s| s == 1),
        Body::Cut => return Action::Ambiguous("the answer was cut short".into()),
        Body::Other => None,
    };
    match taken {
        Some(true) => Action::Settle(vec![RowOutcome::Delivered; batch.rows.len()]),
        Some(false) => Action::Split,
        None => Action::Ambiguous("the answer is not Mixpanel's".into()),
    }
}
