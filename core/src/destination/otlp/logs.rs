//! Log records: errors, messages and everything else without a duration.

use super::attributes::{Attributes, seconds};
use super::device;
use super::names::{self, event};
use super::resource::{Frame, by_run, resource};
use super::wire::{Tag, Wire};
use crate::destination::Batch;
use crate::destination::stack_trace::{fingerprint, own_stack, stack};
use crate::destination::trace_ids::{self, TraceIds};
use crate::event::AlertSeverity;
use crate::json::Json;
use crate::kind::Kind;
use crate::level::Level;
use crate::row::Row;

const FRAME: Frame = Frame { resources: Tag(1, "resourceLogs"), scopes: Tag(2, "scopeLogs") };
const RECORDS: Tag = Tag(2, "logRecords");
const ATTRIBUTES: Tag = Tag(6, "attributes");

/// The request for these rows.
pub(super) fn write<W: Wire>(w: &mut W, batch: &Batch<'_>, trail: bool) {
    w.list(FRAME.resources, |w| {
        for (run, rows) in by_run(batch.rows) {
            resource(w, &FRAME, batch, run, |w| {
                w.list(RECORDS, |w| rows.iter().for_each(|row| records(w, row, trail)));
            });
        }
    });
}

/// The number of log records of a row: the event and its breadcrumbs.
pub(super) fn count(row: &Row, trail: bool) -> u64 {
    let crumbs = if trail { Json::of(row).list("trail").len() } else { 0 };
    crumbs as u64 + 1
}

/// The fields that every record has.
struct Head<'a> {
    time_ns: u64,
    level: Level,
    body: &'a str,
    event: &'a str,
}

fn record<W: Wire>(
    w: &mut W,
    head: &Head<'_>,
    trace: Option<TraceIds>,
    attributes: impl FnOnce(&mut Attributes<'_, W>),
) {
    let (number, text) = severity(head.level);
    w.item(RECORDS, |w| {
        w.fixed64(Tag(1, "timeUnixNano"), head.time_ns);
        w.enumeration(Tag(2, "severityNumber"), number);
        w.text(Tag(3, "severityText"), text);
        w.message(Tag(5, "body"), |w| w.text(Tag(1, "stringValue"), head.body));
        Attributes::list(w, ATTRIBUTES, attributes);
        if let Some(trace) = trace {
            w.id(Tag(9, "traceId"), &trace.trace);
            w.id(Tag(10, "spanId"), &trace.span);
        }
        w.fixed64(Tag(11, "observedTimeUnixNano"), head.time_ns);
        if !head.event.is_empty() {
            w.text(Tag(12, "eventName"), head.event);
        }
    });
}

/// Severity number and text of OpenTelemetry's log data model.
fn severity(level: Level) -> (u32, &'static str) {
    match level {
        Level::Trace => (1, "TRACE"),
        Level::Debug => (5, "DEBUG"),
        Level::Info => (9, "INFO"),
        Level::Warning => (13, "WARN"),
        Level::Error => (17, "ERROR"),
        Level::Fatal => (21, "FATAL"),
    }
}

/// Milliseconds since 1970 as nanoseconds; earlier times become 1970.
pub(super) fn nanos(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).saturating_mul(1_000_000)
}

fn records<W: Wire>(w: &mut W, row: &Row, trail: bool) {
    let fields = Json::of(row);
    let trace = trace_ids::recorded(&fields);
    if trail {
        for (index, crumb) in fields.list("trail").iter().enumerate() {
            breadcrumb(w, row, &fields, trace, index, crumb);
        }
    }
    let content = Content::of(row, &fields);
    let head = Head { time_ns: nanos(row.wall_ms), level: content.level, body: &content.body, event: content.event };
    record(w, &head, trace, |a| {
        details(a, row.kind, &fields);
        device::conditions(a, &fields);
        a.common(row, &fields);
    });
}

/// Level, body and name of an event.
struct Content<'a> {
    level: Level,
    body: String,
    event: &'a str,
}

impl<'a> Content<'a> {
    fn of(row: &Row, fields: &'a Json<'_>) -> Content<'a> {
        let level = fields.text("level").and_then(Level::parse);
        let text = |key: &str| fields.text(key).unwrap_or_default().to_owned();
        let (level, body, event) = match row.kind {
            Kind::Crash => (Level::Fatal, text("message"), event::CRASH),
            Kind::Error => (level.unwrap_or(Level::Error), text("message"), event::EXCEPTION),
            Kind::Hang => (Level::Error, text("message"), event::HANG),
            Kind::AppExit => (Level::Error, text("message"), event::EXIT),
            Kind::Message | Kind::Log => (level.unwrap_or_default(), text("message"), ""),
            Kind::Feedback => (Level::Info, text("message"), event::FEEDBACK),
            Kind::Alert => {
                let severity = fields.text("severity").and_then(AlertSeverity::parse).unwrap_or_default();
                (severity.level(), text("title"), event::ALERT)
            }
            Kind::Interaction => {
                let action = fields.text("action").unwrap_or("tap");
                let body = format!("{action} {}", fields.text("component").unwrap_or_default());
                // The semantic conventions define clicks only.
                let click = ["click", "tap", "press", "long_press"].contains(&action);
                (Level::Info, body.trim_end().to_owned(), if click { event::CLICK } else { event::INTERACTION })
            }
            Kind::ScreenView if fields.text("op") == Some("stop") => (Level::Info, text("name"), event::SCREEN_END),
            Kind::ScreenView => (Level::Info, text("name"), event::SCREEN_VIEW),
            Kind::Session => {
                let name = if fields.is("init") { event::SESSION_START } else { event::SESSION_END };
                (Level::Info, name.to_owned(), name)
            }
            Kind::UserProp => match fields.text("op") {
                Some("unset") => (Level::Info, text("name"), event::USER_UNSET),
                Some("delete") => (Level::Info, event::USER_DELETE.to_owned(), event::USER_DELETE),
                _ => (Level::Info, text("name"), event::USER_SET),
            },
            Kind::Revenue => (Level::Info, event::REVENUE.to_owned(), event::REVENUE),
            _ => (Level::Info, text("name"), fields.text("name").unwrap_or_default()),
        };
        Content { level, body, event }
    }
}

/// The attributes of the kind. They are written before the common ones and take precedence.
fn details<W: Wire>(a: &mut Attributes<'_, W>, kind: Kind, fields: &Json<'_>) {
    match kind {
        Kind::Crash | Kind::Error => {
            a.text(names::EXCEPTION_TYPE, fields.text("type"));
            a.text(names::EXCEPTION_MESSAGE, fields.text("message"));
            a.text(names::EXCEPTION_STACK, stack(fields).as_deref());
            a.flag(names::ERROR_HANDLED, fields.is("handled"));
            a.text(names::ERROR_SEVERITY, fields.text("severity"));
            a.text(names::ERROR_CODE, fields.text("code"));
            a.text(names::ERROR_MECHANISM, fields.text("mechanism"));
            a.text(names::ERROR_FINGERPRINT, fingerprint(fields).as_deref());
            a.text(names::ERROR_LANGUAGE, fields.text("language"));
            threads(a, fields);
            flags(a, fields);
            a.int(names::ERROR_COLLAPSED, fields.int("collapsed_before"));
            a.float(names::CRASH_SINCE_START, fields.int("since_start_ms").map(millis));
            a.float(names::CRASH_SINCE_SCREEN, fields.int("since_screen_ms").map(millis));
            a.any(names::CRASH_REPORTS, fields.get("reports"));
        }
        Kind::Hang => {
            a.text(names::EXCEPTION_STACK, stack(fields).as_deref());
            a.float(names::HANG_DURATION, fields.int("duration_us").map(seconds));
            a.text(names::ERROR_LANGUAGE, fields.text("language"));
            threads(a, fields);
            flags(a, fields);
        }
        Kind::Message => a.int(names::MESSAGE_COLLAPSED, fields.int("collapsed_before")),
        Kind::Alert => {
            a.text(names::ALERT_SEVERITY, fields.text("severity"));
            a.text(names::ALERT_DESCRIPTION, fields.text("description"));
            a.int(names::ALERT_COLLAPSED, fields.int("collapsed_before"));
        }
        Kind::Analytics => a.float(names::EVENT_DURATION, fields.int("duration_us").map(seconds)),
        Kind::Log => a.text(names::LOGGER, fields.text("logger")),
        Kind::AppExit => {
            a.text(names::EXIT_CAUSE, fields.text("cause"));
            a.any(names::CRASH_REPORTS, fields.get("reports"));
            flags(a, fields);
        }
        Kind::Feedback => {
            a.text(names::FEEDBACK_NAME, fields.text("name"));
            a.text(names::FEEDBACK_EMAIL, fields.text("email"));
            a.text(names::FEEDBACK_ABOUT, fields.text("about"));
        }
        Kind::Interaction => {
            a.text(names::WIDGET_ID, fields.text("component"));
            a.text(names::INTERACTION_ACTION, fields.text("action"));
        }
        Kind::ScreenView => {
            a.text(names::SCREEN_NAME, fields.text("name"));
            a.text(names::SCREEN_CLASS, fields.text("class"));
            a.text(names::SCREEN_KEY, fields.text("key"));
            a.float(names::SCREEN_SHOWN, fields.int("duration_us").map(seconds));
            a.any(names::SCREEN_TIMINGS, timings(fields).as_ref());
            flags(a, fields);
        }
        Kind::Session => {
            a.text(names::SESSION_STATUS, fields.text("status"));
            if !fields.is("init") {
                a.float(names::SESSION_DURATION, fields.int("duration_us").map(seconds));
            }
            a.int(names::SESSION_ERRORS, fields.int("errors"));
        }
        Kind::UserProp => {
            a.text(names::USER_PROPERTY, fields.text("name"));
            a.any(names::USER_PROPERTY_VALUE, fields.get("value"));
        }
        Kind::Revenue => {
            a.float(names::REVENUE_AMOUNT, fields.float("amount"));
            a.text(names::REVENUE_CURRENCY, fields.text("currency"));
            a.text(names::REVENUE_TRANSACTION, fields.text("transaction_id"));
            a.any(names::REVENUE_ITEMS, fields.get("items"));
        }
        _ => {}
    }
}

/// Milliseconds as seconds.
fn millis(ms: i64) -> f64 {
    seconds(ms.saturating_mul(1_000))
}

/// The thread that failed, and the stacks of all threads as text.
fn threads<W: Wire>(a: &mut Attributes<'_, W>, fields: &Json<'_>) {
    let threads = fields.list("threads");
    if let Some(crashed) = threads.iter().find(|thread| thread.is("crashed")) {
        a.int(names::THREAD_ID, crashed.int("id"));
        a.text(names::THREAD_NAME, crashed.text("name"));
    }
    let text = |thread: &Json<'_>| {
        let name = thread.text("name").unwrap_or("thread");
        format!("{name} ({}){}", thread.int("id").unwrap_or(0), own_stack(thread).unwrap_or_default())
    };
    let texts: Vec<String> = threads.iter().map(text).collect();
    a.text(names::THREADS, (!texts.is_empty()).then(|| texts.join("\n\n")).as_deref());
}

/// The last values of the feature flags, by name.
fn flags<W: Wire>(a: &mut Attributes<'_, W>, fields: &Json<'_>) {
    let flags = fields.list("flags").iter();
    let flags = flags.filter_map(|flag| Some((flag.text("flag")?.to_owned().into(), flag.get("result")?.clone())));
    let flags: Vec<_> = flags.collect();
    a.any(names::FLAGS, Some(&Json::Map(flags)));
}

/// The named times of the view, in seconds.
fn timings<'a>(fields: &Json<'a>) -> Option<Json<'a>> {
    let timings = fields.get("view")?.map("timings").iter();
    let timings = timings.filter_map(|(name, us)| match us {
        Json::Int(us) => Some((name.clone(), Json::Float(seconds(*us)))),
        _ => None,
    });
    Some(Json::Map(timings.collect()))
}

/// A breadcrumb. Its id is derived from the event's, so that a repeated request has the same one.
fn breadcrumb<W: Wire>(
    w: &mut W,
    row: &Row,
    fields: &Json<'_>,
    trace: Option<TraceIds>,
    index: usize,
    crumb: &Json<'_>,
) {
    let head = Head {
        time_ns: nanos(crumb.int("ts").unwrap_or(row.wall_ms)),
        level: Level::Debug,
        body: crumb.text("message").unwrap_or_default(),
        event: event::BREADCRUMB,
    };
    record(w, &head, trace, |a| {
        let id = row.id.to_string();
        a.text(names::RECORD_ID, Some(&format!("{id}/{index}")));
        a.text(names::BREADCRUMB_OF, Some(&id));
        a.text(names::BREADCRUMB_TYPE, crumb.text("type"));
        a.text(names::BREADCRUMB_CATEGORY, crumb.text("category"));
        a.any(names::BREADCRUMB_DATA, crumb.get("data"));
        a.text(names::SESSION_ID, fields.text("session"));
    });
}
