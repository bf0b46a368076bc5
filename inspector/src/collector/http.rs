//! The HTTP API: its paths, who may use them, and what they have in common.

use super::State;
use super::access::{self, bearer};
use super::body::text;
use super::response::{Collector, ErrorResponse, json_text};
use super::switches::Switches;
use super::{assertions, rez};
use crate::received::{Db, Filter};
use axum::extract::{Query, Request, State as Shared};
use axum::http::{HeaderMap, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Default limit of `GET /v1/events`.
const EVENTS_SHOWN: usize = 1000;

/// Largest request of the inspect protocol.
const REQUEST_BYTES: usize = 256 * 1024;

/// Delay before connections are refused, so that the response to that request is sent.
const REFUSE_GRACE: Duration = Duration::from_millis(50);

const NDJSON: &str = "application/x-ndjson";

/// Returns the routes.
pub(super) fn router(state: Arc<State>) -> Router {
    let router = Router::new()
        .route("/v1/batch", post(rez::receive))
        .route("/v1/events", get(events))
        .route("/v1/counts", get(counts))
        .route("/v1/gaps", get(gaps))
        .route("/v1/switches", get(switches).post(set_switches))
        .route("/inspect", post(inspect))
        .route("/test/all", get(assertions::all))
        .route("/test/good", get(assertions::good).post(assertions::good))
        .route("/test/bad", get(assertions::bad).post(assertions::bad))
        .route("/test/reset", post(assertions::reset));
    #[cfg(feature = "cli")]
    let router = super::vendor::routes(router);
    router
        .method_not_allowed_fallback(|| async { ErrorResponse::new(405, "method", "this path takes another method") })
        .fallback(|| async {
            ErrorResponse::new(404, "not_found", "unknown path; see rezq collect --help").into_response()
        })
        .layer(middleware::from_fn_with_state(state.clone(), authorize))
        .with_state(state)
}

/// Rejects requests with a wrong key, and those that come from elsewhere.
async fn authorize(Shared(state): Collector, request: Request, next: Next) -> Response {
    if let Some((code, why)) = access::refuses(request.headers()) {
        return ErrorResponse::new(403, code, why).into_response();
    }
    let path = request.uri().path().to_owned();
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match access::preflight(request.method(), &path, request.headers()) {
        Some(answer) => answer,
        // A vendor's library sends its key in a form of its own.
        None if access::is_browser_path(&path) || state.admits(bearer(request.headers())) => next.run(request).await,
        None => {
            ErrorResponse::new(401, "key", "the key in `Authorization: Bearer` is missing or invalid").into_response()
        }
    };
    access::allow(&path, origin.as_ref(), &mut response);
    response
}

/// The inspect protocol, so that the address of the collector is a source.
async fn inspect(Shared(state): Collector, request: Request) -> Result<Response, ErrorResponse> {
    let Ok(body) = axum::body::to_bytes(request.into_body(), REQUEST_BYTES).await else {
        return Err(ErrorResponse::new(413, "too_large", "the request is larger than 256 KiB or incomplete"));
    };
    let request = String::from_utf8(body.into())
        .map_err(|_| ErrorResponse::new(400, "unreadable", "the request is no UTF-8 text"))?;
    state.reading(move |_, db| Ok(json_text(db.inspect(&request)?))).await
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
    let is_lines = match query.format.as_deref() {
        Some("ndjson") => true,
        Some("json") => false,
        Some(_) => return Err(ErrorResponse::new(400, "format", "`format` must be `json` or `ndjson`")),
        None => text(&headers, "accept").is_some_and(|accept| accept.contains(NDJSON)),
    };
    let read = move |_: &State, db: &Db| {
        let Some(events) = db.events(&filter)? else {
            return Err(ErrorResponse::new(400, "since", "the event named by `since` does not exist"));
        };
        if !is_lines {
            return Ok(Json(events).into_response());
        }
        let mut body = String::new();
        for event in &events {
            body.push_str(&serde_json::to_string(event).unwrap_or_default());
            body.push('\n');
        }
        Ok(([(header::CONTENT_TYPE, NDJSON)], body).into_response())
    };
    state.reading(read).await
}

async fn counts(Shared(state): Collector) -> Result<Response, ErrorResponse> {
    state.reading(|_, db| Ok(Json(db.counts()?).into_response())).await
}

async fn gaps(Shared(state): Collector) -> Result<Response, ErrorResponse> {
    state.reading(|_, db| Ok(Json(db.gaps()?).into_response())).await
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
