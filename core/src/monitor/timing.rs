//! Durations of screen loads, API calls, image loads, app starts and long tasks, compared with thresholds.

use super::session::SessionOf;
use super::{Inner, Monitor, Outcome};
use crate::attributes::Value;
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::event::time::Span;
use crate::event::{Event, Timing, TimingKind, micros};
use crate::kind::Kind;
use crate::level::Level;
use crate::timing::template;
use crate::trace::TraceContext;
use std::time::Duration;

/// Longest name in `metrics()`, in bytes.
const NAME_BYTES: usize = 256;

/// Prefixes and suffix of these names.
const API: &str = "api_";
const SCREEN: &str = "screen_";
const LOAD: &str = "_load";

impl Monitor {
    /// Records a duration that the caller measured.
    #[inline]
    pub fn timing(&self, timing: Timing<'_>) -> Outcome {
        let now = self.0.shared.clock.now();
        match &timing.trace {
            None => self.0.timing(&timing, now, Own::default()),
            Some(trace) => self.0.traced(&timing, now, trace),
        }
    }
}

/// What is recorded of a timing in addition to its duration.
#[derive(Default)]
pub(super) struct Own<'a> {
    pub(super) trace: Option<&'a TraceContext>,
    /// The trace headers of the call were given out, or could have been.
    pub(super) propagated: bool,
    pub(super) session: SessionOf,
    pub(super) screen: Option<Displayed<'a>>,
}

/// What a [`super::ScreenLoad`] has measured.
#[derive(Clone, Copy)]
pub(super) struct Displayed<'a> {
    pub(super) view: &'a str,
    pub(super) initial_us: Option<u64>,
    pub(super) full_us: Option<u64>,
}

impl Inner {
    /// Records a timing that the caller measured, with its span. A call belongs to the session in which it started, as its
    /// headers said.
    #[cold]
    fn traced(&self, timing: &Timing<'_>, now: (i64, i64), trace: &TraceContext) -> Outcome {
        let call = timing.kind == TimingKind::ApiCall;
        let start_us = if timing.start_wall_ms.is_none() && timing.at_ms.is_none() {
            now.1.saturating_sub(i64::try_from(timing.micros()).unwrap_or(i64::MAX))
        } else {
            let span = Span::new(timing.start_wall_ms, timing.at_ms, timing.micros(), now.0);
            now.1.saturating_sub(now.0.saturating_sub(span.start_ms).saturating_mul(1_000))
        };
        let own = Own {
            trace: Some(trace),
            propagated: call && self.may_carry_headers(timing.name),
            session: if call { self.session_at(start_us) } else { SessionOf::Current },
            screen: None,
        };
        self.timing(timing, now, own)
    }

    pub(super) fn timing(&self, timing: &Timing<'_>, now: (i64, i64), own: Own<'_>) -> Outcome {
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
            if let Some(trace) = own.trace {
                encoder.trace(trace);
                if own.propagated {
                    encoder.bool_field(Field::TracePropagated, true);
                }
            }
            match &own.session {
                SessionOf::Current => {}
                SessionOf::Earlier(session) => encoder.text_field(Field::Session, &session.id),
                SessionOf::Nothing => encoder.field(Field::Session, Value::Null),
            }
            match kind {
                Kind::ApiCall => api_fields(encoder, timing, endpoint),
                Kind::ImageLoad => {
                    if let Some((_, received)) = timing.bytes {
                        encoder.u64_field(Field::ResponseBytes, received);
                    }
                }
                Kind::ScreenLoad => screen_fields(encoder, timing, own.screen),
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
        let context = [("performance", Value::Map(&performance))];
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

pub(super) fn since(start_us: i64, now_us: i64) -> Duration {
    Duration::from_micros(u64::try_from(now_us.saturating_sub(start_us)).unwrap_or(0))
}

#[cfg(test)]
mod tests;
