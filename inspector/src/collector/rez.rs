//! `POST /v1/batch`: our own protocol.

use super::State;
use super::access::{bearer, project};
use super::batch::{self, BatchError, MAX_BYTES, Rejection, Times};
use super::body::{self, text};
use super::faults::apply_fault;
use super::response::{Collector, ErrorResponse, json_text};
use super::wire::Line;
use crate::received::{Arrival, Batch, Refusal, Replay, Sender};
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use rez_monitor::Kind;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::Duration;

/// The outcome of a batch.
#[derive(Debug, Serialize)]
struct Receipt<'a> {
    batch_id: &'a str,
    accepted: usize,
    duplicate: usize,
    rejected: &'a [Rejection],
}

pub(super) async fn receive(
    Shared(state): Collector,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let latency = state.switches().latency_ms;
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let (parts, body) = request.into_parts();
    let body = match body::read(body).await {
        Ok(body) => body,
        Err(error) => return error.into_response(),
    };
    let fault = state.switches().next_fault();
    let response = match &fault {
        Some(fault) if !fault.commits() => Response::new(Body::empty()),
        _ => process(&state, &parts.headers, &body).unwrap_or_else(ErrorResponse::into_response),
    };
    match fault {
        Some(fault) => apply_fault(fault, response, &line).await,
        None => response,
    }
}

/// Implements the batch protocol. After a 200 response, the events are on disk.
fn process(state: &State, headers: &HeaderMap, body: &[u8]) -> Result<Response, ErrorResponse> {
    let body = body::unpacked(headers, body, MAX_BYTES)?;
    let batch = batch::read(&body).map_err(|error| match error {
        BatchError::TooMany(_) => ErrorResponse::new(413, "too_many", error.to_string()),
        _ => ErrorResponse::new(400, "unreadable", error.to_string()),
    })?;
    match text(headers, "idempotency-key") {
        Some(key) if key == batch.batch_id => {}
        Some(_) => {
            return Err(ErrorResponse::new(
                400,
                "idempotency_key",
                "`Idempotency-Key` differs from the `batch_id` of the body",
            ));
        }
        None => return Err(ErrorResponse::new(400, "idempotency_key", "the header `Idempotency-Key` is missing")),
    }
    let (poison, reject, limits) = {
        let switches = state.switches();
        (switches.poison.clone(), switches.reject.clone(), switches.limits.clone())
    };
    if poison.is_some_and(|poison| batch.events.iter().any(|event| event.get().contains(&poison))) {
        return Err(ErrorResponse::new(400, "poison", "the batch contains the text of the switch `poison`"));
    }
    let received_ms = (state.clock)();
    let project = bearer(headers).map(project).unwrap_or_default();
    let ids = batch::ids(&batch);
    let mut db = state.db();
    match db.replay(&project, &batch.batch_id, &ids, received_ms)? {
        Replay::Same(response) => return Ok(json_text(response)),
        Replay::Clash => {
            return Err(ErrorResponse::new(
                422,
                "idempotency_clash",
                "this `Idempotency-Key` was used with other events",
            ));
        }
        Replay::Fresh => {}
    }
    let sender =
        Sender { protocol: "rez", project, client: batch.client(), batch_id: batch.batch_id.clone(), received_ms };
    let (mut arrivals, rejected) = check(&batch, times(headers, received_ms), reject.as_deref());
    state.examine(&sender, &mut arrivals);
    let accepted = arrivals.len().saturating_sub(rejected.len());
    let (install, epoch, lost) = (batch.install.as_str(), batch.epoch, batch.lost.as_slice());
    let stored = Batch { sender, install, epoch, ids: &ids, lost, arrivals };
    let response = db.store(&stored, |duplicate| {
        let accepted = accepted.saturating_sub(duplicate);
        let receipt = Receipt { batch_id: &batch.batch_id, accepted, duplicate, rejected: &rejected };
        let mut response = serde_json::to_value(receipt).unwrap_or_default();
        response["limits"] = json!(limits);
        response.to_string()
    })?;
    Ok(json_text(response))
}

fn check(batch: &batch::Batch, times: Times, reject: Option<&str>) -> (Vec<Arrival>, Vec<Rejection>) {
    let mut rejected = Vec::new();
    let mut arrivals = Vec::with_capacity(batch.events.len());
    for (index, raw) in batch.events.iter().enumerate() {
        let checked = batch::validate(index, raw, &batch.boot, times).and_then(|event| {
            if reject.is_some_and(|reject| raw.get().contains(reject)) {
                let message = "the event contains the text of the switch `reject`".to_owned();
                return Err(Rejection {
                    index,
                    id: event.id,
                    code: "refused",
                    field: "",
                    message,
                    seq: Some(event.seq),
                });
            }
            Ok(event)
        });
        arrivals.push(match checked {
            Ok(event) => accepted(event, &batch.install, raw),
            Err(rejection) => {
                let arrival = refused(&rejection, &batch.install, raw, times);
                rejected.push(rejection);
                arrival
            }
        });
    }
    (arrivals, rejected)
}

fn accepted(event: batch::Event, install: &str, raw: &RawValue) -> Arrival {
    let batch::Event { id, seq, kind, ts_ms, time_ms, boot, mono_ms } = event;
    Arrival {
        id,
        once: String::new(),
        install: install.to_owned(),
        seq: Some(seq),
        kind,
        ts_ms,
        time_ms,
        boot,
        mono_ms,
        text: raw.get().to_owned(),
        fields: None,
        refusal: None,
        findings: Vec::new(),
    }
}

/// An event that was rejected, as far as it can be read.
fn refused(rejection: &Rejection, install: &str, raw: &RawValue, times: Times) -> Arrival {
    let sent: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let kind = sent.get("kind").and_then(Value::as_str).and_then(Kind::parse);
    let ts = sent.get("ts").and_then(Value::as_str).and_then(|ts| ts.parse::<jiff::Timestamp>().ok());
    let ts_ms = ts.map_or(times.received_ms, jiff::Timestamp::as_millisecond);
    // The time may be what is wrong with it.
    let time_ms = if rejection.field == "ts" { times.received_ms } else { batch::corrected(ts_ms, None, times) };
    Arrival {
        id: rejection.id.clone(),
        once: String::new(),
        install: install.to_owned(),
        seq: rejection.seq,
        // Its own spelling is in what was sent.
        kind: kind.unwrap_or(Kind::Message),
        ts_ms,
        time_ms,
        boot: None,
        mono_ms: None,
        text: raw.get().to_owned(),
        fields: None,
        refusal: Some(Refusal {
            code: rejection.code,
            field: rejection.field.to_owned(),
            message: rejection.message.clone(),
        }),
        findings: Vec::new(),
    }
}

fn times(headers: &HeaderMap, received_ms: i64) -> Times {
    let sent = text(headers, "x-rez-sent-at").and_then(|text| text.parse::<jiff::Timestamp>().ok());
    Times {
        sent_ms: sent.map(jiff::Timestamp::as_millisecond),
        mono_ms: text(headers, "x-rez-mono").and_then(|text| text.parse().ok()),
        received_ms,
    }
}
