//! Executes the calls of a vector on an engine. `tests/contract/README.md` lists them with their arguments.

use super::args::{
    alert, at, attrs, conditions, error, event, facts, level, list, log, people, small, targets, text, timing, user,
    value,
};
use super::traces::{record_span, status, trace};
use super::world::consent;
use rez_monitor::{
    ApiCall, Breadcrumb, Clock, Feedback, Metric, Monitor, Outcome, Purpose, Revenue, ScopeChange, ScreenLoad, Span,
    SuperProperties, TraceContext,
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
            "alert" => {
                let alert = alert(call)?;
                self.monitor.alert(trace(call, &self.monitor.ids())?.map_or(alert, |trace| alert.trace(trace)))
            }
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
