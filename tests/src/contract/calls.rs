//! Executes the calls of a vector on an engine. `tests/contract/README.md` lists them with their arguments.

use super::traces::{record_span, status, trace};
use super::world::consent;
use rez_monitor::{
    ApiCall, Attrs, Breadcrumb, Cause, Clock, Conditions, ErrorEvent, Event, Facts, Feedback, Frame, Kind, Language,
    Level, Log, Metric, Monitor, Outcome, People, Purpose, Revenue, ScopeChange, ScreenLoad, Severity, Span, StartKind,
    SuperProperties, Thread, Timing, TraceContext, User, Value,
};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::time::Duration;

type Result<T> = std::result::Result<T, String>;

/// Executes calls.
pub struct Calls<'a> {
    monitor: &'a Monitor,
    clock: &'a Clock,
    screens: HashMap<String, ScreenLoad>,
    calls: HashMap<String, ApiCall>,
    spans: HashMap<String, Span>,
    /// The id of the previous event, for calls that refer to it.
    last: Option<rez_monitor::EventId>,
}

impl<'a> Calls<'a> {
    /// Returns an executor for this engine.
    #[must_use]
    pub fn new(monitor: &'a Monitor, clock: &'a Clock) -> Calls<'a> {
        Calls { monitor, clock, screens: HashMap::new(), calls: HashMap::new(), spans: HashMap::new(), last: None }
    }

    /// Forgets screens, calls and spans that have not ended, so that they are neither cancelled nor recorded.
    pub fn end(self) {
        self.screens.into_values().for_each(std::mem::forget);
        self.calls.into_values().for_each(std::mem::forget);
        self.spans.into_values().for_each(std::mem::forget);
    }

    /// Executes one call.
    ///
    /// # Errors
    /// The call is malformed, or its result differs from the expected one.
    pub fn make(&mut self, call: &Json) -> Result<()> {
        let verb = text(&call["do"])?;
        if self.no_event(verb, call)? {
            return Ok(());
        }
        let outcome = match verb {
            "finish_screen" => self.screen(call)?.finish(),
            "finish_call" | "fail_call" => {
                let mut ended = self.calls.remove(text(&call["of"])?).ok_or("unknown call")?;
                ended.request_bytes(call["request_bytes"].as_u64().unwrap_or(0));
                match call["error"].as_str() {
                    Some(error) => ended.fail(error),
                    None => ended.finish(small(&call["status"])?, call["bytes"].as_u64().unwrap_or(0)),
                }
            }
            "finish_span" => self.span(call)?.finish(),
            "record_span" => {
                self.monitor.record_span(record_span(call)?.attrs(attrs(&call["attrs"])).targets(targets(call)))
            }
            "fatal" => {
                let wait = Duration::from_millis(500);
                match error(call)?.map(|error| self.monitor.fatal(error, wait)).ok_or("an error")? {
                    rez_monitor::Durability::Synced(id) | rez_monitor::Durability::InRing(id) => Outcome::Recorded(id),
                    rez_monitor::Durability::Dropped(reason) => Outcome::Dropped(reason),
                }
            }
            "timing" => {
                let timing = timing(call)?;
                self.monitor.timing(trace(call, &self.monitor.ids())?.map_or(timing, |trace| timing.trace(trace)))
            }
            "feedback" => self.monitor.feedback(Feedback {
                message: text(&call["message"])?,
                name: call["name"].as_str(),
                email: call["email"].as_str(),
                about: if call["about"] == "last" { self.last } else { None },
            }),
            "error" => {
                let error = error(call)?.ok_or("an error")?;
                self.monitor.error(trace(call, &self.monitor.ids())?.map_or(error, |trace| error.trace(trace)))
            }
            "revenue" => {
                let items = list(&call["items"]);
                let amount = call["amount"].as_f64().ok_or("amount: a number")?;
                let mut revenue = Revenue::new(amount, call["currency"].as_str().unwrap_or_default());
                (revenue.transaction_id, revenue.items) = (call["transaction_id"].as_str(), items);
                (revenue.attrs, revenue.targets) = (attrs(&call["attrs"]), targets(call));
                self.monitor.revenue(revenue)
            }
            "people" => self.monitor.people(people(call)?),
            "start_view" => self.monitor.start_view(text(&call["key"])?, text(&call["name"])?, attrs(&call["attrs"])),
            "stop_view" => self.monitor.stop_view(text(&call["key"])?),
            "log" => self.monitor.log_entry(log(call)?),
            "metric" => {
                let value = call["value"].as_f64().ok_or("value: a number")?;
                let metric = match text(&call["type"])? {
                    "counter" => Metric::Counter(value),
                    "gauge" => Metric::Gauge(value),
                    "distribution" => Metric::Distribution(value),
                    other => return Err(format!("unknown metric type `{other}`")),
                };
                self.monitor.metric(text(&call["name"])?, metric)
            }
            verb => {
                let mut event = event(verb, call)?.attrs(attrs(&call["attrs"])).targets(targets(call));
                if let Some(conditions) = conditions(&call["conditions"])? {
                    event = event.conditions(conditions);
                }
                let event = at(call).map_or(event, |at_ms| event.at(at_ms));
                self.monitor.record(trace(call, &self.monitor.ids())?.map_or(event, |trace| event.trace(trace)))
            }
        };
        let refused = call["refused"].as_str();
        match outcome {
            Outcome::Recorded(id) if refused.is_none() => self.last = Some(id),
            Outcome::Dropped(reason) if refused == Some(reason.as_str()) => {}
            outcome => return Err(format!("{outcome:?}")),
        }
        Ok(())
    }

    /// Executes a call that records no event. Returns false if the call is not one of them.
    fn no_event(&mut self, verb: &str, call: &Json) -> Result<bool> {
        match verb {
            "advance" => self.clock.advance(Duration::from_millis(call["ms"].as_u64().ok_or("ms: a number")?)),
            "breadcrumb" => {
                let mut crumb = Breadcrumb::new(text(&call["category"])?, text(&call["message"])?);
                crumb.kind = call["type"].as_str().unwrap_or("default");
                crumb.level = level(&call["level"])?;
                crumb.data = attrs(&call["data"]);
                crumb.at_ms = at(call);
                self.monitor.breadcrumb(crumb);
            }
            "screen" => {
                let load = self.monitor.screen(text(&call["name"])?);
                self.screens.insert(text(&call["as"])?.to_owned(), load);
            }
            "initial_display" | "full_display" => {
                let screen = self.screens.get_mut(text(&call["of"])?).ok_or("unknown screen")?;
                if verb == "initial_display" { screen.initial_display() } else { screen.full_display() }
            }
            "cancel_screen" => drop(self.screen(call)?),
            "api_call" => {
                let (method, url) = (text(&call["method"])?, text(&call["url"])?);
                let begun = match self.parent(call)? {
                    Some(parent) => self.monitor.api_call_in(&parent, method, url),
                    None => self.monitor.api_call(method, url),
                };
                self.calls.insert(text(&call["as"])?.to_owned(), begun);
            }
            "span" => {
                let (name, op) = (text(&call["name"])?, text(&call["op"])?);
                let within = call["in"].as_str().and_then(|name| self.spans.get(name));
                let span = match (within, self.parent(call)?) {
                    (Some(span), _) => span.child(name, op),
                    (None, Some(parent)) => self.monitor.span_in(&parent, name, op),
                    (None, None) => self.monitor.span(name, op),
                };
                self.spans.insert(text(&call["as"])?.to_owned(), span);
            }
            "span_attr" => {
                let span = self.spans.get_mut(text(&call["of"])?).ok_or("unknown span")?;
                span.attr(text(&call["name"])?, value(&call["value"]));
            }
            "span_status" => {
                let span = self.spans.get_mut(text(&call["of"])?).ok_or("unknown span")?;
                span.status(status(&call["status"])?);
            }
            "drop_span" => drop(self.span(call)?),
            "user" if call["clear"] == true => self.monitor.scope(ScopeChange::User(None)),
            "user" => self.monitor.scope(ScopeChange::User(Some(user(call)))),
            "flag" => self.monitor.scope(ScopeChange::Flag(text(&call["name"])?, value(&call["value"]))),
            "tag" => self.monitor.scope(ScopeChange::Tag(text(&call["name"])?, call["value"].as_str())),
            "context" => {
                let value = call["value"].is_object().then(|| attrs(&call["value"]));
                self.monitor.scope(ScopeChange::Context(text(&call["name"])?, value));
            }
            "super" => {
                let properties = SuperProperties::new(attrs(&call["attrs"])).targets(targets(call));
                let properties = if call["once"] == true { properties.once() } else { properties };
                self.monitor.scope(ScopeChange::Super(properties));
            }
            "unset_super" => self.monitor.unset_super_property(text(&call["name"])?),
            "clear_super" => self.monitor.clear_super_properties(),
            "view_timing" => self.monitor.view_timing(text(&call["name"])?),
            "view_attributes" => self.monitor.view_attributes(attrs(&call["attrs"])),
            "pause" => self.monitor.pause_destination(text(&call["name"])?).map_err(|error| error.to_string())?,
            "resume" => self.monitor.resume_destination(text(&call["name"])?).map_err(|error| error.to_string())?,
            "time_event" => self.monitor.time_event(text(&call["name"])?),
            "foreground" => self.monitor.scope(ScopeChange::Foreground(call["value"] == true)),
            "new_session" => self.monitor.scope(ScopeChange::NewSession),
            "consent" => {
                let named = |purpose: &Purpose| purpose.as_str() == call["purpose"];
                let purpose = Purpose::ALL.into_iter().find(named).ok_or("purpose: monitoring or analytics")?;
                self.monitor.set_consent(purpose, consent(&call["state"])?);
            }
            "forget_user" => self.monitor.forget_user(),
            "facts" => self.monitor.set_facts(facts(&call["facts"])?).map_err(|error| error.to_string())?,
            "set_release" => {
                let dist = call["dist"].as_str();
                self.monitor.set_release(text(&call["release"])?, dist).map_err(|error| error.to_string())?;
            }
            "conditions" => {
                let now = conditions(&call["conditions"])?.copied().unwrap_or_default();
                self.monitor.conditions(now);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn span(&mut self, call: &Json) -> Result<Span> {
        self.spans.remove(text(&call["of"])?).ok_or_else(|| "unknown span".to_owned())
    }

    /// The span named by `in`, or the server's that `traceparent` names.
    fn parent(&self, call: &Json) -> Result<Option<TraceContext>> {
        if let Some(header) = call["traceparent"].as_str() {
            return TraceContext::from_traceparent(header).map(Some).ok_or_else(|| format!("`{header}` is invalid"));
        }
        let Some(name) = call["in"].as_str() else { return Ok(None) };
        let screen = self.screens.get(name).map(ScreenLoad::context);
        screen
            .or_else(|| self.spans.get(name).map(Span::context))
            .map(Some)
            .ok_or_else(|| format!("unknown span {name}"))
    }

    fn screen(&mut self, call: &Json) -> Result<ScreenLoad> {
        self.screens.remove(text(&call["of"])?).ok_or_else(|| "unknown screen".to_owned())
    }
}

fn event<'a>(verb: &str, call: &'a Json) -> Result<Event<'a>> {
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

fn error(call: &Json) -> Result<Option<ErrorEvent<'_>>> {
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
fn conditions<'a>(json: &Json) -> Result<Option<&'a Conditions>> {
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

fn timing(call: &Json) -> Result<Timing<'_>> {
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
fn headers(json: &Json) -> &[(&str, &str)] {
    let all = json.as_object().into_iter().flatten();
    keep(all.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect())
}

fn people(call: &Json) -> Result<People<'_>> {
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

fn causes<'a>(call: &'a Json) -> &'a [Cause<'a>] {
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

fn threads<'a>(call: &'a Json) -> &'a [Thread<'a>] {
    let thread = |thread: &'a Json| Thread {
        id: thread["id"].as_u64().unwrap_or(0),
        name: str(&thread["name"]),
        crashed: thread["crashed"] == true,
        main: thread["main"] == true,
        frames: frames(&thread["frames"]),
    };
    keep(call["threads"].as_array().into_iter().flatten().map(thread).collect())
}

fn user(json: &Json) -> User<'_> {
    User {
        id: json["id"].as_str(),
        email: json["email"].as_str(),
        username: json["username"].as_str(),
        extra: attrs(&json["extra"]),
    }
}

fn language(json: &Json) -> Option<Language> {
    json.as_str().and_then(Language::parse)
}

fn log(call: &Json) -> Result<Log<'_>> {
    let mut entry = Log::new(level(&call["level"])?, text(&call["text"])?);
    entry = entry.attrs(attrs(&call["attrs"])).targets(targets(call));
    if let Some(name) = call["logger"].as_str() {
        entry = entry.logger(name);
    }
    Ok(at(call).map_or(entry, |at_ms| entry.at(at_ms)))
}

fn frames<'a>(json: &'a Json) -> &'a [Frame<'a>] {
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

fn str(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

/// Returns the members of an object, sorted by name.
fn attrs(json: &Json) -> Attrs<'_> {
    keep(json.as_object().into_iter().flatten().map(|(key, json)| (key.as_str(), value(json))).collect())
}

fn list(json: &Json) -> &[Value<'_>] {
    keep(json.as_array().into_iter().flatten().map(value).collect())
}

fn value(json: &Json) -> Value<'_> {
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
fn at(call: &Json) -> Option<i64> {
    call["at_ms"].as_i64()
}

fn targets(call: &Json) -> &[&str] {
    strings(&call["targets"])
}

fn strings(json: &Json) -> &[&str] {
    keep(json.as_array().into_iter().flatten().filter_map(Json::as_str).collect())
}

/// Leaks a value, since the arguments of the engine are borrowed.
fn keep<'a, T: 'a>(values: Vec<T>) -> &'a [T] {
    if values.is_empty() { &[] } else { Vec::leak(values) }
}

pub(super) fn text(json: &Json) -> Result<&str> {
    json.as_str().ok_or_else(|| format!("{json} is not a string"))
}

pub(super) fn kind(name: &str) -> Result<Kind> {
    Kind::parse(name).ok_or_else(|| format!("unknown kind `{name}`"))
}

fn level(json: &Json) -> Result<Level> {
    match json.as_str() {
        None => Ok(Level::Info),
        Some(word) => Level::parse(word).ok_or_else(|| format!("unknown level `{word}`")),
    }
}

pub(super) fn micros(json: &Json) -> Result<Duration> {
    json.as_u64().map(Duration::from_micros).ok_or_else(|| "duration_us: a number".to_owned())
}

fn small(json: &Json) -> Result<u16> {
    json.as_u64().and_then(|n| u16::try_from(n).ok()).ok_or_else(|| "status: a number".to_owned())
}
