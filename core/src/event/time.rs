//! The time that a caller gives for an event: which one is believed, and how start, end and duration of a timing agree.

use crate::limits::{TIME_AHEAD, TIME_BEHIND};

/// Whether an event recorded at `call_ms` can have happened at `at_ms`.
pub(crate) fn is_believed(at_ms: i64, call_ms: i64) -> bool {
    let ahead = at_ms.saturating_sub(call_ms);
    ahead <= TIME_AHEAD.as_millis() as i64 && ahead >= -(TIME_BEHIND.as_millis() as i64)
}

/// Start and end of a timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start_ms: i64,
    /// `None` = at the call.
    pub(crate) end_ms: Option<i64>,
    /// Number of given times that were ignored.
    pub(crate) ignored: u64,
}

impl Span {
    /// The span of a timing of `duration_us` microseconds that was recorded at `call_ms`. The end is the given one, else start
    /// plus duration, else the call; the start is the given one, else end minus duration. A time that is not believed counts as
    /// not given.
    #[inline]
    pub(crate) fn new(start_ms: Option<i64>, end_ms: Option<i64>, duration_us: u64, call_ms: i64) -> Span {
        let duration_ms = (duration_us / 1_000) as i64;
        if start_ms.is_none() && end_ms.is_none() {
            return Span { start_ms: call_ms.saturating_sub(duration_ms), end_ms: None, ignored: 0 };
        }
        let believed = |time: &i64| is_believed(*time, call_ms);
        let (start, end) = (start_ms.filter(believed), end_ms.filter(believed));
        let ignored = u64::from(start != start_ms) + u64::from(end != end_ms);
        let end = end.or_else(|| start.map(|start| start.saturating_add(duration_ms)).filter(believed));
        let start = start.unwrap_or_else(|| end.unwrap_or(call_ms).saturating_sub(duration_ms));
        Span { start_ms: start, end_ms: end, ignored }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_400_000_000;
    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;

    #[test]
    fn a_time_is_believed_from_thirty_days_before_the_call_to_a_day_after_it() {
        for (at, believed) in [
            (NOW, true),
            (NOW - 29 * DAY, true),
            (NOW - 30 * DAY, true),
            (NOW - 30 * DAY - 1, false),
            (NOW + DAY, true),
            (NOW + DAY + 1, false),
            (0, false),
            (4_102_444_800_000, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(is_believed(at, NOW), believed, "{at}");
        }
        // The device's own clock can be wrong too.
        assert!(is_believed(5, 0) && !is_believed(i64::MAX, i64::MIN) && !is_believed(i64::MIN, i64::MAX));
    }

    #[test]
    fn start_end_and_duration_of_a_timing_agree_whichever_of_them_are_given() {
        let span = |start, end| Span::new(start, end, 5_000_000, NOW);
        let expect = |start_ms, end_ms, ignored| Span { start_ms, end_ms, ignored };
        assert_eq!(span(None, None), expect(NOW - 5_000, None, 0));
        assert_eq!(span(None, Some(NOW - HOUR)), expect(NOW - HOUR - 5_000, Some(NOW - HOUR), 0));
        assert_eq!(span(Some(NOW - HOUR), None), expect(NOW - HOUR, Some(NOW - HOUR + 5_000), 0));
        assert_eq!(span(Some(NOW - HOUR), Some(NOW)), expect(NOW - HOUR, Some(NOW), 0));
        for wrong in [0, 4_102_444_800_000, i64::MIN, i64::MAX] {
            assert_eq!(span(Some(wrong), None), expect(NOW - 5_000, None, 1));
            assert_eq!(span(None, Some(wrong)), expect(NOW - 5_000, None, 1));
            assert_eq!(span(Some(wrong), Some(wrong)), expect(NOW - 5_000, None, 2));
            assert_eq!(span(Some(NOW - HOUR), Some(wrong)), expect(NOW - HOUR, Some(NOW - HOUR + 5_000), 1));
        }
        let forever = Span::new(Some(NOW), None, u64::MAX, NOW);
        assert_eq!((forever.start_ms, forever.end_ms), (NOW, None), "its end is not believed");
        let _ = Span::new(None, None, u64::MAX, i64::MIN);
    }
}
