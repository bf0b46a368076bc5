//! Text on the stack.

use std::fmt::{self, Write};

/// A number as lower-case hexadecimal digits with leading zeros, on the stack.
pub(crate) struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    /// The last `N` digits. Several times faster than the standard formatter.
    pub(crate) fn of(number: u128) -> Hex<N> {
        let mut digits = [b'0'; N];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            let nibble = (rest & 15) as u8;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            rest >>= 4;
        }
        Hex(digits)
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only digits, so this cannot fail.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Text on the stack. Writing text that does not fit is an error and writes nothing.
pub(super) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Text { bytes: [0; N], len: 0 }
    }
}

impl<const N: usize> Text<N> {
    pub(super) fn as_str(&self) -> &str {
        // Only valid UTF-8 is written, so this cannot fail.
        self.bytes.get(..self.len).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// Writes everything that `write` writes, or nothing.
    pub(super) fn whole(&mut self, write: impl FnOnce(&mut Self) -> fmt::Result) {
        let before = self.len;
        if write(self).is_err() {
            self.len = before;
        }
    }

    /// The trace and the span as `traceparent` and `sentry-trace` write them.
    pub(super) fn ids(&mut self, trace_id: u128, span_id: u64) -> fmt::Result {
        self.write_str(Hex::<32>::of(trace_id).as_str())?;
        self.write_str("-")?;
        self.write_str(Hex::<16>::of(u128::from(span_id)).as_str())
    }
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..).and_then(|room| room.get_mut(..text.len())).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}
