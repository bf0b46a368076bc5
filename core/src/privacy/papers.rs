//! Numbers of identity papers beside the word that names the paper. The shape alone is never enough.

use super::marker::{self, Found};
use super::words;

/// Bytes before and after a number in which the word counts.
const NEAR_BEFORE: usize = 48;
const NEAR_AFTER: usize = 24;

/// A kind of paper.
struct Paper {
    marker: &'static str,
    /// Any of them beside the number.
    words: &'static [&'static str],
    /// `A` is a letter, `9` a digit, `-` a space, dash, slash or nothing.
    shapes: &'static [&'static str],
}

const PAPERS: &[Paper] = &[
    Paper {
        marker: marker::PASSPORT,
        words: &["passport", "पासपोर्ट"],
        shapes: &["A-9999999", "A99999999", "AA9999999", "AA999999", "AAA999999", "999999999"],
    },
    Paper {
        marker: marker::VOTER_ID,
        words: &["voter", "epic", "electoral", "मतदाता"],
        shapes: &["AAA9999999", "AA/99/999/999999"],
    },
    Paper {
        marker: marker::LICENCE,
        words: &["licen", "dl no", "dl_no", "dl number", "dlno", "dl:", "dl=", "dl ", "\"dl\""],
        shapes: &["AA-99-9999-9999999", "AA-99A-9999-9999999"],
    },
    Paper { marker: marker::SSN, words: &["ssn", "social security"], shapes: &["999-99-9999"] },
];

/// Letters that a number can start with.
const LETTERS: usize = 3;

/// The next number of a paper from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut start = from;
    loop {
        start += bytes.get(start..)?.iter().position(u8::is_ascii_alphanumeric)?;
        if words::ends_escape(bytes, start + 1) {
            start += 1;
            continue;
        }
        let rest = bytes.get(start..)?;
        let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        // Nearly every word ends here.
        let can_start = letters <= LETTERS
            && rest.get(letters).is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b' ' | b'/'));
        if can_start && words::starts_token(bytes, start) {
            let found = PAPERS.iter().find_map(|paper| {
                let end = paper.shapes.iter().find_map(|shape| end_of(bytes, start, shape.as_bytes()))?;
                let near = words::any_within(bytes, start.saturating_sub(NEAR_BEFORE), start, paper.words)
                    || words::any_within(bytes, end, end + NEAR_AFTER, paper.words);
                near.then_some(Found { start, end, marker: paper.marker })
            });
            if found.is_some() {
                return found;
            }
        }
        start += rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    }
}

/// Where a number of this shape that starts at `start` ends.
fn end_of(bytes: &[u8], start: usize, shape: &[u8]) -> Option<usize> {
    let mut at = start;
    for part in shape {
        let byte = bytes.get(at)?;
        at += match part {
            b'A' => usize::from(byte.is_ascii_alphabetic().then_some(true)?),
            b'9' => usize::from(byte.is_ascii_digit().then_some(true)?),
            b'-' => usize::from(matches!(byte, b'-' | b' ' | b'/')),
            exact => usize::from((byte == exact).then_some(true)?),
        };
    }
    (!bytes.get(at).is_some_and(u8::is_ascii_alphanumeric)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn numbers_of_papers_are_found_beside_their_word() {
        check(&[
            ("passport Z1234567", "passport [passport]"),
            ("Passport No: j8369854.", "Passport No: [passport]."),
            ("{\"passport_no\":\"Z1234567\"}", "{\"passport_no\":\"[passport]\"}"),
            ("{\\\"passportNumber\\\":\\\"Z1234567\\\"}", "{\\\"passportNumber\\\":\\\"[passport]\\\"}"),
            ("Z1234567 is the passport", "[passport] is the passport"),
            ("US passport 123456789", "US passport [passport]"),
            ("voter id ABC1234567", "voter id [voter_id]"),
            ("EPIC No. XYZ7654321", "EPIC No. [voter_id]"),
            ("voterId=ABC1234567&x", "voterId=[voter_id]&x"),
            ("driving licence MH14 20110012345", "driving licence [driving_licence]"),
            ("DL No KA-01-2015-0001234", "DL No [driving_licence]"),
            ("driver's license: DL0420110149646", "driver's license: [driving_licence]"),
            ("\\nZ1234567 passport", "\\n[passport] passport"),
            ("licence MH14 20110012345", "licence [driving_licence]"),
            ("ssn 123-45-6789", "ssn [ssn]"),
        ]);
    }

    #[test]
    fn the_shape_without_the_word_stays() {
        check_unchanged(&[
            "Z1234567",
            "ticket ABC1234567",
            "MH14 20110012345",
            "flight AI1234567",
            "passport control 12",
            "voter turnout 1234567",
            "123-45-6789",
            "passport.js:1234567",
        ]);
    }
}
