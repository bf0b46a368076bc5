//! Destinations that the app has paused. The list is a part of the scope, in the order of records, and survives a restart.

use super::batch::Batch;
use super::scope_keys::PAUSED;
use super::stamp::Stamper;
use crate::limits;

impl Stamper {
    /// The names of the paused destinations.
    pub(crate) fn paused(&self) -> Vec<String> {
        self.paused_json().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// The same as a JSON array; `None` if there is none.
    pub(super) fn paused_json(&self) -> Option<&str> {
        self.scope.get(PAUSED).map(String::as_str)
    }

    /// A destination is paused, or resumed.
    pub(super) fn pause(&mut self, name: &str, paused: bool, batch: &mut Batch) {
        let mut names = self.paused();
        let known = names.iter().any(|known| known == name);
        if known == paused || (paused && names.len() >= limits::PAUSED) {
            return;
        }
        if paused {
            names.push(name.to_owned());
        } else {
            names.retain(|known| known != name);
        }
        let json = serde_json::to_string(&names).unwrap_or_default();
        self.keep(PAUSED, (!names.is_empty()).then_some(json), batch);
    }
}
