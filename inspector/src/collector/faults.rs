//! Applies a simulated fault to a response.

use super::response::json_text;
use super::switches::{Fault, What};
use super::wire::{Line, WireFault};
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use std::time::Duration;

/// Returns the response with the fault. `normal` is the one without.
pub(super) async fn apply_fault(fault: Fault, normal: Response, line: &Line) -> Response {
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
