//! OTLP over HTTP: `/v1/logs`, `/v1/traces` and `/v1/metrics`, as JSON or protobuf.

use super::super::State;
use super::super::body::{self, text};
use super::super::response::{self, Collector};
use super::BODY_BYTES;
use super::intake::Intake;
use super::signals::{self, Signal};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest as Logs;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest as Metrics;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest as Traces;
use prost::Message as _;
use serde_json::{Value, json};

/// Codes of `google.rpc.Status`.
const INVALID_ARGUMENT: u64 = 3;
const UNAVAILABLE: u64 = 14;
const UNAUTHENTICATED: u64 = 16;

const PROTOBUF: &str = "application/x-protobuf";

pub(super) async fn logs(Shared(state): Collector, request: Request) -> Response {
    receive(&state, Signal::Logs, request).await
}

pub(super) async fn traces(Shared(state): Collector, request: Request) -> Response {
    receive(&state, Signal::Traces, request).await
}

pub(super) async fn metrics(Shared(state): Collector, request: Request) -> Response {
    receive(&state, Signal::Metrics, request).await
}

async fn receive(state: &State, signal: Signal, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let form = Form::of(headers);
    let key = key(headers);
    if !state.admits(key.as_deref()) {
        let why = "the key is not the one that the collector was started with: `Authorization: Bearer` or `api-key`";
        return form.error(401, UNAUTHENTICATED, why);
    }
    let mut intake = Intake::new(state, "otlp", key.as_deref(), "");
    let read = body::read(body).await.and_then(|body| body::unpacked(headers, &body, BODY_BYTES));
    let body = match read {
        Ok(body) => body,
        Err(error) => return form.broken(intake, signal, "", error.status.as_u16(), &error.message),
    };
    let value = match form.read(signal, &body) {
        Ok(value) => value,
        Err(message) => return form.broken(intake, signal, &String::from_utf8_lossy(&body), 400, &message),
    };
    signals::add(&mut intake, signal, &value);
    let (rejected, why) =
        (intake.arrivals.iter().filter(|one| one.refusal.is_some()).count(), intake.why().unwrap_or_default());
    match intake.store() {
        Ok(()) => form.done(signal, rejected, &why),
        Err(error) => form.error(503, UNAVAILABLE, &error.message),
    }
}

/// The key that a backend would ask for.
fn key(headers: &HeaderMap) -> Option<String> {
    let bearer = text(headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    let key = bearer.or_else(|| text(headers, "api-key")).or_else(|| text(headers, "x-api-key"));
    key.map(|key| key.trim().to_owned())
}

/// The form of a body and of its response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Protobuf,
    Unknown,
}

impl Form {
    fn of(headers: &HeaderMap) -> Form {
        let kind = text(headers, "content-type").unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/json" => Form::Json,
            PROTOBUF | "application/protobuf" => Form::Protobuf,
            _ => Form::Unknown,
        }
    }

    fn read(self, signal: Signal, body: &[u8]) -> Result<Value, String> {
        let wrong = |error: prost::DecodeError| format!("the body is no protobuf of this signal: {error}");
        let value = match (self, signal) {
            (Form::Unknown, _) => {
                return Err("`Content-Type` must be application/json or application/x-protobuf".to_owned());
            }
            (Form::Json, _) => {
                let value: Value =
                    serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
                return signals::checked(signal, value);
            }
            (Form::Protobuf, Signal::Logs) => serde_json::to_value(Logs::decode(body).map_err(wrong)?),
            (Form::Protobuf, Signal::Traces) => serde_json::to_value(Traces::decode(body).map_err(wrong)?),
            (Form::Protobuf, Signal::Metrics) => serde_json::to_value(Metrics::decode(body).map_err(wrong)?),
        };
        value.map_err(|error| format!("the body cannot be written as JSON: {error}"))
    }

    /// The response to a request of which at least a part was accepted.
    fn done(self, signal: Signal, rejected: usize, why: &str) -> Response {
        let mut partial = json!({});
        if rejected > 0 {
            // A 64-bit integer is a text in this JSON.
            partial[signal.rejected()] = rejected.to_string().into();
            partial["errorMessage"] = why.into();
        }
        if self == Form::Protobuf {
            let mut inner = Vec::new();
            if rejected > 0 {
                field_number(&mut inner, 1, rejected as u64);
                field_text(&mut inner, 2, why);
            }
            let mut message = Vec::new();
            if !inner.is_empty() {
                field_bytes(&mut message, 1, &inner);
            }
            return ([(header::CONTENT_TYPE, PROTOBUF)], message).into_response();
        }
        ([(header::CONTENT_TYPE, "application/json")], json!({ "partialSuccess": partial }).to_string()).into_response()
    }

    /// A body that cannot be read.
    fn broken(self, mut intake: Intake<'_>, signal: Signal, text: &str, status: u16, message: &str) -> Response {
        intake.refuse(signal.kind(), text, "unreadable", "", message);
        match intake.store() {
            Ok(()) => self.error(status, INVALID_ARGUMENT, message),
            Err(error) => self.error(503, UNAVAILABLE, &error.message),
        }
    }

    /// A `google.rpc.Status`.
    fn error(self, status: u16, code: u64, message: &str) -> Response {
        if self == Form::Protobuf {
            let mut bytes = Vec::new();
            field_number(&mut bytes, 1, code);
            field_text(&mut bytes, 2, message);
            return (response::status(status), [(header::CONTENT_TYPE, PROTOBUF)], bytes).into_response();
        }
        let body = json!({"code": code, "message": message}).to_string();
        (response::status(status), [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

fn field_number(out: &mut Vec<u8>, field: u32, number: u64) {
    prost::encoding::uint64::encode(field, &number, out);
}

fn field_text(out: &mut Vec<u8>, field: u32, text: &str) {
    prost::encoding::string::encode(field, &text.to_owned(), out);
}

fn field_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    prost::encoding::bytes::encode(field, &bytes.to_vec(), out);
}
