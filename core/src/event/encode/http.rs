//! Encodes what a request has in addition: its position in a trace and its recorded headers.

use super::{Encoder, FIELD_ROOM, MAP, STR};
use crate::event::field::Field;
use crate::limits::{ELEMENTS, NAME_BYTES, TEXT_BYTES};
use crate::trace::{Hex, TraceContext};

impl Encoder<'_> {
    /// Adds the position in a trace.
    pub(crate) fn trace(&mut self, trace: &TraceContext) {
        self.text_field(Field::TraceId, Hex::<32>::of(trace.trace_id()).as_str());
        self.text_field(Field::SpanId, Hex::<16>::of(trace.span_id().into()).as_str());
        if let Some(parent) = trace.parent() {
            self.text_field(Field::ParentSpan, Hex::<16>::of(parent.into()).as_str());
        }
        if let Some(sampled) = trace.sampled() {
            self.bool_field(Field::TraceSampled, sampled);
        }
    }

    /// Adds the headers that are recorded, under the names of this list.
    #[cold]
    pub(crate) fn headers<'h>(
        &mut self,
        field: Field,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
        recorded: &[String],
    ) {
        let start = self.at;
        let room = self.room() >= FIELD_ROOM && self.put([field as u8]);
        let Some(count_at) = self.open(MAP).filter(|_| room) else {
            self.at = start;
            self.cut += 1;
            return;
        };
        let mut count = 0_u16;
        for (name, value) in headers {
            let Some(name) = recorded.iter().find(|known| known.eq_ignore_ascii_case(name)) else { continue };
            let before = self.at;
            let whole = usize::from(count) < ELEMENTS
                && self.text(name, NAME_BYTES)
                && self.put([STR])
                && self.text(value, TEXT_BYTES);
            if !whole {
                self.at = before;
                self.cut += 1;
                break;
            }
            count += 1;
        }
        if count == 0 {
            self.at = start;
            return;
        }
        self.patch(count_at, count);
    }
}
