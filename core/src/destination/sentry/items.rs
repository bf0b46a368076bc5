//! Payloads of sessions, logs, metrics and client reports.

use super::fields::Fields;
use super::kinds::{Switches, category};
use super::name;
use super::raw::{self, Object, members};
use crate::kind::Kind;
use crate::row::Lost;

/// Limit of a client report, in bytes.
const REPORT_BYTES: usize = 4_000;

/// The payload of a `session` item.
pub(super) fn session(out: &mut String, fields: &Fields<'_>) {
    Object::write(out, |out| {
        out.maybe("sid", fields.get("session"));
        // The id of the installation, because the user can change during a session.
        out.text("did", fields.install);
        out.raw("init", fields.get("init").unwrap_or("false"));
        out.time("started", fields.int("started_ms").unwrap_or(fields.row.wall_ms));
        out.time("timestamp", fields.row.wall_ms);
        out.raw("status", fields.get("status").unwrap_or("\"ok\""));
        out.raw("errors", fields.get("errors").unwrap_or("0"));
        if let Some(micros) = fields.int("duration_us").filter(|_| !fields.is("init")) {
            out.number("duration", micros as f64 / 1_000_000.0);
        }
        out.object("attrs", |attrs| {
            // A session that a later run has ended carries the release of its own run.
            let own = fields.get("release").map(raw::text);
            if let Some(release) = name::release(own.as_deref().unwrap_or(&fields.run.release)) {
                attrs.text("release", &release);
            }
            if let Some(environment) = fields.environment() {
                attrs.text("environment", &environment);
            }
        });
    });
}

/// One entry of a `log` item.
pub(super) fn log(out: &mut String, fields: &Fields<'_>) {
    let analytics = fields.row.kind == Kind::Analytics;
    let level = match fields.get("level") {
        Some("\"warning\"") => "\"warn\"",
        Some(level) => level,
        None => "\"info\"",
    };
    Object::write(out, |out| {
        out.raw("timestamp", &raw::seconds(fields.row.wall_ms));
        out.text("trace_id", &fields.trace().0);
        out.raw("level", level);
        out.raw("body", fields.get(if analytics { "name" } else { "message" }).unwrap_or("\"\""));
        out.object("attributes", |out| attributes(out, fields));
    });
}

/// One entry of a `trace_metric` item.
pub(super) fn metric(out: &mut String, fields: &Fields<'_>) {
    Object::write(out, |out| {
        out.raw("timestamp", &raw::seconds(fields.row.wall_ms));
        out.text("trace_id", &fields.trace().0);
        out.raw("name", fields.get("name").unwrap_or("\"\""));
        out.raw("value", fields.get("value").unwrap_or("0"));
        out.raw("type", fields.get("type").unwrap_or("\"gauge\""));
        out.maybe("unit", fields.get("unit"));
        out.object("attributes", |out| attributes(out, fields));
    });
}

/// Typed attributes: those that Sentry defines, then those of the app.
fn attributes(out: &mut Object<'_>, fields: &Fields<'_>) {
    let (release, environment) = (fields.release(), fields.environment());
    let session = fields.get("session").map(raw::text);
    let screen = fields.screen().map(raw::text);
    let user = fields.distinct_id();
    let id = fields.row.id.to_string();
    let known = [
        ("sentry.release", release.as_deref()),
        ("sentry.environment", environment.as_deref()),
        ("sentry.sdk.name", Some(super::SDK)),
        ("sentry.sdk.version", Some(env!("CARGO_PKG_VERSION"))),
        ("user.id", Some(user.as_str())),
        ("session.id", session.as_deref()),
        ("app.screen.name", screen.as_deref()),
        ("log.record.uid", Some(id.as_str())),
    ];
    for (name, value) in known {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            typed(out, name, &raw::quoted(value));
        }
    }
    let reserved = |name: &str| known.iter().any(|(known, _)| *known == name);
    for (name, value) in members(fields.get("attrs").unwrap_or_default()).filter(|(name, _)| !reserved(name)) {
        typed(out, name, value);
    }
}

fn typed(out: &mut Object<'_>, name: &str, value: &str) {
    let kind = match value.bytes().next() {
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') | None => return,
        Some(b'{' | b'[') => {
            return out.object(name, |out| {
                out.text("value", value);
                out.raw("type", "\"string\"");
            });
        }
        Some(_) if value.contains(['.', 'e', 'E']) => "double",
        Some(_) => "integer",
    };
    out.object(name, |out| {
        out.raw("value", value);
        out.text("type", kind);
    });
}

/// The payload of a `client_report` item; `None` if no event was lost that would have been sent.
pub(super) fn client_report(lost: &[Lost], switches: Switches, sent_ms: i64) -> Option<String> {
    let mut lines: Vec<(&str, &str, u64)> = Vec::new();
    let mut add = |reason, category, count| match lines.iter_mut().find(|line| (line.0, line.1) == (reason, category)) {
        Some(line) => line.2 = line.2.saturating_add(count),
        None => lines.push((reason, category, count)),
    };
    for lost in lost.iter().filter(|lost| lost.count > 0) {
        let Some(reason) = lost.reason.sentry() else { continue };
        match lost.kind {
            // Most API calls are not sent as transactions, so their number would mislead.
            Some(Kind::ApiCall) => {}
            Some(kind) => {
                let Some(category) = category(kind, switches) else { continue };
                add(reason, category, lost.count);
                if category == "transaction" {
                    // Sentry counts a transaction as a span too.
                    add(reason, "span", lost.count);
                }
            }
            None => add(reason, "default", lost.count),
        }
    }
    if lines.is_empty() {
        return None;
    }
    lines.sort_by(|one, other| other.2.cmp(&one.2).then(one.cmp(other)));
    let mut out = String::new();
    Object::write(&mut out, |report| {
        report.time("timestamp", sent_ms);
        report.array("discarded_events", |out| {
            for (reason, category, count) in lines {
                if out.len() < REPORT_BYTES - 100 {
                    if !out.ends_with('[') {
                        out.push(',');
                    }
                    out.push_str(&format!(r#"{{"reason":"{reason}","category":"{category}","quantity":{count}}}"#));
                }
            }
        });
    });
    Some(out)
}
