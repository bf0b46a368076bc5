//! Durations of screen loads, API calls, image loads, app starts and long tasks, compared with thresholds.

use super::session::SessionOf;
use super::{Inner, Monitor, Outcome};
use crate::attributes::Value;
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::event::time::Span;
use crate::event::{Timing, TimingKind};
use crate::timing::measured::{Displayed, Measured, Place};
use crate::trace::TraceContext;
use std::time::Duration;

impl Monitor {
    /// Records a duration that the caller measured.
    #[inline]
    pub fn timing(&self, timing: Timing<'_>) -> Outcome {
        let now = self.0.shared.clock.now();
        match &timing.trace {
            None => self.0.timing(&timing, now, None),
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

impl Own<'_> {
    // Out of the path of a plain timing.
    #[cold]
    fn encode(&self, encoder: &mut Encoder<'_>) {
        if let Some(trace) = self.trace {
            encoder.trace(trace);
            if self.propagated {
                encoder.bool_field(Field::TracePropagated, true);
            }
        }
        match &self.session {
            SessionOf::Current => {}
            SessionOf::Earlier(session) => encoder.text_field(Field::Session, &session.id),
            SessionOf::Nothing => encoder.field(Field::Session, Value::Null),
        }
    }
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
        self.timing(timing, now, Some(&own))
    }

    pub(super) fn timing(&self, timing: &Timing<'_>, now: (i64, i64), own: Option<&Own<'_>>) -> Outcome {
        let mut place = Place::new();
        let measured = Measured::new(timing, self.shared.config.slow, now.0, &mut place);
        if !measured.name.is_empty() {
            self.shared.metrics.record(measured.name, measured.duration_us);
        }
        let outcome = self.record_at(measured.kind, now, |encoder| {
            encoder.targets(timing.targets);
            measured.encode(encoder, timing);
            if let Some(own) = own {
                own.encode(encoder);
            }
            measured.encode_kind(encoder, timing, own.and_then(|own| own.screen));
            if timing.request_headers.len() + timing.response_headers.len() > 0 {
                self.headers_of(timing, encoder);
            }
            encoder.maps(&[], timing.attrs);
        });
        if measured.warns() {
            // Counted on its own; it does not affect the outcome of the call.
            let _ = measured.warning(|event| self.record(event));
        }
        outcome
    }
}

impl Inner {
    /// Adds the headers of a call that the configuration names.
    #[cold]
    fn headers_of(&self, timing: &Timing<'_>, encoder: &mut Encoder<'_>) {
        if timing.kind == TimingKind::ApiCall {
            let recorded = &self.shared.config.recorded_headers;
            encoder.headers(Field::RequestHeaders, timing.request_headers.iter().copied(), recorded);
            encoder.headers(Field::ResponseHeaders, timing.response_headers.iter().copied(), recorded);
        }
    }
}

pub(super) fn since(start_us: i64, now_us: i64) -> Duration {
    Duration::from_micros(u64::try_from(now_us.saturating_sub(start_us)).unwrap_or(0))
}

#[cfg(test)]
mod tests;
