//! The lines of a body: a header, then each item's header and payload.

use super::fields::Fields;
use super::kinds::Shape;
use super::raw::{Object, push_list};
use super::{Sentry, event, items, transaction};
use crate::destination::{Batch, Stamp};
use crate::row::{Row, Run};

/// Bytes an event needs beside its row.
const ROOM: usize = 2_048;

pub(super) fn body(sentry: &Sentry, batch: &Batch<'_>, stamp: &Stamp<'_>) -> String {
    let report = items::client_report(batch.lost, sentry.switches, stamp.wall_ms);
    if batch.rows.is_empty() && report.is_none() {
        return String::new();
    }
    let unknown = Run::default();
    let fields = |row| Fields::new(batch, row, &unknown);
    let of = |wanted: Shape| batch.rows.iter().filter(move |row| sentry.shape(row.kind) == wanted);
    let room: usize = batch.rows.iter().map(|row| row.json.len() + row.json.len() / 4 + ROOM).sum();
    let mut out = String::with_capacity(room);
    let single = [Shape::Event, Shape::Transaction, Shape::Feedback].into_iter().flat_map(of).next();
    header(&mut out, sentry, single.map(fields).as_ref(), stamp);
    let mut payload = String::with_capacity(room);
    for row in batch.rows {
        let (kind, write): (_, fn(&mut String, &Fields<'_>)) = match sentry.shape(row.kind) {
            Shape::Event => ("event", event::event),
            Shape::Transaction => ("transaction", transaction::transaction),
            Shape::Feedback => ("feedback", event::feedback),
            Shape::Session => ("session", items::session),
            Shape::Log | Shape::Metric | Shape::Never => continue,
        };
        payload.clear();
        write(&mut payload, &fields(row));
        item(&mut out, kind, "application/json", None, &payload);
    }
    let mut container = |shape, kind: &str, write: fn(&mut String, &Fields<'_>)| {
        let rows: Vec<&Row> = of(shape).collect();
        if !rows.is_empty() {
            payload.clear();
            payload.push_str("{\"items\":[");
            push_list(&mut payload, &rows, |out, row| write(out, &fields(row)));
            payload.push_str("]}");
            let content = format!("application/vnd.sentry.items.{}+json", kind.replace('_', "-"));
            item(&mut out, kind, &content, Some(rows.len()), &payload);
        }
    };
    container(Shape::Log, "log", items::log);
    container(Shape::Metric, "trace_metric", items::metric);
    if let Some(report) = report {
        item(&mut out, "client_report", "application/json", None, &report);
    }
    out
}

/// The first line. The time of sending stands in it once and is never stored.
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
            // With the rate Sentry can tell how many there really were.
            out.object("trace", |trace| {
                trace.text("trace_id", &fields.trace().0);
                trace.text("public_key", &sentry.dsn.key);
                trace.text("sample_rate", &sentry.traces_sample_rate.to_string());
                trace.text("sampled", "true");
                trace.text("release", &fields.run.release);
                if let Some(environment) = fields.environment() {
                    trace.text("environment", &environment);
                }
            });
        }
    });
    out.push('\n');
}

fn item(out: &mut String, kind: &str, content: &str, count: Option<usize>, payload: &str) {
    Object::write(out, |out| {
        out.text("type", kind);
        out.number("length", payload.len());
        if let Some(count) = count {
            out.number("item_count", count);
        }
        out.text("content_type", content);
    });
    out.push('\n');
    out.push_str(payload);
    out.push('\n');
}
