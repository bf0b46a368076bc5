//! The HTTP face: batches in, questions out, switches.

use super::State;
use super::batch::{self, Batch, BatchError, MAX_BYTES, MAX_EVENTS, Rejection, Times};
use super::db::{Filter, Judged, Replay, Taken};
use super::switches::{Fault, Switches, What};
use super::wire::{Line, WireFault};
use crate::host::names_loopback;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Query, Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a body that are read at all: past it the connection ends. Between [`MAX_BYTES`] and this the answer is a
/// proper 413 that the client is sure to see, since its whole request was read.
const READ_BYTES: usize = 16 * 1024 * 1024;

/// Events shown unless the question says otherwise.
const EVENTS_SHOWN: usize = 1000;

/// Wait before connections are refused on request, so that the answer to that request gets out.
const REFUSE_GRACE: Duration = Duration::from_millis(50);

const NDJSON: &str = "application/x-ndjson";

type Collector = Shared<Arc<State>>;

/// All paths.
pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/v1/batch", post(take_batch))
        .route("/v1/events", get(events))
        .route("/v1/counts", get(counts))
        .route("/v1/gaps", get(gaps))
        .route("/v1/switches", get(switches).post(set_switches))
        .fallback(|| async { Refusal::new(404, "not_found", "no such path; see rezq collect --help").into_response() })
        .layer(middleware::from_fn_with_state(state.clone(), guard))
        .with_state(state)
}

/// An answer that is no success, with a body that says why.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Refusal { status, code, message: message.into() }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Refusal {
        Refusal::new(503, "store", format!("the collector's file cannot be used: {error}"))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({"error": {"code": self.code, "message": self.message}});
        if self.status == StatusCode::PAYLOAD_TOO_LARGE {
            body["max_bytes"] = MAX_BYTES.into();
            body["max_events"] = MAX_EVENTS.into();
        }
        (self.status, Json(body)).into_response()
    }
}

/// Refuses requests with the wrong key, and requests a web page sent to a name of its own.
async fn guard(Shared(state): Collector, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    if host.is_some_and(|host| !names_loopback(host)) {
        return Refusal::new(403, "host", "the Host header does not name this machine").into_response();
    }
    if state.key.as_deref().is_some_and(|key| bearer(request.headers()) != Some(key)) {
        return Refusal::new(401, "key", "the key in `Authorization: Bearer` is missing or wrong").into_response();
    }
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

async fn take_batch(Shared(state): Collector, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let latency = state.switches().latency_ms;
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, READ_BYTES).await else {
        return Refusal::new(413, "too_large", "the body is far too large, or ended early").into_response();
    };
    let fault = state.switches().next_fault();
    let answer = match &fault {
        Some(fault) if !fault.commits() => Response::new(Body::empty()),
        _ => answer_batch(&state, &parts.headers, &body).unwrap_or_else(Refusal::into_response),
    };
    match fault {
        Some(fault) => with_fault(fault, answer, &line).await,
        None => answer,
    }
}

/// The batch protocol. When this returns 200 the events are on disk.
fn answer_batch(state: &State, headers: &HeaderMap, body: &Bytes) -> Result<Response, Refusal> {
    let body = decompressed(headers, body)?;
    let batch = batch::read(&body).map_err(|error| match error {
        BatchError::TooMany(_) => Refusal::new(413, "too_many", error.to_string()),
        _ => Refusal::new(400, "unreadable", error.to_string()),
    })?;
    match text(headers, "idempotency-key") {
        Some(key) if key == batch.batch_id => {}
        Some(_) => return Err(Refusal::new(400, "idempotency_key", "`Idempotency-Key` is not the batch's `batch_id`")),
        None => return Err(Refusal::new(400, "idempotency_key", "the header `Idempotency-Key` is missing")),
    }
    let (poison, reject, limits) = {
        let switches = state.switches();
        (switches.poison.clone(), switches.reject.clone(), switches.limits.clone())
    };
    if poison.is_some_and(|poison| batch.events.iter().any(|event| event.get().contains(&poison))) {
        return Err(Refusal::new(400, "poison", "the switch `poison` is set and the batch contains its text"));
    }
    let received_ms = (state.clock)();
    let project = bearer(headers).map(project).unwrap_or_default();
    let ids = batch::ids(&batch);
    let mut db = state.db();
    match db.replay(&project, &batch.batch_id, &ids, received_ms)? {
        Replay::Same(answer) => return Ok(json_text(answer)),
        Replay::Clash => {
            return Err(Refusal::new(422, "idempotency_clash", "this `Idempotency-Key` was used for other events"));
        }
        Replay::Fresh => {}
    }
    let judged = judged(&batch, &project, &ids, times(headers, received_ms), reject.as_deref());
    let answer = db.take(&judged, |taken: &Taken<'_>| {
        let mut answer = serde_json::to_value(taken).unwrap_or_default();
        answer["limits"] = json!(limits);
        answer.to_string()
    })?;
    Ok(json_text(answer))
}

fn judged<'a>(batch: &'a Batch, project: &'a str, ids: &'a str, times: Times, reject: Option<&str>) -> Judged<'a> {
    let mut events = Vec::with_capacity(batch.events.len());
    let mut rejected = Vec::new();
    for (index, raw) in batch.events.iter().enumerate() {
        match batch::judge(index, raw, &batch.boot, times) {
            Ok(event) if reject.is_some_and(|reject| raw.get().contains(reject)) => rejected.push(Rejection {
                index,
                id: event.id,
                code: "refused",
                field: "",
                message: "the switch `reject` is set and the event contains its text".to_owned(),
                seq: Some(event.seq),
            }),
            Ok(event) => events.push((event, &**raw)),
            Err(rejection) => rejected.push(rejection),
        }
    }
    Judged {
        project,
        batch_id: &batch.batch_id,
        install: &batch.install,
        epoch: batch.epoch,
        received_ms: times.received_ms,
        ids,
        lost: &batch.lost,
        events,
        rejected,
    }
}

fn decompressed(headers: &HeaderMap, body: &Bytes) -> Result<Vec<u8>, Refusal> {
    let too_large = || Refusal::new(413, "too_large", format!("the body is larger than {MAX_BYTES} bytes"));
    match text(headers, "content-encoding").unwrap_or("identity") {
        "identity" if body.len() > MAX_BYTES => Err(too_large()),
        "identity" => Ok(body.to_vec()),
        "gzip" => {
            let mut plain = Vec::new();
            // One byte past the cap is enough to know; a bomb is not unpacked.
            let most = (MAX_BYTES as u64).saturating_add(1);
            flate2::read::MultiGzDecoder::new(&body[..])
                .take(most)
                .read_to_end(&mut plain)
                .map_err(|error| Refusal::new(400, "unreadable", format!("the body is not gzip: {error}")))?;
            if plain.len() > MAX_BYTES { Err(too_large()) } else { Ok(plain) }
        }
        other => Err(Refusal::new(415, "encoding", format!("`Content-Encoding: {other}`; send gzip or identity"))),
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

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Stands for a key in the file, so that the file holds none (FNV-1a; only equality matters).
fn project(key: &str) -> String {
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn with_fault(fault: Fault, answer: Response, line: &Line) -> Response {
    let mut response = match fault.what {
        What::Status { code, retry_after, body } => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            put(&mut response, header::RETRY_AFTER, retry_after.as_deref());
            return response;
        }
        What::Redirect { to } => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            put(&mut response, header::LOCATION, Some(&to));
            return response;
        }
        What::Text { body } => return json_text(body),
        What::Huge { bytes } => return json_text("x".repeat(bytes)),
        What::Hang => return std::future::pending().await,
        What::CutBody { bytes } => {
            line.set(WireFault::CutBody(bytes));
            answer
        }
        What::CutAnswer { bytes } => {
            line.set(WireFault::CutAnswer(bytes));
            answer
        }
        What::DropAnswer => {
            line.set(WireFault::CutAnswer(0));
            answer
        }
        What::Drip { every_ms } => {
            line.set(WireFault::Drip(Duration::from_millis(every_ms)));
            answer
        }
    };
    // The fault belongs to this answer: the connection is not used again.
    put(&mut response, header::CONNECTION, Some("close"));
    response
}

fn put(response: &mut Response, name: HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        response.headers_mut().insert(name, value);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsQuestion {
    kind: Option<String>,
    since: Option<String>,
    limit: Option<usize>,
    format: Option<String>,
}

async fn events(
    Shared(state): Collector,
    headers: HeaderMap,
    question: Result<Query<EventsQuestion>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(question) = question.map_err(|error| Refusal::new(400, "query", error.body_text()))?;
    let limit = question.limit.unwrap_or(EVENTS_SHOWN);
    let filter = Filter { kind: question.kind, since: question.since, limit };
    let Some(events) = state.db().events(&filter)? else {
        return Err(Refusal::new(400, "since", "`since` names an event that is not here"));
    };
    let lines = match question.format.as_deref() {
        Some("ndjson") => true,
        Some("json") => false,
        Some(_) => return Err(Refusal::new(400, "format", "`format` is `json` or `ndjson`")),
        None => text(&headers, "accept").is_some_and(|accept| accept.contains(NDJSON)),
    };
    if !lines {
        return Ok(Json(events).into_response());
    }
    let mut body = String::new();
    for event in &events {
        body.push_str(&serde_json::to_string(event).unwrap_or_default());
        body.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, NDJSON)], body).into_response())
}

async fn counts(Shared(state): Collector) -> Result<Response, Refusal> {
    Ok(Json(state.db().counts()?).into_response())
}

async fn gaps(Shared(state): Collector) -> Result<Response, Refusal> {
    Ok(Json(state.db().gaps()?).into_response())
}

async fn switches(Shared(state): Collector) -> Response {
    Json(state.switches().clone()).into_response()
}

async fn set_switches(
    Shared(state): Collector,
    wanted: Result<Json<Switches>, axum::extract::rejection::JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(mut wanted) = wanted.map_err(|error| Refusal::new(400, "switches", error.body_text()))?;
    let refuse_ms = std::mem::take(&mut wanted.refuse_ms);
    if refuse_ms > 0 {
        let network = state.network.clone();
        tokio::spawn(async move {
            tokio::time::sleep(REFUSE_GRACE).await;
            network.turn(false);
            tokio::time::sleep(Duration::from_millis(refuse_ms)).await;
            network.turn(true);
        });
    }
    *state.switches() = wanted.clone();
    Ok(Json(wanted).into_response())
}
