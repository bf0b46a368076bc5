//! Mixpanel: `/track`, `/engage`, `/groups` and `/import`.

use super::super::State;
use super::super::body::{self, text};
use super::super::response::{self, Collector, ErrorResponse};
use super::BODY_BYTES;
use super::intake::Intake;
use super::records::{self, Wrong};
use super::take;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, Request, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use rez_monitor::Kind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Parameters = BTreeMap<String, String>;

const STRANGER: &str = "the token or the credentials are missing, or not those that the collector was started with";

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    Track,
    Engage,
    Groups,
    Import,
}

impl Path {
    /// Where a record has its token.
    fn token(self) -> &'static str {
        if self == Path::Track { "properties.token" } else { "$token" }
    }

    /// The kind of what cannot be read.
    fn kind(self) -> Kind {
        if matches!(self, Path::Engage | Path::Groups) { Kind::UserProp } else { Kind::Analytics }
    }
}

pub(super) async fn track(Shared(state): Collector, Query(query): Query<Parameters>, request: Request) -> Response {
    receive(&state, Path::Track, query, request).await
}

pub(super) async fn engage(Shared(state): Collector, Query(query): Query<Parameters>, request: Request) -> Response {
    receive(&state, Path::Engage, query, request).await
}

pub(super) async fn groups(Shared(state): Collector, Query(query): Query<Parameters>, request: Request) -> Response {
    receive(&state, Path::Groups, query, request).await
}

pub(super) async fn import(Shared(state): Collector, Query(query): Query<Parameters>, request: Request) -> Response {
    receive(&state, Path::Import, query, request).await
}

async fn receive(state: &State, path: Path, query: Parameters, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match body::read(body).await {
        Ok(body) => body,
        Err(error) => return broken(state, path, &query, &parts.headers, &error, b""),
    };
    let plain = match body::unpacked(&parts.headers, &body, BODY_BYTES) {
        Ok(plain) => plain,
        Err(error) => return broken(state, path, &query, &parts.headers, &error, &body),
    };
    answer(state, path, query, &parts.headers, Bytes::from(plain))
}

fn answer(state: &State, path: Path, mut query: Parameters, headers: &HeaderMap, body: Bytes) -> Response {
    let all = match records::read(&body, headers, &mut query) {
        Ok(all) => all,
        Err(message) => {
            let error = ErrorResponse::new(400, "unreadable", message);
            return broken(state, path, &query, headers, &error, &body);
        }
    };
    let user = user(headers);
    // An import has the key of the request, the other paths one in each record.
    let key_of = |one: &Value| match path {
        Path::Import => user.clone(),
        _ => Some(take::text(one, path.token()).to_owned()).filter(|key| !key.is_empty()),
    };
    let admits = |one: &Value| state.admits(key_of(one).as_deref());
    let is_stranger = if all.is_empty() { !state.admits(user.as_deref()) } else { !all.iter().any(admits) };
    if is_stranger || path == Path::Import && user.is_none() {
        return refusal(path, &query, 401, STRANGER);
    }
    let key = all.iter().find(|one| admits(one)).and_then(key_of);
    let mut intake = Intake::new(state, "mixpanel", key.as_deref(), "");
    let mut failed = Vec::new();
    let mut is_partial = false;
    for (index, one) in all.iter().enumerate() {
        if !admits(one) {
            is_partial = true;
            continue;
        }
        let added = match path {
            Path::Engage => records::update(&mut intake, one),
            Path::Groups => records::group(&mut intake, one),
            Path::Track | Path::Import => records::event(&mut intake, one, path == Path::Import),
        };
        if let Err(Wrong { field, message }) = added {
            intake.refuse(path.kind(), &one.to_string(), "invalid_field", field, &message);
            let id = take::at(one, "properties").and_then(|properties| properties.get("$insert_id"));
            failed.push(json!({"index": index, "$insert_id": id, "field": field, "message": message}));
        }
    }
    let (good, why) = (all.len().saturating_sub(failed.len()), intake.why());
    if let Err(error) = intake.store() {
        return refusal(path, &query, 503, &error.message);
    }
    match (path, why) {
        (Path::Import, None) => {
            Json(json!({"code": 200, "num_records_imported": good, "status": "OK"})).into_response()
        }
        (Path::Import, Some(_)) => {
            let error = "some data points in the request failed validation";
            let body = json!({"code": 400, "error": error, "failed_records": failed, "num_records_imported": good,
                "status": "Bad Request"});
            (response::status(400), Json(body)).into_response()
        }
        (_, why) => track_answer(&query, 200, why.as_deref().or(is_partial.then_some(STRANGER))),
    }
}

/// The user of the credentials.
fn user(headers: &HeaderMap) -> Option<String> {
    records::basic_user(text(headers, "authorization").unwrap_or_default()).filter(|user| !user.is_empty())
}

/// A body that cannot be read. Nothing of it is kept if the collector wants a key, because a token in it cannot be read either.
fn broken(
    state: &State,
    path: Path,
    query: &Parameters,
    headers: &HeaderMap,
    error: &ErrorResponse,
    body: &[u8],
) -> Response {
    let (status, message) = (error.status.as_u16(), error.message.as_str());
    if !state.admits(user(headers).as_deref()) {
        return refusal(path, query, 401, STRANGER);
    }
    let mut intake = Intake::new(state, "mixpanel", None, "");
    intake.refuse(path.kind(), &String::from_utf8_lossy(body), "unreadable", "", message);
    match intake.store() {
        Ok(()) => refusal(path, query, status, message),
        Err(error) => refusal(path, query, 503, &error.message),
    }
}

fn refusal(path: Path, query: &Parameters, status: u16, message: &str) -> Response {
    if path == Path::Import {
        let body = json!({"code": status, "error": message, "status": "Bad Request"});
        return (response::status(status), Json(body)).into_response();
    }
    track_answer(query, status, Some(message))
}

/// `1` or `0`; with `verbose=1` a JSON object.
fn track_answer(query: &Parameters, status: u16, error: Option<&str>) -> Response {
    let is_good = i32::from(error.is_none());
    let status = response::status(status);
    if query.get("verbose").is_some_and(|verbose| verbose == "1") {
        return (status, Json(json!({"status": is_good, "error": error}))).into_response();
    }
    (status, is_good.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_answer_is_a_digit_and_the_long_one_says_why() {
        let verbose = Parameters::from([("verbose".to_owned(), "1".to_owned())]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (query, error, kind, text) in [
            (Parameters::new(), None, "text/plain", "1"),
            (Parameters::new(), Some("no"), "text/plain", "0"),
            (verbose, Some("no"), "application/json", r#"{"error":"no","status":0}"#),
        ] {
            let response = track_answer(&query, 200, error);
            assert!(response.headers()["content-type"].to_str().unwrap().starts_with(kind));
            let body = runtime.block_on(axum::body::to_bytes(response.into_body(), 1_000)).unwrap();
            assert_eq!(body, text);
        }
        assert_eq!(refusal(Path::Import, &Parameters::new(), 413, "large").status(), 413);
    }
}
