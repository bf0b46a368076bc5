//! The table behind a record of settings: one row gives the member, its rustdoc, its check, its JSON and its line in the
//! documentation.

use super::error::{Fault, hidden, unknown};
use crate::sorted::sort_by_key;
use serde_json::Value;
use std::collections::HashMap;

/// One member of [`crate::Settings`] or [`crate::DestinationSettings`], for documentation and for debug screens.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The name, in `snake_case`. Kotlin, Swift and TypeScript spell it in `camelCase`.
    pub name: &'static str,
    /// What values it takes.
    pub shape: Shape,
    /// The default, as text.
    pub default: &'static str,
    /// What it does, with its unit and the source of its default.
    pub what: &'static str,
    /// The kinds of destination that have it; empty = all, and always for a member of [`crate::Settings`].
    pub of: &'static [&'static str],
}

/// What values a setting takes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// A text on one line, of at most this many bytes and at least one.
    Text(usize),
    /// A text that is never printed: a key or token.
    Secret,
    /// An address with a scheme. It is printed without what could be a key.
    Address,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A whole number in this range.
    Integer(i64, i64),
    /// A number from 0 to 1.
    Rate,
    /// On or off.
    Switch,
    /// A list of at most this many texts.
    List(usize),
    /// A list of some of these texts.
    SomeOf(&'static [&'static str]),
    /// A rate per name, of these names.
    Rates(fn() -> Vec<&'static str>),
    /// Texts by name; the values are never printed.
    Headers(usize),
    /// A list of at most this many [`crate::DestinationSettings`].
    Destinations(usize),
}

impl Shape {
    /// The values in words, for documentation and error messages.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Shape::Text(most) => format!("1 to {most} bytes on one line"),
            Shape::Secret => "a key or token".to_owned(),
            Shape::Address => "an address: https, or http to this device".to_owned(),
            Shape::OneOf(all) => format!("one of {}", all.join(", ")),
            Shape::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Shape::Rate => "a number from 0 to 1".to_owned(),
            Shape::Switch => "true or false".to_owned(),
            Shape::List(most) => format!("a list of at most {most} texts"),
            Shape::SomeOf(all) => format!("a list of {}", all.join(", ")),
            Shape::Rates(_) => "a number from 0 to 1 per name of a kind".to_owned(),
            Shape::Headers(most) => format!("at most {most} texts by name"),
            Shape::Destinations(most) => format!("a list of at most {most} destinations"),
        }
    }
}

/// The type of a member.
pub(super) trait Member: Default {
    /// Reads it from JSON.
    fn read(value: Value, shape: Shape) -> Result<Self, Fault>;
    /// Checks it.
    fn check(&self, shape: Shape) -> Result<(), Fault>;
    /// Whether a value is given.
    fn is_given(&self) -> bool;
}

/// The text of a JSON value for an error message. A text may be a secret under the wrong name, so it is hidden.
fn shown(value: &Value) -> String {
    match value {
        Value::String(_) => "a text".to_owned(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(members) => format!("an object with {} members", members.len()),
        other => other.to_string(),
    }
}

/// The error for a value that is not of this shape.
pub(super) fn wrong(value: String, shape: Shape) -> Fault {
    Fault::value(value, format!("use {}", shape.text()))
}

impl Member for Option<String> {
    fn read(value: Value, shape: Shape) -> Result<Self, Fault> {
        match value {
            Value::String(text) => Ok(Some(text)),
            other => Err(wrong(shown(&other), shape)),
        }
    }

    fn check(&self, shape: Shape) -> Result<(), Fault> {
        let Some(text) = self else { return Ok(()) };
        let fails = match shape {
            Shape::Text(most) => text.trim().is_empty() || text.len() > most || text.contains(['\n', '\r', '\0']),
            Shape::OneOf(all) => {
                if !all.contains(&text.as_str()) {
                    return Err(Fault::value(hidden(text), super::error::suggest(text, all, &shape.text())));
                }
                false
            }
            _ => text.trim().is_empty(),
        };
        if !fails {
            return Ok(());
        }
        let value = if text.trim().is_empty() {
            "empty".to_owned()
        } else if matches!(shape, Shape::Secret) {
            "not shown".to_owned()
        } else {
            hidden(text)
        };
        Err(wrong(value, shape))
    }

    fn is_given(&self) -> bool {
        self.is_some()
    }
}

impl Member for Option<i64> {
    fn read(value: Value, shape: Shape) -> Result<Self, Fault> {
        // JavaScript has one type of number: `3000.0` is whole.
        let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
        match value.as_i64().or_else(|| value.as_f64().and_then(whole)) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(shown(&value), shape)),
        }
    }

    fn check(&self, shape: Shape) -> Result<(), Fault> {
        match (self, shape) {
            (Some(number), Shape::Integer(least, most)) if !(least..=most).contains(number) => {
                Err(wrong(number.to_string(), shape))
            }
            _ => Ok(()),
        }
    }

    fn is_given(&self) -> bool {
        self.is_some()
    }
}

impl Member for Option<f64> {
    fn read(value: Value, shape: Shape) -> Result<Self, Fault> {
        match value.as_f64() {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(shown(&value), shape)),
        }
    }

    fn check(&self, shape: Shape) -> Result<(), Fault> {
        match self {
            Some(number) if !(0.0..=1.0).contains(number) => Err(wrong(number.to_string(), shape)),
            _ => Ok(()),
        }
    }

    fn is_given(&self) -> bool {
        self.is_some()
    }
}

impl Member for Option<bool> {
    fn read(value: Value, shape: Shape) -> Result<Self, Fault> {
        match value {
            Value::Bool(on) => Ok(Some(on)),
            other => Err(wrong(shown(&other), shape)),
        }
    }

    fn check(&self, _: Shape) -> Result<(), Fault> {
        Ok(())
    }

    fn is_given(&self) -> bool {
        self.is_some()
    }
}

impl Member for Option<Vec<String>> {
    fn read(value: Value, shape: Shape) -> Result<Self, Fault> {
        let wrong = |value: &Value| wrong(shown(value), shape);
        let Value::Array(items) = value else { return Err(wrong(&value)) };
        let texts = items.into_iter().enumerate().map(|(at, item)| match item {
            Value::String(text) => Ok(text),
            other => Err(wrong(&other).inside(format!("[{at}]"))),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    fn check(&self, shape: Shape) -> Result<(), Fault> {
        let Some(texts) = self else { return Ok(()) };
        let most = match shape {
            Shape::List(most) => most,
            Shape::SomeOf(all) => all.len(),
            _ => usize::MAX,
        };
        if texts.len() > most {
            return Err(wrong(format!("a list of {}", texts.len()), shape));
        }
        for (at, text) in texts.iter().enumerate() {
            let fault = match shape {
                Shape::SomeOf(all) if !all.contains(&text.as_str()) => {
                    Fault::value(hidden(text), super::error::suggest(text, all, &shape.text()))
                }
                _ if text.trim().is_empty() => wrong("empty".to_owned(), shape),
                _ => continue,
            };
            return Err(fault.inside(format!("[{at}]")));
        }
        Ok(())
    }

    fn is_given(&self) -> bool {
        self.is_some()
    }
}

impl Member for HashMap<String, f64> {
    fn read(value: Value, shape: Shape) -> Result<Self, Fault> {
        let wrong = |value: &Value| wrong(shown(value), shape);
        let Value::Object(members) = value else { return Err(wrong(&value)) };
        let rate = |(name, value): (String, Value)| match value.as_f64() {
            Some(rate) => Ok((name, rate)),
            None => Err(wrong(&value).named(&name)),
        };
        members.into_iter().map(rate).collect()
    }

    fn check(&self, shape: Shape) -> Result<(), Fault> {
        let Shape::Rates(names) = shape else { return Ok(()) };
        let names = names();
        // In order, so that the same settings give the same error.
        let mut all: Vec<_> = self.iter().collect();
        sort_by_key(&mut all, |(name, _)| *name);
        for (name, rate) in all {
            let fault = if !names.contains(&name.as_str()) {
                let all = format!("use the names of kinds: {}", names.join(", "));
                Fault::value(rate.to_string(), super::error::suggest(name, &names, &all))
            } else if !(0.0..=1.0).contains(rate) {
                Fault::value(rate.to_string(), format!("use {}", Shape::Rate.text()))
            } else {
                continue;
            };
            return Err(fault.named(name));
        }
        Ok(())
    }

    fn is_given(&self) -> bool {
        !self.is_empty()
    }
}

impl Member for HashMap<String, String> {
    fn read(value: Value, shape: Shape) -> Result<Self, Fault> {
        let wrong = |value: &Value| wrong(shown(value), shape);
        let Value::Object(members) = value else { return Err(wrong(&value)) };
        let text = |(name, value): (String, Value)| match value {
            Value::String(text) => Ok((name, text)),
            other => Err(wrong(&other).named(&name)),
        };
        members.into_iter().map(text).collect()
    }

    fn check(&self, shape: Shape) -> Result<(), Fault> {
        match shape {
            Shape::Headers(most) if self.len() > most => Err(wrong(format!("{} headers", self.len()), shape)),
            _ => Ok(()),
        }
    }

    fn is_given(&self) -> bool {
        !self.is_empty()
    }
}

/// Calls `set` for each member that is not null.
pub(super) fn read_object(
    value: Value,
    known: &[Setting],
    mut set: impl FnMut(&Setting, Value) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let Value::Object(members) = value else {
        return Err(Fault::value("no object".to_owned(), "use an object with settings as members".to_owned()));
    };
    for (name, value) in members {
        let Some(setting) = known.iter().find(|setting| setting.name == name) else {
            return Err(unknown(&name, &known.iter().map(|setting| setting.name).collect::<Vec<_>>()));
        };
        if !value.is_null() {
            set(setting, value).map_err(|fault| fault.inside(name))?;
        }
    }
    Ok(())
}

/// The Rust type of a row.
macro_rules! member_type {
    (Text) => { Option<String> };
    (Secret) => { Option<String> };
    (Address) => { Option<String> };
    (OneOf) => { Option<String> };
    (Integer) => { Option<i64> };
    (Rate) => { Option<f64> };
    (Switch) => { Option<bool> };
    (List) => { Option<Vec<String>> };
    (SomeOf) => { Option<Vec<String>> };
    (Rates) => { std::collections::HashMap<String, f64> };
    (Headers) => { std::collections::HashMap<String, String> };
    (Destinations) => { Vec<crate::settings::DestinationSettings> };
}

/// Declares a record from its table.
macro_rules! record {
    ($(#[$meta:meta])* $record:ident { $($name:ident: $shape:ident $(($($limit:expr),*))? $([$($of:literal)*])? = $default:literal, $what:literal;)* }) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq)]
        pub struct $record {
            $(
                #[doc = $what]
                #[doc = ""]
                #[doc = concat!("Default: ", $default, ".")]
                pub $name: crate::settings::table::member_type!($shape),
            )*
        }

        impl $record {
            /// Every member, in order.
            pub const ALL: &[crate::settings::Setting] = &[$(crate::settings::Setting {
                name: stringify!($name),
                shape: crate::settings::Shape::$shape $(($($limit),*))?,
                default: $default,
                what: $what,
                of: &[$($($of),*)?],
            },)*];

            /// Sets one member from JSON.
            fn set(
                &mut self,
                setting: &crate::settings::Setting,
                value: serde_json::Value,
            ) -> Result<(), crate::settings::error::Fault> {
                match setting.name {
                    $(stringify!($name) => {
                        self.$name = crate::settings::table::Member::read(value, setting.shape)?;
                    })*
                    _ => {}
                }
                Ok(())
            }

            /// Checks every member by itself.
            fn check(&self) -> Result<(), crate::settings::error::Fault> {
                let mut all = Self::ALL.iter();
                $(if let Some(setting) = all.next() {
                    crate::settings::table::Member::check(&self.$name, setting.shape)
                        .map_err(|fault| fault.inside(stringify!($name).to_owned()))?;
                })*
                Ok(())
            }

            /// The members that are given, in the order of the table. Their values may be secret, so only names are returned.
            #[must_use]
            pub fn given(&self) -> Vec<&'static crate::settings::Setting> {
                let given = [$(crate::settings::table::Member::is_given(&self.$name)),*];
                Self::ALL.iter().zip(given).filter(|(_, given)| *given).map(|(setting, _)| setting).collect()
            }
        }
    };
}

pub(super) use member_type;
pub(super) use record;
