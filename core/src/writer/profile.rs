//! The last known values of the user's properties, and what a change does to them.

use super::batch::{Batch, Op};
use super::row_json::{self, RowJson};
use super::stamp::Stamper;
use crate::event::decode::{Body, Raw};
use crate::event::field::Field;
use crate::limits;
use serde_json::Value;

impl Stamper {
    /// Applies a change of the user's profile. Adds the value that is in place afterwards where the row needs it.
    pub(super) fn profile_change(&mut self, name: &str, body: &Body<'_>, object: &mut RowJson, batch: &mut Batch) {
        let rules = self.rules;
        let name = rules.text(name);
        let name: &str = &name;
        let given = || body.get(Field::Value).map(|value| row_json::keyed(rules, name, value)).unwrap_or_default();
        let known = self.properties.get(name);
        match body.str(Field::Op).unwrap_or_default() {
            "set" => self.remember(name, given(), batch),
            "set_once" => match known {
                Some(value) => object.json("value", &value.to_string()),
                None => {
                    let value = given();
                    object.json("value", if value.is_empty() { "null" } else { &value });
                    self.remember(name, value, batch);
                }
            },
            "increment" => {
                let by = body.get(Field::By).and_then(Raw::f64).unwrap_or(0.0);
                let mut sum = String::new();
                crate::json::push_float(&mut sum, known.and_then(Value::as_f64).unwrap_or(0.0) + by);
                object.json("value", &sum);
                self.remember(name, sum, batch);
            }
            "unset" if self.properties.remove(name).is_some() => {
                batch.ops.push(Op::Property(name.to_owned(), None));
            }
            "delete" => {
                let names = std::mem::take(&mut self.properties).into_iter().map(|(name, _)| name);
                batch.ops.extend(names.map(|name| Op::Property(name, None)));
            }
            // The engine keeps no lists: a destination that has them changes its own.
            _ => {}
        }
    }

    /// Remembers a value as JSON. Properties beyond the limit are sent and not remembered.
    fn remember(&mut self, name: &str, json: String, batch: &mut Batch) {
        if let Ok(value) = serde_json::from_str(&json)
            && (self.properties.contains_key(name) || self.properties.len() < limits::PROPERTIES)
        {
            self.properties.insert(name.to_owned(), value);
            batch.ops.push(Op::Property(name.to_owned(), Some(json)));
        }
    }
}
