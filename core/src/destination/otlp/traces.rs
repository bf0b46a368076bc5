//! Spans: everything with a duration. A call inside a screen load has its own row, so the children listed in the row of
//! the screen are not written.

use super::attributes::{Attributes, seconds};
use super::logs::nanos;
use super::names;
use super::resource::{Frame, by_run, resource};
use super::wire::{Tag, Wire};
use crate::destination::{Batch, trace_ids};
use crate::json::Json;
use crate::kind::Kind;
use crate::row::Row;
use crate::transport::Endpoint;

const FRAME: Frame = Frame { resources: Tag(1, "resourceSpans"), scopes: Tag(2, "scopeSpans") };
const SPANS: Tag = Tag(2, "spans");

const INTERNAL: u32 = 1;
const CLIENT: u32 = 3;
const STATUS_ERROR: u32 = 2;

/// The methods of the semantic conventions; any other is sent as `_OTHER`.
const METHODS: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// The request for these rows.
pub(super) fn write<W: Wire>(w: &mut W, batch: &Batch<'_>) {
    w.list(FRAME.resources, |w| {
        for (run, rows) in by_run(batch.rows) {
            resource(w, &FRAME, batch, run, |w| {
                w.list(SPANS, |w| rows.iter().for_each(|row| span(w, row)));
            });
        }
    });
}

fn span<W: Wire>(w: &mut W, row: &Row) {
    let fields = Json::of(row);
    let ids = trace_ids::of_row(row, &fields);
    let duration_us = fields.int("duration_us").unwrap_or(0).max(0);
    let start_ms = fields.int("start_ms").unwrap_or_else(|| row.wall_ms.saturating_sub(duration_us / 1_000));
    let start = nanos(start_ms);
    let duration = u64::try_from(duration_us).unwrap_or(0).saturating_mul(1_000);
    let http = matches!(row.kind, Kind::ApiCall | Kind::ImageLoad);
    w.item(SPANS, |w| {
        w.id(Tag(1, "traceId"), &ids.trace);
        w.id(Tag(2, "spanId"), &ids.span);
        if let Some(parent) = ids.parent {
            w.id(Tag(4, "parentSpanId"), &parent);
        }
        w.text(Tag(5, "name"), &name(row.kind, &fields));
        w.enumeration(Tag(6, "kind"), if http { CLIENT } else { INTERNAL });
        w.fixed64(Tag(7, "startTimeUnixNano"), start);
        w.fixed64(Tag(8, "endTimeUnixNano"), start.saturating_add(duration));
        Attributes::list(w, Tag(9, "attributes"), |a| {
            details(a, row.kind, &fields);
            if fields.is("slow") {
                a.flag(names::SLOW, true);
            }
            a.common(row, &fields);
        });
        let ended = fields.text("status").filter(|status| row.kind == Kind::Span && *status != "ok");
        if fields.is("failed") || ended.is_some() {
            w.message(Tag(15, "status"), |w| {
                if let Some(error) = fields.text("error").or(ended) {
                    w.text(Tag(2, "message"), error);
                }
                w.enumeration(Tag(3, "code"), STATUS_ERROR);
            });
        }
    });
}

/// The name of a span. It has low cardinality: a URL template, never a URL.
fn name(kind: Kind, fields: &Json<'_>) -> String {
    match kind {
        Kind::ApiCall => {
            let method = method(fields).0;
            match fields.text("endpoint") {
                Some(endpoint) => format!("{method} {endpoint}"),
                None => method.to_owned(),
            }
        }
        Kind::ImageLoad => "image_load".to_owned(),
        Kind::AppStart => "app.start".to_owned(),
        kind => fields.text("name").unwrap_or(kind.as_str()).to_owned(),
    }
}

/// The method of the conventions, and the app's spelling if it differs.
fn method<'a>(fields: &'a Json<'_>) -> (&'static str, Option<&'a str>) {
    let given = fields.text("method").unwrap_or("GET");
    match METHODS.into_iter().find(|known| known.eq_ignore_ascii_case(given)) {
        Some(known) if known == given => (known, None),
        Some(known) => (known, Some(given)),
        None => ("_OTHER", Some(given)),
    }
}

fn details<W: Wire>(a: &mut Attributes<'_, W>, kind: Kind, fields: &Json<'_>) {
    match kind {
        Kind::ApiCall => {
            let (method, original) = method(fields);
            a.text(names::HTTP_METHOD, Some(method));
            a.text(names::HTTP_METHOD_ORIGINAL, original);
            a.text(names::URL_TEMPLATE, fields.text("endpoint"));
            a.int(names::HTTP_STATUS, fields.int("status").filter(|status| *status != 0));
            a.int(names::HTTP_REQUEST_BYTES, fields.int("request_bytes"));
            a.headers(names::HTTP_REQUEST_HEADER, fields.map("request_headers"));
            a.headers(names::HTTP_RESPONSE_HEADER, fields.map("response_headers"));
            url(a, fields);
            if fields.is("failed") {
                let status = fields.int("status").filter(|status| *status >= 400).map(|status| status.to_string());
                a.text(names::ERROR_TYPE, status.as_deref().or(fields.text("error")).or(Some("_OTHER")));
            }
        }
        Kind::ImageLoad => {
            a.text(names::HTTP_METHOD, Some("GET"));
            a.text(names::RESOURCE_TYPE, Some("image"));
            url(a, fields);
        }
        Kind::ScreenLoad => {
            a.text(names::SCREEN_NAME, fields.text("name"));
            a.float(names::SCREEN_INITIAL, fields.int("initial_us").map(seconds));
            a.float(names::SCREEN_FULL, fields.int("full_us").map(seconds));
        }
        Kind::AppStart => a.text(names::START_TYPE, fields.text("type")),
        Kind::LongTask => a.text(names::LONG_TASK, fields.text("name")),
        Kind::Span => a.text(names::SPAN_OP, fields.text("op")),
        _ => {}
    }
}

fn url<W: Wire>(a: &mut Attributes<'_, W>, fields: &Json<'_>) {
    let url = fields.text("url");
    a.text(names::URL_FULL, url);
    if let Some((host, port)) = url.and_then(server) {
        a.text(names::SERVER_ADDRESS, Some(&host));
        a.int(names::SERVER_PORT, Some(port));
    }
    a.int(names::HTTP_RESPONSE_BYTES, fields.int("response_bytes"));
}

/// Host and port of a URL; `None` if it is invalid.
fn server(url: &str) -> Option<(String, i64)> {
    // The app's servers may use http, which `Endpoint` refuses.
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let endpoint = Endpoint::parse(&format!("https://{authority}")).ok()?;
    let port = endpoint.origin.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    Some((endpoint.host, port.unwrap_or(if secure { 443 } else { 80 })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_read_from_an_address() {
        let server = |url: &str| server(url);
        assert_eq!(server("https://API.rezapp.com/x"), Some(("api.rezapp.com".into(), 443)));
        assert_eq!(server("http://10.0.2.2:8080/x"), Some(("10.0.2.2".into(), 8080)));
        assert_eq!(server("http://shop.example"), Some(("shop.example".into(), 80)));
        assert_eq!(server("https://[::1]:9/x"), Some(("::1".into(), 9)));
        assert_eq!(server("https://[::1]/x"), Some(("::1".into(), 443)));
        for odd in ["", "/x", "ftp://a/b", "https://", "https://a b", "https://u@h/x"] {
            assert_eq!(server(odd), None, "{odd}");
        }
    }
}
