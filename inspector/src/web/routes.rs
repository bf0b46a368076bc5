//! The requests of the page.

use super::access::Access;
use super::changes;
use super::document::{self, Carrier};
use super::state::State;
use super::{Inspect, Timing, random};
use axum::body::to_bytes;
use axum::extract::{RawQuery, Request, State as Shared};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::sync::Arc;

/// Largest request of the protocol. The longest is a list of ids.
const REQUEST_BYTES: usize = 256 * 1024;

/// Headers of every response.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Returns the routes.
pub(super) fn router(source: Arc<dyn Inspect>, access: Access, timing: Timing) -> Router {
    let state = Arc::new(State::new(source, access, timing));
    Router::new()
        .route("/", get(page))
        .route("/inspect", post(inspect))
        .route("/changes", get(listen))
        .route("/snapshot", get(snapshot))
        .method_not_allowed_fallback(|| async { refusal(405, "this path takes another method") })
        .fallback(|| async { refusal(404, "unknown path; open the address that rezq printed") })
        .layer(middleware::from_fn_with_state(Arc::clone(&state), guard))
        .with_state(state)
}

fn refusal(status: u16, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(json!({ "error": message }))).into_response()
}

fn no_token() -> Response {
    refusal(401, "the token is missing or is not that of this server; open the address that rezq printed")
}

/// Refuses foreign requests, and adds the headers of every response.
async fn guard(Shared(state): Shared<Arc<State>>, request: Request, next: Next) -> Response {
    let mut response = match state.access.refuses(request.headers()) {
        Some(why) => refusal(403, why),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // The page has a policy of its own.
    let policy = response.headers_mut().entry(header::CONTENT_SECURITY_POLICY);
    policy.or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

/// The page. It contains nothing of the source, so that it can be loaded again after it has removed the token from the
/// address; a token that is there has to be right.
async fn page(Shared(state): Shared<Arc<State>>, RawQuery(query): RawQuery) -> Response {
    if token(query.as_deref()).is_some_and(|token| !state.access.allows(token)) {
        return no_token();
    }
    let Ok(nonce) = random::hex() else { return refusal(500, "the system has no random numbers") };
    let policy = document::policy(&nonce);
    let headers =
        [(header::CONTENT_SECURITY_POLICY, policy), (header::CONTENT_TYPE, "text/html; charset=utf-8".into())];
    (headers, document::compose(&nonce, Carrier::Http)).into_response()
}

async fn inspect(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    if !state.access.allows_bearer(request.headers()) {
        return no_token();
    }
    let Ok(body) = to_bytes(request.into_body(), REQUEST_BYTES).await else {
        return refusal(413, "the request is larger than 256 KiB or incomplete");
    };
    let Ok(request) = String::from_utf8(body.into()) else { return refusal(400, "the request is no UTF-8 text") };
    ([(header::CONTENT_TYPE, "application/json")], state.ask(request).await).into_response()
}

/// The file of the queue. Only the header can have the token, so that no link of another page saves the file.
async fn snapshot(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    if !state.access.allows_bearer(request.headers()) {
        return no_token();
    }
    match state.snapshot().await {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/vnd.sqlite3")], bytes).into_response(),
        Err(why) => refusal(503, &why),
    }
}

async fn listen(Shared(state): Shared<Arc<State>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    if !token(query.as_deref()).is_some_and(|token| state.access.allows(token)) {
        return no_token();
    }
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    changes::next(&state, known).await
}

/// The first `token` of a query. A token has no character that a URL encodes.
fn token(query: Option<&str>) -> Option<&str> {
    let members = query?.split('&').filter_map(|member| member.split_once('='));
    let mut tokens = members.filter(|(name, _)| *name == "token");
    tokens.next().map(|(_, token)| token)
}
