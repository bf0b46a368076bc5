//! Values that the encoder can write, whatever holds them: the arguments of a typed call, or a decoded JSON document.

use crate::attributes::Value;

/// One value, seen from outside.
pub(crate) enum Shape<'v, N: Node> {
    Null,
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Str(&'v str),
    List(&'v [N]),
    Map(&'v [(N::Key, N)]),
}

/// A value that the encoder can write. Limits and cuts are the encoder's, the same for every implementation.
pub(crate) trait Node: Sized {
    /// The name of an entry of a map.
    type Key: AsRef<str>;

    /// What it is.
    fn shape(&self) -> Shape<'_, Self>;
}

impl<'a> Node for Value<'a> {
    type Key = &'a str;

    #[inline(always)]
    fn shape(&self) -> Shape<'_, Self> {
        match *self {
            Value::Null => Shape::Null,
            Value::Bool(value) => Shape::Bool(value),
            Value::I64(number) => Shape::I64(number),
            Value::U64(number) => Shape::U64(number),
            Value::F64(number) => Shape::F64(number),
            Value::Str(text) => Shape::Str(text),
            Value::List(values) => Shape::List(values),
            Value::Map(entries) => Shape::Map(entries),
        }
    }
}
