//! Payloads of sessions, logs, metrics and client reports.

use super::fields::Fields;
use super::kinds::{Switches, category};
use super::name;
use crate::json::split::{self, members};
use crate::json::{Escaped, Name, Object, push_comma, quoted};
use crate::kind::Kind;
use crate::row::Lost;
use crate::sorted::sort_by;

/// Limit of a client report, in bytes.
const REPORT_BYTES: usize = 4_000;

/// The payload of a `session` item.
pub(super) fn session(out: &mut String, fields: &Fields<'_>) {
    Object::write(out, |out| {
        out.json_if_some("sid", fields.get("session"));
        // The id of the installation, because the user can change during a session.
        out.text("did", fields.install);
        out.json("init", fields.get("init").unwrap_or("false"));
        out.time("started", fields.int("started_ms").unwrap_or(fields.row.wall_ms));
        out.time("timestamp", fields.row.wall_ms);
        out.json("status", fields.get("status").unwrap_or("\"ok\""));
        out.json("errors", fields.get("errors").unwrap_or("0"));
        if let Some(micros) = fields.int("duration_us").filter(|_| !fields.is("init")) {
            out.number("duration", micros as f64 / 1_000_000.0);
        }
        out.object("attrs", |attrs| {
            // A session that a later run has ended carries the release of its own run.
            let own = fields.get("release").map(split::text);
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
        out.json("timestamp", &seconds(fields.row.wall_ms));
        out.text("trace_id", &fields.trace().0);
        out.json("level", level);
        out.json("body", fields.get(if analytics { "name" } else { "message" }).unwrap_or("\"\""));
        out.object("attributes", |out| attributes(out, fields));
    });
}

/// One entry of a `trace_metric` item.
pub(super) fn metric(out: &mut String, fields: &Fields<'_>) {
    Object::write(out, |out| {
        out.json("timestamp", &seconds(fields.row.wall_ms));
        out.text("trace_id", &fields.trace().0);
        out.json("name", fields.get("name").unwrap_or("\"\""));
        out.json("value", fields.get("value").unwrap_or("0"));
        out.json("type", fields.get("type").unwrap_or("\"gauge\""));
        out.json_if_some("unit", fields.get("unit"));
        out.object("attributes", |out| attributes(out, fields));
    });
}

/// Typed attributes: those that Sentry defines, then those of the app.
fn attributes(out: &mut Object<'_>, fields: &Fields<'_>) {
    let (release, environment) = (fields.release(), fields.environment());
    let session = fields.get("session").map(split::text);
    let screen = fields.screen().map(split::text);
    let user = fields.distinct_id();
    let id = fields.row.id.to_string();
    let logger = fields.get("logger").map(split::text);
    let known = [
        ("sentry.release", release.as_deref()),
        ("sentry.environment", environment.as_deref()),
        ("sentry.sdk.name", Some(super::SDK)),
        ("sentry.sdk.version", Some(env!("CARGO_PKG_VERSION"))),
        ("user.id", Some(user.as_str())),
        ("session.id", session.as_deref()),
        ("app.screen.name", screen.as_deref()),
        ("log.record.uid", Some(id.as_str())),
        ("logger.name", logger.as_deref()),
    ];
    for (name, value) in known {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            typed(out, name, &quoted(value));
        }
    }
    if let Some(us) = fields.int("duration_us").filter(|_| fields.row.kind == Kind::Analytics) {
        typed(out, "duration_us", &us.to_string());
    }
    let reserved = |name: &str| known.iter().any(|(known, _)| *known == name);
    let attrs = fields.get("attrs").unwrap_or_default();
    for (name, value) in members(attrs).filter(|(name, _)| !reserved(name)) {
        typed(out, Escaped(name), value);
    }
    // Logs and metrics have no tags; an attribute of the entry itself takes precedence.
    let taken = |name: &str| reserved(name) || members(attrs).any(|(own, _)| own == name);
    for (name, value) in members(fields.get("tags").unwrap_or_default()).filter(|(name, _)| !taken(name)) {
        typed(out, Escaped(name), value);
    }
}

fn typed(out: &mut Object<'_>, name: impl Name, value: &str) {
    let kind = match value.bytes().next() {
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') | None => return,
        Some(b'{' | b'[') => {
            return out.object(name, |out| {
                out.text("value", value);
                out.json("type", "\"string\"");
            });
        }
        Some(_) if value.contains(['.', 'e', 'E']) => "double",
        Some(_) => "integer",
    };
    out.object(name, |out| {
        out.json("value", value);
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
    sort_by(&mut lines, |one, other| other.2.cmp(&one.2).then(one.cmp(other)));
    let mut out = String::new();
    Object::write(&mut out, |report| {
        report.time("timestamp", sent_ms);
        let out = report.name("discarded_events");
        out.push('[');
        for (reason, category, count) in lines {
            if out.len() < REPORT_BYTES - 100 {
                push_comma(out);
                Object::write(out, |line| {
                    line.text("reason", reason);
                    line.text("category", category);
                    line.number("quantity", count);
                });
            }
        }
        out.push(']');
    });
    Some(out)
}

/// Seconds since 1970 with milliseconds, as a JSON number.
fn seconds(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", ms.unsigned_abs() / 1_000, ms.unsigned_abs() % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_three_decimals() {
        assert_eq!([seconds(1_795_400_000_007), seconds(-1_500)], ["1795400000.007", "-1.500"]);
    }
}
