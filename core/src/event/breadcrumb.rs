//! Breadcrumbs. They are records of the ring, not events.

use super::field::Field;
use crate::attributes::{Attrs, Value};
use crate::level::Level;

/// A breadcrumb: a note of what happened before an error. The last 100 are attached to each error.
#[derive(Clone, Copy, Debug)]
pub struct Breadcrumb<'a> {
    /// `default`, `http`, `navigation`, `user` ...
    pub kind: &'a str,
    /// The part of the app: `performance`, `api`, `user.action` ...
    pub category: &'a str,
    /// What happened.
    pub message: &'a str,
    /// The level. `Trace` is recorded as `Debug`.
    pub level: Level,
    /// Additional data.
    pub data: Attrs<'a>,
    /// When it happened, in milliseconds since 1970; `None` = at the call. Breadcrumbs keep the order of the calls. See
    /// [`crate::Event::at`] for times that are ignored.
    pub at_ms: Option<i64>,
}

impl<'a> Breadcrumb<'a> {
    /// A crumb of type `default` and level `info`.
    #[must_use]
    #[inline]
    pub fn new(category: &'a str, message: &'a str) -> Breadcrumb<'a> {
        Breadcrumb { kind: "default", category, message, level: Level::Info, data: &[], at_ms: None }
    }

    /// Sets the type.
    #[must_use]
    #[inline]
    pub fn kind(mut self, kind: &'a str) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the level.
    #[must_use]
    #[inline]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets additional data.
    #[must_use]
    #[inline]
    pub fn data(mut self, data: Attrs<'a>) -> Self {
        self.data = data;
        self
    }

    /// Sets when it happened, in milliseconds since 1970.
    #[must_use]
    #[inline]
    pub fn at(mut self, wall_ms: i64) -> Self {
        self.at_ms = Some(wall_ms);
        self
    }

    #[inline]
    pub(crate) fn encode_into(&self, encoder: &mut super::encode::Encoder<'_>) {
        if let Some(at_ms) = self.at_ms {
            encoder.time(at_ms);
        }
        encoder.text_field(Field::Type, self.kind);
        encoder.text_field(Field::Category, self.category);
        encoder.text_field(Field::Message, self.message);
        // Vendors have no breadcrumbs of level `trace`.
        encoder.text_field(Field::Level, self.level.max(Level::Debug).as_str());
        if !self.data.is_empty() {
            encoder.field(Field::Data, Value::Map(self.data));
        }
    }
}
