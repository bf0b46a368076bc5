//! Payloads of errors, crashes, hangs, app exits, messages, alerts and feedback.

use super::common::common;
use super::exception;
use super::fields::Fields;
use crate::calendar::TimeWriter;
use crate::json::split::members;
use crate::json::{Escaped, Object};
use crate::kind::Kind;

/// The payload of an `event` item.
pub(super) fn event(out: &mut String, fields: &Fields<'_>) {
    let kind = fields.row.kind;
    Object::write(out, |event| {
        event.text("event_id", fields.id());
        event.time("timestamp", fields.row.wall_ms);
        event.json("level", level(fields));
        event.json_if_some("transaction", fields.screen());
        match kind {
            Kind::Message => logentry(event, fields.get("message")),
            Kind::Alert => logentry(event, fields.get("title")),
            _ => exception::write(event, fields),
        }
        if let Some(print) = fields.get("fingerprint") {
            // One text, or a list of parts.
            let parts = print.strip_prefix('[').and_then(|parts| parts.strip_suffix(']'));
            event.array("fingerprint", [parts.unwrap_or(print)], |out, print| out.push_str(print));
        }
        if !fields.trail().is_empty() {
            event.object("breadcrumbs", |crumbs| {
                let mut times = TimeWriter::new();
                let trail = fields.trail().iter().copied();
                crumbs.array("values", trail, |out, text| crumb(out, text, &mut times));
            });
        }
        let context = fields.get("context").unwrap_or_default();
        // The context of an error with a code is sent as a whole; otherwise each map in it is a context of its own.
        let whole = fields.get("code").is_some();
        let named = |(_, value): &(&str, &str)| !whole && value.starts_with('{');
        let own: Vec<&str> =
            members(context).filter(named).map(|(name, _)| name).chain(["error", "values", "flags", "alert"]).collect();
        common(event, fields, &own, |contexts| {
            trace(contexts, fields);
            members(context)
                .filter(named)
                .filter(|(name, _)| !matches!(*name, "trace" | "rez" | "error" | "values" | "flags"))
                .for_each(|(name, value)| contexts.json(Escaped(name), value));
            if matches!(kind, Kind::Error | Kind::Crash) {
                contexts.object("error", |error| {
                    error.json_if_some("code", fields.get("code"));
                    error.json_if_some("severity", fields.get("severity"));
                    error.json_if_some("stack", fields.get("stack"));
                    let more =
                        members(context).filter(|(name, _)| whole && !matches!(*name, "code" | "severity" | "stack"));
                    more.for_each(|(name, value)| error.json(Escaped(name), value));
                });
            }
            if kind == Kind::Alert {
                contexts.object("alert", |alert| {
                    alert.json_if_some("severity", fields.get("severity"));
                    alert.json_if_some("description", fields.get("description"));
                });
            }
            if let Some(flags) = fields.get("flags") {
                contexts.object("flags", |object| object.json("values", flags));
            }
            if !whole && members(context).any(|(_, value)| !value.starts_with('{')) {
                contexts.object("values", |values| {
                    let plain = members(context).filter(|(_, value)| !value.starts_with('{'));
                    plain.for_each(|(name, value)| values.json(Escaped(name), value));
                });
            }
        });
    });
}

/// The text of an event without an exception. Sentry makes one issue of those that are equal.
fn logentry(event: &mut Object<'_>, text: Option<&str>) {
    event.object("logentry", |entry| entry.json("message", text.unwrap_or("\"\"")));
}

/// The level of an event. Sentry has no events of level `trace`.
fn level<'a>(fields: &Fields<'a>) -> &'a str {
    if fields.row.kind == Kind::Alert {
        return match fields.get("severity") {
            Some("\"critical\"") => "\"fatal\"",
            Some(severity) => severity,
            None => "\"error\"",
        };
    }
    match fields.get("level") {
        Some("\"trace\"") => "\"debug\"",
        Some(level) => level,
        None if fields.row.kind == Kind::Message => "\"info\"",
        None => "\"error\"",
    }
}

/// The trace that an event belongs to.
fn trace(contexts: &mut Object<'_>, fields: &Fields<'_>) {
    if fields.get("trace").is_some() {
        let (trace, span, parent) = fields.trace();
        contexts.object("trace", |out| {
            out.text("trace_id", &trace);
            out.text("span_id", &span);
            if let Some(parent) = parent {
                out.text("parent_span_id", &parent);
            }
        });
    }
}

/// A breadcrumb. Its members have Sentry's names, except the time, which comes first.
fn crumb(out: &mut String, crumb: &str, times: &mut TimeWriter) {
    if let Some((ms, rest)) = crumb.strip_prefix("{\"ts\":").and_then(leading_number) {
        out.push_str("{\"timestamp\":\"");
        times.push(out, ms);
        out.push('"');
        match without_cut(rest) {
            Some(members) => {
                out.push_str(members);
                out.push('}');
            }
            None => out.push_str(rest),
        }
        return;
    }
    // A hook can have changed the order.
    Object::write(out, |out| {
        for (name, value) in members(crumb) {
            match (name, value.parse()) {
                ("ts", Ok(ms)) => out.time("timestamp", ms),
                ("cut", _) => {}
                _ => out.json(Escaped(name), value),
            }
        }
    });
}

/// The members without the number of cuts at their end, which Sentry does not know; `None` if there is none.
fn without_cut(members: &str) -> Option<&str> {
    members.strip_suffix('}')?.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix(r#","cut":"#)
}

/// The number at the start of a text and the rest behind it, if it is a plain integer and the end of a member follows.
fn leading_number(text: &str) -> Option<(i64, &str)> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).filter(|end| (1..19).contains(end))?;
    let (digits, rest) = text.split_at_checked(end)?;
    let number = digits.bytes().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    rest.starts_with([',', '}']).then_some((number, rest))
}

/// The payload of a `feedback` item.
pub(super) fn feedback(out: &mut String, fields: &Fields<'_>) {
    Object::write(out, |event| {
        event.text("event_id", fields.id());
        event.time("timestamp", fields.row.wall_ms);
        event.json("level", "\"info\"");
        event.json_if_some("transaction", fields.screen());
        common(event, fields, &["feedback"], |contexts| {
            trace(contexts, fields);
            contexts.object("feedback", |feedback| {
                feedback.json("message", fields.get("message").unwrap_or("\"\""));
                feedback.json_if_some("name", fields.get("name"));
                feedback.json_if_some("contact_email", fields.get("email"));
                if fields.get("about").is_some() {
                    feedback.text("associated_event_id", &fields.text("about").replace('-', ""));
                }
            });
        });
    });
}
