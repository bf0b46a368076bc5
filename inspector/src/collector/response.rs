//! What all requests have in common: the state, and the forms of a response.

use super::State;
use super::batch::{MAX_BYTES, MAX_EVENTS};
use crate::received::{ReceivedError, SqlError};
use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

pub(super) type Collector = Shared<Arc<State>>;

/// An error response with a JSON body.
#[derive(Debug)]
pub(super) struct ErrorResponse {
    pub(super) status: StatusCode,
    code: &'static str,
    pub(super) message: String,
}

impl ErrorResponse {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> ErrorResponse {
        ErrorResponse { status: self::status(status), code, message: message.into() }
    }
}

impl From<SqlError> for ErrorResponse {
    fn from(error: SqlError) -> ErrorResponse {
        ErrorResponse::new(503, "store", format!("cannot use the database file: {error}"))
    }
}

impl From<ReceivedError> for ErrorResponse {
    fn from(error: ReceivedError) -> ErrorResponse {
        ErrorResponse::new(503, "store", error.to_string())
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

pub(super) fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// A status that is known to be valid.
pub(super) fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
