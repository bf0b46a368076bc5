//! Encodes an event into bytes on the caller's thread, without heap allocation.
//!
//! `wall_ms | mono_us | field, value | field, value ...`. A value is a type byte followed by its content; text is preceded
//! by its length. Values that exceed a limit are cut here, where it is cheapest; the record carries the number of cuts.

mod copy;
mod http;
mod part;
mod stacks;

use copy::copy;

use super::Event;
use super::field::Field;
use super::node::{Node, Shape};
use super::time::is_believed;
use crate::attributes::{Attrs, Value};
use crate::limits::{ATTRIBUTE_DEPTH, ATTRIBUTES, ELEMENTS, NAME_BYTES, RECORD_BYTES, TEXT_BYTES, TITLE_BYTES};

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

/// Longest JSON of a run in bytes. Its texts have limits of their own and fit even if each letter is escaped; JSON that is cut
/// would be lost.
const RUN_JSON_BYTES: usize = RECORD_BYTES / 2;

/// Appended to a text that was cut.
pub(crate) const ELLIPSIS: &str = "…";
/// Replaces a value that is nested too deeply.
pub(crate) const TOO_DEEP: &str = "[too deep]";

/// Bytes at the end of the buffer that are kept for the number of cuts.
const TRAILER: usize = 10;

/// A field is written only while this many bytes are free: more than any number takes.
const FIELD_ROOM: usize = 16;

/// Writes fields into a buffer; a value that does not fit is cut and counted.
pub(crate) struct Encoder<'b> {
    buffer: &'b mut [u8],
    at: usize,
    /// Bytes of the buffer that fields may use; [`TRAILER`] follows.
    end: usize,
    cut: u64,
    /// The wall clock at the call.
    call_ms: i64,
}

impl<'b> Encoder<'b> {
    /// An encoder whose record starts with the two clocks.
    #[inline]
    pub(crate) fn new(buffer: &'b mut [u8], wall_ms: i64, mono_us: i64) -> Encoder<'b> {
        let end = buffer.len().saturating_sub(TRAILER);
        let mut encoder = Encoder { buffer, at: 0, end, cut: 0, call_ms: wall_ms };
        encoder.put(wall_ms.to_le_bytes());
        encoder.put(mono_us.to_le_bytes());
        encoder
    }

    /// Adds the time that the caller gave. One that cannot be right counts as cut.
    pub(crate) fn time(&mut self, at_ms: i64) {
        if !is_believed(at_ms, self.call_ms) {
            self.cut += 1;
        } else if at_ms != self.call_ms {
            self.i64_field(Field::At, at_ms);
        }
    }

    /// Counts values that were replaced before they came here.
    pub(crate) fn count_cut(&mut self, n: u64) {
        self.cut += n;
    }

    /// Adds a field of any type.
    #[inline]
    pub(crate) fn field(&mut self, field: Field, value: Value<'_>) {
        match value {
            Value::Str(text) => self.text_field(field, text),
            Value::I64(number) => self.i64_field(field, number),
            Value::U64(number) => self.number_field(field, U64, number.to_le_bytes()),
            Value::Bool(value) => self.bool_field(field, value),
            _ => self.other_field(field, &value),
        }
    }

    /// Adds a field of any type, from a decoded document.
    pub(crate) fn node_field<N: Node>(&mut self, field: Field, value: &N) {
        match value.shape() {
            Shape::Str(text) => self.text_field(field, text),
            Shape::I64(number) => self.i64_field(field, number),
            Shape::U64(number) => self.number_field(field, U64, number.to_le_bytes()),
            Shape::Bool(value) => self.bool_field(field, value),
            _ => self.other_field(field, value),
        }
    }

    /// Adds a text field.
    #[inline]
    pub(crate) fn text_field(&mut self, field: Field, text: &str) {
        if text.len() <= text_limit(field) && self.room() >= FIELD_ROOM + text.len() {
            let [low, high] = (text.len() as u16).to_le_bytes();
            self.put([field as u8, STR, low, high]);
            self.bytes(text.as_bytes());
        } else {
            self.other_field(field, &Value::Str(text));
        }
    }

    /// Adds a signed number.
    #[inline]
    pub(crate) fn i64_field(&mut self, field: Field, number: i64) {
        self.number_field(field, I64, number.to_le_bytes());
    }

    /// Adds an unsigned number, as a signed one where it fits.
    #[inline]
    pub(crate) fn u64_field(&mut self, field: Field, number: u64) {
        match i64::try_from(number) {
            Ok(number) => self.i64_field(field, number),
            Err(_) => self.number_field(field, U64, number.to_le_bytes()),
        }
    }

    /// Adds `true` or `false`.
    #[inline]
    pub(crate) fn bool_field(&mut self, field: Field, value: bool) {
        if self.room() < FIELD_ROOM {
            self.cut += 1;
            return;
        }
        self.put([field as u8, if value { TRUE } else { FALSE }]);
    }

    #[inline]
    fn number_field(&mut self, field: Field, kind: u8, [a, b, c, d, e, f, g, h]: [u8; 8]) {
        if self.room() < FIELD_ROOM {
            self.cut += 1;
            return;
        }
        self.put([field as u8, kind, a, b, c, d, e, f, g, h]);
    }

    /// A field that needs cutting or has a type without a short path.
    fn other_field<N: Node>(&mut self, field: Field, value: &N) {
        if self.room() < FIELD_ROOM {
            self.cut += 1;
            return;
        }
        let start = self.at;
        self.put([field as u8]);
        if !self.value(value, 0, text_limit(field)) {
            self.at = start;
            self.cut += 1;
        }
    }

    /// Adds a map, whose entries count as attributes.
    #[inline]
    pub(crate) fn map_field<N: Node>(&mut self, field: Field, entries: &[(N::Key, N)]) {
        if self.room() < FIELD_ROOM {
            self.cut += 1;
            return;
        }
        self.put([field as u8]);
        self.map(entries, 0);
    }

    /// Adds the destinations that the record is for, if it is not for all. Call it first: without room for the names the
    /// record would go to every destination.
    #[inline]
    pub(crate) fn targets(&mut self, targets: &[&str]) {
        if !targets.is_empty() {
            self.names_field(Field::Targets, targets);
        }
    }

    /// Adds context and attributes, where there are any, in this order.
    #[inline]
    pub(crate) fn maps(&mut self, context: Attrs<'_>, attrs: Attrs<'_>) {
        if !context.is_empty() {
            self.map_field(Field::Context, context);
        }
        if !attrs.is_empty() {
            self.map_field(Field::Attrs, attrs);
        }
    }

    /// Writes the number of cuts, if any, and returns the length of the body.
    #[inline]
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

    // Inlined into the loop over attributes, where a call for each would cost more than the copy.
    #[inline(always)]
    fn value<N: Node>(&mut self, value: &N, depth: usize, limit: usize) -> bool {
        match value.shape() {
            Shape::Bool(value) => self.put([if value { TRUE } else { FALSE }]),
            Shape::I64(number) => self.number(I64, number.to_le_bytes()),
            Shape::F64(number) if number.is_finite() => self.number(F64, number.to_le_bytes()),
            Shape::Str(text) => self.put([STR]) && self.text(text, limit),
            _ => self.rare_value(value, depth, limit),
        }
    }

    #[inline(never)]
    fn rare_value<N: Node>(&mut self, value: &N, depth: usize, limit: usize) -> bool {
        match value.shape() {
            Shape::Null => self.put([NULL]),
            Shape::U64(number) => self.number(U64, number.to_le_bytes()),
            Shape::F64(number) => {
                self.cut += 1;
                let word = if number.is_nan() {
                    "NaN"
                } else if number > 0.0 {
                    "Infinity"
                } else {
                    "-Infinity"
                };
                self.put([STR]) && self.text(word, limit)
            }
            Shape::List(_) | Shape::Map(_) if depth >= ATTRIBUTE_DEPTH => {
                self.cut += 1;
                self.put([STR]) && self.text(TOO_DEEP, limit)
            }
            Shape::List(values) => self.list(values, depth),
            Shape::Map(entries) => self.map(entries, depth),
            Shape::Bool(value) => self.put([if value { TRUE } else { FALSE }]),
            Shape::I64(number) => self.number(I64, number.to_le_bytes()),
            Shape::Str(text) => self.put([STR]) && self.text(text, limit),
        }
    }

    fn list<N: Node>(&mut self, values: &[N], depth: usize) -> bool {
        let Some(count_at) = self.open(LIST) else { return false };
        let mut count = 0u16;
        for value in values.iter().take(ELEMENTS) {
            let start = self.at;
            if !self.value(value, depth + 1, TEXT_BYTES) {
                self.at = start;
                break;
            }
            count += 1;
        }
        self.cut += (values.len() - usize::from(count)) as u64;
        self.patch(count_at, count);
        true
    }

    fn map<N: Node>(&mut self, entries: &[(N::Key, N)], depth: usize) -> bool {
        let Some(count_at) = self.open(MAP) else { return false };
        let most = if depth == 0 { ATTRIBUTES } else { ELEMENTS };
        let mut count = 0u16;
        for (key, value) in entries.iter().take(most) {
            let start = self.at;
            if !(self.text(key.as_ref(), NAME_BYTES) && self.value(value, depth + 1, TEXT_BYTES)) {
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
        self.put([kind, 0, 0]).then_some(at)
    }

    fn patch(&mut self, at: usize, count: u16) {
        if let Some(place) = self.buffer.get_mut(at..at + 2) {
            place.copy_from_slice(&count.to_le_bytes());
        }
    }

    #[inline]
    fn number(&mut self, kind: u8, [a, b, c, d, e, f, g, h]: [u8; 8]) -> bool {
        self.put([kind, a, b, c, d, e, f, g, h])
    }

    /// Writes text, cut to the limit and to the room left; `false` if not even its length fits.
    #[inline(always)]
    fn text(&mut self, text: &str, limit: usize) -> bool {
        let fits = self.room().saturating_sub(2);
        if text.len() <= limit.min(fits) {
            return self.put((text.len() as u16).to_le_bytes()) && self.bytes(text.as_bytes());
        }
        self.cut_text(text, limit, fits)
    }

    #[cold]
    fn cut_text(&mut self, text: &str, limit: usize, fits: usize) -> bool {
        self.cut += 1;
        let Some(most) = limit.min(fits).checked_sub(ELLIPSIS.len()) else { return false };
        let kept = text.get(..text.floor_char_boundary(most)).unwrap_or_default();
        let len = (kept.len() + ELLIPSIS.len()) as u16;
        self.put(len.to_le_bytes()) && self.bytes(kept.as_bytes()) && self.bytes(ELLIPSIS.as_bytes())
    }

    #[inline]
    fn room(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) -> bool {
        if N > self.room() {
            return false;
        }
        match self.buffer.get_mut(self.at..).and_then(|rest| rest.first_chunk_mut()) {
            Some(place) => *place = bytes,
            None => return false,
        }
        self.at += N;
        true
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.room() {
            return false;
        }
        match self.buffer.get_mut(self.at..self.at + bytes.len()) {
            Some(place) => copy(bytes, place),
            None => return false,
        }
        self.at += bytes.len();
        true
    }
}

/// Longest text of a field in bytes; longer text is cut, never refused.
#[inline]
fn text_limit(field: Field) -> usize {
    match field {
        Field::Message | Field::Url | Field::Error | Field::Email | Field::Stack | Field::Description => TEXT_BYTES,
        Field::Title => TITLE_BYTES,
        Field::Run => RUN_JSON_BYTES,
        _ => NAME_BYTES,
    }
}

impl Event<'_> {
    /// Encodes the event; returns the length of its body.
    pub(crate) fn encode(&self, buffer: &mut [u8], wall_ms: i64, mono_us: i64) -> usize {
        let mut encoder = Encoder::new(buffer, wall_ms, mono_us);
        self.encode_into(&mut encoder);
        encoder.finish()
    }

    /// Encodes everything but the clocks.
    #[inline]
    pub(crate) fn encode_into(&self, encoder: &mut Encoder<'_>) {
        encoder.targets(self.targets);
        if let Some(at_ms) = self.at_ms {
            encoder.time(at_ms);
        }
        for (field, value) in self.fields() {
            encoder.field(*field, *value);
        }
        if let Some(trace) = &self.trace {
            encoder.trace(trace);
        }
        if let Some(conditions) = self.conditions {
            conditions.encode_into(encoder);
        }
        encoder.scope_of_the_event(self.user, self.tags);
        if !self.frames.is_empty() {
            encoder.frames_field(self.frames);
        }
        encoder.details(&self.details);
        encoder.maps(self.context, self.attrs);
        encoder.threads(self.details.threads);
    }
}
