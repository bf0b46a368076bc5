//! Breadcrumbs: the last ones are kept, and errors carry them as their trail.

use super::batch::{Batch, Op};
use super::row_json::RowJson;
use super::stamp::Stamper;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::limits;

/// Bytes of each text of a breadcrumb that is too large: four of them fit into [`limits::CRUMB_BYTES`].
const SHORT_BYTES: usize = 300;

impl Stamper {
    /// Adds a breadcrumb.
    pub(crate) fn crumb(&mut self, body: &Body<'_>, batch: &mut Batch) {
        let mut object = RowJson::new(self.rules);
        let (ts, _) = body.time();
        object.number("ts", ts);
        for (field, value) in &body.fields {
            if object.len() < limits::CRUMB_BYTES || *field != Field::Data {
                object.field(*field, *value, "");
            }
        }
        let mut json = object.finish();
        if json.len() > limits::CRUMB_BYTES {
            let mut object = RowJson::new(self.rules);
            object.number("ts", ts);
            for field in [Field::Type, Field::Category, Field::Message, Field::Level] {
                if let Some(text) = body.str(field) {
                    // Cut after the rules: they cannot recognise half a secret.
                    let clean = self.rules.text(text);
                    object
                        .text(field.as_str(), clean.get(..clean.floor_char_boundary(SHORT_BYTES)).unwrap_or_default());
                }
            }
            object.number("cut", 1);
            json = object.finish();
        }
        self.crumb_number += 1;
        batch.ops.push(Op::Crumb(self.crumb_number, json.clone()));
        self.crumbs.push_back(json);
        if self.crumbs.len() > limits::CRUMBS {
            self.crumbs.pop_front();
        }
    }

    /// The newest breadcrumbs that fit into `room` bytes, oldest first.
    pub(super) fn trail(&self, room: usize) -> String {
        let mut left = room;
        let fitting = self.crumbs.iter().rev().take_while(|crumb| {
            let fits = crumb.len() < left;
            left = left.saturating_sub(crumb.len() + 1);
            fits
        });
        let mut kept: Vec<&str> = fitting.map(String::as_str).collect();
        kept.reverse();
        format!("[{}]", kept.join(","))
    }
}
