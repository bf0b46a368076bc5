//! Who and where: changes of the scope, in the ring's order, so that every event carries the state of its own moment.

use super::Inner;
use crate::attributes::{Attrs, Value};
use crate::event::User;
use crate::event::field::Field;

/// A change of what later events are stamped with.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ScopeChange<'a> {
    /// Who uses the app; `None` = nobody is known any more.
    User(Option<User<'a>>),
    /// A tag; `None` removes it.
    Tag(&'a str, Option<&'a str>),
    /// A named context; `None` removes it.
    Context(&'a str, Option<Attrs<'a>>),
    /// The app came to the foreground (`true`) or left it. After 30 s in the background a new session begins.
    Foreground(bool),
    /// A new session begins now, whatever the rule says.
    NewSession,
}

pub(super) fn apply(inner: &Inner, change: ScopeChange<'_>) {
    match change {
        ScopeChange::User(user) => inner.append_scope(|encoder| {
            encoder.field(Field::Change, "user".into());
            let Some(user) = user else { return };
            for (field, text) in [(Field::Name, user.id), (Field::Email, user.email), (Field::Username, user.username)]
            {
                if let Some(text) = text {
                    encoder.field(field, text.into());
                }
            }
            if !user.extra.is_empty() {
                encoder.field(Field::Extra, Value::Map(user.extra));
            }
        }),
        ScopeChange::Tag(key, value) => inner.append_scope(|encoder| {
            encoder.field(Field::Change, "tag".into());
            encoder.field(Field::Name, key.into());
            if let Some(value) = value {
                encoder.field(Field::Value, value.into());
            }
        }),
        ScopeChange::Context(key, value) => inner.append_scope(|encoder| {
            encoder.field(Field::Change, "context".into());
            encoder.field(Field::Name, key.into());
            if let Some(value) = value {
                encoder.field(Field::Context, Value::Map(value));
            }
        }),
        ScopeChange::Foreground(foreground) => {
            if inner.shared.config.sessions {
                inner.session_foreground(foreground);
            }
            inner.each_engine(|shared| shared.tell_delivery(move |delivery| delivery.foreground(foreground)));
        }
        ScopeChange::NewSession => inner.start_session(),
    }
}
