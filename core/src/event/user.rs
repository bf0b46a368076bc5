//! The user of the app and changes of the properties of the user.

use super::Event;
use super::field::Field;
use crate::attributes::{Attrs, Value};
use crate::kind::Kind;

/// A change of the profile of the user.
///
/// The engine remembers the last values of 200 properties of the present installation, so that it can tell a destination
/// the new value of an increment and the value that `SetOnce` left in place.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum People<'a> {
    /// Sets a value.
    Set(&'a str, Value<'a>),
    /// Sets a value unless the property has one.
    SetOnce(&'a str, Value<'a>),
    /// Removes a property.
    Unset(&'a str),
    /// Adds to a number. The row also carries the new absolute value.
    Increment(&'a str, f64),
    /// Appends a value to a list, also if the list has it already.
    Append(&'a str, Value<'a>),
    /// Adds those values to a list that it does not have yet. At most 64.
    Union(&'a str, &'a [Value<'a>]),
    /// Removes a value from a list.
    Remove(&'a str, Value<'a>),
    /// Deletes the whole profile at the destination. What is recorded afterwards creates a new one. To erase what is on the
    /// device, call [`crate::Monitor::forget_user`].
    Delete,
}

impl<'a> People<'a> {
    pub(crate) fn into_event(self) -> Event<'a> {
        let named = |op: &'static str, name| Event::new(Kind::UserProp).with(Field::Op, op).with(Field::Name, name);
        match self {
            People::Set(name, value) => named("set", name).with(Field::Value, value),
            People::SetOnce(name, value) => named("set_once", name).with(Field::Value, value),
            People::Unset(name) => named("unset", name),
            People::Increment(name, by) => named("increment", name).with(Field::By, by),
            People::Append(name, value) => named("append", name).with(Field::Value, value),
            People::Union(name, values) => {
                named("union", name).maybe(Field::Value, (!values.is_empty()).then_some(Value::List(values)))
            }
            People::Remove(name, value) => named("remove", name).with(Field::Value, value),
            People::Delete => Event::new(Kind::UserProp).with(Field::Op, "delete"),
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
