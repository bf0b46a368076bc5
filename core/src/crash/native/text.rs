//! Texts in memory of a fixed size: a signal handler has no heap.

/// A text of at most `N` bytes; what does not fit is cut.
#[derive(Clone, Copy)]
pub(super) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

/// An address in hexadecimal digits: `0x7f00`.
pub(super) type Hex = Text<18>;

impl<const N: usize> Text<N> {
    /// An empty text.
    pub(super) const fn new() -> Text<N> {
        Text { bytes: [0; N], len: 0 }
    }

    /// Removes all of it.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Adds a text.
    pub(super) fn push(&mut self, text: &str) {
        let room = N.saturating_sub(self.len);
        let kept = text.get(..text.floor_char_boundary(room)).unwrap_or_default();
        if let Some(place) = self.bytes.get_mut(self.len..self.len + kept.len()) {
            place.copy_from_slice(kept.as_bytes());
            self.len += kept.len();
        }
    }

    /// Adds a number in decimal digits.
    pub(super) fn push_number(&mut self, number: u64) {
        self.push_digits(number, 10);
    }

    /// Adds a number in hexadecimal digits.
    pub(super) fn push_hex(&mut self, number: u64) {
        self.push("0x");
        self.push_digits(number, 16);
    }

    fn push_digits(&mut self, mut number: u64, base: u64) {
        let mut digits = [b'0'; 20];
        let mut from = digits.len();
        for place in digits.iter_mut().rev() {
            let digit = (number % base) as u8;
            *place = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
            from -= 1;
            number /= base;
            if number == 0 {
                break;
            }
        }
        self.push(digits.get(from..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default());
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        // Only whole characters are added.
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Hex {
    /// The digits of a number.
    pub(super) fn of(number: u64) -> Hex {
        let mut hex = Hex::new();
        hex.push_hex(number);
        hex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_the_formatter_and_what_does_not_fit_is_cut_at_a_character() {
        for number in [0, 1, 9, 10, 15, 16, 0xdead_beef, u64::MAX] {
            assert_eq!(Hex::of(number).as_str(), format!("{number:#x}"));
            let mut text = Text::<20>::new();
            text.push_number(number);
            assert_eq!(text.as_str(), number.to_string());
        }
        let mut text = Text::<5>::new();
        text.push("ab");
        text.push("c€d");
        assert_eq!(text.as_str(), "abc");
        text.push("de");
        assert_eq!(text.as_str(), "abcde");
        text.clear();
        assert_eq!(text.as_str(), "");
    }
}
