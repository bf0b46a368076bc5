//! What a tracking plan says about events that arrive.

use super::State;
use crate::received::{Arrival, Sender, row_json};
use crate::source::{Ask, Event, SourceError};
use rez_monitor::inspect::title;
use serde_json::Value;

/// Checks events. A finding is a JSON object with the member `text`, a sentence.
pub trait Rules: Send + Sync {
    /// What is wrong with this event, whatever the others are.
    fn of_event(&self, event: Event) -> Vec<Value>;

    /// What is wrong with all events together: order and counts.
    ///
    /// # Errors
    /// They cannot be read.
    fn of_all(&self, ask: Ask<'_>) -> Result<Vec<Value>, SourceError>;
}

impl State {
    /// Notes on each accepted event what the plan says about it.
    pub(super) fn examine(&self, sender: &Sender, arrivals: &mut [Arrival]) {
        let Some(rules) = &self.rules else { return };
        for arrival in arrivals.iter_mut().filter(|arrival| arrival.refusal.is_none()) {
            let json = row_json(arrival, sender);
            let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
            arrival.findings = rules.of_event(Event {
                seq: 0,
                id: arrival.id.clone(),
                kind: arrival.kind.as_str().to_owned(),
                lane: arrival.kind.lane().as_str().to_owned(),
                name: title(&json),
                level: text("level"),
                wall_ms: arrival.time_ms,
                bytes: arrival.text.len() as u64,
                state: "delivered".to_owned(),
                routes: Vec::new(),
                session: text("session"),
                json,
            });
        }
    }
}
