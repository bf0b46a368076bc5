//! Encodes a part of a record on its own, which is added to the record later.

use super::{Encoder, FIELD_ROOM};
use crate::attributes::Value;
use crate::event::field::Field;
use crate::limits::{NAME_BYTES, TEXT_BYTES};

impl<'b> Encoder<'b> {
    /// An encoder for a part of a record, without the clocks.
    pub(in crate::event) fn scratch(buffer: &'b mut [u8]) -> Encoder<'b> {
        let end = buffer.len();
        Encoder { buffer, at: 0, end, cut: 0, call_ms: 0 }
    }

    /// Adds an entry of a map; `false` if it does not fit.
    pub(in crate::event) fn entry(&mut self, key: &str, value: Value<'_>) -> bool {
        self.text(key, NAME_BYTES) && self.value(&value, 1, TEXT_BYTES)
    }

    /// Number of bytes written and number of cuts.
    pub(in crate::event) fn into_parts(self) -> (usize, u64) {
        (self.at, self.cut)
    }

    /// Adds a list or map whose elements are encoded already; `false` if it does not fit.
    pub(in crate::event) fn raw_field(&mut self, field: Field, kind: u8, count: u16, elements: &[u8]) -> bool {
        if self.room() < FIELD_ROOM + elements.len() {
            return false;
        }
        let [low, high] = count.to_le_bytes();
        self.put([field as u8, kind, low, high]) && self.bytes(elements)
    }
}
