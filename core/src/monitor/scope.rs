//! Scope changes: user, tags, contexts, foreground. They are records in the ring, ordered with events, so that each event
//! carries the scope of the time it was recorded.

use super::Inner;
use crate::attributes::{Attrs, Value};
use crate::event::User;
use crate::event::field::Field;

/// A change of the scope with which later events are stamped.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ScopeChange<'a> {
    /// The user of the app; `None` after a logout.
    User(Option<User<'a>>),
    /// A tag; `None` removes it.
    Tag(&'a str, Option<&'a str>),
    /// A named context; `None` removes it.
    Context(&'a str, Option<Attrs<'a>>),
    /// The app evaluated a feature flag. The last value of each of the last 100 flags is on every error, crash, hang, exit
    /// and screen from then on. A repeated evaluation with the same value costs a record in the ring and no write.
    Flag(&'a str, Value<'a>),
    /// The app entered the foreground (`true`) or the background. After [`crate::ConfigBuilder::session_background`] in the
    /// background a new session starts.
    Foreground(bool),
    /// Starts a new session now.
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
        ScopeChange::Flag(name, value) => inner.append_scope(|encoder| {
            encoder.field(Field::Change, "flag".into());
            encoder.field(Field::Name, name.into());
            encoder.field(Field::Value, value);
        }),
        ScopeChange::Foreground(foreground) => {
            if inner.shared.config.sessions {
                inner.session_foreground(foreground);
            }
            inner.each_engine(|shared| shared.with_delivery(move |delivery| delivery.foreground(foreground)));
        }
        ScopeChange::NewSession => inner.start_session(),
    }
}
