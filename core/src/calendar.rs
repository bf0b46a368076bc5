//! Dates of the Gregorian calendar and RFC 3339 times, in UTC. A calendar library takes 60 KB.

#[cfg(any(feature = "destination-rez", feature = "destination-sentry"))]
use crate::json::{Name, Object};

/// Milliseconds of the years 0 and 9999, the range of RFC 3339.
pub(crate) const RANGE_MS: (i64, i64) = (-62_167_219_200_000, 253_402_300_799_999);

/// Writes RFC 3339 times in UTC with milliseconds. A time outside the years 0 to 9999 becomes the nearest one inside.
///
/// An event with its breadcrumbs has a hundred times. Most of them are in the same minute, so the last minute is
/// remembered.
pub(crate) struct TimeWriter {
    /// Minutes since 1970 of the time in `text`.
    minute: i64,
    text: [u8; 24],
}

impl TimeWriter {
    pub(crate) fn new() -> TimeWriter {
        TimeWriter { minute: i64::MIN, text: *b"0000-00-00T00:00:00.000Z" }
    }

    /// Appends the time of these milliseconds since 1970.
    pub(crate) fn push(&mut self, out: &mut String, ms: i64) {
        let ms = ms.clamp(RANGE_MS.0, RANGE_MS.1);
        let (minute, ms) = (ms.div_euclid(60_000), ms.rem_euclid(60_000));
        if minute != self.minute {
            self.minute = minute;
            self.set_minute();
        }
        self.set(17..19, ms / 1_000);
        self.set(20..23, ms % 1_000);
        // ASCII only, so this cannot fail.
        out.push_str(std::str::from_utf8(&self.text).unwrap_or_default());
    }

    fn set_minute(&mut self) {
        let (days, minute) = (self.minute.div_euclid(1_440), self.minute.rem_euclid(1_440));
        let (year, month, day) = date(days);
        self.set(0..4, year);
        self.set(5..7, month);
        self.set(8..10, day);
        self.set(11..13, minute / 60);
        self.set(14..16, minute % 60);
    }

    /// Writes the digits of a number, with leading zeros.
    fn set(&mut self, at: std::ops::Range<usize>, number: i64) {
        let mut rest = number as u32;
        for place in self.text.get_mut(at).unwrap_or_default().iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
}

/// Year, month and day of a number of days since 1970.
fn date(days: i64) -> (i64, i64, i64) {
    // By eras of 400 years that begin on March 1.
    let day = days + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since 1970 of a date; `None` if the calendar has no such date or the year is outside 0 to 9999.
pub(crate) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The inverse of `date`: the year begins on March 1.
    let (from_march, march_year) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let (era, of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let days = era * 146_097 + 365 * of_era + of_era / 4 - of_era / 100 + of_year - 719_468;
    // A day behind the end of its month is a date of the next one.
    (date(days) == (year, month, day)).then_some(days)
}

/// Appends one RFC 3339 time. See [`TimeWriter`].
pub(crate) fn push_rfc3339(out: &mut String, ms: i64) {
    TimeWriter::new().push(out, ms);
}

#[cfg(any(feature = "destination-rez", feature = "destination-sentry"))]
impl Object<'_> {
    /// A time in milliseconds since 1970, as an RFC 3339 string.
    pub(crate) fn time(&mut self, name: impl Name, ms: i64) {
        let out = self.name(name);
        out.push('"');
        push_rfc3339(out, ms);
        out.push('"');
    }
}

/// The time of [`push_rfc3339`] as a string of its own.
pub(crate) fn rfc3339(ms: i64) -> String {
    let mut out = String::with_capacity(24);
    push_rfc3339(&mut out, ms);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(ms: i64) -> String {
        let mut out = String::new();
        push_rfc3339(&mut out, ms);
        out
    }

    proptest! {
        #[test]
        fn a_time_equals_that_of_the_calendar_library(ms in RANGE_MS.0..=RANGE_MS.1) {
            let expected = jiff::Timestamp::from_millisecond(ms).unwrap();
            prop_assert_eq!(text(ms), format!("{expected:.3}"));
        }

        #[test]
        fn a_writer_gives_the_same_times_as_one_for_each(start in any::<i64>(), steps in prop::collection::vec(-90_000i64..90_000, 0..9)) {
            let (mut writer, mut ms) = (TimeWriter::new(), start);
            for step in steps {
                ms = ms.saturating_add(step);
                let mut out = String::new();
                writer.push(&mut out, ms);
                prop_assert_eq!(out, text(ms));
            }
        }
    }

    #[test]
    fn a_date_and_its_days_since_1970_belong_together() {
        for day in (RANGE_MS.0 / 86_400_000..=RANGE_MS.1 / 86_400_000).step_by(11).chain(-800..800) {
            let (year, month, day_of_month) = date(day);
            assert_eq!(days(year, month, day_of_month), Some(day));
        }
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!((days(2000, 2, 29), days(2000, 2, 30)), (Some(11_016), None));
        for (year, month, day) in
            [(2023, 2, 29), (1900, 2, 29), (2023, 4, 31), (2023, 0, 1), (2023, 13, 1), (2023, 1, 0)]
        {
            assert_eq!(days(year, month, day), None, "{year}-{month}-{day}");
        }
        assert_eq!((days(-1, 1, 1), days(10_000, 1, 1), days(i64::MAX, 1, i64::MAX)), (None, None, None));
    }

    #[test]
    fn a_time_outside_the_calendar_becomes_the_nearest_one_inside() {
        assert_eq!(text(i64::MIN), "0000-01-01T00:00:00.000Z");
        assert_eq!(text(i64::MAX), "9999-12-31T23:59:59.999Z");
    }
}
