//! Decodes an event on the writer thread. Damaged bytes yield `None`; nothing panics.

use super::encode::{F64, FALSE, FRAME, I64, LIST, MAP, NULL, STR, TRUE, U64};
use super::field::Field;
use super::language::Language;
use crate::id::EventId;

/// A value as it is encoded in the ring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Raw<'a> {
    Null,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Str(&'a str),
    /// Number of elements, and the elements' bytes.
    List(u16, Reader<'a>),
    /// Number of entries, and the entries' bytes.
    Map(u16, Reader<'a>),
    Frame(RawFrame<'a>),
}

impl<'a> Raw<'a> {
    pub(crate) fn str(self) -> Option<&'a str> {
        if let Raw::Str(text) = self { Some(text) } else { None }
    }

    /// A whole number.
    pub(crate) fn i64(self) -> Option<i64> {
        match self {
            Raw::I64(number) => Some(number),
            Raw::U64(number) => i64::try_from(number).ok(),
            _ => None,
        }
    }

    /// Any number.
    pub(crate) fn f64(self) -> Option<f64> {
        match self {
            Raw::F64(number) => Some(number),
            Raw::I64(number) => Some(number as f64),
            Raw::U64(number) => Some(number as f64),
            _ => None,
        }
    }
}

/// A stack frame as it is encoded in the ring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RawFrame<'a> {
    pub(crate) function: &'a str,
    pub(crate) module: &'a str,
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) address: u64,
    pub(crate) in_app: bool,
    pub(crate) language: Option<Language>,
}

/// Reads values from a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

/// A decoded body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body<'a> {
    /// The clocks at the call.
    pub(crate) wall_ms: i64,
    pub(crate) mono_us: i64,
    /// The time that the caller gave, if any.
    at_ms: Option<i64>,
    /// The id that a face gave.
    pub(crate) id: Option<EventId>,
    pub(crate) fields: Vec<(Field, Raw<'a>)>,
}

impl<'a> Body<'a> {
    /// Decodes a body; `None` if the bytes are invalid. Fields of a later build are skipped.
    pub(crate) fn decode(bytes: &'a [u8]) -> Option<Body<'a>> {
        let mut reader = Reader { rest: bytes };
        let mut body = Body {
            wall_ms: i64::from_le_bytes(reader.take()?),
            mono_us: i64::from_le_bytes(reader.take()?),
            at_ms: None,
            id: None,
            fields: Vec::with_capacity(16),
        };
        while !reader.rest.is_empty() {
            let [number] = reader.take()?;
            let value = reader.value()?;
            match Field::from_number(number) {
                Some(Field::At) => body.at_ms = value.i64(),
                Some(Field::Id) => body.id = value.str().and_then(|id| id.parse().ok()),
                Some(field) => body.fields.push((field, value)),
                None => {}
            }
        }
        Some(body)
    }

    /// Wall clock in milliseconds and monotonic clock in microseconds when the event happened. If the caller gave a time, both
    /// clocks are shifted from the call to it.
    pub(crate) fn time(&self) -> (i64, i64) {
        let Some(at_ms) = self.at_ms else { return (self.wall_ms, self.mono_us) };
        let shift_us = at_ms.saturating_sub(self.wall_ms).saturating_mul(1_000);
        (at_ms, self.mono_us.saturating_add(shift_us))
    }

    /// The names of the destinations that an event or a change is for; empty = all.
    pub(crate) fn targets(&self) -> Vec<String> {
        match self.get(Field::Targets) {
            Some(Raw::List(count, mut reader)) => {
                (0..count).filter_map(|_| Some(reader.value()?.str()?.to_owned())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The value of a field.
    pub(crate) fn get(&self, field: Field) -> Option<Raw<'a>> {
        self.fields.iter().find(|(key, _)| *key == field).map(|(_, value)| *value)
    }

    /// The text of a field.
    pub(crate) fn str(&self, field: Field) -> Option<&'a str> {
        self.get(field)?.str()
    }

    /// The whole number of a field.
    pub(crate) fn i64(&self, field: Field) -> Option<i64> {
        self.get(field)?.i64()
    }
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = usize::from(u16::from_le_bytes(self.take()?));
        let bytes = self.rest.get(..len)?;
        self.rest = self.rest.get(len..)?;
        std::str::from_utf8(bytes).ok()
    }

    /// Reads the next value of a list.
    pub(crate) fn value(&mut self) -> Option<Raw<'a>> {
        self.value_at(0)
    }

    /// Reads the next entry of a map.
    pub(crate) fn entry(&mut self) -> Option<(&'a str, Raw<'a>)> {
        Some((self.text()?, self.value()?))
    }

    fn frame(&mut self) -> Option<RawFrame<'a>> {
        let (function, module, file) = (self.text()?, self.text()?, self.text()?);
        let (line, column) = (u32::from_le_bytes(self.take()?), u32::from_le_bytes(self.take()?));
        let address = u64::from_le_bytes(self.take()?);
        // One byte: the lowest bit, then the number of the language.
        let [last] = self.take()?;
        let (in_app, language) = (last & 1 == 1, Language::of(last >> 1));
        Some(RawFrame { function, module, file, line, column, address, in_app, language })
    }

    fn value_at(&mut self, depth: usize) -> Option<Raw<'a>> {
        // No encoder nests this deep: damaged bytes must not exhaust the stack.
        if depth > crate::limits::ATTRIBUTE_DEPTH + 2 {
            return None;
        }
        let [kind] = self.take()?;
        Some(match kind {
            NULL => Raw::Null,
            FALSE => Raw::Bool(false),
            TRUE => Raw::Bool(true),
            I64 => Raw::I64(i64::from_le_bytes(self.take()?)),
            U64 => Raw::U64(u64::from_le_bytes(self.take()?)),
            F64 => Raw::F64(f64::from_le_bytes(self.take()?)),
            STR => Raw::Str(self.text()?),
            LIST => {
                let count = u16::from_le_bytes(self.take()?);
                let inner = *self;
                for _ in 0..count {
                    self.value_at(depth + 1)?;
                }
                Raw::List(count, inner)
            }
            MAP => {
                let count = u16::from_le_bytes(self.take()?);
                let inner = *self;
                for _ in 0..count {
                    self.text()?;
                    self.value_at(depth + 1)?;
                }
                Raw::Map(count, inner)
            }
            FRAME => Raw::Frame(self.frame()?),
            _ => return None,
        })
    }
}
