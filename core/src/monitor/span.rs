//! Spans of the app: pieces of its own work, measured by the engine or by the caller.

use super::timing::since;
use super::{ApiCall, Inner, Monitor, Outcome};
use crate::Value;
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::event::stored::StoredAttrs;
use crate::event::time;
use crate::event::{SpanEvent, SpanStatus};
use crate::kind::Kind;
use crate::trace::TraceContext;

impl Monitor {
    /// Starts a span that is the root of a trace of its own: a piece of the app's work such as `("checkout", "task")`. Calls and
    /// spans inside it are started with [`Span::child`] and [`Span::api_call`], or with the [`Span::context`] on any thread: no
    /// thread has a current span. [`Span::finish`] records it. A span that is dropped instead is recorded as
    /// [`SpanStatus::Cancelled`]. Allocates twice.
    ///
    /// ```no_run
    /// # fn example(monitor: &rez_monitor::Monitor) {
    /// let mut checkout = monitor.span("checkout", "task");
    /// checkout.attr("items", 3);
    /// let reserve = checkout.child("reserve stock", "db.query");
    /// let _ = reserve.finish();
    /// let call = checkout.api_call("POST", "https://api.rezapp.com/orders");
    /// let _ = call.finish(201, 512);
    /// let _ = checkout.finish();
    /// # }
    /// ```
    ///
    /// The row of a root lists its first 100 children ([`crate::limits::CHILD_SPANS`]) and counts the others. Each child also
    /// has a row of its own.
    pub fn span(&self, name: &str, op: &str) -> Span {
        self.root(self.0.ids.root(), name, op)
    }

    /// Starts a span inside another one, a screen load, or the trace of a server.
    pub fn span_in(&self, parent: &TraceContext, name: &str, op: &str) -> Span {
        self.root(parent.child(&self.0.ids), name, op)
    }

    /// Starts a span inside another one that is in progress, as [`Span::child`] does, for a caller that has only its ids.
    pub fn child_span(&self, parent: &TraceContext, name: &str, op: &str) -> Span {
        self.begin(parent.child(&self.0.ids), name, op)
    }

    /// Records a span that the caller measured.
    pub fn record_span(&self, span: SpanEvent<'_>) -> Outcome {
        self.0.record_span(&span, None, self.0.shared.clock.now())
    }

    /// Starts a span that may have children and tells the writer, which collects them.
    fn root(&self, trace: TraceContext, name: &str, op: &str) -> Span {
        let mut span = self.begin(trace, name, op);
        span.is_root = self.0.refused_here().is_none() && !self.0.is_sampled_out(Kind::Span);
        if span.is_root {
            self.0.append_scope(|encoder| {
                encoder.field(Field::Change, "span".into());
                encoder.trace(&trace);
            });
        }
        span
    }

    fn begin(&self, trace: TraceContext, name: &str, op: &str) -> Span {
        let (start_ms, start_us) = self.0.shared.clock.now();
        Span {
            monitor: self.clone(),
            name: name.to_owned(),
            op: op.to_owned(),
            trace,
            attrs: StoredAttrs::default(),
            status: SpanStatus::Ok,
            is_root: false,
            start_us,
            start_ms,
            done: false,
        }
    }
}

impl Inner {
    fn record_span(&self, span: &SpanEvent<'_>, attrs: Option<&StoredAttrs>, now: (i64, i64)) -> Outcome {
        let duration_us = span.micros();
        let times = time::Span::new(span.start_ms, span.end_ms, duration_us, now.0);
        self.record_at(Kind::Span, now, |encoder: &mut Encoder<'_>| {
            encoder.targets(span.targets);
            if let Some(end_ms) = times.end_ms {
                encoder.time(end_ms);
            }
            encoder.count_cut(times.ignored + u64::from(span.reversed));
            encoder.text_field(Field::Name, span.name);
            encoder.text_field(Field::Op, span.op);
            encoder.i64_field(Field::StartMs, times.start_ms);
            encoder.u64_field(Field::DurationUs, duration_us);
            encoder.text_field(Field::Status, span.status.as_str());
            if let Some(trace) = &span.trace {
                encoder.trace(trace);
            }
            encoder.maps(&[], span.attrs);
            if let Some(attrs) = attrs {
                attrs.encode_into(encoder);
            }
        })
    }
}

/// A span in progress.
#[derive(Debug)]
#[must_use = "dropping it records the span as cancelled"]
pub struct Span {
    monitor: Monitor,
    name: String,
    op: String,
    trace: TraceContext,
    attrs: StoredAttrs,
    status: SpanStatus,
    /// The writer collects its children.
    is_root: bool,
    start_us: i64,
    start_ms: i64,
    done: bool,
}

impl Span {
    /// Its ids, for calls, spans and events inside it, on any thread.
    #[must_use]
    pub fn context(&self) -> TraceContext {
        self.trace
    }

    /// Starts a span inside this one. It may outlive its parent; then it is not in the parent's list of children.
    pub fn child(&self, name: &str, op: &str) -> Span {
        self.monitor.child_span(&self.trace, name, op)
    }

    /// Starts an HTTP call inside this span; see [`Monitor::api_call_in`].
    pub fn api_call(&self, method: &str, url: &str) -> ApiCall {
        self.monitor.api_call_in(&self.trace, method, url)
    }

    /// Sets an attribute; the last value of a name counts. At most 128 are kept ([`crate::limits::ATTRIBUTES`]), and 16 KiB of
    /// them together; the row counts what was cut.
    pub fn attr<'a>(&mut self, key: &str, value: impl Into<Value<'a>>) {
        self.attrs.push(key, value.into());
    }

    /// Sets how the work ended. Default: ok.
    pub fn status(&mut self, status: SpanStatus) {
        self.status = status;
    }

    /// Ends the span and records it.
    pub fn finish(mut self) -> Outcome {
        self.end()
    }

    fn end(&mut self) -> Outcome {
        self.done = true;
        let inner = &self.monitor.0;
        let now = inner.shared.clock.now();
        let event = SpanEvent {
            start_ms: Some(self.start_ms),
            end_ms: Some(now.0),
            status: self.status,
            trace: Some(self.trace),
            ..SpanEvent::new(&self.name, &self.op, since(self.start_us, now.1))
        };
        let outcome = inner.record_span(&event, Some(&self.attrs), now);
        if self.is_root
            && let Outcome::Dropped(_) = outcome
            && inner.refused_here().is_none()
        {
            // Not recorded, but over: later spans of its trace are not its children.
            inner.append_scope(|encoder| {
                encoder.field(Field::Change, "span_ended".into());
                encoder.trace(&self.trace);
            });
        }
        outcome
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if !self.done {
            self.status = SpanStatus::Cancelled;
            let _ = self.end();
        }
    }
}

#[cfg(test)]
mod tests;
