//! Screen loads, API calls, image loads, app starts and long tasks, timed here or by the caller and compared with thresholds.

use super::{Inner, Monitor, Outcome};
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::event::time::Span;
use crate::event::{Event, Timing, TimingKind, micros};
use crate::kind::Kind;
use crate::level::Level;
use crate::timing::template;
use crate::trace::{SentryBaggage, TraceContext};
use std::sync::PoisonError;
use std::time::Duration;

/// Longest name in `metrics()`, in bytes.
const NAME_BYTES: usize = 256;

/// Prefixes and suffix of these names.
const API: &str = "api_";
const SCREEN: &str = "screen_";
const LOAD: &str = "_load";

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

    /// Starts an HTTP call. [`ApiCall::headers`] returns the trace headers to send; [`ApiCall::finish`] or [`ApiCall::fail`]
    /// ends the call. A dropped call is not recorded. Allocates once.
    pub fn api_call(&self, method: &str, url: &str) -> ApiCall {
        let clock = &self.0.shared.clock;
        ApiCall {
            monitor: self.clone(),
            method: method.to_owned(),
            url: url.to_owned(),
            trace: self.0.child_trace(),
            start_us: clock.mono_us(),
            start_ms: clock.wall_ms(),
            sent: 0,
        }
    }

    /// Records a duration that the caller measured.
    #[inline]
    pub fn timing(&self, timing: Timing<'_>) -> Outcome {
        self.0.timing(&timing, self.0.shared.clock.now(), timing.trace.as_ref(), None)
    }
}

/// What a [`ScreenLoad`] records in addition to its duration.
#[derive(Clone, Copy)]
struct Displayed<'a> {
    view: &'a str,
    initial_us: Option<u64>,
    full_us: Option<u64>,
}

impl Inner {
    /// Returns a span inside the screen that is loading, or a new trace.
    fn child_trace(&self) -> TraceContext {
        let open = *self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        open.map_or_else(|| self.ids.root(), |screen| screen.child(&self.ids))
    }

    /// Ends the trace of a screen load.
    fn close_trace(&self, trace: &TraceContext) {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner).take_if(|open| open == trace);
    }

    fn timing(
        &self,
        timing: &Timing<'_>,
        now: (i64, i64),
        trace: Option<&TraceContext>,
        screen: Option<Displayed<'_>>,
    ) -> Outcome {
        let [slow_screen, slow_api, slow_image] = self.shared.config.slow;
        let (kind, threshold) = match timing.kind {
            TimingKind::ScreenLoad => (Kind::ScreenLoad, Some(slow_screen)),
            TimingKind::AppStart => (Kind::AppStart, None),
            TimingKind::ApiCall => (Kind::ApiCall, Some(slow_api)),
            TimingKind::ImageLoad => (Kind::ImageLoad, Some(slow_image)),
            TimingKind::LongTask => (Kind::LongTask, None),
        };
        let slow = threshold.is_some_and(|threshold| timing.duration > threshold);
        let duration_us = timing.micros();
        // The name in `metrics()`: its prefix, then the endpoint.
        let mut place = [0u8; NAME_BYTES];
        let name = match (kind, timing.endpoint) {
            (Kind::ApiCall, None) => template::template_behind(API, timing.name, &mut place),
            (Kind::ApiCall, Some(endpoint)) => joined(&[API, endpoint], &mut place),
            (Kind::ScreenLoad, _) => joined(&[SCREEN, timing.name, LOAD], &mut place),
            _ => "",
        };
        let endpoint = timing.endpoint.or_else(|| name.strip_prefix(API)).unwrap_or_default();
        if !name.is_empty() {
            self.metrics.record(name, duration_us);
        }
        let span = Span::new(timing.start_wall_ms, timing.at_ms, duration_us, now.0);
        let outcome = self.record_at(kind, now, |encoder| {
            let name = match kind {
                Kind::ApiCall | Kind::ImageLoad => Field::Url,
                Kind::AppStart => Field::Type,
                _ => Field::Name,
            };
            if let Some(end_ms) = span.end_ms {
                encoder.time(end_ms);
            }
            encoder.count_cut(span.ignored);
            encoder.text_field(name, timing.name);
            encoder.i64_field(Field::StartMs, span.start_ms);
            encoder.u64_field(Field::DurationUs, duration_us);
            if slow {
                encoder.bool_field(Field::Slow, true);
            }
            if let Some(trace) = trace {
                encoder.trace(trace);
            }
            match kind {
                Kind::ApiCall => api_fields(encoder, timing, endpoint),
                Kind::ImageLoad => {
                    if let Some((_, received)) = timing.bytes {
                        encoder.u64_field(Field::ResponseBytes, received);
                    }
                }
                Kind::ScreenLoad => screen_fields(encoder, timing, screen),
                _ => {}
            }
            encoder.tail(timing.targets, &[], &[], timing.attrs);
        });
        if slow && kind == Kind::ApiCall {
            self.warn_slow(endpoint, duration_us, span.end_ms);
        }
        outcome
    }

    /// Records the warning of a slow call. Its outcome is counted and does not affect the outcome of the call.
    #[cold]
    fn warn_slow(&self, endpoint: &str, duration_us: u64, at_ms: Option<i64>) {
        let mut place = [0u8; NAME_BYTES];
        let text = joined(&["Slow API: ", endpoint], &mut place);
        let performance = [("duration", (duration_us / 1_000).into()), ("endpoint", endpoint.into())];
        let context = [("performance", crate::Value::Map(&performance))];
        let _ = self.record(&Event::message(text, Level::Warning).set_context(&context).set_time(at_ms));
    }
}

#[inline]
fn api_fields(encoder: &mut Encoder<'_>, timing: &Timing<'_>, endpoint: &str) {
    encoder.text_field(Field::Method, timing.method);
    encoder.text_field(Field::Endpoint, endpoint);
    let failed = timing.error.is_some() || timing.status.is_some_and(|status| status >= 400);
    encoder.bool_field(Field::Failed, failed);
    if let Some(status) = timing.status {
        encoder.i64_field(Field::Status, status.into());
    }
    if let Some((sent, received)) = timing.bytes {
        encoder.u64_field(Field::RequestBytes, sent);
        encoder.u64_field(Field::ResponseBytes, received);
    }
    if let Some(error) = timing.error {
        encoder.text_field(Field::Error, error);
    }
}

fn screen_fields(encoder: &mut Encoder<'_>, timing: &Timing<'_>, screen: Option<Displayed<'_>>) {
    let (initial, full) = match screen {
        Some(screen) => {
            encoder.text_field(Field::View, screen.view);
            (screen.initial_us, screen.full_us)
        }
        None => (timing.initial.map(micros), None),
    };
    if let Some(initial) = initial {
        encoder.u64_field(Field::InitialUs, initial);
    }
    if let Some(full) = full {
        encoder.u64_field(Field::FullUs, full);
    }
}

/// Concatenates the parts without heap allocation, cut at a character boundary if they do not fit.
fn joined<'b>(parts: &[&str], place: &'b mut [u8]) -> &'b str {
    let mut len = 0;
    for part in parts {
        let kept = part.get(..part.floor_char_boundary(place.len() - len)).unwrap_or_default();
        if let Some(room) = place.get_mut(len..len + kept.len()) {
            room.copy_from_slice(kept.as_bytes());
            len += kept.len();
        }
        if kept.len() < part.len() {
            break;
        }
    }
    place.get(..len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

fn since(start_us: i64, now_us: i64) -> Duration {
    Duration::from_micros(u64::try_from(now_us.saturating_sub(start_us)).unwrap_or(0))
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
        self.monitor.0.close_trace(&self.trace);
        let now = self.monitor.0.shared.clock.now();
        let timing = Timing::screen_load(&self.name, since(self.start_us, now.1)).started_at(self.start_ms).at(now.0);
        let displayed = Displayed { view: &self.view, initial_us: self.initial, full_us: self.full };
        let outcome = self.monitor.0.timing(&timing, now, Some(&self.trace), Some(displayed));
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

/// An HTTP call in progress.
#[derive(Debug)]
#[must_use = "a dropped call is not recorded"]
pub struct ApiCall {
    monitor: Monitor,
    method: String,
    url: String,
    trace: TraceContext,
    start_us: i64,
    start_ms: i64,
    sent: u64,
}

impl ApiCall {
    /// Calls `out` with the name and value of each trace header, if the host is an allowed target.
    pub fn headers(&self, mut out: impl FnMut(&str, &str)) {
        let config = &self.monitor.0.shared.config;
        if config.targets.allows(&self.url) {
            let baggage = SentryBaggage {
                environment: config.environment.as_deref(),
                release: Some(&config.release),
                public_key: None,
            };
            self.trace.headers(&config.trace_styles, &baggage, &mut out);
        }
    }

    /// Sets the size of the request body in bytes.
    pub fn request_bytes(&mut self, bytes: u64) {
        self.sent = bytes;
    }

    /// Ends the call with a response of this status and size in bytes.
    pub fn finish(self, status: u16, bytes: u64) -> Outcome {
        self.end(|timing| timing.status(status).bytes(self.sent, bytes))
    }

    /// Ends the call without a response.
    pub fn fail(self, error: &str) -> Outcome {
        self.end(|timing| timing.error(error))
    }

    fn end<'a>(&'a self, add: impl FnOnce(Timing<'a>) -> Timing<'a>) -> Outcome {
        let now = self.monitor.0.shared.clock.now();
        let elapsed = since(self.start_us, now.1);
        let timing = add(Timing::api_call(&self.method, &self.url, elapsed).started_at(self.start_ms).at(now.0));
        self.monitor.0.timing(&timing, now, Some(&self.trace), None)
    }
}

#[cfg(test)]
mod tests;
