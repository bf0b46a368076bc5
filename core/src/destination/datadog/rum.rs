//! RUM events: one JSON object per line.

use super::super::stack_trace::{fingerprint, own_stack};
use super::super::trace_ids;
use super::device;
use super::origin::{self, System};
use super::view::{Newest, View, newest};
use super::{Datadog, error, privacy};
use crate::destination::{Batch, stable_hash};
use crate::json::Json;
use crate::json::Object;
use crate::kind::Kind;
use crate::row::{Row, Run};
use std::borrow::Cow;

/// Members of errors that have no place of their own in an event of Datadog.
const OF_ERRORS: [&str; 7] =
    ["severity", "code", "mechanism", "cause", "collapsed_before", "since_screen_ms", "reports"];

/// The methods that Datadog defines.
const METHODS: [&str; 9] = ["POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT"];

/// A frame longer than this is frozen, in microseconds. The threshold is Datadog's.
const FROZEN_US: i64 = 700_000;

/// The body: the events of the rows, then the newest state of each of their views.
pub(super) fn body(datadog: &Datadog, batch: &Batch<'_>) -> String {
    let rows: Vec<(&Row, Json<'_>)> = batch.rows.iter().map(|row| (row, Json::of(row))).collect();
    let mut out = String::with_capacity(batch.rows.iter().map(|row| row.json.len() + 900).sum());
    for (row, fields) in &rows {
        Line { datadog, batch, row, fields, run: batch.run_of(row) }.event(&mut out);
    }
    for view in newest(&rows, |row| batch.run_of(row)).into_values() {
        let (row, fields) = (view.row, view.fields);
        Line { datadog, batch, row, fields, run: batch.run_of(row) }.view(&mut out, &view);
    }
    // The last line has no line feed.
    out.truncate(out.trim_end_matches('\n').len());
    out
}

/// A unit of time in nanoseconds; `None` for another unit.
pub(super) fn time_unit(unit: &str) -> Option<f64> {
    match unit {
        "ns" | "nanosecond" => Some(1.0),
        "us" | "µs" | "microsecond" => Some(1e3),
        "ms" | "millisecond" => Some(1e6),
        "s" | "second" => Some(1e9),
        _ => None,
    }
}

/// The name of a vital: letters, digits and `-_.@$`, since Datadog makes a path of it. Other characters become `_`.
fn vital_name(name: &str) -> Cow<'_, str> {
    let valid = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '$');
    match name.chars().all(valid) {
        true => Cow::Borrowed(name),
        false => Cow::Owned(name.chars().map(|c| if valid(c) { c } else { '_' }).collect()),
    }
}

/// The id of a step of an operation: a UUID derived from that of the event, so that a repeated request has the same one.
fn step_id(row: &Row, step: &str) -> String {
    let mut bytes = *row.id.as_bytes();
    let hash = stable_hash(&[&row.id.to_string(), step]);
    let low = (hash >> 2) | (0b10 << 62);
    bytes.iter_mut().skip(8).zip(low.to_be_bytes()).for_each(|(byte, new)| *byte = new);
    uuid::Uuid::from_bytes(bytes).to_string()
}

/// Why an operation failed, if it did.
fn failure(fields: &Json<'_>) -> Option<&'static str> {
    match fields.text("status") {
        Some("error") => Some("error"),
        Some("cancelled") => Some("abandoned"),
        _ => None,
    }
}

struct Line<'a> {
    datadog: &'a Datadog,
    batch: &'a Batch<'a>,
    row: &'a Row,
    fields: &'a Json<'a>,
    run: Option<&'a Run>,
}

/// Microseconds as nanoseconds, the unit of Datadog.
fn nanos(us: Option<i64>) -> i64 {
    us.unwrap_or(0).max(0).saturating_mul(1_000)
}

impl Line<'_> {
    /// The event of a row. Some kinds only change their view and have none.
    fn event(&self, out: &mut String) {
        let (kind, fields) = (self.row.kind, self.fields);
        let date = fields.int("start_ms").unwrap_or(self.row.wall_ms);
        match kind {
            Kind::Error | Kind::Crash | Kind::Hang | Kind::AppExit => {
                self.line(out, "error", self.row.wall_ms, |o| self.error(o));
            }
            Kind::ApiCall | Kind::ImageLoad => self.line(out, "resource", date, |o| self.resource(o)),
            Kind::Interaction | Kind::Analytics | Kind::Revenue => {
                self.line(out, "action", self.row.wall_ms, |o| self.action(o));
            }
            Kind::LongTask => self.line(out, "long_task", date, |o| {
                self.context(o, &[]);
                self.internal(o, |_| {});
                o.object("long_task", |o| {
                    o.text("id", &origin::id(self.row));
                    o.number("duration", nanos(fields.int("duration_us")));
                    o.flag("is_frozen_frame", fields.int("duration_us").unwrap_or(0) > FROZEN_US);
                });
            }),
            Kind::AppStart => self.line(out, "vital", date, |o| {
                self.vital(o, "app.start", nanos(fields.int("duration_us")) as f64, &[("type", fields.get("type"))]);
            }),
            Kind::Span => self.span(out, date),
            Kind::Metric => self.line(out, "vital", self.row.wall_ms, |o| {
                let unit = time_unit(fields.text("unit").unwrap_or_default()).unwrap_or(1.0);
                let value = (fields.float("value").unwrap_or(0.0) * unit).clamp(f64::MIN, f64::MAX);
                self.vital(o, fields.text("name").unwrap_or("unnamed"), value, &[]);
            }),
            _ => {}
        }
    }

    /// An event. `write` writes its own members, and `context` and `_dd`.
    fn line(&self, out: &mut String, kind: &str, date: i64, write: impl FnOnce(&mut Object<'_>)) {
        self.frame(out, kind, date, |o| self.view_of_the_row().write(o), write);
    }

    fn view_of_the_row(&self) -> View<'_> {
        View::of(self.fields, self.run)
    }

    fn frame(
        &self,
        out: &mut String,
        kind: &str,
        date: i64,
        view: impl FnOnce(&mut Object<'_>),
        write: impl FnOnce(&mut Object<'_>),
    ) {
        let run = self.run;
        Object::write(out, |o| {
            o.text("type", kind);
            o.number("date", date.max(0));
            o.object("application", |o| o.text("id", &self.datadog.application));
            let service = self.datadog.service(run);
            o.text("service", service);
            if let Some(run) = run {
                o.text("version", &run.release);
                o.text_if_some("build_version", run.dist.as_deref());
            }
            o.text("ddtags", &origin::all_tags(service, run, self.fields));
            o.text("source", origin::source(run));
            o.object("session", |o| {
                o.text("id", origin::session(self.fields, run).unwrap_or("00000000-0000-0000-0000-000000000000"));
                o.text("type", "user");
            });
            o.object("view", view);
            origin::user(o, self.fields, self.batch.install);
            device::write(o, run, Some(self.fields).filter(|_| kind == "error"), false);
            if kind == "error" {
                device::connectivity(o, self.fields);
            }
            write(o);
        });
        out.push('\n');
    }

    /// The attributes of the app, the context of the event, and tags and contexts of the scope. The members that the
    /// kind defines take precedence.
    fn context(&self, o: &mut Object<'_>, own: &[(&str, Option<&Json<'_>>)]) {
        let fields = self.fields;
        let nothing = ["attrs", "context", "tags", "contexts"].iter().all(|key| fields.map(key).is_empty());
        if nothing && own.iter().all(|(_, value)| value.is_none()) && fields.int("cut").is_none() {
            return;
        }
        o.object("context", |o| {
            let mut taken: Vec<&str> = vec!["tags", "contexts", "cut"];
            for (key, value) in own {
                o.value_if_some(key, *value);
                taken.push(key);
            }
            o.value_if_some("tags", fields.get("tags"));
            o.value_if_some("contexts", fields.get("contexts"));
            o.value_if_some("cut", fields.get("cut"));
            o.values_except(fields.map("attrs"), &taken);
            taken.extend(fields.map("attrs").iter().map(|(key, _)| key.as_ref()));
            o.values_except(fields.map("context"), &taken);
        });
    }

    fn internal(&self, o: &mut Object<'_>, more: impl FnOnce(&mut Object<'_>)) {
        o.object("_dd", |o| {
            o.number("format_version", 2);
            o.object("configuration", |o| o.float("session_sample_rate", self.datadog.rum_rate * 100.0));
            more(o);
        });
    }

    fn error(&self, o: &mut Object<'_>) {
        let (kind, fields, run) = (self.row.kind, self.fields, self.run);
        let system = System::of(run);
        let (facts, conditions) = (device::other_facts(run), device::other_conditions(fields));
        let mut own = vec![
            ("facts", facts.as_ref()),
            ("conditions", conditions.as_ref()),
            ("breadcrumbs", fields.get("trail").filter(|_| !fields.list("trail").is_empty())),
        ];
        own.extend(OF_ERRORS.map(|name| (name, fields.get(name))));
        self.context(o, &own);
        self.internal(o, |_| {});
        let cause = fields.text("cause").unwrap_or_default().to_ascii_lowercase();
        let (title, category) = match kind {
            Kind::Hang if system == System::Android => ("ANR", "ANR"),
            Kind::Hang => ("AppHang", "App Hang"),
            Kind::AppExit if cause.contains("anr") => ("AppExit", "ANR"),
            Kind::AppExit if cause.contains("memory") => ("AppExit", "Memory Warning"),
            Kind::AppExit if cause.contains("watchdog") => ("AppExit", "Watchdog Termination"),
            Kind::AppExit => ("AppExit", "Exception"),
            _ => ("Error", "Exception"),
        };
        let title = fields.text("type").unwrap_or(title);
        let crash = kind == Kind::Crash || (kind == Kind::AppExit && cause.contains("crash"));
        o.object("error", |o| {
            o.text("id", &origin::id(self.row));
            o.text("message", fields.text("message").or(fields.text("cause")).unwrap_or(title));
            o.text("source", "source");
            o.text("type", title);
            o.text_if_some("stack", own_stack(fields).as_deref());
            o.flag("is_crash", crash);
            o.value_if_some("time_since_app_start", fields.get("since_start_ms"));
            o.text("handling", if fields.is("handled") { "handled" } else { "unhandled" });
            o.text("category", category);
            o.text_if_some("fingerprint", fingerprint(fields).as_deref());
            o.text_if_some("source_type", error::source_type(system, run, fields));
            error::causes(o, fields);
            error::threads(o, fields);
        });
        error::feature_flags(o, fields);
        if let Some(us) = fields.int("duration_us").filter(|_| kind == Kind::Hang) {
            o.object("freeze", |o| o.number("duration", nanos(Some(us))));
        }
    }

    fn resource(&self, o: &mut Object<'_>) {
        let (kind, fields) = (self.row.kind, self.fields);
        let own = [
            ("endpoint", fields.get("endpoint")),
            ("error", fields.get("error")),
            ("slow", fields.get("slow")),
            ("failed", fields.get("failed")),
        ];
        self.context(o, &own);
        self.internal(o, |o| {
            let ids = trace_ids::of_row(self.row, fields);
            let decimal = |bytes: [u8; 8]| u64::from_be_bytes(bytes).to_string();
            let mut hex = [0u8; uuid::fmt::Simple::LENGTH];
            o.text("trace_id", uuid::Uuid::from_bytes(ids.trace).simple().encode_lower(&mut hex));
            o.text("span_id", &decimal(ids.span));
            o.text_if_some("parent_span_id", ids.parent.map(decimal).as_deref());
        });
        o.object("resource", |o| {
            o.text("id", &origin::id(self.row));
            o.text("type", if kind == Kind::ImageLoad { "image" } else { "native" });
            let given = if kind == Kind::ImageLoad { Some("GET") } else { fields.text("method") };
            o.text_if_some(
                "method",
                given.and_then(|given| METHODS.into_iter().find(|m| m.eq_ignore_ascii_case(given))),
            );
            o.text("url", fields.text("url").unwrap_or_default());
            if let Some(status) = fields.int("status").filter(|status| *status > 0) {
                o.number("status_code", status);
            }
            o.number("duration", nanos(fields.int("duration_us")));
            if let Some(bytes) = fields.int("response_bytes").filter(|bytes| *bytes >= 0) {
                o.number("size", bytes);
            }
            let sent = fields.int("request_bytes").filter(|bytes| *bytes >= 0);
            let [request, response] = ["request_headers", "response_headers"].map(|name| fields.get(name));
            if sent.is_some() || request.is_some() {
                o.object("request", |o| {
                    if let Some(bytes) = sent {
                        o.number("decoded_body_size", bytes);
                    }
                    o.value_if_some("headers", request);
                });
            }
            if response.is_some() {
                o.object("response", |o| o.value_if_some("headers", response));
            }
        });
    }

    fn action(&self, o: &mut Object<'_>) {
        let (kind, fields) = (self.row.kind, self.fields);
        let name = match kind {
            Kind::Interaction => privacy::target(self.datadog.mask_input, fields),
            Kind::Revenue => "revenue",
            _ => fields.text("name").unwrap_or("unnamed"),
        };
        let word = fields.text("action").unwrap_or("tap");
        let own = match kind {
            Kind::Revenue => [
                ("revenue", fields.get("amount")),
                ("currency", fields.get("currency")),
                ("transaction_id", fields.get("transaction_id")),
                ("items", fields.get("items")),
            ],
            _ => [("action", fields.get("action")), ("duration_us", fields.get("duration_us")), ("", None), ("", None)],
        };
        let masked = privacy::without_input(self.datadog.mask_input, kind, fields);
        let line = Line { fields: masked.as_ref().unwrap_or(fields), ..*self };
        line.context(o, &own);
        self.internal(o, |_| {});
        o.object("action", |o| {
            let action = match (kind, word) {
                (Kind::Interaction, "tap" | "press" | "long_press") => "tap",
                (Kind::Interaction, "click" | "scroll" | "swipe" | "back") => word,
                _ => "custom",
            };
            o.text("type", action);
            o.text("id", &origin::id(self.row));
            o.object("target", |o| o.text("name", name));
        });
    }

    /// A span of the app: a duration, and for a root the two steps of an operation.
    fn span(&self, out: &mut String, date: i64) {
        let fields = self.fields;
        let name = fields.text("name").unwrap_or("unnamed");
        let us = fields.int("duration_us").unwrap_or(0).max(0);
        let own = [("op", fields.get("op")), ("status", fields.get("status"))];
        self.line(out, "vital", date, |o| self.vital(o, name, nanos(Some(us)) as f64, &own));
        if fields.get("trace").is_some_and(|trace| trace.get("parent").is_some()) {
            return;
        }
        for (step, date) in [("start", date), ("end", date.saturating_add(us / 1_000))] {
            self.line(out, "vital", date, |o| {
                self.context(o, &own);
                self.internal(o, |_| {});
                o.object("vital", |o| {
                    o.text("type", "operation_step");
                    o.text("id", &step_id(self.row, step));
                    o.text("name", &vital_name(name));
                    // Spans of one name can overlap.
                    o.text("operation_key", &origin::id(self.row));
                    o.text("step_type", step);
                    o.text_if_some("failure_reason", failure(fields).filter(|_| step == "end"));
                });
            });
        }
    }

    fn vital(&self, o: &mut Object<'_>, name: &str, duration: f64, own: &[(&str, Option<&Json<'_>>)]) {
        self.context(o, own);
        self.internal(o, |_| {});
        o.object("vital", |o| {
            o.text("type", "duration");
            o.text("id", &origin::id(self.row));
            o.text("name", &vital_name(name));
            // Most durations are whole nanoseconds.
            if duration.fract() == 0.0 && duration.abs() < 9e15 {
                o.number("duration", duration as i64);
            } else {
                o.float("duration", duration);
            }
        });
    }

    fn view(&self, out: &mut String, newest: &Newest<'_>) {
        let view = |o: &mut Object<'_>| {
            self.view_of_the_row().write(o);
            newest.write(o, self.run);
        };
        self.frame(out, "view", newest.started_ms(self.run), view, |o| {
            error::feature_flags(o, newest.fields);
            let frames = ["slow", "frozen", "total"].map(|key| newest.frames(key));
            let facts = device::other_facts(self.run);
            let has_frames = frames.iter().any(Option::is_some);
            if has_frames || facts.is_some() || !newest.attrs().is_empty() {
                const FRAMES: [&str; 3] = ["slow_frames", "frozen_frames", "total_frames"];
                o.object("context", |o| {
                    for (key, number) in FRAMES.iter().zip(frames).filter(|_| has_frames) {
                        o.number(key, number.unwrap_or(0));
                    }
                    o.value_if_some("facts", facts.as_ref());
                    o.values_except(newest.attrs(), &[FRAMES[0], FRAMES[1], FRAMES[2], "facts"]);
                });
            }
            if self.datadog.mask_input {
                o.object("privacy", |o| o.text("replay_level", "mask-user-input"));
            }
            self.internal(o, |o| o.number("document_version", newest.version()));
        });
    }
}
