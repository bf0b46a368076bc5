//! Screen loads that the engine times.

use super::timing::{Own, since};
use super::{Inner, Monitor, Outcome};
use crate::event::field::Field;
use crate::event::{Timing, micros};
use crate::timing::measured::Displayed;
use crate::trace::TraceContext;
use std::sync::PoisonError;
use std::time::Duration;

impl Monitor {
    /// Starts a screen load. Call [`ScreenLoad::initial_display`] at its first frame and [`ScreenLoad::finish`] when it is
    /// complete. Dropping it cancels the load, which is then not recorded. Allocates once.
    pub fn screen(&self, name: &str) -> ScreenLoad {
        let inner = &*self.0;
        let trace = inner.ids.root();
        let view = format!("{:032x}", trace.trace_id() ^ u128::from(trace.span_id()));
        let view = uuid::Uuid::try_parse(&view).map(|id| id.to_string()).unwrap_or_default();
        let load = ScreenLoad {
            monitor: self.clone(),
            name: name.to_owned(),
            view,
            trace,
            start_us: inner.shared.clock.mono_us(),
            start_ms: inner.shared.clock.wall_ms(),
            initial: None,
            full: None,
            done: false,
        };
        *inner.screen.lock().unwrap_or_else(PoisonError::into_inner) = Some(trace);
        if inner.refused_here().is_none() {
            inner.append_scope(|encoder| {
                encoder.field(Field::Change, "screen".into());
                encoder.field(Field::Name, load.name.as_str().into());
                encoder.field(Field::View, load.view.as_str().into());
                encoder.trace(&load.trace);
            });
        }
        load
    }
}

impl Inner {
    /// Returns a span inside the screen that is loading, or a new trace.
    pub(super) fn child_trace(&self) -> TraceContext {
        let open = *self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        open.map_or_else(|| self.ids.root(), |screen| screen.child(&self.ids))
    }

    /// Ends the trace of a screen load.
    fn close_trace(&self, trace: &TraceContext) {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner).take_if(|open| open == trace);
    }
}

/// A screen that is loading.
#[derive(Debug)]
#[must_use = "dropping it cancels the screen load"]
pub struct ScreenLoad {
    monitor: Monitor,
    name: String,
    view: String,
    trace: TraceContext,
    start_us: i64,
    start_ms: i64,
    initial: Option<u64>,
    full: Option<u64>,
    done: bool,
}

impl ScreenLoad {
    /// The span of the screen load, for calls and spans inside it.
    #[must_use]
    pub fn context(&self) -> TraceContext {
        self.trace
    }

    fn elapsed(&self) -> Duration {
        since(self.start_us, self.monitor.0.shared.clock.mono_us())
    }

    /// Marks the first frame. Only the first call counts.
    pub fn initial_display(&mut self) {
        self.initial.get_or_insert(micros(self.elapsed()));
    }

    /// Marks the content as complete. Only the first call counts.
    pub fn full_display(&mut self) {
        self.full.get_or_insert(micros(self.elapsed()));
    }

    /// Ends the load and records it.
    pub fn finish(mut self) -> Outcome {
        self.done = true;
        let inner = &self.monitor.0;
        inner.close_trace(&self.trace);
        let now = inner.shared.clock.now();
        let timing = Timing::screen_load(&self.name, since(self.start_us, now.1)).started_at(self.start_ms).at(now.0);
        let displayed = Displayed { view: Some(&self.view), initial_us: self.initial, full_us: self.full };
        let own = Own { trace: Some(&self.trace), screen: Some(displayed), ..Own::default() };
        let outcome = inner.timing(&timing, now, Some(&own));
        if let Outcome::Dropped(_) = outcome {
            // Not recorded, but over: later calls are not its children.
            self.cancel();
        }
        outcome
    }

    fn cancel(&self) {
        if self.monitor.0.refused_here().is_none() {
            self.monitor.0.append_scope(|encoder| {
                encoder.field(Field::Change, "screen_cancelled".into());
                encoder.field(Field::View, self.view.as_str().into());
            });
        }
    }
}

impl Drop for ScreenLoad {
    fn drop(&mut self) {
        self.monitor.0.close_trace(&self.trace);
        if !self.done {
            self.cancel();
        }
    }
}
