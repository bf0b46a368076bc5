//! Attributes of an event: names and values, borrowed from the caller.
//!
//! Attributes do not own memory, so building them allocates nothing. A list or map is a slice that the caller keeps for the
//! duration of the call:
//!
//! ```
//! use rez_monitor::{Attrs, Value};
//!
//! let attrs: Attrs<'_> = &[("order_id", "RZ-1042".into()), ("items", 3.into()), ("tags", Value::List(&[Value::Str("gift")]))];
//! assert_eq!(attrs[1].1, Value::I64(3));
//! ```
//!
//! Limits (number, depth, bytes of text) are applied when the event is encoded.

/// One value of an attribute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Value<'a> {
    /// No value.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A signed integer.
    I64(i64),
    /// An unsigned integer; only used above `i64::MAX`.
    U64(u64),
    /// A floating-point number. One that is not finite becomes text (`NaN`, `Infinity`, `-Infinity`) and counts as cut.
    F64(f64),
    /// Text.
    Str(&'a str),
    /// Values in order.
    List(&'a [Value<'a>]),
    /// Named values, in the caller's order. If a name occurs twice, the last value counts.
    Map(&'a [(&'a str, Value<'a>)]),
}

/// Attributes of one event: names and values in the caller's order.
pub type Attrs<'a> = &'a [(&'a str, Value<'a>)];

macro_rules! from_number {
    ($($from:ty => $variant:ident as $to:ty),+ $(,)?) => {
        $(impl From<$from> for Value<'_> {
            fn from(value: $from) -> Self {
                Value::$variant(<$to>::from(value))
            }
        })+
    };
}

from_number! {
    bool => Bool as bool,
    i8 => I64 as i64,
    i16 => I64 as i64,
    i32 => I64 as i64,
    i64 => I64 as i64,
    u8 => I64 as i64,
    u16 => I64 as i64,
    u32 => I64 as i64,
    f32 => F64 as f64,
    f64 => F64 as f64,
}

/// `I64` if the number fits, so that equal numbers of different types give equal values.
impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Value::U64(value), Value::I64)
    }
}

impl From<usize> for Value<'_> {
    fn from(value: usize) -> Self {
        // Lossless: `usize` has at most 64 bits.
        Value::from(value as u64)
    }
}

impl From<isize> for Value<'_> {
    fn from(value: isize) -> Self {
        Value::I64(value as i64)
    }
}

impl From<()> for Value<'_> {
    fn from((): ()) -> Self {
        Value::Null
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Str(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Value::Str(value)
    }
}

impl<'a> From<&'a std::borrow::Cow<'a, str>> for Value<'a> {
    fn from(value: &'a std::borrow::Cow<'a, str>) -> Self {
        Value::Str(value)
    }
}

impl<'a> From<&'a [Value<'a>]> for Value<'a> {
    fn from(values: &'a [Value<'a>]) -> Self {
        Value::List(values)
    }
}

impl<'a, const N: usize> From<&'a [Value<'a>; N]> for Value<'a> {
    fn from(values: &'a [Value<'a>; N]) -> Self {
        Value::List(values)
    }
}

impl<'a> From<Attrs<'a>> for Value<'a> {
    fn from(attrs: Attrs<'a>) -> Self {
        Value::Map(attrs)
    }
}

impl<'a, const N: usize> From<&'a [(&'a str, Value<'a>); N]> for Value<'a> {
    fn from(attrs: &'a [(&'a str, Value<'a>); N]) -> Self {
        Value::Map(attrs)
    }
}

/// `None` is `Null`.
impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_of_different_types_give_equal_values() {
        assert_eq!(Value::from(7_u8), Value::I64(7));
        assert_eq!(Value::from(7_u64), Value::I64(7));
        assert_eq!(Value::from(7_usize), Value::I64(7));
        assert_eq!(Value::from(-7_isize), Value::I64(-7));
        assert_eq!(Value::from(i64::MAX as u64), Value::I64(i64::MAX));
        assert_eq!(Value::from(u64::MAX), Value::U64(u64::MAX));
        assert_eq!(Value::from(0.5_f32), Value::F64(0.5));
    }

    #[test]
    fn mixed_and_nested_values_convert() {
        let name = String::from("Priya");
        let sizes = [Value::from("S"), Value::from(2)];
        let address = [("city", Value::from("Pune"))];
        let attrs: Attrs<'_> = &[
            ("name", (&name).into()),
            ("vip", true.into()),
            ("coupon", None::<&str>.into()),
            ("rating", Some(4.5).into()),
            ("sizes", (&sizes).into()),
            ("address", (&address).into()),
        ];
        assert_eq!(attrs[0].1, Value::Str("Priya"));
        assert_eq!(attrs[2].1, Value::Null);
        assert_eq!(attrs[3].1, Value::F64(4.5));
        assert_eq!(attrs[4].1, Value::List(&[Value::Str("S"), Value::I64(2)]));
        assert_eq!(attrs[5].1, Value::Map(&[("city", Value::Str("Pune"))]));
    }

    #[test]
    fn a_value_takes_at_most_three_words() {
        assert!(size_of::<Value<'_>>() <= 3 * size_of::<u64>());
    }
}
