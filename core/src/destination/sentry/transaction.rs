//! Payloads of screen loads, app starts, API calls and spans.

use super::common::common;
use super::fields::Fields;
use crate::destination::stable_hash;
use crate::json::split::{self, elements, member, members};
use crate::json::{Escaped, Object, quoted};
use crate::kind::Kind;
use std::borrow::Cow;

/// A child span.
struct Span<'a> {
    id: String,
    /// The parent's id, if that is not the transaction.
    parent: Option<String>,
    op: Cow<'a, str>,
    /// As JSON.
    description: &'a str,
    start_ms: i64,
    end_ms: i64,
    status: Option<&'static str>,
    /// HTTP status, as JSON.
    code: Option<&'a str>,
    /// HTTP method, as JSON.
    method: Option<&'a str>,
    /// Attributes, as JSON.
    attrs: &'a str,
}

fn ms(micros: i64) -> i64 {
    micros / 1_000
}

/// Start and end in milliseconds since 1970.
fn times(fields: &Fields<'_>) -> (i64, i64) {
    let lasted = ms(fields.int("duration_us").unwrap_or(0)).max(0);
    let start = fields.int("start_ms").unwrap_or_else(|| fields.row.wall_ms.saturating_sub(lasted));
    (start, start.saturating_add(lasted))
}

/// Op and name of the transaction, the name as JSON.
fn name(fields: &Fields<'_>) -> (Cow<'static, str>, String) {
    let (op, name) = match fields.row.kind {
        Kind::AppStart => {
            let warm = fields.get("type") == Some("\"warm\"");
            (if warm { "app.start.warm" } else { "app.start.cold" }, "\"App Start\"".to_owned())
        }
        Kind::ApiCall => {
            let name = format!("{} {}", fields.text("method"), fields.text("endpoint"));
            ("http.client", quoted(name.trim()))
        }
        Kind::Span => return (op(fields.get("op")), fields.get("name").unwrap_or("\"span\"").to_owned()),
        _ => ("ui.load", fields.get("name").unwrap_or("\"screen\"").to_owned()),
    };
    (op.into(), name)
}

/// The op of a span of the app.
fn op(op: Option<&str>) -> Cow<'static, str> {
    op.map(split::text).filter(|op| !op.is_empty()).map_or(Cow::Borrowed("default"), Cow::Owned)
}

/// The status of a span of the app, from its JSON.
fn span_status(status: Option<&str>) -> &'static str {
    match status {
        Some("\"error\"") => "internal_error",
        Some("\"cancelled\"") => "cancelled",
        _ => "ok",
    }
}

/// The span status of an API call.
fn call_status(status: Option<i64>, failed: bool) -> &'static str {
    match status {
        Some(400) => "invalid_argument",
        Some(401) => "unauthenticated",
        Some(403) => "permission_denied",
        Some(404) => "not_found",
        Some(409) => "already_exists",
        Some(429) => "resource_exhausted",
        Some(499) => "cancelled",
        Some(402..=498) => "invalid_argument",
        Some(501) => "unimplemented",
        Some(503) => "unavailable",
        Some(504) => "deadline_exceeded",
        Some(500..) => "internal_error",
        Some(_) if !failed => "ok",
        None if !failed => "ok",
        _ => "unknown_error",
    }
}

/// The payload of a `transaction` item.
pub(super) fn transaction(out: &mut String, fields: &Fields<'_>) {
    let (trace, span, parent) = fields.trace();
    let (start, end) = times(fields);
    let (op, name) = name(fields);
    let call = fields.row.kind == Kind::ApiCall;
    let (status, source) = match fields.row.kind {
        Kind::ApiCall => (call_status(fields.int("status"), fields.is("failed")), "route"),
        Kind::Span => (span_status(fields.get("status")), "custom"),
        _ => ("ok", "component"),
    };
    Object::write(out, |out| {
        out.text("event_id", fields.id());
        out.json("type", "\"transaction\"");
        out.json("transaction", &name);
        out.object("transaction_info", |info| info.text("source", source));
        out.time("start_timestamp", start);
        out.time("timestamp", end);
        common(out, fields, &[], |contexts| {
            contexts.object("trace", |out| {
                out.text("trace_id", &trace);
                out.text("span_id", &span);
                if let Some(parent) = &parent {
                    out.text("parent_span_id", parent);
                }
                out.text("op", &op);
                out.text("status", status);
                if call {
                    out.object("data", |data| call_data(data, fields));
                }
            });
        });
        let spans = displays(fields, start).chain(children(fields, start));
        out.array("spans", spans, |out, child| push_span(out, &child, &trace, &span));
        let measurements = measurements(fields);
        if !measurements.is_empty() {
            out.object("measurements", |out| {
                for (name, measured, unit) in measurements {
                    out.object(name, |value| {
                        value.number("value", measured);
                        value.text("unit", unit);
                    });
                }
            });
        }
    });
}

fn call_data(data: &mut Object<'_>, fields: &Fields<'_>) {
    for (name, field) in [
        ("http.request.method", "method"),
        ("url.full", "url"),
        ("http.response.status_code", "status"),
        ("http.request.body.size", "request_bytes"),
        ("http.response.body.size", "response_bytes"),
        ("error.message", "error"),
    ] {
        data.json_if_some(name, fields.get(field));
    }
    for (prefix, field) in [("http.request.header.", "request_headers"), ("http.response.header.", "response_headers")]
    {
        for (name, value) in fields.get(field).into_iter().flat_map(members) {
            data.json(Escaped(&format!("{prefix}{name}")), &format!("[{value}]"));
        }
    }
}

/// Names, values and units.
fn measurements(fields: &Fields<'_>) -> Vec<(&'static str, f64, &'static str)> {
    let named: &[(&str, &str)] = match fields.row.kind {
        Kind::ScreenLoad => &[("time_to_initial_display", "initial_us"), ("time_to_full_display", "full_us")],
        Kind::AppStart if fields.get("type") == Some("\"warm\"") => &[("app_start_warm", "duration_us")],
        Kind::AppStart => &[("app_start_cold", "duration_us")],
        _ => &[],
    };
    let times =
        named.iter().filter_map(|(name, field)| Some((*name, fields.int(field)? as f64 / 1_000.0, "millisecond")));
    // Frames drawn until now, if they are known already.
    let view = fields.get("view").filter(|_| fields.row.kind == Kind::ScreenLoad).unwrap_or_default();
    let frames = member(view, "frames").unwrap_or_default();
    let counts = members(frames).filter_map(|(name, count)| {
        let name = match name {
            "slow" => "frames_slow",
            "frozen" => "frames_frozen",
            "total" => "frames_total",
            _ => return None,
        };
        Some((name, count.parse::<u32>().ok()?.into(), "none"))
    });
    times.chain(counts).collect()
}

/// Spans from the start of a screen load to its initial and to its full display.
fn displays<'a>(fields: &Fields<'a>, start_ms: i64) -> impl Iterator<Item = Span<'a>> {
    let id = fields.id().to_owned();
    let screen = fields.get("name").unwrap_or("\"screen\"");
    let shown = [("initial_us", "ui.load.initial_display"), ("full_us", "ui.load.full_display")];
    let shown = shown.map(|(field, op)| (fields.int(field), op));
    shown.into_iter().filter_map(move |(micros, op)| {
        Some(Span {
            id: format!("{:016x}", stable_hash(&[&id, op]).max(1)),
            parent: None,
            op: op.into(),
            description: screen,
            start_ms,
            end_ms: start_ms.saturating_add(ms(micros?)),
            status: Some("ok"),
            code: None,
            method: None,
            attrs: "",
        })
    })
}

/// Spans of the calls, images, tasks and spans inside this one.
fn children<'a>(fields: &Fields<'a>, start_ms: i64) -> impl Iterator<Item = Span<'a>> {
    elements(fields.get("children").unwrap_or_default()).map(move |child| {
        let get = |name: &str| member(child, name);
        let int = |name: &str| get(name).and_then(|value| value.parse::<i64>().ok());
        let trace = get("trace").unwrap_or_default();
        let own = get("id").map(|id| split::text(id).replace('-', "")).unwrap_or_default();
        let of_trace = |name: &str| member(trace, name).map(split::text);
        let span = of_trace("span_id");
        let begun = start_ms.saturating_add(ms(int("start_us").unwrap_or(0)));
        let (op, status) = match get("kind") {
            Some("\"api_call\"") => {
                ("http.client".into(), Some(call_status(int("status"), get("failed") == Some("true"))))
            }
            Some("\"image_load\"") => ("resource.img".into(), None),
            Some("\"span\"") => (op(get("op")), Some(span_status(get("status")))),
            _ => ("ui.long_task".into(), None),
        };
        Span {
            id: span.unwrap_or_else(|| own.get(16..).unwrap_or_default().to_owned()),
            parent: of_trace("parent"),
            op,
            description: get("name").unwrap_or("\"\""),
            start_ms: begun,
            end_ms: begun.saturating_add(ms(int("duration_us").unwrap_or(0)).max(0)),
            status,
            code: get("status").filter(|status| !status.starts_with('"')),
            method: get("method"),
            attrs: get("attrs").unwrap_or_default(),
        }
    })
}

fn push_span(out: &mut String, span: &Span<'_>, trace: &str, parent: &str) {
    Object::write(out, |out| {
        out.text("span_id", &span.id);
        out.text("trace_id", trace);
        out.text("parent_span_id", span.parent.as_deref().unwrap_or(parent));
        out.text("op", &span.op);
        match span.method {
            Some(method) => {
                out.text("description", &format!("{} {}", split::text(method), split::text(span.description)));
            }
            None => out.json("description", span.description),
        }
        out.time("start_timestamp", span.start_ms);
        out.time("timestamp", span.end_ms);
        if let Some(status) = span.status {
            out.text("status", status);
        }
        if span.code.is_some() || span.method.is_some() || !span.attrs.is_empty() {
            out.object("data", |data| {
                data.json_if_some("http.request.method", span.method);
                data.json_if_some("http.response.status_code", span.code);
                members(span.attrs).for_each(|(name, value)| data.json(Escaped(name), value));
            });
        }
    });
}
