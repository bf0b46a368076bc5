//! Sentry: `POST /api/PROJECT/envelope/`.

use super::super::State;
use super::super::body::{self, text};
use super::super::response::{self, Collector};
use super::intake::Intake;
use super::{BODY_BYTES, envelope, items, take};
use axum::Json;
use axum::extract::{Query, Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use rez_monitor::Kind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NO_KEY: &str = "the key is missing: `X-Sentry-Auth`, `sentry_key` or a DSN";

pub(super) async fn receive(
    Shared(state): Collector,
    Query(query): Query<BTreeMap<String, String>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let auth = Auth::of(&parts.headers, &query);
    // Nothing of a stranger is kept, not even what cannot be read.
    let unread = |key: Option<&str>, status: u16, code: &'static str, sent: &str, message: &str| {
        if let Some(response) = stranger(&state, key) {
            return response;
        }
        let mut intake = Intake::new(&state, "sentry", key, &auth.client);
        intake.refuse(Kind::Message, sent, code, "", message);
        kept(intake, || refusal(status, message))
    };
    let body = match body::read(body).await.and_then(|body| body::unpacked(&parts.headers, &body, BODY_BYTES)) {
        Ok(body) => body,
        Err(error) => return unread(auth.key.as_deref(), error.status.as_u16(), "unreadable", "", &error.message),
    };
    let dsn = || key_of_dsn(take::text(&envelope::header(&body).ok()?, "dsn"));
    let key = auth.key.clone().or_else(dsn);
    let envelope = match envelope::read(&body) {
        Ok(envelope) => envelope,
        Err(why) => {
            return unread(key.as_deref(), 400, "invalid_envelope", &String::from_utf8_lossy(&body), &why);
        }
    };
    if let Some(response) = stranger(&state, key.as_deref()) {
        return response;
    }
    let Some(key) = key else { return refusal(401, NO_KEY) };
    let mut intake = Intake::new(&state, "sentry", Some(&key), &auth.client);
    let sdk = |name: &str| take::text(&envelope.header, name);
    intake.client(format!("{}/{}", sdk("sdk.name"), sdk("sdk.version")).trim_matches('/'));
    for item in &envelope.items {
        items::add(&mut intake, item);
    }
    let id = envelope.header.get("event_id").cloned();
    // An answer of 400 would make the library drop, and count as lost, what was taken.
    let why = intake.why().filter(|_| intake.arrivals.iter().all(|one| one.refusal.is_some()));
    kept(intake, || match (why, id) {
        (Some(why), _) => refusal(400, &why),
        (None, Some(id @ Value::String(_))) => Json(json!({"id": id})).into_response(),
        _ => Json(json!({})).into_response(),
    })
}

/// The answer to a client without the key that the collector was started with.
fn stranger(state: &State, key: Option<&str>) -> Option<Response> {
    if state.admits(key) {
        return None;
    }
    Some(match key {
        Some(_) => refusal(403, "the key is not the one that the collector was started with"),
        None => refusal(401, NO_KEY),
    })
}

/// Stores what came, and answers.
fn kept(intake: Intake<'_>, response: impl FnOnce() -> Response) -> Response {
    match intake.store() {
        Ok(()) => response(),
        Err(error) => refusal(503, &error.message),
    }
}

/// An error in Sentry's form.
fn refusal(status: u16, detail: &str) -> Response {
    let mut response = (response::status(status), Json(json!({"detail": detail, "causes": [detail]}))).into_response();
    if let Ok(value) = HeaderValue::from_str(detail) {
        response.headers_mut().insert("x-sentry-error", value);
    }
    response
}

/// Who sends, as far as it is not in the body.
struct Auth {
    key: Option<String>,
    client: String,
}

impl Auth {
    fn of(headers: &HeaderMap, query: &BTreeMap<String, String>) -> Auth {
        let header = text(headers, "x-sentry-auth").unwrap_or_default();
        let header = header.strip_prefix("Sentry ").or_else(|| header.strip_prefix("sentry ")).unwrap_or(header);
        let member = |name: &str| {
            let pairs = header.split(',').filter_map(|pair| pair.trim().split_once('='));
            let found = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
            found.or_else(|| query.get(name).cloned()).filter(|value| !value.is_empty())
        };
        let agent = text(headers, "user-agent").filter(|agent| agent.to_ascii_lowercase().contains("sentry"));
        let client = member("sentry_client").or_else(|| agent.map(str::to_owned)).unwrap_or_default();
        Auth { key: member("sentry_key"), client }
    }
}

/// The public key of `https://KEY@host/1` or `https://KEY:SECRET@host/1`.
fn key_of_dsn(dsn: &str) -> Option<String> {
    let (user, _) = dsn.split_once("://")?.1.split_once('@')?;
    let key = user.split(':').next().filter(|key| !key.is_empty())?;
    Some(key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_in_the_header_the_query_or_the_dsn() {
        let header = "Sentry sentry_version=7, sentry_client=sentry.java.android/8.1.0, sentry_key=abc";
        let headers: HeaderMap =
            [("x-sentry-auth".parse().unwrap(), HeaderValue::from_static(header))].into_iter().collect();
        let auth = Auth::of(&headers, &BTreeMap::new());
        assert_eq!((auth.key.as_deref(), auth.client.as_str()), (Some("abc"), "sentry.java.android/8.1.0"));
        let query = BTreeMap::from([("sentry_key".to_owned(), "k".to_owned())]);
        assert_eq!(Auth::of(&HeaderMap::new(), &query).key.as_deref(), Some("k"));
        assert_eq!(key_of_dsn("https://k:secret@127.0.0.1/1").as_deref(), Some("k"));
        assert_eq!((key_of_dsn("https://@host/1"), key_of_dsn("host")), (None, None));
    }
}
