//! RFC 3339 times.

/// Milliseconds of the years 0 and 9999, the range of RFC 3339.
const RANGE_MS: (i64, i64) = (-62_167_219_200_000, 253_402_300_799_999);

/// Appends an RFC 3339 time in UTC with milliseconds. A time outside the years 0 to 9999 becomes the nearest one inside.
///
/// Written without a calendar library, because an event with its breadcrumbs has a hundred times.
pub(super) fn push_rfc3339(out: &mut String, ms: i64) {
    let ms = ms.clamp(RANGE_MS.0, RANGE_MS.1);
    let (days, ms) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Days since 1970 to a date of the Gregorian calendar, by eras of 400 years that begin on March 1.
    let day = days + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut digits = |at: std::ops::Range<usize>, number: i64| {
        let mut rest = number as u32;
        for place in text.get_mut(at).unwrap_or_default().iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    };
    digits(0..4, year);
    digits(5..7, month);
    digits(8..10, day);
    digits(11..13, ms / 3_600_000);
    digits(14..16, ms / 60_000 % 60);
    digits(17..19, ms / 1_000 % 60);
    digits(20..23, ms % 1_000);
    // ASCII only, so this cannot fail.
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// The same as a string of its own.
#[cfg(any(feature = "destination-datadog", feature = "destination-rez"))]
pub(super) fn rfc3339(ms: i64) -> String {
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
    }

    #[test]
    fn a_time_outside_the_calendar_becomes_the_nearest_one_inside() {
        assert_eq!(text(i64::MIN), "0000-01-01T00:00:00.000Z");
        assert_eq!(text(i64::MAX), "9999-12-31T23:59:59.999Z");
    }
}
