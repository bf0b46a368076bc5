//! Super properties: attributes of every analytics event until they are removed. They survive a restart.

use super::batch::Batch;
use super::row_json;
use super::scope_keys::SUPER;
use super::stamp::Stamper;
use crate::event::decode::{Body, Raw};
use crate::event::field::Field;
use crate::json::push_text;
use crate::json::split::members;
use crate::kind::{Kind, Purpose};
use crate::limits;
use serde_json::Value;

/// One super property.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Property {
    name: String,
    value: Value,
    /// The destinations it is restricted to; empty = none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<String>,
}

/// Whether events of this kind carry the super properties: what the user did. A change of the profile is no event.
fn carries_super(kind: Kind) -> bool {
    matches!(kind, Kind::Analytics | Kind::Revenue | Kind::ScreenView | Kind::Interaction)
}

impl Stamper {
    fn super_properties(&self) -> Vec<Property> {
        self.scope.get(SUPER).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// Sets the properties of a scope record. With `once`, one that exists keeps its value.
    pub(super) fn set_super(&mut self, body: &Body<'_>, once: bool, batch: &mut Batch) {
        let Some(Raw::Map(count, mut reader)) = body.get(Field::Attrs) else { return };
        let targets = body.targets();
        let mut all = self.super_properties();
        for _ in 0..count {
            let Some((name, value)) = reader.entry() else { break };
            let json = row_json::keyed(self.rules, name, value);
            let Ok(value) = serde_json::from_str(&json) else { continue };
            let name = self.rules.text(name).into_owned();
            let before = all.clone();
            match all.iter_mut().find(|known| known.name == name) {
                Some(_) if once => {}
                Some(known) => *known = Property { name, value, targets: targets.clone() },
                None => all.push(Property { name, value, targets: targets.clone() }),
            }
            if all.len() > limits::SUPER_PROPERTIES || write(&all).len() > limits::SUPER_BYTES {
                // The one that does not fit is ignored, and the others stay.
                all = before;
            }
        }
        self.keep(SUPER, (!all.is_empty()).then(|| write(&all)), batch);
    }

    /// Removes one property, or all of them.
    pub(super) fn unset_super(&mut self, name: Option<&str>, batch: &mut Batch) {
        let mut all = self.super_properties();
        let before = all.len();
        match name {
            Some(name) => {
                let name = self.rules.text(name);
                all.retain(|known| known.name != name);
            }
            None => all.clear(),
        }
        if all.len() != before {
            self.keep(SUPER, (!all.is_empty()).then(|| write(&all)), batch);
        }
    }

    /// The attributes of an event with the super properties added, as JSON. `None` if there is none to add.
    pub(super) fn with_super(&self, kind: Kind, body: &Body<'_>) -> Option<String> {
        if !carries_super(kind) || self.is_denied(Purpose::Analytics) {
            return None;
        }
        self.scope.get(SUPER)?;
        let own = body.get(Field::Attrs).map(|attrs| row_json::attributes(self.rules, attrs)).unwrap_or_default();
        let own = if own.is_empty() { "{}".to_owned() } else { own };
        let targets = body.targets();
        let mut out = own.strip_suffix('}').unwrap_or("{").to_owned();
        let mut added = false;
        for property in self.super_properties() {
            // An event for all destinations also reaches those that a restricted property is not for.
            let reaches = property.targets.is_empty()
                || (!targets.is_empty() && targets.iter().all(|target| property.targets.contains(target)));
            let mut name = String::new();
            push_text(&mut name, &property.name);
            let taken = members(&own).any(|(key, _)| name.get(1..name.len() - 1) == Some(key));
            if !reaches || taken {
                continue;
            }
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&name);
            out.push(':');
            out.push_str(&property.value.to_string());
            added = true;
        }
        out.push('}');
        added.then_some(out)
    }
}

fn write(all: &[Property]) -> String {
    serde_json::to_string(all).unwrap_or_default()
}
