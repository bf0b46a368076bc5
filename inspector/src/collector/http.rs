//! The HTTP API: batches, queries and simulated faults.

use super::State;
use super::batch::{self, Batch, BatchError, MAX_BYTES, MAX_EVENTS, Rejection, Times};
use super::db::{CheckedBatch, Filter, Receipt, Replay};
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

/// Maximum number of bytes read of a body; a longer request closes the connection. Up to this size, a body above
/// [`MAX_BYTES`] is read completely, so that the client receives the 413 response.
const READ_BYTES: usize = 16 * 1024 * 1024;

/// Default limit of `GET /v1/events`.
const EVENTS_SHOWN: usize = 1000;

/// Delay before connections are refused, so that the response to that request is sent.
const REFUSE_GRACE: Duration = Duration::from_millis(50);

const NDJSON: &str = "application/x-ndjson";

type Collector = Shared<Arc<State>>;

/// Returns the routes.
pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/v1/batch", post(receive_batch))
        .route("/v1/events", get(events))
        .route("/v1/counts", get(counts))
        .route("/v1/gaps", get(gaps))
        .route("/v1/switches", get(switches).post(set_switches))
        .fallback(|| async {
            ErrorResponse::new(404, "not_found", "unknown path; see rezq collect --help").into_response()
        })
        .layer(middleware::from_fn_with_state(state.clone(), authorize))
        .with_state(state)
}

/// An error response with a JSON body.
struct ErrorResponse {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ErrorResponse {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> ErrorResponse {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        ErrorResponse { status, code, message: message.into() }
    }
}

impl From<rusqlite::Error> for ErrorResponse {
    fn from(error: rusqlite::Error) -> ErrorResponse {
        ErrorResponse::new(503, "store", format!("cannot use the database file: {error}"))
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        let mut body = json!({"error": {"code": self.code, "message": self.message}});
        if self.status == StatusCode::PAYLOAD_TOO_LARGE {
            body["max_bytes"] = MAX_BYTES.into();
            body["max_events"] = MAX_EVENTS.into();
        }
        (self.status, Json(body)).into_response()
    }
}

/// Rejects requests with a wrong key, and requests whose `Host` is not this machine (DNS rebinding).
async fn authorize(Shared(state): Collector, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    if host.is_some_and(|host| !names_loopback(host)) {
        return ErrorResponse::new(403, "host", "the Host header does not name this machine").into_response();
    }
    if state.key.as_deref().is_some_and(|key| bearer(request.headers()) != Some(key)) {
        return ErrorResponse::new(401, "key", "the key in `Authorization: Bearer` is missing or invalid")
            .into_response();
    }
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

async fn receive_batch(Shared(state): Collector, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let latency = state.switches().latency_ms;
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, READ_BYTES).await else {
        return ErrorResponse::new(413, "too_large", "the body is too large or incomplete").into_response();
    };
    let fault = state.switches().next_fault();
    let response = match &fault {
        Some(fault) if !fault.commits() => Response::new(Body::empty()),
        _ => process_batch(&state, &parts.headers, &body).unwrap_or_else(ErrorResponse::into_response),
    };
    match fault {
        Some(fault) => apply_fault(fault, response, &line).await,
        None => response,
    }
}

/// Implements the batch protocol. After a 200 response, the events are on disk.
fn process_batch(state: &State, headers: &HeaderMap, body: &Bytes) -> Result<Response, ErrorResponse> {
    let body = decompressed(headers, body)?;
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
    let checked = check(&batch, &project, &ids, times(headers, received_ms), reject.as_deref());
    let response = db.store(&checked, |receipt: &Receipt<'_>| {
        let mut response = serde_json::to_value(receipt).unwrap_or_default();
        response["limits"] = json!(limits);
        response.to_string()
    })?;
    Ok(json_text(response))
}

fn check<'a>(batch: &'a Batch, project: &'a str, ids: &'a str, times: Times, reject: Option<&str>) -> CheckedBatch<'a> {
    let mut events = Vec::with_capacity(batch.events.len());
    let mut rejected = Vec::new();
    for (index, raw) in batch.events.iter().enumerate() {
        match batch::validate(index, raw, &batch.boot, times) {
            Ok(event) if reject.is_some_and(|reject| raw.get().contains(reject)) => rejected.push(Rejection {
                index,
                id: event.id,
                code: "refused",
                field: "",
                message: "the event contains the text of the switch `reject`".to_owned(),
                seq: Some(event.seq),
            }),
            Ok(event) => events.push((event, &**raw)),
            Err(rejection) => rejected.push(rejection),
        }
    }
    CheckedBatch {
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

fn decompressed(headers: &HeaderMap, body: &Bytes) -> Result<Vec<u8>, ErrorResponse> {
    let too_large = || ErrorResponse::new(413, "too_large", format!("the body is larger than {MAX_BYTES} bytes"));
    match text(headers, "content-encoding").unwrap_or("identity") {
        "identity" if body.len() > MAX_BYTES => Err(too_large()),
        "identity" => Ok(body.to_vec()),
        "gzip" => {
            let mut plain = Vec::new();
            // Stop one byte after the limit, so that a decompression bomb is not unpacked.
            let limit = (MAX_BYTES as u64).saturating_add(1);
            flate2::read::MultiGzDecoder::new(&body[..])
                .take(limit)
                .read_to_end(&mut plain)
                .map_err(|error| ErrorResponse::new(400, "unreadable", format!("the body is not gzip: {error}")))?;
            if plain.len() > MAX_BYTES { Err(too_large()) } else { Ok(plain) }
        }
        other => Err(ErrorResponse::new(
            415,
            "encoding",
            format!("`Content-Encoding: {other}` is not supported; send gzip or identity"),
        )),
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

/// Returns a hash of the key (FNV-1a), so that the file does not contain the key.
fn project(key: &str) -> String {
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn apply_fault(fault: Fault, normal: Response, line: &Line) -> Response {
    let mut response = match fault.what {
        What::Status { code, retry_after, body } => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            set_header(&mut response, header::RETRY_AFTER, retry_after.as_deref());
            return response;
        }
        What::Redirect { to } => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            set_header(&mut response, header::LOCATION, Some(&to));
            return response;
        }
        What::Text { body } => return json_text(body),
        What::Huge { bytes } => return json_text("x".repeat(bytes)),
        What::Hang => return std::future::pending().await,
        What::CutBody { bytes } => {
            line.set(WireFault::CutBody(bytes));
            normal
        }
        What::CutResponse { bytes } => {
            line.set(WireFault::CutResponse(bytes));
            normal
        }
        What::DropResponse => {
            line.set(WireFault::CutResponse(0));
            normal
        }
        What::Drip { every_ms } => {
            line.set(WireFault::Drip(Duration::from_millis(every_ms)));
            normal
        }
    };
    // The fault applies to the whole connection, so it must not be reused.
    set_header(&mut response, header::CONNECTION, Some("close"));
    response
}

fn set_header(response: &mut Response, name: HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        response.headers_mut().insert(name, value);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    kind: Option<String>,
    since: Option<String>,
    limit: Option<usize>,
    format: Option<String>,
}

async fn events(
    Shared(state): Collector,
    headers: HeaderMap,
    query: Result<Query<EventsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ErrorResponse> {
    let Query(query) = query.map_err(|error| ErrorResponse::new(400, "query", error.body_text()))?;
    let limit = query.limit.unwrap_or(EVENTS_SHOWN);
    let filter = Filter { kind: query.kind, since: query.since, limit };
    let Some(events) = state.db().events(&filter)? else {
        return Err(ErrorResponse::new(400, "since", "the event named by `since` does not exist"));
    };
    let lines = match query.format.as_deref() {
        Some("ndjson") => true,
        Some("json") => false,
        Some(_) => return Err(ErrorResponse::new(400, "format", "`format` must be `json` or `ndjson`")),
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

async fn counts(Shared(state): Collector) -> Result<Response, ErrorResponse> {
    Ok(Json(state.db().counts()?).into_response())
}

async fn gaps(Shared(state): Collector) -> Result<Response, ErrorResponse> {
    Ok(Json(state.db().gaps()?).into_response())
}

async fn switches(Shared(state): Collector) -> Response {
    Json(state.switches().clone()).into_response()
}

async fn set_switches(
    Shared(state): Collector,
    new: Result<Json<Switches>, axum::extract::rejection::JsonRejection>,
) -> Result<Response, ErrorResponse> {
    let Json(mut new) = new.map_err(|error| ErrorResponse::new(400, "switches", error.body_text()))?;
    let refuse_ms = std::mem::take(&mut new.refuse_ms);
    if refuse_ms > 0 {
        let network = state.network.clone();
        tokio::spawn(async move {
            tokio::time::sleep(REFUSE_GRACE).await;
            network.turn(false);
            tokio::time::sleep(Duration::from_millis(refuse_ms)).await;
            network.turn(true);
        });
    }
    *state.switches() = new.clone();
    Ok(Json(new).into_response())
}
