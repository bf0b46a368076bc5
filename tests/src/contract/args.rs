//! The arguments of a call, from the JSON of a vector to the borrowed types of the engine.

use rez_monitor::{
    Alert, AlertSeverity, Attrs, Cause, Conditions, ErrorEvent, Event, Facts, Frame, Kind, Language, Level, Log,
    People, Severity, StartKind, Thread, Timing, User, Value,
};
use serde_json::Value as Json;
use std::time::Duration;

type Result<T> = std::result::Result<T, String>;

pub(super) fn event<'a>(verb: &str, call: &'a Json) -> Result<Event<'a>> {
    Ok(match verb {
        "message" => {
            let context = attrs(&call["context"]);
            let event = Event::message(text(&call["text"])?, level(&call["level"])?);
            if context.is_empty() { event } else { event.context(context) }
        }
        "track" => Event::analytics(text(&call["name"])?),
        "screen_view" => Event::screen_view(text(&call["name"])?, call["class"].as_str()),
        "interaction" => Event::interaction(text(&call["action"])?, text(&call["component"])?),
        "frames" => {
            let count = |key: &str| call[key].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
            Event::frames(text(&call["name"])?, count("slow"), count("frozen"), count("total"))
        }
        "hang" => {
            let hang = Event::hang(micros(&call["duration_us"])?, frames(&call["frames"])).threads(threads(call));
            match language(&call["language"]) {
                Some(language) => hang.language(language),
                None => hang,
            }
        }
        "app_exit" => Event::app_exit(text(&call["cause"])?, call["message"].as_str().unwrap_or_default()),
        other => return Err(format!("unknown call `{other}`")),
    })
}

/// An alert, whose details are its `attrs`.
pub(super) fn alert(call: &Json) -> Result<Alert<'_>> {
    let severity = AlertSeverity::parse(text(&call["severity"])?).ok_or("severity: a known one")?;
    let mut alert = Alert::new(severity, text(&call["title"])?)
        .description(call["description"].as_str().unwrap_or_default())
        .details(attrs(&call["attrs"]))
        .targets(targets(call));
    alert.at_ms = at(call);
    Ok(alert)
}

pub(super) fn error(call: &Json) -> Result<Option<ErrorEvent<'_>>> {
    let mut error = ErrorEvent::new(text(&call["type"])?, text(&call["message"])?)
        .frames(frames(&call["frames"]))
        .context(attrs(&call["context"]))
        .attrs(attrs(&call["attrs"]))
        .targets(targets(call));
    if let Some(severity) = call["severity"].as_str() {
        let all = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        error = error.severity(all.into_iter().find(|one| one.as_str() == severity).ok_or("severity: a known one")?);
    }
    if let Some(handled) = call["handled"].as_bool() {
        error = error.handled(handled);
    }
    if let Some(code) = call["code"].as_str() {
        error = error.code(code);
    }
    if let Some(mechanism) = call["mechanism"].as_str() {
        error = error.mechanism(mechanism);
    }
    match &call["fingerprint"] {
        Json::String(one) => error = error.fingerprint(one),
        parts => error = error.fingerprints(strings(parts)),
    }
    if !call["level"].is_null() {
        error = error.level(level(&call["level"])?);
    }
    if let Some(language) = language(&call["language"]) {
        error = error.language(language);
    }
    if let Some(stack) = call["stack"].as_str() {
        error = error.stack(stack);
    }
    if call["user"].is_object() {
        error = error.user(user(&call["user"]));
    }
    error = error.group(call["group"] == true).causes(causes(call)).threads(threads(call)).tags(attrs(&call["tags"]));
    if let Some(at_ms) = at(call) {
        error = error.at(at_ms);
    }
    if let Some(conditions) = conditions(&call["conditions"])? {
        error = error.conditions(conditions);
    }
    Ok(Some(error))
}

/// Returns conditions as they are in rows; `None` if the value is missing.
pub(super) fn conditions<'a>(json: &Json) -> Result<Option<&'a Conditions>> {
    if json.is_null() {
        return Ok(None);
    }
    let conditions = Conditions::from_json(json).ok_or("conditions: an object")?;
    Ok(Some(Box::leak(Box::new(conditions))))
}

/// Returns facts as they are in the row of a run.
pub(super) fn facts(json: &Json) -> Result<Facts> {
    serde_json::from_value(json.clone()).map_err(|error| format!("facts: {error}"))
}

pub(super) fn timing(call: &Json) -> Result<Timing<'_>> {
    let duration = micros(&call["duration_us"])?;
    let mut timing = match text(&call["kind"])? {
        "screen_load" => Timing::screen_load(text(&call["name"])?, duration),
        "app_start" if call["type"] == "cold" => Timing::app_start(StartKind::Cold, duration),
        "app_start" => Timing::app_start(StartKind::Warm, duration),
        "api_call" => Timing::api_call(text(&call["method"])?, text(&call["url"])?, duration),
        "image_load" => Timing::image_load(text(&call["url"])?, duration),
        "long_task" => Timing::long_task(text(&call["name"])?, duration),
        other => return Err(format!("`{other}` is not a timing")),
    };
    if let Some(started) = call["started_ms"].as_i64() {
        timing = timing.started_at(started);
    }
    if let Some(at_ms) = at(call) {
        timing = timing.at(at_ms);
    }
    if !call["initial_us"].is_null() {
        timing = timing.initial_display(micros(&call["initial_us"])?);
    }
    if !call["status"].is_null() {
        timing = timing.status(small(&call["status"])?);
    }
    if let [Some(sent), Some(received)] = [&call["request_bytes"], &call["response_bytes"]].map(Json::as_u64) {
        timing = timing.bytes(sent, received);
    }
    if let Some(error) = call["error"].as_str() {
        timing = timing.error(error);
    }
    timing = timing.request_headers(headers(&call["request_headers"]));
    timing = timing.response_headers(headers(&call["response_headers"]));
    if let Some(endpoint) = call["endpoint"].as_str() {
        timing = timing.endpoint(endpoint);
    }
    Ok(timing.attrs(attrs(&call["attrs"])).targets(targets(call)))
}

/// Names and values of HTTP headers.
pub(super) fn headers(json: &Json) -> &[(&str, &str)] {
    let all = json.as_object().into_iter().flatten();
    keep(all.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect())
}

pub(super) fn people(call: &Json) -> Result<People<'_>> {
    if call["op"] == "delete" {
        return Ok(People::Delete);
    }
    let name = text(&call["name"])?;
    match text(&call["op"])? {
        "set_once" => Ok(People::SetOnce(name, value(&call["value"]))),
        "unset" => Ok(People::Unset(name)),
        "union" => Ok(People::Union(name, list(&call["value"]))),
        "remove" => Ok(People::Remove(name, value(&call["value"]))),
        "set" => Ok(People::Set(name, value(&call["value"]))),
        "append" => Ok(People::Append(name, value(&call["value"]))),
        "increment" => Ok(People::Increment(name, call["by"].as_f64().ok_or("by: a number")?)),
        other => Err(format!("unknown operation `{other}`")),
    }
}

pub(super) fn causes<'a>(call: &'a Json) -> &'a [Cause<'a>] {
    let cause = |cause: &'a Json| {
        let parent = cause["parent"].as_u64().and_then(|parent| usize::try_from(parent).ok()).unwrap_or(0);
        Cause::new(str(&cause["type"]), str(&cause["message"]))
            .frames(frames(&cause["frames"]))
            .parent(parent)
            .source(cause["source"].as_str().unwrap_or("cause"))
            .group(cause["group"] == true)
    };
    keep(call["causes"].as_array().into_iter().flatten().map(cause).collect())
}

pub(super) fn threads<'a>(call: &'a Json) -> &'a [Thread<'a>] {
    let thread = |thread: &'a Json| Thread {
        id: thread["id"].as_u64().unwrap_or(0),
        name: str(&thread["name"]),
        crashed: thread["crashed"] == true,
        main: thread["main"] == true,
        frames: frames(&thread["frames"]),
    };
    keep(call["threads"].as_array().into_iter().flatten().map(thread).collect())
}

pub(super) fn user(json: &Json) -> User<'_> {
    User {
        id: json["id"].as_str(),
        email: json["email"].as_str(),
        username: json["username"].as_str(),
        extra: attrs(&json["extra"]),
    }
}

pub(super) fn language(json: &Json) -> Option<Language> {
    json.as_str().and_then(Language::parse)
}

pub(super) fn log(call: &Json) -> Result<Log<'_>> {
    let mut entry = Log::new(level(&call["level"])?, text(&call["text"])?);
    entry = entry.attrs(attrs(&call["attrs"])).targets(targets(call));
    if let Some(name) = call["logger"].as_str() {
        entry = entry.logger(name);
    }
    Ok(at(call).map_or(entry, |at_ms| entry.at(at_ms)))
}

pub(super) fn frames<'a>(json: &'a Json) -> &'a [Frame<'a>] {
    let number = |frame: &Json, key: &str| frame[key].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let frame = |frame: &'a Json| Frame {
        function: str(&frame["function"]),
        module: str(&frame["module"]),
        file: str(&frame["file"]),
        line: number(frame, "line"),
        column: number(frame, "column"),
        address: frame["address"].as_u64().unwrap_or(0),
        in_app: frame["in_app"] == true,
        language: language(&frame["language"]),
    };
    keep(json.as_array().into_iter().flatten().map(frame).collect())
}

pub(super) fn str(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

/// Returns the members of an object, sorted by name.
pub(super) fn attrs(json: &Json) -> Attrs<'_> {
    keep(json.as_object().into_iter().flatten().map(|(key, json)| (key.as_str(), value(json))).collect())
}

pub(super) fn list(json: &Json) -> &[Value<'_>] {
    keep(json.as_array().into_iter().flatten().map(value).collect())
}

pub(super) fn value(json: &Json) -> Value<'_> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::I64(number),
            (None, Some(number)) => Value::U64(number),
            (None, None) => Value::F64(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Value::Str(text),
        Json::Array(_) => Value::List(list(json)),
        Json::Object(_) => Value::Map(attrs(json)),
    }
}

/// The time that the call gives to its event.
pub(super) fn at(call: &Json) -> Option<i64> {
    call["at_ms"].as_i64()
}

pub(super) fn targets(call: &Json) -> &[&str] {
    strings(&call["targets"])
}

pub(super) fn strings(json: &Json) -> &[&str] {
    keep(json.as_array().into_iter().flatten().filter_map(Json::as_str).collect())
}

/// Leaks a value, since the arguments of the engine are borrowed.
pub(super) fn keep<'a, T: 'a>(values: Vec<T>) -> &'a [T] {
    if values.is_empty() { &[] } else { Vec::leak(values) }
}

pub(super) fn text(json: &Json) -> Result<&str> {
    json.as_str().ok_or_else(|| format!("{json} is not a string"))
}

pub(super) fn kind(name: &str) -> Result<Kind> {
    Kind::parse(name).ok_or_else(|| format!("unknown kind `{name}`"))
}

pub(super) fn level(json: &Json) -> Result<Level> {
    match json.as_str() {
        None => Ok(Level::Info),
        Some(word) => Level::parse(word).ok_or_else(|| format!("unknown level `{word}`")),
    }
}

pub(super) fn micros(json: &Json) -> Result<Duration> {
    json.as_u64().map(Duration::from_micros).ok_or_else(|| "duration_us: a number".to_owned())
}

pub(super) fn small(json: &Json) -> Result<u16> {
    json.as_u64().and_then(|n| u16::try_from(n).ok()).ok_or_else(|| "status: a number".to_owned())
}
