//! Numbers in text: groups of digits with separators between them.

use super::words;

/// Groups of a chain that are read: a card has up to five, a phone number in pairs six.
const GROUPS: usize = 8;

/// Digits of a chain that are read: those of the longest card.
const CHAIN_DIGITS: usize = 19;

/// The separator between two groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Spaces only.
    Space,
    /// Dashes, with spaces or without.
    Dash,
    /// One dot.
    Dot,
    /// A parenthesis or underscore, with anything else.
    Other,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The separator before this group; meaningless for the first.
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

impl<'t> Chain<'t> {
    /// The chain whose first digit is at `start`.
    pub(super) fn at(bytes: &'t [u8], start: usize) -> Self {
        let mut groups = [Group { start, end: start, gap: Gap::Other }; GROUPS];
        let (mut count, mut digits) = (0, 0);
        let (mut at, mut gap) = (start, Gap::Other);
        for group in &mut groups {
            // One digit more than a card has shows that the number is longer.
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
        // A number that is longer than every rule allows is skipped whole.
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

    /// The digits of these groups and their count.
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

    /// Whether the number starts at a boundary: no letter, digit or decimal point with a digit before it.
    pub(super) fn starts_clean(&self) -> bool {
        let start = self.start();
        match self.byte_before(start) {
            None => true,
            Some(b'.') => !start.checked_sub(2).and_then(|at| self.byte(at)).is_some_and(|byte| byte.is_ascii_digit()),
            Some(byte) if byte.is_ascii_alphanumeric() => words::ends_escape(self.bytes, start),
            Some(_) => true,
        }
    }

    /// Whether the number can end at `end`: no letter and no fraction after it.
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
}

/// The gap at `at` and its length, if a digit follows within three characters.
fn gap_at(bytes: &[u8], at: usize) -> Option<(Gap, usize)> {
    let mut len = 0;
    let mut gap = None;
    for _ in 0..3 {
        let rest = bytes.get(at + len..)?;
        let (kind, step) = match rest {
            [b' ' | b'\t', ..] => (Gap::Space, 1),
            [b'-', ..] => (Gap::Dash, 1),
            [b'.', ..] => (Gap::Dot, 1),
            [b'(' | b')' | b'_', ..] => (Gap::Other, 1),
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
