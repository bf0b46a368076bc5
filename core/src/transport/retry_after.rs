//! `Retry-After`: seconds, or a date in one of the three formats of HTTP.

use crate::calendar;
use crate::limits;
use std::time::Duration;

/// The wait. A date is relative to the response's own `Date`.
pub(super) fn read(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number beyond u64 is a long wait, not an invalid one.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let until = seconds(value)?;
        let from = seconds(date?)?;
        Duration::from_secs(u64::try_from(until.saturating_sub(from)).unwrap_or(0))
    };
    Some(wait.min(limits::RETRY_AFTER))
}

/// Seconds since 1970 of an HTTP date: `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or
/// `Sun Nov  6 08:49:37 1994`. The weekday is ignored.
fn seconds(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (mut month, mut time, mut numbers) = (None, None, Vec::new());
    for word in text.split([' ', ',', '-', '\t']).filter(|word| !word.is_empty()) {
        if word.contains(':') {
            let mut parts = word.split(':').map(|part| part.parse::<i64>().ok());
            time = Some((parts.next()??, parts.next()??, parts.next()??));
        } else if let Ok(number) = word.parse::<i64>() {
            numbers.push(number);
        } else if let Some(at) = MONTHS.iter().position(|name| word.eq_ignore_ascii_case(name)) {
            month = i64::try_from(at + 1).ok();
        }
    }
    let [day, year] = numbers[..] else { return None };
    let year = match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    };
    let (hour, minute, second) = time?;
    // A leap second is a valid HTTP time. It counts as the second before it.
    let in_day = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    let days = calendar::days(year, month?, day).filter(|_| in_day)?;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second.min(59))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: Option<&str> = Some("Sun, 06 Nov 1994 08:49:37 GMT");

    #[test]
    fn seconds_and_all_three_dates_are_read() {
        for (value, date, expected) in [
            ("0", None, Some(0)),
            (" 120 ", None, Some(120)),
            ("86400", None, Some(86_400)),
            ("86401", None, Some(86_400)),
            ("99999999999999999999999999", None, Some(86_400)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", DATE, Some(120)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", DATE, Some(60)),
            ("Sun Nov  6 08:50:07 1994", DATE, Some(30)),
            ("Mon, 07 Nov 1994 08:49:37 GMT", DATE, Some(86_400)),
            ("Tue, 08 Nov 1994 08:49:37 GMT", DATE, Some(86_400)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", DATE, Some(0)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", None, None),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some("yesterday"), None),
            ("soon", DATE, None),
            ("-5", DATE, None),
            ("1.5", DATE, None),
            ("", DATE, None),
            ("Sun, 99 Nov 1994 08:51:37 GMT", DATE, None),
            ("Sun, 06 Nov 1994 24:00:00 GMT", DATE, None),
            ("Sun, 06 Nov 1994 08:49:60 GMT", DATE, Some(22)),
        ] {
            assert_eq!(read(value, date), expected.map(Duration::from_secs), "{value:?} against {date:?}");
        }
    }
}
