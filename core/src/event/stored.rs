//! Attributes that are kept, encoded, until their event is recorded.

use super::encode::{Encoder, MAP};
use super::field::Field;
use crate::attributes::Value;
use crate::limits::{ATTRIBUTES, NAME_BYTES, STORED_ATTRS_BYTES, TEXT_BYTES};

/// The largest attribute: its name, its text and their lengths.
const ONE_BYTES: usize = NAME_BYTES + TEXT_BYTES + 16;

/// Attributes with memory of their own.
#[derive(Debug, Default)]
pub(crate) struct StoredAttrs {
    bytes: Vec<u8>,
    count: u16,
    cut: u64,
}

impl StoredAttrs {
    /// Adds an attribute. Of two with the same name the writer takes the last.
    pub(crate) fn push(&mut self, key: &str, value: Value<'_>) {
        if usize::from(self.count) >= ATTRIBUTES {
            self.cut += 1;
            return;
        }
        let mut scratch = [0u8; ONE_BYTES];
        let room = STORED_ATTRS_BYTES.saturating_sub(self.bytes.len()).min(ONE_BYTES);
        let mut encoder = Encoder::scratch(scratch.get_mut(..room).unwrap_or_default());
        let whole = encoder.entry(key, value);
        let (len, cut) = encoder.into_parts();
        if whole {
            self.bytes.extend_from_slice(scratch.get(..len).unwrap_or_default());
            self.count += 1;
            self.cut += cut;
        } else {
            self.cut += 1;
        }
    }

    /// Adds them to an event.
    pub(crate) fn encode_into(&self, encoder: &mut Encoder<'_>) {
        encoder.count_cut(self.cut);
        if self.count > 0 && !encoder.raw_field(Field::Attrs, MAP, self.count, &self.bytes) {
            encoder.count_cut(u64::from(self.count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::decode::{Body, Raw};

    fn decoded(attrs: &StoredAttrs) -> (Vec<(String, String)>, i64) {
        let mut buffer = vec![0u8; crate::limits::RECORD_BYTES];
        let mut encoder = Encoder::new(&mut buffer, 1, 2);
        attrs.encode_into(&mut encoder);
        let len = encoder.finish();
        let body = Body::decode(&buffer[..len]).unwrap();
        let mut entries = Vec::new();
        if let Some(Raw::Map(count, mut reader)) = body.get(Field::Attrs) {
            for _ in 0..count {
                let (key, value) = reader.entry().unwrap();
                entries.push((key.to_owned(), format!("{value:?}")));
            }
        }
        (entries, body.i64(Field::Cut).unwrap_or(0))
    }

    #[test]
    fn stored_attributes_are_those_of_an_event() {
        let mut attrs = StoredAttrs::default();
        attrs.push("items", 3.into());
        attrs.push("note", "now".into());
        attrs.push("list", Value::List(&[Value::Bool(true)]));
        attrs.push("ratio", f64::NAN.into());
        let (entries, cut) = decoded(&attrs);
        assert_eq!(entries.len(), 4);
        assert_eq!(entries[0], ("items".to_owned(), "I64(3)".to_owned()));
        assert_eq!(entries[1], ("note".to_owned(), "Str(\"now\")".to_owned()));
        assert_eq!(cut, 1, "NaN is replaced");
        assert_eq!(decoded(&StoredAttrs::default()), (Vec::new(), 0));
    }

    #[test]
    fn what_exceeds_a_limit_is_cut_and_counted() {
        let mut many = StoredAttrs::default();
        (0..1_000).for_each(|n: i64| many.push(&format!("k{n}"), n.into()));
        let (entries, cut) = decoded(&many);
        assert_eq!((entries.len(), cut), (ATTRIBUTES, 1_000 - ATTRIBUTES as i64));
        let mut long = StoredAttrs::default();
        let text = "x".repeat(TEXT_BYTES * 2);
        (0..5).for_each(|n: i64| long.push(&format!("k{n}"), text.as_str().into()));
        let (entries, cut) = decoded(&long);
        assert!((1..=3).contains(&entries.len()), "{}", entries.len());
        assert!(cut >= 3, "{cut}");
    }
}
