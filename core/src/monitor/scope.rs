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
    /// Sets super properties: see [`SuperProperties`].
    Super(SuperProperties<'a>),
    /// Removes a super property.
    SuperUnset(&'a str),
    /// Removes all super properties.
    SuperClear,
}

/// Attributes that every later event of the kinds `analytics`, `revenue`, `screen_view` and `interaction` carries until they
/// are removed, also after a restart. An attribute of the event itself takes precedence.
///
/// They are erased by [`crate::Monitor::forget_user`] and when analytics is denied; what is set while analytics is denied stays
/// in memory until it is granted. At most 64 properties and 8 KiB of JSON; further ones are ignored. They obey the privacy
/// rules. Google's default event parameters are super properties with [`SuperProperties::targets`].
///
/// ```
/// use rez_monitor::SuperProperties;
///
/// let attrs = [("plan", "gold".into()), ("cohort", "2026-11".into())];
/// let properties = SuperProperties::new(&attrs).once().targets(&["ga4"]);
/// # let _ = properties;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SuperProperties<'a> {
    attrs: Attrs<'a>,
    once: bool,
    targets: &'a [&'a str],
}

impl<'a> SuperProperties<'a> {
    /// Sets these properties; a property that exists gets the new value.
    #[must_use]
    pub fn new(attrs: Attrs<'a>) -> SuperProperties<'a> {
        SuperProperties { attrs, once: false, targets: &[] }
    }

    /// Keeps the value of a property that exists.
    #[must_use]
    pub fn once(mut self) -> SuperProperties<'a> {
        self.once = true;
        self
    }

    /// Restricts the properties to these destinations: an event carries them only if its own targets are among them. An event
    /// without targets goes to every destination and therefore does not carry them.
    #[must_use]
    pub fn targets(mut self, targets: &'a [&'a str]) -> SuperProperties<'a> {
        self.targets = targets;
        self
    }
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
            inner.append_scope(|encoder| {
                encoder.field(Field::Change, "foreground".into());
                encoder.field(Field::Value, foreground.into());
            });
            if inner.shared.config.sessions {
                inner.session_foreground(foreground);
            }
            inner.each_engine(|shared| {
                shared.with_delivery("foreground", move |delivery| delivery.foreground(foreground));
            });
        }
        ScopeChange::NewSession => inner.start_session(),
        ScopeChange::Super(properties) => inner.append_scope(|encoder| {
            let change = if properties.once { "super_once" } else { "super" };
            encoder.targets(properties.targets);
            encoder.field(Field::Change, change.into());
            encoder.maps(&[], properties.attrs);
        }),
        ScopeChange::SuperUnset(name) => inner.append_scope(|encoder| {
            encoder.field(Field::Change, "super_unset".into());
            encoder.field(Field::Name, name.into());
        }),
        ScopeChange::SuperClear => inner.append_scope(|encoder| encoder.field(Field::Change, "super_clear".into())),
    }
}
