//! Writes JSON objects into the body, member by member.

use super::super::json::Json;
use crate::json::{push_number, push_text};
use std::borrow::Cow;
use std::fmt::Write as _;

pub(super) struct Doc<'a> {
    out: &'a mut String,
    comma: bool,
}

impl Doc<'_> {
    /// Appends an object with the members that `body` writes.
    pub(super) fn write(out: &mut String, body: impl FnOnce(&mut Doc<'_>)) {
        out.push('{');
        body(&mut Doc { out, comma: false });
        out.push('}');
    }

    fn key(&mut self, key: &str) {
        if self.comma {
            self.out.push(',');
        }
        self.comma = true;
        push_text(self.out, key);
        self.out.push(':');
    }

    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        push_text(self.out, text);
    }

    /// A string, unless it is missing.
    pub(super) fn maybe(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    pub(super) fn int(&mut self, key: &str, number: i64) {
        self.key(key);
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{number}");
    }

    pub(super) fn float(&mut self, key: &str, number: f64) {
        self.key(key);
        push_number(self.out, number);
    }

    pub(super) fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out.push_str(if value { "true" } else { "false" });
    }

    pub(super) fn object(&mut self, key: &str, body: impl FnOnce(&mut Doc<'_>)) {
        self.key(key);
        Doc::write(self.out, body);
    }

    /// `{"count": n}`.
    pub(super) fn count(&mut self, key: &str, number: i64) {
        self.object(key, |o| o.int("count", number.max(0)));
    }

    pub(super) fn any(&mut self, key: &str, value: &Json<'_>) {
        self.key(key);
        any(self.out, value);
    }

    /// A value of the row, unless it is missing, `null` or an empty map.
    pub(super) fn member(&mut self, key: &str, value: Option<&Json<'_>>) {
        match value {
            None | Some(Json::Null) => {}
            Some(Json::Map(entries)) if entries.is_empty() => {}
            Some(value) => self.any(key, value),
        }
    }

    /// The members of a map, except those whose names are `taken`.
    pub(super) fn members(&mut self, entries: &[(Cow<'_, str>, Json<'_>)], taken: &[&str]) {
        for (key, value) in entries {
            if !key.is_empty() && *value != Json::Null && !taken.contains(&key.as_ref()) {
                self.any(key, value);
            }
        }
    }
}

fn any(out: &mut String, value: &Json<'_>) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Int(number) => drop(write!(out, "{number}")),
        Json::Uint(number) => drop(write!(out, "{number}")),
        Json::Float(number) => push_number(out, *number),
        Json::Text(text) => push_text(out, text),
        Json::List(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                any(out, value);
            }
            out.push(']');
        }
        Json::Map(entries) => Doc::write(out, |o| entries.iter().for_each(|(key, value)| o.any(key, value))),
    }
}
