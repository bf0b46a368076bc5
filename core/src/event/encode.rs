//! Writing an event into bytes without touching the heap: what happens on the caller's thread.
//!
//! `wall_ms | mono_us | field, value | field, value ...`. A value is a type byte and its content; text carries its length.
//! Whatever goes over a limit is cut here, where it costs the least, and the number of cuts goes along.

use super::field::Field;
use super::{Event, Frame};
use crate::attributes::Value;
use crate::limits::{ATTRIBUTE_DEPTH, ATTRIBUTES, ELEMENTS, FRAMES, NAME_BYTES, TEXT_BYTES};

pub(crate) const NULL: u8 = 0;
pub(crate) const FALSE: u8 = 1;
pub(crate) const TRUE: u8 = 2;
pub(crate) const I64: u8 = 3;
pub(crate) const U64: u8 = 4;
pub(crate) const F64: u8 = 5;
pub(crate) const STR: u8 = 6;
pub(crate) const LIST: u8 = 7;
pub(crate) const MAP: u8 = 8;
pub(crate) const FRAME: u8 = 9;

/// Ends a text that was cut.
pub(crate) const ELLIPSIS: &str = "…";
/// Stands for a value nested too deeply.
pub(crate) const TOO_DEEP: &str = "[too deep]";

/// The tail of the buffer that is kept for the number of cuts.
const TRAILER: usize = 10;

/// Writes fields into a buffer; what does not fit is cut and counted.
pub(crate) struct Encoder<'b> {
    buffer: &'b mut [u8],
    at: usize,
    cut: u64,
}

impl<'b> Encoder<'b> {
    /// An encoder that begins with the clocks.
    pub(crate) fn new(buffer: &'b mut [u8], wall_ms: i64, mono_us: i64) -> Encoder<'b> {
        let mut encoder = Encoder { buffer, at: 0, cut: 0 };
        encoder.bytes(&wall_ms.to_le_bytes());
        encoder.bytes(&mono_us.to_le_bytes());
        encoder
    }

    /// Adds a field.
    #[inline]
    pub(crate) fn field(&mut self, field: Field, value: Value<'_>) {
        if self.room() < 16 {
            self.cut += 1;
            return;
        }
        let start = self.at;
        self.bytes(&[field as u8]);
        if !self.value(value, 0, text_limit(field)) {
            self.at = start;
            self.cut += 1;
        }
    }

    /// Adds stack frames, outermost first; of too many the innermost are kept.
    pub(crate) fn frames(&mut self, frames: &[Frame<'_>]) {
        let kept = frames.get(frames.len().saturating_sub(FRAMES)..).unwrap_or(frames);
        self.cut += (frames.len() - kept.len()) as u64;
        if self.room() < 16 {
            self.cut += 1;
            return;
        }
        self.bytes(&[Field::Frames as u8, LIST]);
        let count_at = self.at;
        self.bytes(&[0, 0]);
        let mut count = 0u16;
        for frame in kept {
            let start = self.at;
            self.bytes(&[FRAME]);
            let whole = self.text(frame.function, NAME_BYTES * 2)
                && self.text(frame.module, NAME_BYTES)
                && self.text(frame.file, NAME_BYTES * 2)
                && self.bytes(&frame.line.to_le_bytes())
                && self.bytes(&frame.column.to_le_bytes())
                && self.bytes(&frame.address.to_le_bytes())
                && self.bytes(&[u8::from(frame.in_app)]);
            if !whole {
                self.at = start;
                self.cut += 1;
                continue;
            }
            count += 1;
        }
        self.patch(count_at, count);
    }

    /// The finished length.
    pub(crate) fn finish(mut self) -> usize {
        if self.cut > 0 {
            let (at, cut) = (self.at, self.cut);
            if let Some(place) = self.buffer.get_mut(at..at + TRAILER) {
                place[0] = Field::Cut as u8;
                place[1] = U64;
                place[2..].copy_from_slice(&cut.to_le_bytes());
                self.at += TRAILER;
            }
        }
        self.at
    }

    #[inline]
    fn value(&mut self, value: Value<'_>, depth: usize, limit: usize) -> bool {
        match value {
            Value::Null => self.bytes(&[NULL]),
            Value::Bool(false) => self.bytes(&[FALSE]),
            Value::Bool(true) => self.bytes(&[TRUE]),
            Value::I64(number) => self.number(I64, number.to_le_bytes()),
            Value::U64(number) => self.number(U64, number.to_le_bytes()),
            Value::F64(number) if number.is_finite() => self.number(F64, number.to_le_bytes()),
            Value::F64(number) => {
                self.cut += 1;
                let word = if number.is_nan() {
                    "NaN"
                } else if number > 0.0 {
                    "Infinity"
                } else {
                    "-Infinity"
                };
                self.bytes(&[STR]) && self.text(word, limit)
            }
            Value::Str(text) => self.bytes(&[STR]) && self.text(text, limit),
            Value::List(_) | Value::Map(_) if depth >= ATTRIBUTE_DEPTH => {
                self.cut += 1;
                self.bytes(&[STR]) && self.text(TOO_DEEP, limit)
            }
            Value::List(values) => self.list(values, depth),
            Value::Map(entries) => self.map(entries, depth),
        }
    }

    fn list(&mut self, values: &[Value<'_>], depth: usize) -> bool {
        let Some(count_at) = self.open(LIST) else { return false };
        let mut count = 0u16;
        for value in values.iter().take(ELEMENTS) {
            let start = self.at;
            if !self.value(*value, depth + 1, TEXT_BYTES) {
                self.at = start;
                break;
            }
            count += 1;
        }
        self.cut += (values.len() - usize::from(count)) as u64;
        self.patch(count_at, count);
        true
    }

    fn map(&mut self, entries: &[(&str, Value<'_>)], depth: usize) -> bool {
        let Some(count_at) = self.open(MAP) else { return false };
        let most = if depth == 0 { ATTRIBUTES } else { ELEMENTS };
        let mut count = 0u16;
        for (key, value) in entries.iter().take(most) {
            let start = self.at;
            if !(self.text(key, NAME_BYTES) && self.value(*value, depth + 1, TEXT_BYTES)) {
                self.at = start;
                break;
            }
            count += 1;
        }
        self.cut += (entries.len() - usize::from(count)) as u64;
        self.patch(count_at, count);
        true
    }

    fn open(&mut self, kind: u8) -> Option<usize> {
        let at = self.at + 1;
        self.bytes(&[kind, 0, 0]).then_some(at)
    }

    fn patch(&mut self, at: usize, count: u16) {
        if let Some(place) = self.buffer.get_mut(at..at + 2) {
            place.copy_from_slice(&count.to_le_bytes());
        }
    }

    #[inline]
    fn number(&mut self, kind: u8, bytes: [u8; 8]) -> bool {
        self.bytes(&[kind]) && self.bytes(&bytes)
    }

    /// Text, cut to the limit and to what fits; `false` when not even its length fits.
    #[inline]
    fn text(&mut self, text: &str, limit: usize) -> bool {
        let fits = self.room().saturating_sub(2);
        if text.len() <= limit.min(fits) {
            return self.bytes(&(text.len() as u16).to_le_bytes()) && self.bytes(text.as_bytes());
        }
        self.cut += 1;
        let Some(most) = limit.min(fits).checked_sub(ELLIPSIS.len()) else { return false };
        let kept = text.get(..text.floor_char_boundary(most)).unwrap_or_default();
        let len = (kept.len() + ELLIPSIS.len()) as u16;
        self.bytes(&len.to_le_bytes()) && self.bytes(kept.as_bytes()) && self.bytes(ELLIPSIS.as_bytes())
    }

    #[inline]
    fn room(&self) -> usize {
        self.buffer.len().saturating_sub(self.at + TRAILER)
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.room() {
            return false;
        }
        match self.buffer.get_mut(self.at..self.at + bytes.len()) {
            Some(place) => place.copy_from_slice(bytes),
            None => return false,
        }
        self.at += bytes.len();
        true
    }
}

/// Names are short, texts are longer; both are cut, never refused.
fn text_limit(field: Field) -> usize {
    match field {
        Field::Message | Field::Url | Field::Error | Field::Run | Field::Email => TEXT_BYTES,
        _ => NAME_BYTES,
    }
}

impl Event<'_> {
    /// Writes the event; answers the length of its body.
    #[inline]
    pub(crate) fn encode(&self, buffer: &mut [u8], wall_ms: i64, mono_us: i64) -> usize {
        let mut encoder = Encoder::new(buffer, wall_ms, mono_us);
        for (field, value) in self.fields() {
            encoder.field(*field, *value);
        }
        if !self.targets.is_empty() {
            encoder.targets(self.targets);
        }
        if !self.frames.is_empty() {
            encoder.frames(self.frames);
        }
        if !self.context.is_empty() {
            encoder.field(Field::Context, Value::Map(self.context));
        }
        if !self.attrs.is_empty() {
            encoder.field(Field::Attrs, Value::Map(self.attrs));
        }
        encoder.finish()
    }
}

impl Encoder<'_> {
    fn targets(&mut self, targets: &[&str]) {
        self.bytes(&[Field::Targets as u8]);
        let Some(count_at) = self.open(LIST) else { return };
        let mut count = 0u16;
        for target in targets.iter().take(ELEMENTS) {
            if !(self.bytes(&[STR]) && self.text(target, NAME_BYTES)) {
                break;
            }
            count += 1;
        }
        self.patch(count_at, count);
    }
}
