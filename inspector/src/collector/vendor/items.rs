//! Items of a Sentry envelope as events of our kinds.

use super::envelope::Item;
use super::intake::{Intake, Known};
use super::take::{Fields, at, first, level_of, list, number, text, time};
use rez_monitor::Kind;
use serde_json::{Map, Value, json};

/// The items that are JSON and become events. Of another one, such as an attachment, a profile or a replay, nobody reads the bytes here.
const KNOWN: [&str; 11] = [
    "event",
    "transaction",
    "feedback",
    "user_report",
    "session",
    "sessions",
    "client_report",
    "log",
    "otel_log",
    "trace_metric",
    "span",
];

/// Adds the events of an item.
pub(super) fn add(intake: &mut Intake<'_>, item: &Item<'_>) {
    let kind = item.kind.as_str();
    if !KNOWN.contains(&kind) {
        return other(intake, item);
    }
    let payload: Value = match serde_json::from_slice(item.payload) {
        Ok(payload) => payload,
        Err(error) => {
            let message = format!("the payload of the item `{kind}` is no JSON: {error}");
            return intake.refuse(
                kind_of_broken(kind),
                &String::from_utf8_lossy(item.payload),
                "invalid_json",
                kind,
                &message,
            );
        }
    };
    let is_container =
        matches!(kind, "log" | "otel_log" | "trace_metric") || (kind == "span" && payload.get("items").is_some());
    if !payload.is_object() || (is_container && !payload.get("items").is_some_and(Value::is_array)) {
        let wanted = if is_container { "an object with `items`" } else { "an object" };
        let message = format!("the payload of the item `{kind}` is not {wanted}");
        return intake.refuse(kind_of_broken(kind), &payload.to_string(), "invalid_payload", kind, &message);
    }
    match kind {
        "event" => event(intake, &payload),
        "transaction" => transaction(intake, &payload),
        "feedback" | "user_report" => feedback(intake, &payload),
        "session" => session(intake, &payload),
        "sessions" => list(&payload, "aggregates").for_each(|one| sessions(intake, one)),
        "client_report" => report(intake, &payload),
        "log" | "otel_log" => list(&payload, "items").for_each(|one| log(intake, one)),
        "trace_metric" => list(&payload, "items").for_each(|one| metric(intake, one)),
        "span" if is_container => list(&payload, "items").for_each(|one| span(intake, one, Fields::default(), "")),
        _ => span(intake, &payload, Fields::default(), ""),
    }
}

/// The kind of an item that cannot be read.
fn kind_of_broken(item: &str) -> Kind {
    match item {
        "event" => Kind::Error,
        "transaction" | "span" => Kind::Span,
        "feedback" | "user_report" => Kind::Feedback,
        "session" | "sessions" => Kind::Session,
        "trace_metric" => Kind::Metric,
        _ => Kind::Log,
    }
}

/// What events and transactions have in common.
fn common<'a>(payload: &'a Value, fields: &mut Fields) -> Known<'a> {
    fields.text("session", first(payload, &["contexts.rez.session", "contexts.session.id"]));
    fields.copy("user", payload, "user");
    fields.copy("tags", payload, "tags");
    fields.copy("attrs", payload, "extra");
    fields.text("release", text(payload, "release"));
    fields.text("environment", text(payload, "environment"));
    let trace = ["trace_id", "span_id"].map(|name| text(payload, &format!("contexts.trace.{name}")));
    if let [trace_id, span_id] = trace
        && !trace_id.is_empty()
    {
        fields.put("trace", json!({"trace_id": trace_id, "span_id": span_id}));
    }
    Known {
        id: text(payload, "event_id"),
        // The mobile libraries give their installation's id to a user without one.
        install: first(payload, &["contexts.rez.install", "contexts.app.device_app_hash", "user.id"]),
        at_ms: payload.get("timestamp").and_then(time),
        ..Known::default()
    }
}

fn event(intake: &mut Intake<'_>, payload: &Value) {
    let mut fields = Fields::default();
    // The last one is what was caught; those before are its causes.
    let exception = list(payload, "exception.values").last().or_else(|| list(payload, "exception").last());
    // A message with a stack is sent as an exception without a type.
    let message = first(payload, &["logentry.formatted", "logentry.message", "message.formatted", "message"]);
    let exception = exception.filter(|one| !text(one, "type").is_empty() || message.is_empty());
    let level = text(payload, "level");
    let handled = exception.and_then(|one| at(one, "mechanism.handled")).and_then(Value::as_bool);
    if let Some(exception) = exception {
        fields.text("type", text(exception, "type"));
        fields.text("message", text(exception, "value"));
        fields.text("level", if level.is_empty() { "error" } else { level });
        fields.put("handled", handled);
    } else {
        fields.text("message", message);
        fields.text("level", if level.is_empty() { "info" } else { level });
    }
    if !text(payload, "transaction").is_empty() {
        fields.put("view", json!({"name": text(payload, "transaction")}));
    }
    let known = common(payload, &mut fields);
    let kind = match exception {
        Some(_) if level == "fatal" && handled != Some(true) => Kind::Crash,
        Some(_) => Kind::Error,
        None => Kind::Message,
    };
    intake.add(kind, payload, fields, &known);
}

fn transaction(intake: &mut Intake<'_>, payload: &Value) {
    let mut fields = Fields::default();
    let (op, name) = (text(payload, "contexts.trace.op"), text(payload, "transaction"));
    let kind = kind_of_op(op);
    fields.text("op", op);
    fields.text("status", text(payload, "contexts.trace.status"));
    if kind == Kind::ApiCall {
        call(&mut fields, name, &attributes(at(payload, "contexts.trace.data")));
    } else {
        fields.text("name", name);
    }
    let ms = |name: &str| payload.get(name).and_then(time).map(|ms| ms as f64);
    fields.span(ms("start_timestamp"), ms("timestamp"));
    let known = common(payload, &mut fields);
    calls(intake, payload, &fields, known.install);
    intake.add(kind, payload, fields, &known);
}

/// The calls among the spans of a transaction are events of their own, as in our library.
fn calls(intake: &mut Intake<'_>, transaction: &Value, around: &Fields, install: &str) {
    // Our own destination sends each call as a transaction as well.
    if at(transaction, "contexts.rez").is_some() {
        return;
    }
    for one in list(transaction, "spans").filter(|one| kind_of_op(text(one, "op")) == Kind::ApiCall) {
        let mut fields = Fields::default();
        for name in ["session", "user", "release", "environment"] {
            fields.put(name, around.0.get(name).cloned());
        }
        span(intake, one, fields, install);
    }
}

/// What is known of a call by its name and by attributes in the spellings of the libraries.
fn call(fields: &mut Fields, name: &str, attributes: &Map<String, Value>) {
    let first = |names: [&str; 3]| names.into_iter().find_map(|name| attributes.get(name));
    let texts = |names: [&str; 3]| first(names).and_then(Value::as_str).unwrap_or_default();
    let url = texts(["url.full", "http.url", "url"]);
    if name.is_empty() {
        fields.target(url)
    } else {
        fields.call(name)
    }
    fields.text("method", &texts(["http.request.method", "http.method", "method"]).to_ascii_uppercase());
    fields.text("url", url);
    let status = first(["http.response.status_code", "http.status_code", "status_code"]).and_then(number);
    fields.put("status", status.map(|status| status as i64));
}

/// The kind of a piece of work.
pub(super) fn kind_of_op(op: &str) -> Kind {
    match op {
        "http.client" | "http" => Kind::ApiCall,
        "navigation" | "pageload" => Kind::ScreenLoad,
        op if op.starts_with("ui.load") => Kind::ScreenLoad,
        op if op.starts_with("app.start") => Kind::AppStart,
        op if op.starts_with("ui.action") => Kind::Interaction,
        _ => Kind::Span,
    }
}

/// `fields` and `install`: what is known from around the span.
fn span(intake: &mut Intake<'_>, payload: &Value, mut fields: Fields, install: &str) {
    let attributes = attributes(payload.get("attributes").or_else(|| payload.get("data")));
    let attribute = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = first(payload, &["name", "description"]);
    let op = [text(payload, "op"), attribute("sentry.op")].into_iter().find(|op| !op.is_empty()).unwrap_or_default();
    let kind = kind_of_op(op);
    fields.text("op", op);
    fields.text("status", text(payload, "status"));
    if kind == Kind::ApiCall {
        call(&mut fields, name, &attributes);
    } else {
        fields.text("name", name);
    }
    let ms = |names: [&str; 2]| names.into_iter().find_map(|name| payload.get(name)).and_then(time).map(|ms| ms as f64);
    let (start, end) = (ms(["start_timestamp", "start"]), ms(["end_timestamp", "timestamp"]));
    fields.span(start, end);
    fields.text("session", attribute("session.id"));
    let (trace_id, span_id) = (text(payload, "trace_id"), text(payload, "span_id"));
    if !trace_id.is_empty() {
        fields.put("trace", json!({"trace_id": trace_id, "span_id": span_id}));
    }
    let id = format!("{trace_id}/{span_id}");
    let install = if attribute("user.id").is_empty() { install } else { attribute("user.id") }.to_owned();
    fields.put("attrs", attributes.clone());
    intake.add(
        kind,
        payload,
        fields,
        &Known {
            id: id.trim_matches('/'),
            install: &install,
            at_ms: end.map(|ms| ms.round() as i64),
            ..Known::default()
        },
    );
}

fn log(intake: &mut Intake<'_>, payload: &Value) {
    let mut fields = Fields::default();
    let attributes = attributes(payload.get("attributes"));
    let attribute = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    fields.text("message", first(payload, &["body", "body.stringValue"]));
    let level = first(payload, &["level", "severity_text"]);
    fields.text("level", level_of(level));
    fields.text("logger", &attribute("logger.name"));
    fields.text("session", &attribute("session.id"));
    let (id, install) = (attribute("log.record.uid"), attribute("user.id"));
    fields.put("attrs", attributes);
    intake.add(
        Kind::Log,
        payload,
        fields,
        &Known { id: &id, install: &install, at_ms: payload.get("timestamp").and_then(time), ..Known::default() },
    );
}

fn metric(intake: &mut Intake<'_>, payload: &Value) {
    let mut fields = Fields::default();
    let attributes = attributes(payload.get("attributes"));
    let attribute = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    for name in ["name", "type", "value", "unit"] {
        fields.copy(name, payload, name);
    }
    fields.text("session", &attribute("session.id"));
    let (id, install) = (attribute("log.record.uid"), attribute("user.id"));
    fields.put("attrs", attributes);
    intake.add(
        Kind::Metric,
        payload,
        fields,
        &Known { id: &id, install: &install, at_ms: payload.get("timestamp").and_then(time), ..Known::default() },
    );
}

/// Typed attributes `{name: {value, type}}` as plain ones.
fn attributes(typed: Option<&Value>) -> Map<String, Value> {
    let members = typed.and_then(Value::as_object).into_iter().flatten();
    members
        .map(|(name, value)| {
            let plain = value.get("value").or_else(|| value.get("stringValue")).unwrap_or(value);
            (name.clone(), plain.clone())
        })
        .collect()
}

fn session(intake: &mut Intake<'_>, payload: &Value) {
    let mut fields = Fields::default();
    fields.text("session", text(payload, "sid"));
    for name in ["status", "init", "errors"] {
        fields.copy(name, payload, name);
    }
    fields.put("started_ms", payload.get("started").and_then(time));
    fields.put("duration_us", payload.get("duration").and_then(number).map(|seconds| (seconds * 1e6).round() as i64));
    fields.text("release", text(payload, "attrs.release"));
    // Each update of a session is an event.
    let place = ["timestamp", "seq", "status"].map(|name| payload.get(name).map(Value::to_string).unwrap_or_default());
    let sid = text(payload, "sid");
    let id = if sid.is_empty() { String::new() } else { format!("{sid}/{}", place.join("/").replace('"', "")) };
    let at_ms = payload.get("timestamp").or_else(|| payload.get("started")).and_then(time);
    intake.add(
        Kind::Session,
        payload,
        fields,
        &Known { id: &id, install: text(payload, "did"), at_ms, ..Known::default() },
    );
}

/// Counts of sessions that a server has joined.
fn sessions(intake: &mut Intake<'_>, payload: &Value) {
    let mut fields = Fields::default();
    fields.text("status", "aggregate");
    for name in ["exited", "errored", "crashed", "abnormal"] {
        fields.copy(name, payload, name);
    }
    let known = Known {
        install: text(payload, "did"),
        at_ms: payload.get("started").and_then(time),
        id: "",
        ..Known::default()
    };
    intake.add(Kind::Session, payload, fields, &known);
}

fn feedback(intake: &mut Intake<'_>, payload: &Value) {
    let mut fields = Fields::default();
    fields.text("message", first(payload, &["contexts.feedback.message", "comments"]));
    fields.text("name", first(payload, &["contexts.feedback.name", "name"]));
    fields.text("email", first(payload, &["contexts.feedback.contact_email", "email"]));
    fields.text("about", text(payload, "contexts.feedback.associated_event_id"));
    let mut known = common(payload, &mut fields);
    if !text(payload, "comments").is_empty() {
        // A user report has the id of the event that it is about.
        fields.text("about", known.id);
        known.id = "";
    }
    intake.add(Kind::Feedback, payload, fields, &known);
}

/// What the library says that it did not send.
fn report(intake: &mut Intake<'_>, payload: &Value) {
    let line = |one: &Value| {
        let count = one.get("quantity").and_then(number).unwrap_or_default();
        format!("{count} {} ({})", text(one, "category"), text(one, "reason"))
    };
    let lost: Vec<String> = list(payload, "discarded_events").map(line).collect();
    let mut fields = Fields::default();
    fields.text("message", &format!("not sent: {}", lost.join(", ")));
    fields.text("level", "warning");
    fields.text("logger", "client_report");
    intake.add(
        Kind::Log,
        payload,
        fields,
        &Known { at_ms: payload.get("timestamp").and_then(time), ..Known::default() },
    );
}

/// An item without a kind of ours: its header and its size.
fn other(intake: &mut Intake<'_>, item: &Item<'_>) {
    let kind = item.kind.as_str();
    let mut fields = Fields::default();
    let name = text(&item.header, "filename");
    let name = if name.is_empty() { String::new() } else { format!(" {name}") };
    fields.text("message", &format!("{kind}{name}, {} bytes", item.payload.len()));
    fields.text("level", "info");
    fields.text("logger", kind);
    intake.add(Kind::Log, &item.header, fields, &Known::default());
}
