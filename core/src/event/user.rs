//! The user of the app and changes of the properties of the user.

use super::Event;
use super::field::Field;
use crate::attributes::{Attrs, Value};
use crate::kind::Kind;

/// A change of a property of the user.
#[derive(Clone, Copy, Debug)]
pub enum People<'a> {
    /// Sets a value.
    Set(&'a str, Value<'a>),
    /// Adds to a number. The row also carries the new absolute value.
    Increment(&'a str, f64),
    /// Appends a value to a list.
    Append(&'a str, Value<'a>),
}

impl<'a> People<'a> {
    pub(crate) fn into_event(self) -> Event<'a> {
        let event = Event::new(Kind::UserProp);
        match self {
            People::Set(name, value) => event.with(Field::Op, "set").with(Field::Name, name).with(Field::Value, value),
            People::Increment(name, by) => {
                event.with(Field::Op, "increment").with(Field::Name, name).with(Field::By, by)
            }
            People::Append(name, value) => {
                event.with(Field::Op, "append").with(Field::Name, name).with(Field::Value, value)
            }
        }
    }
}

/// The user of the app.
#[derive(Clone, Copy, Debug, Default)]
pub struct User<'a> {
    /// The app's id of the user.
    pub id: Option<&'a str>,
    /// Sent as given, unless the configuration masks it.
    pub email: Option<&'a str>,
    /// Sent as given, unless the configuration masks it.
    pub username: Option<&'a str>,
    /// Other properties.
    pub extra: Attrs<'a>,
}
