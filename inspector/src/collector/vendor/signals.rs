//! The records of an OTLP request as events of our kinds.

use super::intake::{Intake, Known};
use super::items::kind_of_op;
use super::take::{Fields, level_of, list, text};
use rez_monitor::Kind;
use serde_json::{Map, Value, json};

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Logs,
    Traces,
    Metrics,
}

impl Signal {
    /// Names of the three lists around a record: resources, scopes, records.
    fn lists(self) -> [&'static str; 3] {
        match self {
            Signal::Logs => ["resourceLogs", "scopeLogs", "logRecords"],
            Signal::Traces => ["resourceSpans", "scopeSpans", "spans"],
            Signal::Metrics => ["resourceMetrics", "scopeMetrics", "metrics"],
        }
    }

    /// The member with the number of rejected records.
    pub(super) fn rejected(self) -> &'static str {
        match self {
            Signal::Logs => "rejectedLogRecords",
            Signal::Traces => "rejectedSpans",
            Signal::Metrics => "rejectedDataPoints",
        }
    }

    /// The kind of what cannot be read.
    pub(super) fn kind(self) -> Kind {
        match self {
            Signal::Logs => Kind::Log,
            Signal::Traces => Kind::Span,
            Signal::Metrics => Kind::Metric,
        }
    }
}

/// The names of events of the log that are kinds of ours.
const EVENTS: [(&str, Kind); 13] = [
    ("exception", Kind::Error),
    ("app.crash", Kind::Crash),
    ("device.crash", Kind::Crash),
    ("app.alert", Kind::Alert),
    ("app.hang", Kind::Hang),
    ("app.exit", Kind::AppExit),
    ("app.feedback", Kind::Feedback),
    ("app.revenue", Kind::Revenue),
    ("session.start", Kind::Session),
    ("session.end", Kind::Session),
    ("app.widget.click", Kind::Interaction),
    ("app.interaction", Kind::Interaction),
    ("app.screen.view", Kind::ScreenView),
];

/// Whether a body has the form of this signal.
pub(super) fn checked(signal: Signal, value: Value) -> Result<Value, String> {
    let [resources, ..] = signal.lists();
    match value.get(resources) {
        Some(Value::Array(_)) => Ok(value),
        // A request may be empty.
        None if value.as_object().is_some_and(Map::is_empty) => Ok(value),
        _ => Err(format!("the body has no list `{resources}`")),
    }
}

/// Adds the events of a request.
pub(super) fn add(intake: &mut Intake<'_>, signal: Signal, body: &Value) {
    let [resources, scopes, records] = signal.lists();
    for resource in list(body, resources) {
        let attributes = attributes(resource.get("resource"));
        let name = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or_default();
        intake.client(format!("{}/{}", name("telemetry.sdk.name"), name("telemetry.sdk.version")).trim_matches('/'));
        for scope in list(resource, scopes) {
            for record in list(scope, records) {
                match signal {
                    Signal::Logs => log(intake, record, &attributes),
                    Signal::Traces => span(intake, record, &attributes),
                    Signal::Metrics => metric(intake, record, &attributes),
                }
            }
        }
    }
}

/// The attributes of something, as plain JSON.
fn attributes(holder: Option<&Value>) -> Map<String, Value> {
    let pairs = holder.into_iter().flat_map(|holder| list(holder, "attributes"));
    pairs.map(|pair| (text(pair, "key").to_owned(), any(pair.get("value").unwrap_or(&Value::Null)))).collect()
}

/// An `AnyValue` as plain JSON. A 64-bit integer is a text in the standard, and some libraries send a number.
fn any(value: &Value) -> Value {
    let Some((name, inner)) = value.as_object().and_then(|members| members.iter().next()) else { return Value::Null };
    match name.as_str() {
        "intValue" => {
            inner.as_str().and_then(|text| text.parse::<i64>().ok()).map_or_else(|| inner.clone(), Value::from)
        }
        "arrayValue" => list(inner, "values").map(any).collect::<Vec<_>>().into(),
        "kvlistValue" => {
            let pairs = list(inner, "values");
            let pairs =
                pairs.map(|pair| (text(pair, "key").to_owned(), any(pair.get("value").unwrap_or(&Value::Null))));
            Value::Object(pairs.collect())
        }
        _ => inner.clone(),
    }
}

/// Nanoseconds since 1970 as milliseconds. `Ok(None)` = not given.
fn nanos(record: &Value, name: &str) -> Result<Option<f64>, String> {
    let wrong = || format!("`{name}` is no number of nanoseconds since 1970");
    let ns = match record.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse::<u64>().map_err(|_| wrong())?,
        Some(number) => number.as_u64().ok_or_else(wrong)?,
    };
    Ok((ns > 0).then_some(ns as f64 / 1e6))
}

/// An id in hexadecimal; empty if it is not given.
fn hex<'a>(record: &'a Value, name: &str, digits: usize) -> Result<&'a str, String> {
    let id = text(record, name);
    let is_id = id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if id.is_empty() || is_id { Ok(id) } else { Err(format!("`{name}` is not {digits} hexadecimal digits")) }
}

/// What all records have: trace, session, user, screen and attributes.
fn common(
    fields: &mut Fields,
    record: &Value,
    own: &Map<String, Value>,
    resource: &Map<String, Value>,
) -> Result<(), String> {
    let attribute =
        |name: &str| own.get(name).or_else(|| resource.get(name)).and_then(Value::as_str).unwrap_or_default();
    let (trace_id, span_id) = (hex(record, "traceId", 32)?, hex(record, "spanId", 16)?);
    if !trace_id.is_empty() {
        fields.put("trace", json!({"trace_id": trace_id, "span_id": span_id}));
    }
    fields.text("session", attribute("session.id"));
    if !attribute("user.id").is_empty() {
        fields.put("user", json!({"id": attribute("user.id")}));
    }
    if !attribute("app.screen.name").is_empty() {
        fields.put("view", json!({"name": attribute("app.screen.name")}));
    }
    fields.put("attrs", own.clone());
    fields.put("resource", resource.clone());
    Ok(())
}

/// The installation that a resource names.
fn install(resource: &Map<String, Value>) -> &str {
    let names = ["app.installation.id", "service.instance.id", "device.id"];
    names.iter().find_map(|name| resource.get(*name)?.as_str()).unwrap_or_default()
}

/// Adds a record, or why it is not accepted.
fn put(intake: &mut Intake<'_>, record: &Value, kind: Kind, made: Result<Fields, String>, known: &Known<'_>) {
    match made {
        Ok(fields) => intake.add(kind, record, fields, known),
        Err(message) => intake.refuse(kind, &record.to_string(), "invalid_field", "", &message),
    }
}

fn log(intake: &mut Intake<'_>, record: &Value, resource: &Map<String, Value>) {
    let own = attributes(Some(record));
    let attribute = |name: &str| own.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = [text(record, "eventName"), attribute("event.name")].into_iter().find(|name| !name.is_empty());
    let name = name.unwrap_or_default();
    let known = EVENTS.iter().find(|(event, _)| *event == name).map(|(_, kind)| *kind);
    let kind = match known {
        Some(kind) => kind,
        None if !attribute("exception.type").is_empty() => Kind::Error,
        None if name.is_empty() || name == "app.breadcrumb" => Kind::Log,
        None => Kind::Analytics,
    };
    let at = nanos(record, "timeUnixNano").and_then(|at| match at {
        None => nanos(record, "observedTimeUnixNano"),
        at => Ok(at),
    });
    let at_ms = at.clone().ok().flatten().map(|ms| ms.round() as i64);
    let made = at.and_then(|_| {
        let mut fields = Fields::default();
        let body = any(record.get("body").unwrap_or(&Value::Null));
        let body =
            body.as_str().map_or_else(|| if body.is_null() { String::new() } else { body.to_string() }, str::to_owned);
        match kind {
            Kind::Error | Kind::Crash => {
                fields.text("type", attribute("exception.type"));
                let message = attribute("exception.message");
                fields.text("message", if message.is_empty() { &body } else { message });
            }
            Kind::Analytics => {
                fields.text("name", name);
                fields.text("message", &body);
            }
            Kind::ScreenView => fields.text("name", attribute("app.screen.name")),
            Kind::Interaction => {
                let action = attribute("app.interaction.action");
                fields.text("action", if action.is_empty() { "tap" } else { action });
                fields.text("component", attribute("app.widget.id"));
            }
            Kind::Session => fields.text("status", name),
            Kind::Alert => {
                fields.text("title", &body);
                fields.text("severity", attribute("app.alert.severity"));
                fields.text("description", attribute("app.alert.description"));
            }
            _ => {
                fields.text("message", if body.is_empty() { name } else { &body });
                fields.text("logger", attribute("app.logger.name"));
            }
        }
        fields.text("level", level(record));
        common(&mut fields, record, &own, resource)?;
        Ok(fields)
    });
    put(
        intake,
        record,
        kind,
        made,
        &Known { id: attribute("log.record.uid"), install: install(resource), at_ms, ..Known::default() },
    );
}

/// The level of a severity: by its number, else by its text.
fn level(record: &Value) -> &'static str {
    match record.get("severityNumber").and_then(Value::as_u64).unwrap_or_default() {
        0 => level_of(text(record, "severityText")),
        1..=4 => "trace",
        5..=8 => "debug",
        9..=12 => "info",
        13..=16 => "warning",
        17..=20 => "error",
        _ => "fatal",
    }
}

fn span(intake: &mut Intake<'_>, record: &Value, resource: &Map<String, Value>) {
    let own = attributes(Some(record));
    let attribute = |name: &str| own.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = text(record, "name");
    let kind = match attribute("app.resource.type") {
        "image" => Kind::ImageLoad,
        _ if !attribute("http.request.method").is_empty() || !attribute("http.method").is_empty() => Kind::ApiCall,
        _ if name == "app.start" => Kind::AppStart,
        // Our screen loads have the id of their screen, and spans of the app have an op.
        _ if own.contains_key("app.span.op") => kind_of_op(attribute("app.span.op")),
        _ if attribute("app.screen.name") == name && !name.is_empty() => Kind::ScreenLoad,
        _ => Kind::Span,
    };
    let times = nanos(record, "startTimeUnixNano").and_then(|start| Ok((start, nanos(record, "endTimeUnixNano")?)));
    let at_ms = times.clone().ok().and_then(|(start, end)| end.or(start)).map(|ms| ms.round() as i64);
    let id = match attribute("log.record.uid") {
        "" => format!("{}/{}", text(record, "traceId"), text(record, "spanId")),
        id => id.to_owned(),
    };
    let made = times.and_then(|(start, end)| {
        if hex(record, "traceId", 32)?.is_empty() || hex(record, "spanId", 16)?.is_empty() {
            return Err("`traceId` and `spanId` are required".to_owned());
        }
        let mut fields = Fields::default();
        match kind {
            Kind::ApiCall => {
                let template = ["url.template", "http.route", "url.path"].map(attribute);
                let endpoint = template.into_iter().find(|template| !template.is_empty());
                fields.call(name);
                fields.text("endpoint", endpoint.unwrap_or_default());
                fields.text("url", attribute("url.full"));
                fields.text("method", attribute("http.request.method"));
                fields.put("status", own.get("http.response.status_code").cloned().unwrap_or_default());
            }
            Kind::ImageLoad => fields.text("url", attribute("url.full")),
            _ => {
                fields.text("name", name);
                fields.text("op", attribute("app.span.op"));
            }
        }
        fields.span(start, end);
        // Code 2 of a status is an error.
        let is_failed = record.pointer("/status/code").is_some_and(|code| *code == 2 || *code == "STATUS_CODE_ERROR");
        fields.put("failed", is_failed.then_some(true));
        common(&mut fields, record, &own, resource)?;
        Ok(fields)
    });
    put(
        intake,
        record,
        kind,
        made,
        &Known { id: id.trim_matches('/'), install: install(resource), at_ms, ..Known::default() },
    );
}

/// Each point of a metric is an event.
fn metric(intake: &mut Intake<'_>, record: &Value, resource: &Map<String, Value>) {
    let forms = [
        ("sum", "counter"),
        ("gauge", "gauge"),
        ("histogram", "distribution"),
        ("exponentialHistogram", "distribution"),
        ("summary", "distribution"),
    ];
    let found = forms.into_iter().find_map(|(member, form)| Some((member, record.get(member)?, form)));
    let Some((member, data, form)) = found.filter(|_| !text(record, "name").is_empty()) else {
        let message = "a metric needs a `name`, and `sum`, `gauge`, `histogram` or `summary`";
        return intake.refuse(Kind::Metric, &record.to_string(), "invalid_field", "", message);
    };
    // Copied for each point, so it must not have them all.
    let mut shell = record.clone();
    if let Some(points) = shell.get_mut(member).and_then(|data| data.get_mut("dataPoints")) {
        *points = Value::Null;
    }
    for point in list(data, "dataPoints") {
        let own = attributes(Some(point));
        let at = nanos(point, "timeUnixNano");
        let at_ms = at.clone().ok().flatten().map(|ms| ms.round() as i64);
        let made = at.and_then(|_| {
            let mut fields = Fields::default();
            for name in ["name", "unit"] {
                fields.text(name, text(record, name));
            }
            fields.text("type", form);
            let value = ["asDouble", "asInt", "sum", "value"].into_iter().find_map(|name| point.get(name));
            let value = value.map(|value| match value.as_str().and_then(|text| text.parse::<i64>().ok()) {
                Some(number) => number.into(),
                None => value.clone(),
            });
            fields.put("value", value.unwrap_or_default());
            common(&mut fields, point, &own, resource)?;
            Ok(fields)
        });
        let id = own.get("log.record.uid").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut original = shell.clone();
        original[member]["dataPoints"] = json!([point]);
        put(
            intake,
            &original,
            Kind::Metric,
            made,
            &Known { id: &id, install: install(resource), at_ms, ..Known::default() },
        );
    }
}
