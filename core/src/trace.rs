//! Traces: the ids that connect a request of the app with the work of the servers, what each destination decides about them,
//! and the headers that tell the servers.
//!
//! Ids follow W3C Trace Context: 128 bits for the trace, 64 for the span, neither of them zero. Headers are formatted on the
//! stack and passed on one by one; [`Targets`] decides which hosts receive them.

mod baggage;
mod context;
mod headers;
mod ids;
mod sampling;
pub(crate) mod share;
mod targets;
mod text;

pub(crate) use baggage::Baggage;
pub use context::TraceContext;
pub(crate) use headers::Decision;
pub use ids::IdGenerator;
#[cfg(feature = "destination-sentry")]
pub(crate) use sampling::Project;
pub use sampling::Sampling;
pub(crate) use targets::Targets;
pub use targets::{TargetError, TargetFault};
pub(crate) use text::Hex;

/// A style of trace headers. One request can carry several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceStyle {
    /// `traceparent`, understood by OpenTelemetry and most tracers.
    W3c,
    /// `sentry-trace` and `baggage`.
    Sentry,
    /// The `x-datadog-*` headers.
    Datadog,
}
