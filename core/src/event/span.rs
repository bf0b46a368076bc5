//! Spans that the app defines: what they are called, how long they took and how they ended.

use super::micros;
use crate::attributes::Attrs;
use crate::trace::TraceContext;
use std::time::Duration;

/// How a span ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SpanStatus {
    /// Its work is done.
    #[default]
    Ok,
    /// Its work failed.
    Error,
    /// Its work was given up.
    Cancelled,
}

impl SpanStatus {
    /// All of them.
    pub const ALL: [SpanStatus; 3] = [SpanStatus::Ok, SpanStatus::Error, SpanStatus::Cancelled];

    /// The spelling in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SpanStatus::Ok => "ok",
            SpanStatus::Error => "error",
            SpanStatus::Cancelled => "cancelled",
        }
    }

    /// The status with this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<SpanStatus> {
        SpanStatus::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// A span that the caller measured, for [`crate::Monitor::record_span`]. A caller that does not measure on its own uses
/// [`crate::Monitor::span`].
///
/// ```
/// use rez_monitor::{IdGenerator, SpanEvent, SpanStatus};
/// use std::time::Duration;
///
/// let ids = IdGenerator::from_seed([7; 16]);
/// let checkout = ids.root();
/// let attrs = [("items", 3.into())];
/// let span = SpanEvent::new("checkout", "task", Duration::from_millis(1_800))
///     .trace(checkout)
///     .status(SpanStatus::Error)
///     .attrs(&attrs);
/// # let _ = span;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SpanEvent<'a> {
    pub(crate) name: &'a str,
    pub(crate) op: &'a str,
    pub(crate) duration: Duration,
    pub(crate) start_ms: Option<i64>,
    pub(crate) end_ms: Option<i64>,
    /// It ended before it began.
    pub(crate) reversed: bool,
    pub(crate) status: SpanStatus,
    pub(crate) trace: Option<TraceContext>,
    pub(crate) attrs: Attrs<'a>,
    pub(crate) targets: &'a [&'a str],
}

impl<'a> SpanEvent<'a> {
    /// A span of this name and operation (`task`, `db.query` ...) that took this long. Choose a name of low cardinality; what
    /// differs from span to span belongs into the attributes.
    #[must_use]
    pub fn new(name: &'a str, op: &'a str, duration: Duration) -> SpanEvent<'a> {
        SpanEvent {
            name,
            op,
            duration,
            start_ms: None,
            end_ms: None,
            reversed: false,
            status: SpanStatus::Ok,
            trace: None,
            attrs: &[],
            targets: &[],
        }
    }

    /// A span between two times in milliseconds since 1970. One that ends before it begins has the duration 0, and the row
    /// counts a cut.
    #[must_use]
    pub fn between(name: &'a str, op: &'a str, start_ms: i64, end_ms: i64) -> SpanEvent<'a> {
        let lasted = end_ms.saturating_sub(start_ms);
        let duration = Duration::from_millis(u64::try_from(lasted).unwrap_or(0));
        let reversed = lasted < 0;
        let end_ms = (!reversed).then_some(end_ms);
        SpanEvent { start_ms: Some(start_ms), end_ms, reversed, ..SpanEvent::new(name, op, duration) }
    }

    /// Sets the start, in milliseconds since 1970. Default: now minus the duration. See [`crate::Event::at`] for times that
    /// are ignored.
    #[must_use]
    pub fn started_at(mut self, wall_ms: i64) -> Self {
        self.start_ms = Some(wall_ms);
        self
    }

    /// Sets how it ended. Default: ok.
    #[must_use]
    pub fn status(mut self, status: SpanStatus) -> Self {
        self.status = status;
        self
    }

    /// Sets its ids and its parent. Default: the root of a trace of its own.
    #[must_use]
    pub fn trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Sets attributes, as on any event.
    #[must_use]
    pub fn attrs(mut self, attrs: Attrs<'a>) -> Self {
        self.attrs = attrs;
        self
    }

    /// Restricts it to these destinations.
    #[must_use]
    pub fn targets(mut self, targets: &'a [&'a str]) -> Self {
        self.targets = targets;
        self
    }

    pub(crate) fn micros(&self) -> u64 {
        micros(self.duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_that_ends_before_it_begins_has_no_duration_and_says_so() {
        let span = SpanEvent::between("a", "task", 1_000, 900);
        assert_eq!(
            (span.duration, span.reversed, span.start_ms, span.end_ms),
            (Duration::ZERO, true, Some(1_000), None)
        );
        let span = SpanEvent::between("a", "task", i64::MIN, i64::MAX);
        assert_eq!((span.micros(), span.reversed), (1 << 53, false));
        let span = SpanEvent::between("a", "task", i64::MAX, i64::MIN);
        assert_eq!((span.micros(), span.reversed), (0, true));
    }

    #[test]
    fn a_status_is_read_back_from_its_spelling() {
        for status in SpanStatus::ALL {
            assert_eq!(SpanStatus::parse(status.as_str()), Some(status));
        }
        assert_eq!(SpanStatus::parse("OK"), None);
    }
}
