//! Values that own their memory, for languages that cannot lend it.

use bumpalo::Bump;
use rez_monitor::Value;

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum AttrValue {
    /// No value.
    Null,
    /// True or false.
    Bool {
        /// The value.
        value: bool,
    },
    /// A whole number.
    Int {
        /// The value.
        value: i64,
    },
    /// A number. One that is not finite becomes text.
    Float {
        /// The value.
        value: f64,
    },
    /// A text.
    Text {
        /// The value.
        value: String,
    },
    /// Values in order; at most 64.
    List {
        /// The values.
        values: Vec<AttrValue>,
    },
    /// Named values in order; at most 64.
    Map {
        /// The entries.
        entries: Vec<Attr>,
    },
}

/// An attribute: a name of at most 200 bytes and a value. If a name occurs twice, the last value counts.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Attr {
    /// The name.
    pub name: String,
    /// The value.
    pub value: AttrValue,
}

/// A name and a text, such as an HTTP header.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct TextPair {
    /// The name.
    pub name: String,
    /// The text.
    pub value: String,
}

/// Memory for the borrowed form of one call's arguments. Nothing is allocated until it is used.
#[derive(Default)]
pub(crate) struct Arena(Bump);

impl Arena {
    pub(crate) fn value<'a>(&'a self, value: &'a AttrValue) -> Value<'a> {
        match value {
            AttrValue::Null => Value::Null,
            AttrValue::Bool { value } => Value::Bool(*value),
            AttrValue::Int { value } => Value::I64(*value),
            AttrValue::Float { value } => Value::F64(*value),
            AttrValue::Text { value } => Value::Str(value),
            AttrValue::List { values } => Value::List(self.values(values)),
            AttrValue::Map { entries } => Value::Map(self.attrs(entries)),
        }
    }

    pub(crate) fn values<'a>(&'a self, values: &'a [AttrValue]) -> &'a [Value<'a>] {
        self.slice(values, |value| self.value(value))
    }

    pub(crate) fn attrs<'a>(&'a self, attrs: &'a [Attr]) -> &'a [(&'a str, Value<'a>)] {
        self.slice(attrs, |attr| (attr.name.as_str(), self.value(&attr.value)))
    }

    pub(crate) fn pairs<'a>(&'a self, pairs: &'a [TextPair]) -> &'a [(&'a str, &'a str)] {
        self.slice(pairs, |pair| (pair.name.as_str(), pair.value.as_str()))
    }

    pub(crate) fn texts<'a>(&'a self, texts: &'a [String]) -> &'a [&'a str] {
        self.slice(texts, |text| text.as_str())
    }

    /// Converts each element. `T` must need no drop, as everything that the core borrows.
    pub(crate) fn slice<'a, F, T: Copy>(&'a self, from: &'a [F], convert: impl FnMut(&'a F) -> T) -> &'a [T] {
        if from.is_empty() {
            return &[];
        }
        self.0.alloc_slice_fill_iter(from.iter().map(convert))
    }
}
