//! Numbers in text: groups of digits with separators between them, offered to the rules for cards, Aadhaar and phones.

use super::{Found, aadhaar, card, phone};

/// Groups of one chain that are looked at: a card has up to five, a phone number in pairs six.
const GROUPS: usize = 8;

/// Digits of a chain that are looked at: the longest card.
const CHAIN_DIGITS: usize = 19;

/// What stands between two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Spaces only.
    Space,
    /// Dashes, with spaces or without.
    Dash,
    /// One dot.
    Dot,
    /// A parenthesis, with anything else.
    Other,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Before this group; meaningless for the first.
    pub(super) gap: Gap,
}

impl Group {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// Groups of digits that follow one another.
pub(super) struct Chain<'t> {
    pub(super) bytes: &'t [u8],
    groups: [Group; GROUPS],
    count: usize,
}

/// The next number from `from` on that is personal.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        let chain = Chain::at(bytes, start_after_escape(bytes, at));
        let found = card::find(&chain).or_else(|| aadhaar::find(&chain)).or_else(|| phone::find(&chain));
        if let Some(found) = found.filter(|found| found.start >= from) {
            return Some(found);
        }
        at = chain.groups().first().map_or(at + 1, |first| first.end.max(at + 1));
    }
}

/// Skips the digits of a percent-escape: in `%204111` the number is 4111.
fn start_after_escape(bytes: &[u8], at: usize) -> usize {
    let escaped = at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'%');
    match bytes.get(at + 1) {
        Some(second) if escaped && second.is_ascii_hexdigit() => at + 2,
        _ => at,
    }
}

impl<'t> Chain<'t> {
    fn at(bytes: &'t [u8], start: usize) -> Self {
        let mut groups = [Group { start, end: start, gap: Gap::Other }; GROUPS];
        let (mut count, mut digits) = (0, 0);
        let (mut at, mut gap) = (start, Gap::Other);
        for group in &mut groups {
            // One digit more than fits, so that a longer number is seen to be longer.
            let limit = CHAIN_DIGITS + 1;
            let tail = bytes.get(at..).unwrap_or_default();
            let len = tail.iter().take(limit).take_while(|byte| byte.is_ascii_digit()).count();
            digits += len;
            if len == 0 || (count > 0 && digits > CHAIN_DIGITS) {
                break;
            }
            *group = Group { start: at, end: at + len, gap };
            count += 1;
            at += len;
            match gap_at(bytes, at) {
                Some((found, len)) => (gap, at) = (found, at + len),
                None => break,
            }
        }
        // A number longer than any is skipped whole.
        if let Some(first) = groups.first_mut().filter(|first| first.len() > CHAIN_DIGITS) {
            let tail = bytes.get(first.end..).unwrap_or_default();
            first.end += tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
        }
        Chain { bytes, groups, count }
    }

    pub(super) fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    /// The first `count` groups.
    pub(super) fn head(&self, count: usize) -> &[Group] {
        self.groups().get(..count).unwrap_or_default()
    }

    pub(super) fn start(&self) -> usize {
        self.groups().first().map_or(0, |group| group.start)
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(super) fn byte_before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).and_then(|before| self.byte(before))
    }

    /// The digits of these groups as numbers; 0 beyond their count.
    pub(super) fn digits(&self, groups: &[Group]) -> ([u8; CHAIN_DIGITS], usize) {
        let mut digits = [0; CHAIN_DIGITS];
        let all = groups.iter().filter_map(|group| self.bytes.get(group.start..group.end)).flatten();
        let mut count = 0;
        for (slot, byte) in digits.iter_mut().zip(all) {
            *slot = byte.wrapping_sub(b'0');
            count += 1;
        }
        (digits, count)
    }

    /// Whether the number starts at a boundary: no letter, digit or decimal fraction before it.
    pub(super) fn starts_clean(&self) -> bool {
        let start = self.start();
        match self.byte_before(start) {
            None => true,
            Some(b'.') => !start.checked_sub(2).and_then(|at| self.byte(at)).is_some_and(|byte| byte.is_ascii_digit()),
            Some(byte) if byte.is_ascii_alphanumeric() => self.follows_escape(start),
            Some(_) => true,
        }
    }

    /// Whether the number may end at `end`: no letter after it, no fraction.
    pub(super) fn ends_clean(&self, end: usize) -> bool {
        match self.byte(end) {
            Some(b'.') => !self.byte(end + 1).is_some_and(|byte| byte.is_ascii_digit()),
            Some(byte) => !byte.is_ascii_alphanumeric(),
            None => true,
        }
    }

    /// Whether `start..end` is joined by a dash or underscore to a word or number beside it.
    pub(super) fn is_joined(&self, start: usize, end: usize) -> bool {
        let joint = |byte| matches!(byte, Some(b'-' | b'_'));
        let word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let before = joint(self.byte_before(start)) && word(start.checked_sub(2).and_then(|at| self.byte(at)));
        before || joint(self.byte(end)) && word(self.byte(end + 1))
    }

    /// Whether an escape ends before `at`: `\n` of JSON, `%3D` of a URL.
    fn follows_escape(&self, at: usize) -> bool {
        let back = |by: usize| at.checked_sub(by).and_then(|at| self.byte(at));
        let json = matches!(back(1), Some(b'n' | b'r' | b't')) && back(2) == Some(b'\\');
        let percent = back(3) == Some(b'%') && back(2).is_some_and(|byte| byte.is_ascii_hexdigit());
        json || percent
    }
}

/// The gap at `at` and its length, if a digit follows within three characters.
fn gap_at(bytes: &[u8], at: usize) -> Option<(Gap, usize)> {
    let mut len = 0;
    let mut gap = None;
    for _ in 0..3 {
        let rest = bytes.get(at + len..)?;
        let (kind, step) = match rest {
            [b' ', ..] => (Gap::Space, 1),
            [b'-', ..] => (Gap::Dash, 1),
            [b'.', ..] => (Gap::Dot, 1),
            [b'(' | b')', ..] => (Gap::Other, 1),
            [b'%', b'2', b'0', ..] => (Gap::Space, 3),
            // No-break space; U+2000 to U+200A and U+202F, spaces; U+2010 to U+2015, dashes; U+2212, minus.
            [0xc2, 0xa0, ..] => (Gap::Space, 2),
            [0xe2, 0x80, 0x80..=0x8a | 0xaf, ..] => (Gap::Space, 3),
            [0xe2, 0x80, 0x90..=0x95, ..] | [0xe2, 0x88, 0x92, ..] => (Gap::Dash, 3),
            _ => break,
        };
        gap = Some(match gap {
            None => kind,
            Some(Gap::Space | Gap::Dash) if kind == Gap::Dash => Gap::Dash,
            Some(before @ (Gap::Space | Gap::Dash)) if kind == Gap::Space => before,
            Some(_) => Gap::Other,
        });
        len += step;
    }
    let digit = bytes.get(at + len).is_some_and(u8::is_ascii_digit);
    gap.filter(|_| digit).map(|gap| (gap, len))
}
