//! The text as the rules search it: other spellings of ASCII characters are folded, and every byte of the folded text
//! knows where it stands in the text that is shown.
//!
//! Folded are full-width and mathematical forms, digits of other scripts, percent-escapes (`%40`, `%2540`) and the
//! escapes `\u0040` and `\/` of JSON; invisible characters are left out. What no rule replaces is shown as it was.

use super::marker::{Found, Scanner};
use std::borrow::Cow;

/// Percent-escapes inside percent-escapes that are followed: a URL in a URL in a URL.
const DEPTH: usize = 3;

/// The zeros of the scripts whose digits are folded, in ascending order; each is followed by its nine other digits.
const ZEROS: [u32; 47] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50,
    0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
    0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x1d7ce,
    0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e950, 0x1fbf0,
];

/// A text and its folded form.
pub(super) struct Folded<'t> {
    shown: Cow<'t, str>,
    search: String,
    /// For each byte of `search` the start of its character in `shown`.
    at: Vec<usize>,
}

impl<'t> Folded<'t> {
    /// The folded form of a text; `None` when it is the text itself.
    pub(super) fn of(text: &'t str) -> Option<Folded<'t>> {
        let mut folded = Folded::once(text, |at| at)?;
        for _ in 1..DEPTH {
            let Some(more) = Folded::once(&folded.search, |at| folded.at.get(at).copied().unwrap_or_default()) else {
                break;
            };
            (folded.search, folded.at) = (more.search, more.at);
        }
        Some(Folded { shown: Cow::Borrowed(text), ..folded })
    }

    /// One level of folding; `origin` maps a byte of `text` to a byte of the text that is shown.
    fn once(text: &str, origin: impl Fn(usize) -> usize) -> Option<Folded<'static>> {
        let bytes = text.as_bytes();
        let first = text.char_indices().find(|(at, char)| fold_at(bytes, *at, *char).is_some())?.0;
        let mut folded = Folded {
            shown: Cow::Borrowed(""),
            search: String::with_capacity(text.len()),
            at: Vec::with_capacity(text.len()),
        };
        folded.search.push_str(text.get(..first)?);
        folded.at.extend((0..first).map(&origin));
        let mut at = first;
        while let Some(char) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let (char, len) = fold_at(bytes, at, char).unwrap_or((Some(char), char.len_utf8()));
            if let Some(char) = char {
                folded.search.push(char);
                folded.at.resize(folded.search.len(), origin(at));
            }
            at += len;
        }
        Some(folded)
    }

    /// The text to search.
    pub(super) fn search(&self) -> &str {
        &self.search
    }

    /// The text to show.
    pub(super) fn into_shown(self) -> Cow<'t, str> {
        self.shown
    }

    /// Replaces all that `next` finds in both texts; `false` when it finds nothing.
    pub(super) fn replace(&mut self, next: Scanner) -> bool {
        let Some(mut found) = next(&self.search, 0) else { return false };
        let (mut shown, mut search) =
            (String::with_capacity(self.shown.len()), String::with_capacity(self.search.len()));
        let mut map = Vec::with_capacity(self.at.len());
        // The first byte that is not copied yet, in `search` and in `shown`.
        let (mut at, mut shown_at) = (0, 0);
        loop {
            self.copy(at..found.start, shown_at..self.start(found.start), (&mut search, &mut shown, &mut map));
            let end = found.end.max(at + 1);
            search.push_str(found.marker);
            map.extend((0..found.marker.len()).map(|byte| shown.len() + byte));
            shown.push_str(found.marker);
            (at, shown_at) = (end, self.end(end));
            match next(&self.search, at) {
                Some(Found { start, end, marker }) => found = Found { start, end, marker },
                None => break,
            }
        }
        self.copy(at..self.search.len(), shown_at..self.shown.len(), (&mut search, &mut shown, &mut map));
        (self.shown, self.search, self.at) = (Cow::Owned(shown), search, map);
        true
    }

    /// Copies a range of both texts to the ends of the new ones.
    fn copy(
        &self,
        search: std::ops::Range<usize>,
        shown: std::ops::Range<usize>,
        to: (&mut String, &mut String, &mut Vec<usize>),
    ) {
        let (new_start, old_start) = (to.1.len(), shown.start);
        to.0.push_str(self.search.get(search.clone()).unwrap_or_default());
        to.1.push_str(self.shown.get(shown).unwrap_or_default());
        to.2.extend(self.at.get(search).unwrap_or_default().iter().map(|at| at.saturating_sub(old_start) + new_start));
    }

    /// Where the character that holds this byte of `search` starts in `shown`.
    fn start(&self, at: usize) -> usize {
        self.at.get(at).copied().unwrap_or(self.shown.len())
    }

    /// Where the text before this byte of `search` ends in `shown`: invisible characters behind it are not part of it.
    fn end(&self, at: usize) -> usize {
        let Some(start) = at.checked_sub(1).map(|last| self.start(last)) else { return 0 };
        let next = self.start(at);
        let rest = self.shown.get(start..next).unwrap_or_default();
        // What folds to one character can be several: escapes, and escapes of escapes.
        let visible = rest.trim_end_matches(is_invisible);
        if visible.is_empty() { next } else { start + visible.len() }
    }
}

/// What stands at `at` folds to, and its length; no character at all for an invisible one. `None` = it stays.
fn fold_at(bytes: &[u8], at: usize, char: char) -> Option<(Option<char>, usize)> {
    match char {
        '%' => percent(bytes.get(at..)?).map(|(char, len)| (Some(char), len)),
        '\\' => json_escape(bytes.get(at..)?).map(|(char, len)| (Some(char), len)),
        _ if char.is_ascii() => None,
        _ if is_invisible(char) => Some((None, char.len_utf8())),
        _ => ascii(char).map(|ascii| (Some(ascii), char.len_utf8())),
    }
}

/// The character that a percent-escape spells: one byte, or those of a character of UTF-8.
fn percent(text: &[u8]) -> Option<(char, usize)> {
    let byte = |at: usize| match text.get(at * 3..at * 3 + 3)? {
        [b'%', high, low] => Some(hex(*high)? * 16 + hex(*low)?),
        _ => None,
    };
    let first = byte(0)?;
    let len = match first {
        b'\t' | b'\n' | b'\r' | b' '..=b'~' => return Some((char::from(first), 3)),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let mut buffer = [0; 4];
    for (at, slot) in buffer.iter_mut().enumerate().take(len) {
        *slot = byte(at)?;
    }
    let char = std::str::from_utf8(buffer.get(..len)?).ok()?.chars().next()?;
    Some((char, len * 3))
}

/// The ASCII character that `\u0040` spells, with any number of backslashes, and `\/`.
fn json_escape(text: &[u8]) -> Option<(char, usize)> {
    let slashes = text.iter().take(8).take_while(|byte| **byte == b'\\').count();
    match text.get(slashes..)? {
        [b'/', ..] => Some(('/', slashes + 1)),
        [b'u', b'0', b'0', high, low, ..] => {
            let byte = hex(*high)? * 16 + hex(*low)?;
            // A quotation mark would end what it stands in.
            (matches!(byte, b' '..=b'~') && byte != b'"').then(|| (char::from(byte), slashes + 5))
        }
        _ => None,
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Characters without width, and marks that only say how the character before them looks.
fn is_invisible(char: char) -> bool {
    matches!(
        u32::from(char),
        0xad | 0x34f | 0x61c | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2064 | 0x2066..=0x206f
            | 0x20e3 | 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe01ef
    )
}

/// The ASCII character that this one is another form of.
fn ascii(char: char) -> Option<char> {
    let code = u32::from(char);
    let folded = match code {
        // Full-width forms, the ideographic space and full stops, small forms.
        0xff01..=0xff5e => code - 0xfee0,
        0x3000 => 0x20,
        0x3002 | 0xff61 | 0xfe52 | 0x2024 => u32::from(b'.'),
        0xfe6b => u32::from(b'@'),
        0xfe55 => u32::from(b':'),
        0xfe66 => u32::from(b'='),
        0xfe63 => u32::from(b'-'),
        // Mathematical alphabets of 26 capitals and 26 small letters.
        0x1d400..=0x1d6a3 => match (code - 0x1d400) % 52 {
            capital @ 0..=25 => u32::from(b'A') + capital,
            small => u32::from(b'a') + small - 26,
        },
        _ => {
            let zero = ZEROS.get(ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?)?;
            u32::from(b'0') + Some(code - zero).filter(|digit| *digit < 10)?
        }
    };
    char::from_u32(folded)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn other_spellings_are_found_and_what_stays_is_as_it_was() {
        check(&[
            ("ｐｒｉｙａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "[email]"),
            ("mail priya\u{200b}@exam\u{ad}ple.com ok", "mail [email] ok"),
            ("ज़\u{200d}ोर ９９ priya@example.com ९", "ज़\u{200d}ोर ９９ [email] ९"),
            ("९८७६५ ४३२१०", "[phone]"),
            ("+٩١ ٩٨٧٦٥ ٤٣٢١٠", "[phone]"),
            ("４１１１ １１１１ １１１１ １１１１", "[card]"),
            ("4\u{fe0f}\u{20e3}111 1111 1111 1111", "[card]"),
            ("𝐩𝐫𝐢𝐲𝐚@𝐞𝐱𝐚𝐦𝐩𝐥𝐞.𝐜𝐨𝐦", "[email]"),
            ("𝟗𝟖𝟕𝟔𝟓 𝟒𝟑𝟐𝟏𝟎", "[phone]"),
            ("mail=priya%40example.com%26x=1", "mail=[email]%26x=1"),
            ("priya%2540example.com", "[email]"),
            ("priya\\u0040example.com", "[email]"),
            ("priya\\\\u0040example.com", "[email]"),
            ("password\\u003dhunter2\\u0026x", "password\\u003d[secret]\\u0026x"),
            ("https:\\/\\/bob:pw@x.in\\/a", "https:\\/\\/[secret]@x.in\\/a"),
            ("/u/password%3Dhunter2x%20/orders", "/u/password%3D[secret]%20/orders"),
            ("ＰＡＳＳＷＯＲＤ：ｈｕｎｔｅｒ２ ！", "ＰＡＳＳＷＯＲＤ：[secret] ！"),
            ("priya@example.com\u{200b}\u{200b} x", "[email]\u{200b}\u{200b} x"),
            ("%F0%9F%98%80 priya%40example.com", "%F0%9F%98%80 [email]"),
        ]);
    }

    #[test]
    fn texts_in_other_scripts_and_broken_escapes_stay() {
        check_unchanged(&[
            "१२ नवंबर २०२६ को ऑर्डर",
            "السعر ١٢٣٤٥ ريال",
            "価格は１２３４５円です。",
            "100% %zz %4 %",
            "%E0%A4 %FF %00",
            "\\ud83d \\u12 \\u00zz \\",
            "C:\\users\\new",
            "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f}",
        ]);
    }
}
