//! The lines of an envelope: its header, then a header and a payload for each item.

use super::fields::Fields;
use super::kinds::Shape;
use super::{Sentry, event, items, transaction};
use crate::destination::{Batch, Stamp};
use crate::json::Object;
use crate::row::{Row, Run};
use crate::trace::share::trace_millionths;

/// Bytes of an event beyond those of its row.
const EVENT_OVERHEAD: usize = 2_048;

pub(super) fn body(sentry: &Sentry, batch: &Batch<'_>, stamp: &Stamp<'_>) -> String {
    let report = items::client_report(batch.lost, sentry.switches, stamp.wall_ms);
    if batch.rows.is_empty() && report.is_none() {
        return String::new();
    }
    let unknown = Run::default();
    let fields = |row| Fields::new(batch, row, &unknown);
    let of = |wanted: Shape| batch.rows.iter().filter(move |row| sentry.shape(row.kind) == wanted);
    let bytes: usize = batch.rows.iter().map(|row| row.json.len() + row.json.len() / 4 + EVENT_OVERHEAD).sum();
    let mut out = String::with_capacity(bytes);
    let single = [Shape::Event, Shape::Transaction, Shape::Feedback].into_iter().flat_map(of).next();
    header(&mut out, sentry, single.map(fields).as_ref(), stamp);
    for row in batch.rows {
        let (kind, write): (_, fn(&mut String, &Fields<'_>)) = match sentry.shape(row.kind) {
            Shape::Event => ("event", event::event),
            Shape::Transaction => ("transaction", transaction::transaction),
            Shape::Feedback => ("feedback", event::feedback),
            Shape::Session => ("session", items::session),
            Shape::Log | Shape::Metric | Shape::Never => continue,
        };
        item(&mut out, kind, "application/json", None, |out| write(out, &fields(row)));
    }
    let mut container = |shape, kind: &str, write: fn(&mut String, &Fields<'_>)| {
        let rows: Vec<&Row> = of(shape).collect();
        if !rows.is_empty() {
            let content = format!("application/vnd.sentry.items.{}+json", kind.replace('_', "-"));
            item(&mut out, kind, &content, Some(rows.len()), |out| {
                Object::write(out, |container| container.array("items", &rows, |out, row| write(out, &fields(row))));
            });
        }
    };
    container(Shape::Log, "log", items::log);
    container(Shape::Metric, "trace_metric", items::metric);
    if let Some(report) = report {
        item(&mut out, "client_report", "application/json", None, |out| out.push_str(&report));
    }
    out
}

/// The header of the envelope. It contains the time of sending, which is never stored.
fn header(out: &mut String, sentry: &Sentry, single: Option<&Fields<'_>>, stamp: &Stamp<'_>) {
    Object::write(out, |out| {
        if let Some(fields) = single {
            out.text("event_id", fields.id());
        }
        out.time("sent_at", stamp.wall_ms);
        out.object("sdk", |sdk| {
            sdk.text("name", super::SDK);
            sdk.text("version", env!("CARGO_PKG_VERSION"));
        });
        if let Some(fields) = single.filter(|fields| sentry.shape(fields.row.kind) == Shape::Transaction) {
            // With the sample rate Sentry estimates the total number.
            out.object("trace", |trace| {
                let (id, sampled) = (fields.trace().0, fields.trace_member("sampled"));
                trace.text("trace_id", &id);
                trace.text("public_key", &sentry.dsn.key);
                // Where another system has decided, its rate is unknown.
                if sampled.is_none() {
                    trace.text("sample_rate", &sentry.traces_sample_rate.to_string());
                    let millionths = trace_millionths(u128::from_str_radix(&id, 16).unwrap_or(0));
                    trace.text("sample_rand", &format!("0.{millionths:06}"));
                }
                trace.text("sampled", "true");
                if let Some(release) = fields.release() {
                    trace.text("release", &release);
                }
                if let Some(environment) = fields.environment() {
                    trace.text("environment", &environment);
                }
                if let Some(org) = sentry.dsn.org_id() {
                    trace.text("org_id", org);
                }
            });
        }
    });
    out.push('\n');
}

/// Appends one item. Its header names the length of the payload and is therefore inserted before it afterwards.
fn item(out: &mut String, kind: &str, content: &str, count: Option<usize>, payload: impl FnOnce(&mut String)) {
    let start = out.len();
    payload(out);
    let length = out.len() - start;
    let mut header = String::with_capacity(128);
    Object::write(&mut header, |header| {
        header.text("type", kind);
        header.number("length", length);
        if let Some(count) = count {
            header.number("item_count", count);
        }
        header.text("content_type", content);
    });
    header.push('\n');
    out.insert_str(start, &header);
    out.push('\n');
}
