//! The events that an app can record. An event borrows from the caller and allocates nothing.
//!
//! # Adding a field
//!
//! Append a line to the table in [`field`]: name, the next free number, and the name in the row. Add the field to each
//! kind that can have it in [`field::of_kind`], set it with `Event::with` in the typed call, and scrub it in
//! `writer::row_json` if it is not free text. A destination that ignores the field needs no change.
//!
//! # Adding a kind
//!
//! 1. Append a line to the table in `crate::kind`: the next free number, the spelling, the lane and the purposes.
//! 2. List its fields in [`field::of_kind`].
//! 3. Add a constructor to [`Event`], or a file with a type of its own if it has more than a few fields ([`Timing`],
//!    [`Revenue`]), and record it in the test `typed_calls_use_only_the_fields_of_their_kind`.
//! 4. Compile. Sentry, Datadog and OTLP name every kind, so the compiler asks what becomes of the new one. GA4 and
//!    Mixpanel do not send a kind that they do not name, and `rez` sends every kind as it is stored.
//! 5. Add a contract vector in `tests/contract`, and generate the tables of the guide again (`gen-docs`).

mod alert;
mod breadcrumb;
mod cause;
pub(crate) mod conditions;
pub(crate) mod decode;
pub(crate) mod encode;
mod error;
mod feedback;
pub(crate) mod field;
mod language;
mod log;
mod metric;
pub(crate) mod node;
mod revenue;
mod span;
pub(crate) mod stored;
pub(crate) mod time;
mod timing;
mod user;

pub use alert::{Alert, AlertSeverity};
pub use breadcrumb::Breadcrumb;
pub use cause::{Cause, Thread};
pub use error::{ErrorEvent, Frame, Severity};
pub use feedback::Feedback;
pub use language::Language;
pub use log::Log;
pub use metric::Metric;
pub use revenue::Revenue;
pub use span::{SpanEvent, SpanStatus};
pub use timing::{StartKind, Timing, TimingKind};
pub use user::{People, User};

use crate::attributes::{Attrs, Value};
use crate::event::conditions::Conditions;
use crate::kind::Kind;
use crate::trace::TraceContext;
use field::Field;

/// Largest number of fields of an event, without attributes, context, frames and targets.
const MOST_FIELDS: usize = 16;

/// The message of a hang.
pub(crate) const HANG_MESSAGE: &str = "the main thread did not answer";

/// An event, borrowed from the caller. Created here or from a typed argument ([`Timing`], [`ErrorEvent`] ...), and recorded by
/// [`crate::Monitor::record`].
///
/// ```
/// use rez_monitor::Event;
///
/// let attrs = [("price", 499.0.into())];
/// let event = Event::analytics("add_to_cart").attrs(&attrs).targets(&["ga4"]);
/// # let _ = event;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    kind: Kind,
    fields: [(Field, Value<'a>); MOST_FIELDS],
    len: u8,
    attrs: Attrs<'a>,
    context: Attrs<'a>,
    frames: &'a [Frame<'a>],
    targets: &'a [&'a str],
    trace: Option<TraceContext>,
    at_ms: Option<i64>,
    conditions: Option<&'a Conditions>,
    details: Details<'a>,
    tags: Attrs<'a>,
    user: Option<User<'a>>,
}

/// What only errors, crashes and hangs have in addition.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Details<'a> {
    pub(crate) causes: &'a [Cause<'a>],
    pub(crate) threads: &'a [Thread<'a>],
    pub(crate) fingerprints: &'a [&'a str],
}

impl<'a> Event<'a> {
    /// An event of this kind without fields.
    #[inline]
    pub(crate) fn new(kind: Kind) -> Event<'a> {
        Event {
            kind,
            fields: [(Field::Name, Value::Null); MOST_FIELDS],
            len: 0,
            attrs: &[],
            context: &[],
            frames: &[],
            targets: &[],
            trace: None,
            at_ms: None,
            conditions: None,
            details: Details { causes: &[], threads: &[], fingerprints: &[] },
            tags: &[],
            user: None,
        }
    }

    /// An analytics event with a name of the app's choice.
    #[must_use]
    pub fn analytics(name: &'a str) -> Event<'a> {
        Event::new(Kind::Analytics).with(Field::Name, name)
    }

    /// A screen view. `class` is the native class or component, if it differs from the name.
    #[must_use]
    pub fn screen_view(name: &'a str, class: Option<&'a str>) -> Event<'a> {
        Event::new(Kind::ScreenView).with(Field::Name, name).maybe(Field::Class, class)
    }

    /// The app starts a view of its own.
    pub(crate) fn view_start(key: &'a str, name: &'a str) -> Event<'a> {
        Event::screen_view(name, None).with(Field::Op, "start").with(Field::ViewKey, key)
    }

    /// The app ends it.
    pub(crate) fn view_stop(key: &'a str) -> Event<'a> {
        Event::new(Kind::ScreenView).with(Field::Op, "stop").with(Field::ViewKey, key)
    }

    /// An interaction of the user with a component, such as `("tap", "PayButton")`.
    #[must_use]
    pub fn interaction(action: &'a str, component: &'a str) -> Event<'a> {
        Event::new(Kind::Interaction).with(Field::Action, action).with(Field::Component, component)
    }

    /// A message with a level.
    #[must_use]
    pub fn message(text: &'a str, level: crate::Level) -> Event<'a> {
        Event::new(Kind::Message).with(Field::Message, text).with(Field::Level, level.as_str())
    }

    /// The numbers of slow, frozen and total frames drawn on a screen.
    #[must_use]
    pub fn frames(screen: &'a str, slow: u32, frozen: u32, total: u32) -> Event<'a> {
        Event::new(Kind::Frames)
            .with(Field::Name, screen)
            .with(Field::SlowFrames, slow)
            .with(Field::FrozenFrames, frozen)
            .with(Field::TotalFrames, total)
    }

    /// The main thread did not respond for `duration`. `stack` is its stack, outermost frame first.
    #[must_use]
    pub fn hang(duration: std::time::Duration, stack: &'a [Frame<'a>]) -> Event<'a> {
        let mut event =
            Event::new(Kind::Hang).with(Field::Message, HANG_MESSAGE).with(Field::DurationUs, micros(duration));
        event.frames = stack;
        event
    }

    /// The system ended an earlier process. `cause` is the platform's name of the cause (`low_memory`, `anr` ...).
    #[must_use]
    pub fn app_exit(cause: &'a str, message: &'a str) -> Event<'a> {
        Event::new(Kind::AppExit).with(Field::Cause, cause).with(Field::Message, message)
    }

    /// Sets the app's own attributes. Replaces earlier ones.
    #[must_use]
    pub fn attrs(mut self, attrs: Attrs<'a>) -> Event<'a> {
        self.attrs = attrs;
        self
    }

    /// Sets named contexts of a message or an error. Each value is a map, such as `performance`. Other kinds have no contexts.
    #[must_use]
    pub fn context(self, context: Attrs<'a>) -> Event<'a> {
        self.set_context(context)
    }

    /// Restricts the event to these destinations, by their configured names. Empty: all destinations that accept its kind.
    #[must_use]
    pub fn targets(mut self, targets: &'a [&'a str]) -> Event<'a> {
        self.targets = targets;
        self
    }

    /// Sets tags of this event alone. A tag of the scope with the same name gives way. At most 128.
    #[must_use]
    pub fn tags(mut self, tags: Attrs<'a>) -> Event<'a> {
        self.tags = tags;
        self
    }

    /// Sets the user of this event alone, instead of the user of the scope.
    #[must_use]
    pub fn user(self, user: User<'a>) -> Event<'a> {
        self.set_user(Some(user))
    }

    /// Sets the threads at the time of a hang, with their stacks: what the main thread waited for is on one of them.
    #[must_use]
    pub fn threads(mut self, threads: &'a [Thread<'a>]) -> Event<'a> {
        self.details.threads = threads;
        self
    }

    /// Sets the language of the stack of a hang. Default: derived from its frames and the operating system.
    #[must_use]
    pub fn language(mut self, language: Language) -> Event<'a> {
        let value = Value::Str(language.as_str());
        match self.fields.iter_mut().take(self.len.into()).find(|(field, _)| *field == Field::Language) {
            Some(place) => place.1 = value,
            None => self.push(Field::Language, value),
        }
        self
    }

    /// Sets the span in which it happened. Default: the screen that is loading, if there is one.
    #[must_use]
    pub fn trace(mut self, trace: TraceContext) -> Event<'a> {
        self.trace = Some(trace);
        self
    }

    /// Sets when the event happened, in milliseconds since 1970. Default: the time of the call.
    ///
    /// The row, and every destination, carries this time. User, session and screen are still those of the call. A time more
    /// than 24 h after the call or more than 30 days before it is ignored and counts as cut: the clock that gave it was
    /// wrong. The age limit of the queue (14 days by default) counts from this time too.
    #[must_use]
    pub fn at(mut self, wall_ms: i64) -> Event<'a> {
        self.at_ms = Some(wall_ms);
        self
    }

    /// Sets the conditions at the moment of an error, a hang or an app exit. They take the place of the last known ones. Other
    /// kinds have no conditions.
    #[must_use]
    pub fn conditions(mut self, conditions: &'a Conditions) -> Event<'a> {
        self.conditions = Some(conditions).filter(|_| self.kind.has_conditions());
        self
    }

    /// The kind of the event.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    #[inline]
    pub(crate) fn with(mut self, field: Field, value: impl Into<Value<'a>>) -> Event<'a> {
        self.push(field, value);
        self
    }

    #[inline]
    pub(crate) fn maybe(self, field: Field, value: Option<impl Into<Value<'a>>>) -> Event<'a> {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, field: Field, value: impl Into<Value<'a>>) {
        debug_assert!(usize::from(self.len) < MOST_FIELDS, "MOST_FIELDS is too small for {:?}", self.kind);
        if let Some(place) = self.fields.get_mut(usize::from(self.len)) {
            *place = (field, value.into());
            self.len += 1;
        }
    }

    #[inline]
    pub(crate) fn fields(&self) -> &[(Field, Value<'a>)] {
        self.fields.get(..usize::from(self.len)).unwrap_or(&self.fields)
    }

    pub(crate) fn set_context(mut self, context: Attrs<'a>) -> Event<'a> {
        self.context = context;
        self
    }

    pub(crate) fn set_trace(mut self, trace: Option<TraceContext>) -> Event<'a> {
        self.trace = trace;
        self
    }

    pub(crate) fn set_time(mut self, at_ms: Option<i64>) -> Event<'a> {
        self.at_ms = at_ms;
        self
    }

    pub(crate) fn set_conditions(mut self, conditions: Option<&'a Conditions>) -> Event<'a> {
        self.conditions = conditions;
        self
    }

    pub(crate) fn set_user(mut self, user: Option<User<'a>>) -> Event<'a> {
        self.user = user;
        self
    }

    pub(crate) fn set_details(mut self, details: Details<'a>) -> Event<'a> {
        self.details = details;
        self
    }

    pub(crate) fn set_frames(mut self, frames: &'a [Frame<'a>]) -> Event<'a> {
        self.frames = frames;
        self
    }
}

/// Whole microseconds, at most 2^53, the largest integer that every JSON parser reads exactly.
#[inline]
pub(crate) fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(1 << 53)
}

#[cfg(test)]
mod tests;
