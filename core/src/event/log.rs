//! An entry of a log.

use super::Event;
use super::field::Field;
use crate::attributes::Attrs;
use crate::kind::Kind;
use crate::level::Level;
use crate::trace::TraceContext;

/// An entry of a log: a level, a text, and attributes by which a log is searched.
///
/// Unlike a message, an entry never becomes an issue and is never collapsed: every repetition is stored. Entries below
/// [`crate::ConfigBuilder::log_level`] are not recorded.
///
/// ```
/// use rez_monitor::{Level, Log};
///
/// let attrs = [("order_id", "RZ-1042".into()), ("attempt", 2.into())];
/// let entry = Log::new(Level::Warning, "payment retried").logger("checkout.payment").attrs(&attrs);
/// # let _ = entry;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    /// The level.
    pub level: Level,
    /// The text, at most 8,192 bytes.
    pub text: &'a str,
    /// Name of the logger, at most 200 bytes, for example `checkout.payment`.
    pub logger: Option<&'a str>,
    /// Attributes, as on any event.
    pub attrs: Attrs<'a>,
    /// The destinations that receive it; empty = all that accept its kind.
    pub targets: &'a [&'a str],
    /// The span in which it was written; default: the screen that is loading.
    pub trace: Option<TraceContext>,
    /// See [`Event::at`].
    pub at_ms: Option<i64>,
}

impl<'a> Log<'a> {
    /// An entry without a logger and attributes.
    #[must_use]
    pub fn new(level: Level, text: &'a str) -> Log<'a> {
        Log { level, text, logger: None, attrs: &[], targets: &[], trace: None, at_ms: None }
    }

    /// Sets the name of the logger.
    #[must_use]
    pub fn logger(mut self, name: &'a str) -> Log<'a> {
        self.logger = Some(name);
        self
    }

    /// Sets the attributes. Replaces earlier ones.
    #[must_use]
    pub fn attrs(mut self, attrs: Attrs<'a>) -> Log<'a> {
        self.attrs = attrs;
        self
    }

    /// Restricts the entry to these destinations.
    #[must_use]
    pub fn targets(mut self, targets: &'a [&'a str]) -> Log<'a> {
        self.targets = targets;
        self
    }

    /// Sets the span in which the entry was written.
    #[must_use]
    pub fn trace(mut self, trace: TraceContext) -> Log<'a> {
        self.trace = Some(trace);
        self
    }

    /// Sets when the entry was written, in milliseconds since 1970. See [`Event::at`].
    #[must_use]
    pub fn at(mut self, wall_ms: i64) -> Log<'a> {
        self.at_ms = Some(wall_ms);
        self
    }

    pub(crate) fn into_event(self) -> Event<'a> {
        let logger = self.logger.filter(|name| !name.is_empty());
        Event::new(Kind::Log)
            .with(Field::Message, self.text)
            .with(Field::Level, self.level.as_str())
            .maybe(Field::Logger, logger)
            .attrs(self.attrs)
            .targets(self.targets)
            .set_trace(self.trace)
            .set_time(self.at_ms)
    }
}
