//! Log events: messages, feedback, metrics that are not durations, forwarded errors, and the number of lost events.

use super::super::stack_trace::{fingerprint, stack};
use super::device;
use super::origin::{self, System};
use super::view::View;
use super::{Datadog, error};
use crate::calendar::rfc3339;
use crate::destination::Batch;
use crate::event::AlertSeverity;
use crate::json::Json;
use crate::json::Object;
use crate::kind::Kind;
use crate::level::Level;
use crate::row::{Row, Run};

/// The body: a JSON array with a log for each row and one for the lost events.
pub(super) fn body(datadog: &Datadog, batch: &Batch<'_>) -> String {
    let mut out = String::with_capacity(batch.rows.iter().map(|row| row.json.len() + 900).sum::<usize>() + 1024);
    out.push('[');
    for row in batch.rows {
        if out.len() > 1 {
            out.push(',');
        }
        log(&mut out, datadog, batch, row);
    }
    if !batch.lost.is_empty() {
        if out.len() > 1 {
            out.push(',');
        }
        losses(&mut out, datadog, batch);
    }
    out.push(']');
    out
}

/// The logger of what the app did not log itself.
const LOGGER: &str = "rez-monitor";

/// What differs between logs.
struct Entry<'a> {
    status: &'a str,
    message: &'a str,
    logger: &'a str,
    tags: String,
    /// The fields of the row; `None` for a log that has none.
    fields: Option<&'a Json<'a>>,
}

/// The architecture of the device: that of this build if the host has not said it.
fn architecture(run: Option<&Run>) -> &str {
    run.and_then(|run| run.facts.architecture.as_deref()).unwrap_or(std::env::consts::ARCH)
}

/// The members that every log has.
fn head(o: &mut Object<'_>, datadog: &Datadog, run: Option<&Run>, ms: i64, entry: &Entry<'_>) {
    o.text("status", entry.status);
    o.text("message", entry.message);
    o.text("date", &rfc3339(ms));
    let service = datadog.service(run);
    o.text("service", service);
    o.text("ddtags", &entry.tags);
    o.text("ddsource", origin::source(run));
    o.object("logger", |o| {
        o.text("name", entry.logger);
        o.text("version", env!("CARGO_PKG_VERSION"));
    });
    o.object("_dd", |o| o.object("device", |o| o.text("architecture", architecture(run))));
    if let Some(run) = run {
        o.text("version", &run.release);
        o.text_if_some("build_version", run.dist.as_deref());
    }
    device::write(o, run, entry.fields, true);
    o.text("application_id", &datadog.application);
}

fn log(out: &mut String, datadog: &Datadog, batch: &Batch<'_>, row: &Row) {
    let fields = &Json::of(row);
    let run = batch.run_of(row);
    let (status, message) = status(row, fields);
    Object::write(out, |o| {
        let logger = fields.text("logger").unwrap_or(LOGGER);
        let tags = origin::all_tags(datadog.service(run), run, fields);
        let entry = Entry { status, message: &message, logger, tags, fields: Some(fields) };
        head(o, datadog, run, row.wall_ms, &entry);
        device::network(o, fields);
        o.text_if_some("session_id", origin::session(fields, run));
        let view = View::of(fields, run);
        o.object("view", |o| view.write(o));
        origin::user(o, fields, batch.install);
        if matches!(row.kind, Kind::Error | Kind::Crash | Kind::Hang | Kind::AppExit) {
            o.object("error", |o| {
                o.text("kind", fields.text("type").unwrap_or(row.kind.as_str()));
                o.text("message", &message);
                o.text_if_some("stack", stack(fields).as_deref());
                o.text_if_some("source_type", error::source_type(System::of(run), run, fields));
                o.text_if_some("fingerprint", fingerprint(fields).as_deref());
            });
        }
        let own: &[(&str, &str)] = match row.kind {
            Kind::Metric => &[("name", "metric"), ("value", "value"), ("unit", "unit"), ("type", "type")],
            Kind::Alert => &[("severity", "severity"), ("description", "description")],
            Kind::Feedback => &[("name", "name"), ("email", "email"), ("about", "about")],
            _ => &[
                ("severity", "severity"),
                ("code", "code"),
                ("mechanism", "mechanism"),
                ("cause", "cause"),
                ("since_start_ms", "since_start_ms"),
                ("since_screen_ms", "since_screen_ms"),
                ("reports", "reports"),
            ],
        };
        o.object("context", |o| {
            let mut taken = vec!["event_id", "kind", "tags", "contexts", "cut", "collapsed_before"];
            o.text("event_id", &origin::id(row));
            o.text("kind", row.kind.as_str());
            for (field, name) in own {
                o.value_if_some(name, fields.get(field));
                taken.push(name);
            }
            let facts = if row.kind.has_conditions() { device::other_facts(run) } else { None };
            for (name, value) in [("facts", facts), ("conditions", device::other_conditions(fields))] {
                if let Some(value) = &value {
                    o.value(name, value);
                    taken.push(name);
                }
            }
            for key in ["tags", "contexts", "cut", "collapsed_before"] {
                o.value_if_some(key, fields.get(key));
            }
            o.values_except(fields.map("attrs"), &taken);
            taken.extend(fields.map("attrs").iter().map(|(key, _)| key.as_ref()));
            o.values_except(fields.map("context"), &taken);
        });
    });
}

/// Status and message. Datadog has no status `fatal`.
fn status(row: &Row, fields: &Json<'_>) -> (&'static str, String) {
    let level = fields.text("level").and_then(Level::parse);
    let level = match row.kind {
        Kind::Crash => Level::Fatal,
        Kind::Error => level.unwrap_or(Level::Error),
        Kind::Hang | Kind::AppExit => Level::Error,
        Kind::Message | Kind::Log => level.unwrap_or_default(),
        Kind::Alert => fields.text("severity").and_then(AlertSeverity::parse).unwrap_or_default().level(),
        _ => Level::Info,
    };
    let status = match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warning => "warn",
        Level::Error => "error",
        Level::Fatal => "critical",
    };
    let message = match row.kind {
        Kind::Metric => fields.text("name"),
        Kind::Alert => fields.text("title"),
        _ => fields.text("message").or(fields.text("cause")).or(fields.text("type")),
    };
    (status, message.unwrap_or(row.kind.as_str()).to_owned())
}

/// The number of lost events since the epoch began, by reason and kind. Every request has the totals, so the newest is
/// right.
fn losses(out: &mut String, datadog: &Datadog, batch: &Batch<'_>) {
    let run = batch.runs.iter().max_by_key(|run| run.number);
    let made = batch.batch_id.parse::<crate::EventId>().map_or(0, |id| i64::try_from(id.unix_ms()).unwrap_or(0));
    let newest = batch.rows.iter().map(|row| row.wall_ms).max().unwrap_or(0);
    let total = batch.lost.iter().fold(0u64, |sum, lost| sum.saturating_add(lost.count));
    Object::write(out, |o| {
        let message = format!("{total} events were not delivered since the queue began");
        let tags = origin::tags(datadog.service(run), run);
        let entry = Entry { status: "warn", message: &message, logger: LOGGER, tags, fields: None };
        head(o, datadog, run, made.max(newest), &entry);
        o.object("lost", |o| {
            o.number("epoch", i64::try_from(batch.epoch).unwrap_or(i64::MAX));
            for lost in batch.lost {
                let kind = lost.kind.map_or("unknown", Kind::as_str);
                o.number(&format!("{}.{kind}", lost.reason), i64::try_from(lost.count).unwrap_or(i64::MAX));
            }
        });
    });
}
