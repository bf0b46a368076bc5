//! From the owned types to the borrowed ones of the core.

use super::{
    Breadcrumb, Cause, Conditions, Durability, ErrorEvent, Extras, Feedback, Frame, LogEntry, Metric, Outcome, People,
    Revenue, SpanEvent, ThreadInfo, Timing, TraceContext, User,
};
use crate::attributes::Arena;
use rez_monitor as core;
use std::time::Duration;

/// A duration in microseconds; less than zero counts as zero.
pub(crate) fn micros(us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us).unwrap_or(0))
}

/// The same in milliseconds.
pub(crate) fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

fn count(bytes: Option<i64>) -> u64 {
    bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0)
}

impl TraceContext {
    /// The core's form; `None` if an id has another form or is zero.
    pub(crate) fn to_core(&self) -> Option<core::TraceContext> {
        let context = core::TraceContext::from_hex(&self.trace_id, &self.span_id)?;
        let parent = self.parent.as_deref().and_then(|parent| core::TraceContext::from_hex(&self.trace_id, parent));
        Some(context.with_parent(parent.map_or(0, |parent| parent.span_id())).with_sampled(self.sampled))
    }
}

impl std::convert::From<core::TraceContext> for TraceContext {
    fn from(trace: core::TraceContext) -> Self {
        TraceContext {
            trace_id: format!("{:032x}", trace.trace_id()),
            span_id: format!("{:016x}", trace.span_id()),
            parent: trace.parent().map(|parent| format!("{parent:016x}")),
            sampled: trace.sampled(),
        }
    }
}

pub(crate) fn trace(trace: &Option<TraceContext>) -> Option<core::TraceContext> {
    trace.as_ref().and_then(TraceContext::to_core)
}

impl User {
    pub(crate) fn to_core<'a>(&'a self, arena: &'a Arena) -> core::User<'a> {
        core::User {
            id: self.id.as_deref(),
            email: self.email.as_deref(),
            username: self.username.as_deref(),
            extra: arena.attrs(&self.extra),
        }
    }
}

impl Conditions {
    pub(crate) fn to_core(&self) -> core::Conditions {
        core::Conditions {
            free_memory_bytes: self.free_memory_bytes,
            free_storage_bytes: self.free_storage_bytes,
            battery: self.battery,
            charging: self.charging,
            low_power: self.low_power,
            orientation: self.orientation.map(Into::into),
            connection: self.connection.map(Into::into),
            carrier_technology: self.carrier_technology.map(Into::into),
            metered: self.metered,
            foreground: self.foreground,
        }
    }
}

impl Extras {
    /// Adds them to an event.
    pub(crate) fn add_to<'a>(
        &'a self,
        event: core::Event<'a>,
        conditions: &'a Option<core::Conditions>,
        arena: &'a Arena,
    ) -> core::Event<'a> {
        let mut event =
            event.attrs(arena.attrs(&self.attrs)).tags(arena.attrs(&self.tags)).targets(arena.texts(&self.targets));
        if !self.context.is_empty() {
            event = event.context(arena.attrs(&self.context));
        }
        if let Some(user) = &self.user {
            event = event.user(user.to_core(arena));
        }
        if let Some(trace) = trace(&self.trace) {
            event = event.trace(trace);
        }
        if let Some(at_ms) = self.at_ms {
            event = event.at(at_ms);
        }
        match conditions {
            Some(conditions) => event.conditions(conditions),
            None => event,
        }
    }

    pub(crate) fn conditions(&self) -> Option<core::Conditions> {
        self.conditions.as_ref().map(Conditions::to_core)
    }
}

impl Frame {
    pub(crate) fn to_core(&self) -> core::Frame<'_> {
        core::Frame {
            function: &self.function,
            module: &self.module,
            file: &self.file,
            line: self.line,
            column: self.column,
            address: self.address,
            in_app: self.in_app,
            language: self.language.map(Into::into),
        }
    }
}

pub(crate) fn frames<'a>(frames: &'a [Frame], arena: &'a Arena) -> &'a [core::Frame<'a>] {
    arena.slice(frames, Frame::to_core)
}

pub(crate) fn threads<'a>(threads: &'a [ThreadInfo], arena: &'a Arena) -> &'a [core::Thread<'a>] {
    arena.slice(threads, |thread| core::Thread {
        id: thread.id,
        name: &thread.name,
        crashed: thread.crashed,
        main: thread.main,
        frames: frames(&thread.frames, arena),
    })
}

impl Cause {
    fn to_core<'a>(&'a self, arena: &'a Arena) -> core::Cause<'a> {
        core::Cause::new(&self.kind, &self.message)
            .frames(frames(&self.frames, arena))
            .parent(self.parent as usize)
            .source(&self.source)
            .group(self.group)
    }
}

impl ErrorEvent {
    pub(crate) fn to_core<'a>(
        &'a self,
        conditions: &'a Option<core::Conditions>,
        arena: &'a Arena,
    ) -> core::ErrorEvent<'a> {
        let mut error = core::ErrorEvent::new(&self.kind, &self.message)
            .frames(frames(&self.frames, arena))
            .causes(arena.slice(&self.causes, |cause| cause.to_core(arena)))
            .group(self.group)
            .threads(threads(&self.threads, arena))
            .context(arena.attrs(&self.context))
            .attrs(arena.attrs(&self.attrs))
            .tags(arena.attrs(&self.tags))
            .targets(arena.texts(&self.targets));
        if let Some(handled) = self.handled {
            error = error.handled(handled);
        }
        if let Some(severity) = self.severity {
            error = error.severity(severity.into());
        }
        if let Some(level) = self.level {
            error = error.level(level.into());
        }
        if let Some(code) = self.code.as_deref() {
            error = error.code(code);
        }
        if let Some(mechanism) = self.mechanism.as_deref() {
            error = error.mechanism(mechanism);
        }
        error = match self.fingerprints.as_slice() {
            [] => error,
            [one] => error.fingerprint(one),
            parts => error.fingerprints(arena.texts(parts)),
        };
        if let Some(language) = self.language {
            error = error.language(language.into());
        }
        if let Some(stack) = self.stack.as_deref() {
            error = error.stack(stack);
        }
        if let Some(user) = &self.user {
            error = error.user(user.to_core(arena));
        }
        if let Some(trace) = trace(&self.trace) {
            error = error.trace(trace);
        }
        if let Some(at_ms) = self.at_ms {
            error = error.at(at_ms);
        }
        match conditions {
            Some(conditions) => error.conditions(conditions),
            None => error,
        }
    }
}

impl Breadcrumb {
    pub(crate) fn to_core<'a>(&'a self, arena: &'a Arena) -> core::Breadcrumb<'a> {
        let mut crumb = core::Breadcrumb::new(&self.category, &self.message)
            .kind(&self.kind)
            .level(self.level.into())
            .data(arena.attrs(&self.data));
        crumb.at_ms = self.at_ms;
        crumb
    }
}

impl Timing {
    pub(crate) fn to_core<'a>(&'a self, arena: &'a Arena) -> core::Timing<'a> {
        let duration = micros(self.duration_us);
        let mut timing = core::Timing::new(self.kind.into(), &self.name, duration);
        if let Some(method) = self.method.as_deref() {
            timing = timing.method(method);
        }
        if let Some(started_ms) = self.started_ms {
            timing = timing.started_at(started_ms);
        }
        if let Some(at_ms) = self.at_ms {
            timing = timing.at(at_ms);
        }
        if let Some(initial_us) = self.initial_us {
            timing = timing.initial_display(micros(initial_us));
        }
        if let Some(status) = self.status {
            timing = timing.status(status);
        }
        if self.request_bytes.is_some() || self.response_bytes.is_some() {
            timing = timing.bytes(count(self.request_bytes), count(self.response_bytes));
        }
        if let Some(error) = self.error.as_deref() {
            timing = timing.error(error);
        }
        if let Some(endpoint) = self.endpoint.as_deref() {
            timing = timing.endpoint(endpoint);
        }
        if let Some(trace) = trace(&self.trace) {
            timing = timing.trace(trace);
        }
        timing
            .request_headers(arena.pairs(&self.request_headers))
            .response_headers(arena.pairs(&self.response_headers))
            .attrs(arena.attrs(&self.attrs))
            .targets(arena.texts(&self.targets))
    }
}

impl SpanEvent {
    pub(crate) fn to_core<'a>(&'a self, arena: &'a Arena) -> core::SpanEvent<'a> {
        let mut span = match (self.started_ms, self.ended_ms) {
            (Some(start), Some(end)) => core::SpanEvent::between(&self.name, &self.op, start, end),
            (Some(start), None) => {
                core::SpanEvent::new(&self.name, &self.op, micros(self.duration_us)).started_at(start)
            }
            (None, _) => core::SpanEvent::new(&self.name, &self.op, micros(self.duration_us)),
        };
        if let Some(trace) = trace(&self.trace) {
            span = span.trace(trace);
        }
        span.status(self.status.into()).attrs(arena.attrs(&self.attrs)).targets(arena.texts(&self.targets))
    }
}

impl LogEntry {
    pub(crate) fn to_core<'a>(&'a self, arena: &'a Arena) -> core::Log<'a> {
        let mut log = core::Log::new(self.level.into(), &self.text)
            .attrs(arena.attrs(&self.attrs))
            .targets(arena.texts(&self.targets));
        log.logger = self.logger.as_deref();
        log.trace = trace(&self.trace);
        log.at_ms = self.at_ms;
        log
    }
}

impl Revenue {
    pub(crate) fn to_core<'a>(&'a self, arena: &'a Arena) -> core::Revenue<'a> {
        core::Revenue {
            amount: self.amount,
            currency: &self.currency,
            transaction_id: self.transaction_id.as_deref(),
            items: arena.values(&self.items),
            attrs: arena.attrs(&self.attrs),
            targets: arena.texts(&self.targets),
        }
    }
}

impl Feedback {
    pub(crate) fn to_core(&self) -> core::Feedback<'_> {
        core::Feedback {
            message: &self.message,
            name: self.name.as_deref(),
            email: self.email.as_deref(),
            about: self.about.as_deref().and_then(|id| id.parse().ok()),
        }
    }
}

impl People {
    pub(crate) fn to_core<'a>(&'a self, arena: &'a Arena) -> core::People<'a> {
        match self {
            People::Set { name, value } => core::People::Set(name, arena.value(value)),
            People::SetOnce { name, value } => core::People::SetOnce(name, arena.value(value)),
            People::Unset { name } => core::People::Unset(name),
            People::Increment { name, by } => core::People::Increment(name, *by),
            People::Append { name, value } => core::People::Append(name, arena.value(value)),
            People::Union { name, values } => core::People::Union(name, arena.values(values)),
            People::Remove { name, value } => core::People::Remove(name, arena.value(value)),
            People::Delete => core::People::Delete,
        }
    }
}

impl std::convert::From<Metric> for core::Metric {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Counter { value } => core::Metric::Counter(value),
            Metric::Gauge { value } => core::Metric::Gauge(value),
            Metric::Distribution { value } => core::Metric::Distribution(value),
        }
    }
}

impl std::convert::From<core::Outcome> for Outcome {
    fn from(outcome: core::Outcome) -> Self {
        match outcome {
            core::Outcome::Recorded(id) => Outcome::Recorded { id: id.to_string() },
            core::Outcome::Dropped(reason) => Outcome::Dropped { reason: reason.as_str().to_owned() },
        }
    }
}

impl Outcome {
    /// The answer of an engine that is closed, or was never there.
    pub(crate) fn closed() -> Outcome {
        core::Outcome::Dropped(core::Reason::StoreUnavailable).into()
    }
}

impl std::convert::From<core::Durability> for Durability {
    fn from(durability: core::Durability) -> Self {
        match durability {
            core::Durability::Synced(id) => Durability::Synced { id: id.to_string() },
            core::Durability::InRing(id) => Durability::InRing { id: id.to_string() },
            core::Durability::Dropped(reason) => Durability::Dropped { reason: reason.as_str().to_owned() },
        }
    }
}

impl Durability {
    /// The answer of an engine that is closed, or was never there.
    pub(crate) fn closed() -> Durability {
        core::Durability::Dropped(core::Reason::StoreUnavailable).into()
    }
}
