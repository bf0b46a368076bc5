//! Adds the scope to a row: user, tags, contexts and feature flags. What the event states itself takes precedence.

use super::row_json::{self, RowJson};
use super::scope_keys::FLAGS;
use super::stamp::Stamper;
use super::{device, flags};
use crate::event::decode::{Body, Raw, Reader};
use crate::event::field::Field;
use crate::kind::Kind;
use serde_json::{Map, Value};
use std::borrow::Cow;

impl Stamper {
    /// The user as JSON; `None` if nothing is known.
    pub(super) fn user_json(&self, names: [(&str, Option<&str>); 3], extra: Option<Raw<'_>>) -> Option<String> {
        let mut user = Map::new();
        for (name, text) in names {
            if let Some(text) = text {
                user.insert(name.into(), text.into());
            }
        }
        if let Some(extra) = extra
            && let Ok(Value::Object(extra)) = serde_json::from_str(&row_json::keyed(self.rules, "extra", extra))
        {
            // The engine's own member: a second one would take its place at a server.
            for (name, value) in extra.into_iter().filter(|(name, _)| name != device::ANONYMOUS) {
                user.entry(name).or_insert(value);
            }
        }
        let mut user = Value::Object(user);
        if self.mask_user {
            crate::privacy::mask_user(&mut user);
        }
        user.as_object().is_some_and(|user| !user.is_empty()).then(|| user.to_string())
    }

    pub(super) fn stamp_scope(&self, kind: Kind, body: &Body<'_>, object: &mut RowJson) {
        match body.get(Field::User) {
            Some(Raw::Map(count, reader)) => {
                if let Some(user) = self.own_user(count, reader) {
                    object.json("user", &user);
                }
            }
            _ => self.stamp_user(object),
        }
        if let Some(tags) = self.tags(body) {
            object.json("tags", &tags);
        }
        if let Some(contexts) = self.scope.get("contexts") {
            object.json("contexts", contexts);
        }
        if carries_flags(kind)
            && let Some(flags) = self.scope.get(FLAGS)
        {
            object.json(FLAGS, flags);
        }
    }

    /// The user of an event that states its own.
    fn own_user(&self, count: u16, mut reader: Reader<'_>) -> Option<String> {
        let entries: Vec<_> = (0..count).map_while(|_| reader.entry()).collect();
        let get = |name: &str| entries.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let names = ["id", "email", "username"].map(|name| (name, get(name).and_then(Raw::str)));
        self.user_json(names, get("extra"))
    }

    fn stamp_user(&self, object: &mut RowJson) {
        let user = self.scope.get("user");
        match self.scope.get(device::ANONYMOUS) {
            None => user.into_iter().for_each(|user| object.json("user", user)),
            Some(id) => {
                let user = user.and_then(|user| user.strip_suffix('}')).filter(|user| user.len() > 1);
                let user = user.map_or_else(|| "{".to_owned(), |user| format!("{user},"));
                object.json("user", &format!("{user}\"anonymous\":{id}}}"));
            }
        }
    }

    /// The tags of the scope with those of the event over them.
    fn tags(&self, body: &Body<'_>) -> Option<Cow<'_, str>> {
        let scope = self.scope.get("tags");
        let Some(own @ Raw::Map(..)) = body.get(Field::Tags) else { return scope.map(|tags| Cow::Borrowed(&**tags)) };
        let parse = |json: &str| serde_json::from_str::<Map<String, Value>>(json).unwrap_or_default();
        let mut tags = scope.map(|tags| parse(tags)).unwrap_or_default();
        tags.extend(parse(&row_json::keyed(self.rules, "tags", own)));
        Some(Cow::Owned(Value::Object(tags).to_string()))
    }

    /// Remembers that the app evaluated a feature flag.
    pub(super) fn flag(&mut self, name: &str, result: Option<Raw<'_>>, batch: &mut super::batch::Batch) {
        let before = self.scope.get(FLAGS).map(String::as_str);
        if let Some(flags) = flags::evaluated(before, self.rules, name, result.unwrap_or(Raw::Null)) {
            self.keep(FLAGS, Some(flags), batch);
        }
    }
}

/// Whether rows of this kind carry the feature flags: what failed, and what the user saw.
fn carries_flags(kind: Kind) -> bool {
    use Kind::{AppExit, Crash, Error, Hang, ScreenLoad, ScreenView};
    matches!(kind, Crash | Error | Hang | AppExit | ScreenLoad | ScreenView)
}
