//! Attributes: names with values of any type, each name once.

use super::names;
use super::wire::{Tag, Wire};
use crate::json::Json;
use crate::row::Row;

const KEY: Tag = Tag(1, "key");
const VALUE: Tag = Tag(2, "value");

/// Microseconds as seconds, the unit of durations in OpenTelemetry.
pub(super) fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

/// Writes the attributes of one message, each name once: with a duplicate, receivers keep either value or refuse the
/// message.
pub(super) struct Attributes<'w, W> {
    w: &'w mut W,
    tag: Tag,
    written: Vec<String>,
    own: Vec<&'static str>,
}

impl<W: Wire> Attributes<'_, W> {
    /// Writes a repeated field of key-value pairs.
    pub(super) fn list(w: &mut W, tag: Tag, write: impl FnOnce(&mut Attributes<'_, W>)) {
        w.list(tag, |w| {
            write(&mut Attributes { w, tag, written: Vec::new(), own: Vec::with_capacity(24) });
        });
    }

    fn pair(&mut self, key: &str, value: impl FnOnce(&mut W)) {
        self.w.item(self.tag, |w| {
            w.text(KEY, key);
            w.message(VALUE, value);
        });
    }

    fn own(&mut self, key: &'static str, value: impl FnOnce(&mut W)) {
        if !self.own.contains(&key) {
            self.own.push(key);
            self.pair(key, value);
        }
    }

    pub(super) fn text(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.own(key, |w| w.text(Tag(1, "stringValue"), text));
        }
    }

    pub(super) fn flag(&mut self, key: &'static str, value: bool) {
        self.own(key, |w| w.boolean(Tag(2, "boolValue"), value));
    }

    pub(super) fn maybe_flag(&mut self, key: &'static str, value: Option<bool>) {
        value.into_iter().for_each(|value| self.flag(key, value));
    }

    pub(super) fn int(&mut self, key: &'static str, number: Option<i64>) {
        if let Some(number) = number {
            self.own(key, |w| w.int64(Tag(3, "intValue"), number));
        }
    }

    pub(super) fn float(&mut self, key: &'static str, number: Option<f64>) {
        if let Some(number) = number {
            self.own(key, |w| w.double(Tag(4, "doubleValue"), number));
        }
    }

    /// A value of any type, unless it is missing, `null` or an empty map.
    pub(super) fn any(&mut self, key: &'static str, value: Option<&Json<'_>>) {
        match value {
            None | Some(Json::Null) => {}
            Some(Json::Map(entries)) if entries.is_empty() => {}
            Some(value) => self.own(key, |w| any(w, value)),
        }
    }

    /// Headers of a request or response: one attribute each, a list, since a header can have several values.
    pub(super) fn headers(&mut self, prefix: &str, entries: &[(std::borrow::Cow<'_, str>, Json<'_>)]) {
        for (name, value) in entries {
            let key = format!("{prefix}{name}");
            if !self.written.contains(&key) {
                self.pair(&key, |w| any(w, &Json::List(vec![value.clone()])));
                self.written.push(key);
            }
        }
    }

    /// The attributes of the app. One with a name that the engine uses gets a prefix.
    pub(super) fn app(&mut self, entries: &[(std::borrow::Cow<'_, str>, Json<'_>)]) {
        for (key, value) in entries {
            if key.is_empty() || *value == Json::Null {
                continue;
            }
            let is_reserved = self.own.iter().chain(&names::STAMPED).any(|own| own == key);
            let key = if is_reserved { format!("{}{key}", names::APP_ATTRIBUTE) } else { key.to_string() };
            if !self.written.contains(&key) {
                self.pair(&key, |w| any(w, value));
                self.written.push(key);
            }
        }
    }

    /// The attributes that rows of every kind have.
    pub(super) fn common(&mut self, row: &Row, fields: &Json<'_>) {
        let mut id = [0u8; uuid::fmt::Hyphenated::LENGTH];
        let id = uuid::Uuid::from_bytes(*row.id.as_bytes()).hyphenated().encode_lower(&mut id);
        self.text(names::RECORD_ID, Some(id));
        self.text(names::SESSION_ID, fields.text("session"));
        if let Some(view) = fields.get("view") {
            self.text(names::SCREEN_NAME, view.text("name"));
            self.text(names::SCREEN_ID, view.text("id"));
        }
        self.text(names::USER_ANONYMOUS, fields.get("user").and_then(|user| user.text("anonymous")));
        if let Some(user) = fields.get("user") {
            self.text(names::USER_ID, user.text("id"));
            self.text(names::USER_EMAIL, user.text("email"));
            self.text(names::USER_NAME, user.text("username"));
            let known = ["id", "email", "username", "anonymous"];
            let more = user.entries().iter().filter(|(key, _)| !known.contains(&key.as_ref()));
            let more = Json::Map(more.cloned().collect());
            self.any(names::USER, Some(&more));
        }
        self.any(names::TAGS, fields.get("tags"));
        self.any(names::CONTEXTS, fields.get("contexts"));
        self.any(names::CONTEXT, fields.get("context"));
        self.int(names::CUT, fields.int("cut"));
        self.app(fields.map("attrs"));
    }
}

/// OTLP's `AnyValue`.
pub(super) fn any<W: Wire>(w: &mut W, value: &Json<'_>) {
    match value {
        Json::Null => {}
        Json::Bool(value) => w.boolean(Tag(2, "boolValue"), *value),
        Json::Int(number) => w.int64(Tag(3, "intValue"), *number),
        Json::Uint(number) => w.double(Tag(4, "doubleValue"), *number as f64),
        Json::Float(number) => w.double(Tag(4, "doubleValue"), *number),
        Json::Text(text) => w.text(Tag(1, "stringValue"), text),
        Json::List(values) => w.message(Tag(5, "arrayValue"), |w| {
            const VALUES: Tag = Tag(1, "values");
            w.list(VALUES, |w| values.iter().for_each(|value| w.item(VALUES, |w| any(w, value))));
        }),
        Json::Map(entries) => w.message(Tag(6, "kvlistValue"), |w| {
            const VALUES: Tag = Tag(1, "values");
            w.list(VALUES, |w| {
                for (key, value) in entries {
                    w.item(VALUES, |w| {
                        if !key.is_empty() {
                            w.text(KEY, key);
                        }
                        w.message(VALUE, |w| any(w, value));
                    });
                }
            });
        }),
    }
}
