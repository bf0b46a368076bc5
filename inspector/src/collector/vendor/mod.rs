//! What vendors' libraries send: Sentry, Mixpanel and OpenTelemetry.
//!
//! | file | idea |
//! | --- | --- |
//! | `take` | members of JSON that may be missing or of another type |
//! | `intake` | events of a request become arrivals, and are stored |
//! | `sentry`, `envelope`, `items` | Sentry: the request, the body, its items as events of our kinds |
//! | `mixpanel`, `records` | Mixpanel: the requests, their records |
//! | `otlp`, `signals` | OpenTelemetry: the requests, their records |

mod envelope;
mod intake;
mod items;
mod mixpanel;
mod otlp;
mod records;
mod sentry;
mod signals;
mod take;
#[cfg(test)]
mod tests;

use super::State;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

/// Largest body after decompression.
const BODY_BYTES: usize = 16 * 1024 * 1024;

/// Adds the paths.
pub(super) fn routes(router: Router<Arc<State>>) -> Router<Arc<State>> {
    router
        .route("/api/{project}/envelope", post(sentry::receive))
        .route("/api/{project}/envelope/", post(sentry::receive))
        .route("/track", get(mixpanel::track).post(mixpanel::track))
        .route("/track/", get(mixpanel::track).post(mixpanel::track))
        .route("/engage", get(mixpanel::engage).post(mixpanel::engage))
        .route("/engage/", get(mixpanel::engage).post(mixpanel::engage))
        .route("/groups", get(mixpanel::groups).post(mixpanel::groups))
        .route("/groups/", get(mixpanel::groups).post(mixpanel::groups))
        .route("/import", post(mixpanel::import))
        .route("/v1/logs", post(otlp::logs))
        .route("/v1/traces", post(otlp::traces))
        .route("/v1/metrics", post(otlp::metrics))
}
