//! The arguments of calls that have to do with traces.

use super::args::{micros, text};
use rez_monitor::{IdGenerator, SpanEvent, SpanStatus, TraceContext};
use serde_json::Value as Json;

/// The explicit context of a call: `trace` with `trace_id`, `span_id`, [`parent`, `sampled`], or `traceparent`, the header of
/// a server, inside whose span the event lies.
pub(super) fn trace(call: &Json, ids: &IdGenerator) -> Result<Option<TraceContext>, String> {
    if let Some(header) = call["traceparent"].as_str() {
        let sent = TraceContext::from_traceparent(header).ok_or_else(|| format!("`{header}` is invalid"))?;
        return Ok(Some(sent.child(ids)));
    }
    let given = &call["trace"];
    if given.is_null() {
        return Ok(None);
    }
    let trace = TraceContext::from_hex(text(&given["trace_id"])?, text(&given["span_id"])?).ok_or("trace: two ids")?;
    let parent = match given["parent"].as_str() {
        Some(parent) => u64::from_str_radix(parent, 16).map_err(|error| format!("parent: {error}"))?,
        None => 0,
    };
    Ok(Some(trace.with_parent(parent).with_sampled(given["sampled"].as_bool())))
}

pub(super) fn status(json: &Json) -> Result<SpanStatus, String> {
    SpanStatus::parse(text(json)?).ok_or_else(|| format!("{json} is not a status"))
}

/// A span that the app has measured.
pub(super) fn record_span(call: &Json) -> Result<SpanEvent<'_>, String> {
    let (name, op) = (text(&call["name"])?, text(&call["op"])?);
    let mut span = match (call["started_ms"].as_i64(), call["ended_ms"].as_i64()) {
        (Some(start), Some(end)) => SpanEvent::between(name, op, start, end),
        (start, _) => {
            let span = SpanEvent::new(name, op, micros(&call["duration_us"])?);
            start.map_or(span, |start| span.started_at(start))
        }
    };
    if !call["status"].is_null() {
        span = span.status(status(&call["status"])?);
    }
    // Explicit ids only: the span itself is named, not a parent.
    Ok(trace(call, &IdGenerator::from_seed([0; 16]))?.map_or(span, |trace| span.trace(trace)))
}
