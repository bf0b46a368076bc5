//! What a row says about a timing beyond what was measured: whether it was slow, its endpoint, its name in `metrics()`, the
//! warning about a slow call. The typed call and the batch decoder both use it.

use super::template;
use crate::attributes::Value;
use crate::event::encode::{ELLIPSIS, Encoder};
use crate::event::field::Field;
use crate::event::time::Span;
use crate::event::{Event, Timing, TimingKind, micros};
use crate::kind::Kind;
use crate::level::Level;
use std::time::Duration;

/// Longest name in `metrics()`, in bytes.
const NAME_BYTES: usize = 256;

/// Prefixes and suffix of these names.
const API: &str = "api_";
const SCREEN: &str = "screen_";
const LOAD: &str = "_load";

/// Memory for the name of a timing.
pub(crate) struct Place([u8; NAME_BYTES]);

impl Place {
    #[inline]
    pub(crate) fn new() -> Place {
        Place([0; NAME_BYTES])
    }
}

/// A timing, compared with its threshold.
#[derive(Clone, Copy)]
pub(crate) struct Measured<'t> {
    pub(crate) kind: Kind,
    pub(crate) duration_us: u64,
    pub(crate) slow: bool,
    /// The name in `metrics()`; empty = it has none.
    pub(crate) name: &'t str,
    pub(crate) endpoint: &'t str,
    pub(crate) span: Span,
    targets: &'t [&'t str],
}

/// The times at which a screen showed something.
#[derive(Clone, Copy)]
pub(crate) struct Displayed<'a> {
    /// The view that the screen load opened; `None` if it did not open one.
    pub(crate) view: Option<&'a str>,
    pub(crate) initial_us: Option<u64>,
    pub(crate) full_us: Option<u64>,
}

impl<'t> Measured<'t> {
    /// Compares a timing recorded at `call_ms` with the thresholds of screens, calls and images.
    #[inline]
    pub(crate) fn new(
        timing: &Timing<'t>,
        thresholds: [Duration; 3],
        call_ms: i64,
        place: &'t mut Place,
    ) -> Measured<'t> {
        let [slow_screen, slow_api, slow_image] = thresholds;
        let (kind, threshold) = match timing.kind {
            TimingKind::ScreenLoad => (Kind::ScreenLoad, Some(slow_screen)),
            TimingKind::AppStart => (Kind::AppStart, None),
            TimingKind::ApiCall => (Kind::ApiCall, Some(slow_api)),
            TimingKind::ImageLoad => (Kind::ImageLoad, Some(slow_image)),
            TimingKind::LongTask => (Kind::LongTask, None),
        };
        let slow = threshold.is_some_and(|threshold| timing.duration > threshold);
        let duration_us = timing.micros();
        let name = match (kind, timing.endpoint) {
            (Kind::ApiCall, None) => template::template_behind(API, timing.name, &mut place.0),
            (Kind::ApiCall, Some(endpoint)) => joined(&[API, endpoint], &mut place.0),
            (Kind::ScreenLoad, _) => joined(&[SCREEN, timing.name, LOAD], &mut place.0),
            _ => "",
        };
        let endpoint = timing.endpoint.or_else(|| name.strip_prefix(API)).unwrap_or_default();
        let span = Span::new(timing.start_wall_ms, timing.at_ms, duration_us, call_ms);
        Measured { kind, duration_us, slow, name, endpoint, span, targets: timing.targets }
    }

    /// Writes the fields that come before the trace.
    #[inline]
    pub(crate) fn encode(&self, encoder: &mut Encoder<'_>, timing: &Timing<'_>) {
        let name = match self.kind {
            Kind::ApiCall | Kind::ImageLoad => Field::Url,
            Kind::AppStart => Field::Type,
            _ => Field::Name,
        };
        if let Some(end_ms) = self.span.end_ms {
            encoder.time(end_ms);
        }
        encoder.count_cut(self.span.ignored);
        encoder.text_field(name, timing.name);
        encoder.i64_field(Field::StartMs, self.span.start_ms);
        encoder.u64_field(Field::DurationUs, self.duration_us);
        if self.slow {
            encoder.bool_field(Field::Slow, true);
        }
    }

    /// Writes the fields of its kind, which come after the trace.
    #[inline]
    pub(crate) fn encode_kind(&self, encoder: &mut Encoder<'_>, timing: &Timing<'_>, displayed: Option<Displayed<'_>>) {
        match self.kind {
            Kind::ApiCall => api_fields(encoder, timing, self.endpoint),
            Kind::ImageLoad => {
                if let Some((_, received)) = timing.bytes {
                    encoder.u64_field(Field::ResponseBytes, received);
                }
            }
            Kind::ScreenLoad => screen_fields(encoder, timing, displayed),
            _ => {}
        }
    }

    /// Whether it is a call that took too long, of which a message warns.
    #[inline]
    pub(crate) fn warns(&self) -> bool {
        self.slow && self.kind == Kind::ApiCall
    }

    /// Passes on the warning of a slow call.
    #[cold]
    pub(crate) fn warning<R>(&self, record: impl FnOnce(&Event<'_>) -> R) -> R {
        let mut place = Place::new();
        let text = joined(&["Slow API: ", self.endpoint], &mut place.0);
        let performance = [("duration", (self.duration_us / 1_000).into()), ("endpoint", self.endpoint.into())];
        let context = [("performance", Value::Map(&performance))];
        let warning = Event::message(text, Level::Warning).set_context(&context).set_time(self.span.end_ms);
        // It names the endpoint, so it goes where the call goes.
        record(&warning.targets(self.targets))
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

fn screen_fields(encoder: &mut Encoder<'_>, timing: &Timing<'_>, displayed: Option<Displayed<'_>>) {
    let displayed =
        displayed.unwrap_or(Displayed { view: None, initial_us: timing.initial.map(micros), full_us: None });
    if let Some(view) = displayed.view {
        encoder.text_field(Field::View, view);
    }
    if let Some(initial) = displayed.initial_us {
        encoder.u64_field(Field::InitialUs, initial);
    }
    if let Some(full) = displayed.full_us {
        encoder.u64_field(Field::FullUs, full);
    }
}

/// Concatenates the parts without heap allocation, cut at a character boundary if they do not fit. The mark of a cut tells the
/// privacy rules that the end may be half a secret.
fn joined<'b>(parts: &[&str], place: &'b mut [u8]) -> &'b str {
    let mut len = 0;
    let most = place.len().saturating_sub(ELLIPSIS.len());
    for part in parts {
        let kept = part.get(..part.floor_char_boundary(most - len)).unwrap_or_default();
        let mark = if kept.len() < part.len() { ELLIPSIS } else { "" };
        if let Some(room) = place.get_mut(len..len + kept.len() + mark.len()) {
            let (text, end) = room.split_at_mut(kept.len());
            text.copy_from_slice(kept.as_bytes());
            end.copy_from_slice(mark.as_bytes());
            len += kept.len() + mark.len();
        }
        if !mark.is_empty() {
            break;
        }
    }
    place.get(..len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}
