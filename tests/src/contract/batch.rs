//! Executes the calls of a vector as a face for JavaScript does: items of a batch document, recorded once a tick, and calls of
//! their own for what a batch cannot hold.

use super::args::text;
use super::calls::Calls;
use rez_monitor::{Clock, IdGenerator, Monitor, TraceContext};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

type Result<T> = std::result::Result<T, String>;

/// Verbs that every language calls directly. The batch is recorded before each, since calls and items have one order.
const DIRECT: [&str; 10] = [
    "advance",
    "pause",
    "resume",
    "foreground",
    "new_session",
    "consent",
    "forget_user",
    "facts",
    "set_release",
    "conditions",
];

/// Executes calls through batches.
pub struct Batches<'a> {
    monitor: &'a Monitor,
    clock: &'a Clock,
    ids: IdGenerator,
    direct: Calls<'a>,
    items: Vec<Value>,
    screens: HashMap<String, Guard>,
    calls: HashMap<String, Guard>,
    spans: HashMap<String, Guard>,
    /// The screen that is loading.
    loading: Option<TraceContext>,
    last: Option<String>,
    documents: Vec<Value>,
}

/// A screen load or call in progress, measured by the face.
struct Guard {
    trace: TraceContext,
    view: String,
    start_ms: i64,
    /// What the item has so far.
    item: Value,
}

impl<'a> Batches<'a> {
    /// Returns an executor for this engine.
    #[must_use]
    pub fn new(monitor: &'a Monitor, clock: &'a Clock) -> Batches<'a> {
        Batches {
            monitor,
            clock,
            ids: monitor.ids(),
            direct: Calls::new(monitor, clock),
            items: Vec::new(),
            screens: HashMap::new(),
            calls: HashMap::new(),
            spans: HashMap::new(),
            loading: None,
            last: None,
            documents: Vec::new(),
        }
    }

    /// Records what is collected, and returns all documents.
    #[must_use]
    pub fn end(mut self) -> Vec<Value> {
        self.tick();
        self.direct.end();
        self.documents
    }

    /// Executes one call.
    ///
    /// # Errors
    /// The call is malformed, or nothing says how a batch holds it.
    pub fn make(&mut self, call: &Value) -> Result<()> {
        let verb = text(&call["do"])?;
        if DIRECT.contains(&verb) {
            self.tick();
            return self.direct.make(call);
        }
        match verb {
            "screen" | "initial_display" | "full_display" | "finish_screen" | "cancel_screen" => {
                self.screen(verb, call)?
            }
            "api_call" | "finish_call" | "fail_call" => self.call(verb, call)?,
            "span" | "span_attr" | "span_status" | "finish_span" | "drop_span" => self.span(verb, call)?,
            "record_span" => {
                let mut item = self.event("span", call);
                if let (Some(start), Some(end)) = (call["started_ms"].as_i64(), call["ended_ms"].as_i64()) {
                    item["duration_us"] = ((end - start) * 1_000).into();
                    if end >= start {
                        item["at_ms"] = end.into();
                    }
                }
                self.items.push(item);
            }
            "fatal" => {
                let item = self.event("crash", call);
                let mut items = std::mem::take(&mut self.items);
                items.push(item);
                let document = self.document(items);
                let _ = self.monitor.record_fatal(&document, Duration::from_millis(500));
            }
            _ => {
                let item = self.item(verb, call)?;
                self.items.push(item);
            }
        }
        Ok(())
    }

    fn tick(&mut self) {
        if !self.items.is_empty() {
            // What is refused is counted; the rows show the rest.
            let items = std::mem::take(&mut self.items);
            let document = self.document(items);
            let _ = self.monitor.record_batch(&document);
        }
    }

    fn document(&mut self, items: Vec<Value>) -> String {
        let document = json!({"v": 1, "items": items});
        let text = document.to_string();
        self.documents.push(document);
        text
    }

    /// The item of a call that is one.
    fn item(&mut self, verb: &str, call: &Value) -> Result<Value> {
        let kind = match verb {
            "breadcrumb" => {
                let mut item = json!({"breadcrumb": members(call, &["at_ms"])});
                copy(call, "at_ms", &mut item, "at_ms");
                return Ok(item);
            }
            "user" | "tag" | "context" | "flag" => {
                let mut item = members(call, &["clear"]);
                item["scope"] = verb.into();
                return Ok(item);
            }
            "super" => {
                let mut item = members(call, &["once"]);
                item["scope"] = if call["once"] == true { "super_once" } else { "super" }.into();
                return Ok(item);
            }
            "start_view" | "stop_view" => {
                let mut item = self.event("screen_view", call);
                item["op"] = verb.trim_end_matches("_view").into();
                return Ok(item);
            }
            "unset_super" | "clear_super" | "time_event" | "view_timing" | "view_attributes" => {
                let mut item = members(call, &[]);
                item["scope"] = match verb {
                    "unset_super" => "super_unset",
                    "clear_super" => "super_clear",
                    "view_attributes" => "view_attrs",
                    verb => verb,
                }
                .into();
                return Ok(item);
            }
            "timing" => text(&call["kind"])?,
            "track" => "analytics",
            "people" => "user_prop",
            "error" | "message" | "screen_view" | "interaction" | "frames" | "hang" | "app_exit" | "revenue"
            | "metric" | "feedback" | "log" | "alert" => verb,
            other => return Err(format!("nothing says how a batch holds `{other}`: see tests/src/contract/batch.rs")),
        };
        Ok(self.event(kind, call))
    }

    /// An event with the members of a row.
    fn event(&mut self, kind: &str, call: &Value) -> Value {
        let mut item = members(
            call,
            &["refused", "kind", "text", "slow", "frozen", "total", "started_ms", "ended_ms", "traceparent"],
        );
        item["kind"] = kind.into();
        if let ("user_prop" | "metric" | "feedback", Some(item)) = (kind, item.as_object_mut()) {
            // Their typed calls take no destinations.
            item.remove("targets");
        }
        for (from, to) in [
            ("text", "message"),
            ("slow", "slow_frames"),
            ("frozen", "frozen_frames"),
            ("total", "total_frames"),
            ("started_ms", "start_ms"),
        ] {
            copy(call, from, &mut item, to);
        }
        if let Some(sent) = call["traceparent"].as_str().and_then(TraceContext::from_traceparent) {
            item["trace"] = hex(&sent.child(&self.ids));
        }
        if call["about"] == "last" {
            item["about"] = self.last.clone().into();
        }
        let id = self.ids.event_id(self.clock.wall_ms()).to_string();
        item["id"] = id.clone().into();
        self.last = Some(id);
        item
    }

    fn screen(&mut self, verb: &str, call: &Value) -> Result<()> {
        if verb == "screen" {
            let trace = self.ids.root();
            let view = format!("{:032x}", trace.trace_id() ^ u128::from(trace.span_id()));
            let name = text(&call["name"])?;
            let item = json!({"kind": "screen_load", "name": name, "view": view, "trace": hex(&trace)});
            self.items.push(json!({"scope": "screen", "name": name, "view": view, "trace": hex(&trace)}));
            self.loading = Some(trace);
            let guard = Guard { trace, view, start_ms: self.clock.wall_ms(), item };
            self.screens.insert(text(&call["as"])?.to_owned(), guard);
            return Ok(());
        }
        let elapsed = |guard: &Guard, clock: &Clock| (clock.wall_ms() - guard.start_ms) * 1_000;
        let name = text(&call["of"])?;
        if let "initial_display" | "full_display" = verb {
            let guard = self.screens.get_mut(name).ok_or("unknown screen")?;
            let member = if verb == "initial_display" { "initial_us" } else { "full_us" };
            guard.item[member] = elapsed(guard, self.clock).into();
            return Ok(());
        }
        let mut guard = self.screens.remove(name).ok_or("unknown screen")?;
        self.loading.take_if(|loading| *loading == guard.trace);
        if verb == "cancel_screen" {
            self.items.push(json!({"scope": "screen_cancelled", "view": guard.view}));
            return Ok(());
        }
        self.finish(&mut guard);
        self.items.push(guard.item);
        Ok(())
    }

    fn call(&mut self, verb: &str, call: &Value) -> Result<()> {
        if verb == "api_call" {
            let parent = self.parent(call).or(self.loading);
            let trace = parent.map_or_else(|| self.ids.root(), |parent| parent.child(&self.ids));
            let item = json!({"kind": "api_call", "method": call["method"], "url": call["url"], "trace": hex(&trace)});
            let guard = Guard { trace, view: String::new(), start_ms: self.clock.wall_ms(), item };
            self.calls.insert(text(&call["as"])?.to_owned(), guard);
            return Ok(());
        }
        let mut guard = self.calls.remove(text(&call["of"])?).ok_or("unknown call")?;
        if verb == "fail_call" {
            guard.item["error"] = call["error"].clone();
        } else {
            guard.item["status"] = call["status"].clone();
            guard.item["request_bytes"] = call["request_bytes"].as_u64().unwrap_or(0).into();
            guard.item["response_bytes"] = call["bytes"].as_u64().unwrap_or(0).into();
        }
        self.finish(&mut guard);
        self.items.push(guard.item);
        Ok(())
    }

    /// The span in which a call or a span is started.
    fn parent(&self, call: &Value) -> Option<TraceContext> {
        if let Some(header) = call["traceparent"].as_str() {
            return TraceContext::from_traceparent(header);
        }
        let name = call["in"].as_str()?;
        self.screens.get(name).or_else(|| self.spans.get(name)).map(|guard| guard.trace)
    }

    fn span(&mut self, verb: &str, call: &Value) -> Result<()> {
        if verb == "span" {
            let parent = self.parent(call);
            let trace = parent.map_or_else(|| self.ids.root(), |parent| parent.child(&self.ids));
            let inside = call["in"].as_str().is_some_and(|name| self.spans.contains_key(name));
            if !inside {
                self.items.push(json!({"scope": "span", "trace": hex(&trace)}));
            }
            let item =
                json!({"kind": "span", "name": call["name"], "op": call["op"], "trace": hex(&trace), "attrs": {}});
            let guard = Guard { trace, view: String::new(), start_ms: self.clock.wall_ms(), item };
            self.spans.insert(text(&call["as"])?.to_owned(), guard);
            return Ok(());
        }
        let mut guard = self.spans.remove(text(&call["of"])?).ok_or("unknown span")?;
        match verb {
            "span_attr" => guard.item["attrs"][text(&call["name"])?] = call["value"].clone(),
            "span_status" => guard.item["status"] = call["status"].clone(),
            _ => {
                if verb == "drop_span" {
                    guard.item["status"] = "cancelled".into();
                }
                self.finish(&mut guard);
                self.items.push(guard.item);
                return Ok(());
            }
        }
        self.spans.insert(text(&call["of"])?.to_owned(), guard);
        Ok(())
    }

    fn finish(&mut self, guard: &mut Guard) {
        let id = self.ids.event_id(self.clock.wall_ms()).to_string();
        guard.item["start_ms"] = guard.start_ms.into();
        guard.item["duration_us"] = ((self.clock.wall_ms() - guard.start_ms) * 1_000).into();
        guard.item["id"] = id.clone().into();
        self.last = Some(id);
    }
}

/// The members of a call, without its verb and these.
fn members(call: &Value, without: &[&str]) -> Value {
    let all = call.as_object().into_iter().flatten();
    let kept = all.filter(|(key, _)| *key != "do" && !without.contains(&key.as_str()));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn copy(call: &Value, from: &str, item: &mut Value, to: &str) {
    if let Some(value) = call.get(from) {
        item[to] = value.clone();
    }
}

fn hex(trace: &TraceContext) -> Value {
    let mut json =
        json!({"trace_id": format!("{:032x}", trace.trace_id()), "span_id": format!("{:016x}", trace.span_id())});
    if let Some(parent) = trace.parent() {
        json["parent"] = format!("{parent:016x}").into();
    }
    if let Some(sampled) = trace.sampled() {
        json["sampled"] = sampled.into();
    }
    json
}

/// The rows with the ids of events, views, traces and spans replaced by their order of appearance: the face mints its own.
/// Checksums, which depend on them, are left out.
#[must_use]
pub fn without_ids(rows: &Value) -> Value {
    fn is_id(text: &str) -> bool {
        let digits: String = text.chars().filter(|char| *char != '-').collect();
        matches!(text.len(), 16 | 32 | 36) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
    fn walk(value: &Value, seen: &mut Vec<String>) -> Value {
        match value {
            Value::String(text) if is_id(text) => {
                let plain = text.replace('-', "");
                let at = seen.iter().position(|known| *known == plain).unwrap_or_else(|| {
                    seen.push(plain);
                    seen.len() - 1
                });
                format!("id {at}").into()
            }
            Value::Array(values) => values.iter().map(|value| walk(value, seen)).collect(),
            Value::Object(map) => {
                let kept: BTreeSet<&String> = map.keys().filter(|key| *key != "crc32").collect();
                Value::Object(kept.into_iter().map(|key| (key.clone(), walk(&map[key], seen))).collect())
            }
            other => other.clone(),
        }
    }
    walk(rows, &mut Vec::new())
}
