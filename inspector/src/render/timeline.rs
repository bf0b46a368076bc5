//! A session as lines of text.

use crate::terminal::millis;
use crate::timeline::Moment;
use rez_monitor::inspect;

/// Characters of the longest bar.
const BAR: usize = 30;

/// Lines before the first moment.
pub(crate) const HEAD: usize = 2;

/// The head, and one line for each moment.
pub(crate) fn timeline(session: &str, moments: &[Moment]) -> Vec<String> {
    let first = moments.first().map_or(0, |moment| moment.start_ms);
    let longest = moments.iter().filter_map(|moment| moment.duration_us).max().unwrap_or(1).max(1);
    let head = [format!("session {}, from {}", one_line(session), inspect::time(first)), String::new()];
    head.into_iter().chain(moments.iter().map(|moment| line(moment, first, longest))).collect()
}

fn line(moment: &Moment, first: i64, longest: u64) -> String {
    let Moment { start_ms, duration_us, word, text, is_bad, .. } = moment;
    let at = start_ms.saturating_sub(first) as f64 / 1e3;
    let mark = if *is_bad { "!" } else { " " };
    let bar = duration_us.map(|us| {
        let length = (us as f64 / longest as f64 * BAR as f64).ceil().clamp(1.0, BAR as f64) as usize;
        format!("  {} {}", "█".repeat(length), millis(us))
    });
    let text = one_line(text);
    format!("{at:>9.3} s {mark} {word:<8} {text}{}", bar.unwrap_or_default())
}

/// The text on one line, whatever an app has written.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_bars_and_what_is_bad_is_marked() {
        let moment = |start_ms, duration_us, word: &str, is_bad| Moment {
            start_ms,
            duration_us,
            word: word.to_owned(),
            text: "x".to_owned(),
            is_bad,
            id: String::new(),
        };
        let lines = timeline(
            "s1",
            &[
                moment(0, Some(400_000), "screen", false),
                moment(1_250, Some(1), "call", true),
                moment(2_000, None, "tap", false),
            ],
        );
        assert_eq!(lines[2], format!("    0.000 s   screen   x  {} 400 ms", "█".repeat(BAR)));
        assert_eq!(lines[3], "    1.250 s ! call     x  █ 0.0 ms");
        assert_eq!(lines[4], "    2.000 s   tap      x");
    }
}
