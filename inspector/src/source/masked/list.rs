//! A list whose conditions are tested on what is left of an event: nobody finds out what is hidden by asking for it.

use rez_monitor::inspect::Conditions;
use rez_monitor::limits::{LIST_EVENTS, LIST_EVENTS_OF_FILE};
use serde_json::{Map, Value};

/// Answers that are read for one page. What is further back is the next page.
pub(super) const ROUNDS: usize = 3;

/// What the source must not test itself.
#[derive(Debug)]
pub(super) struct Tested {
    conditions: Conditions,
    text: String,
    pub(super) limit: usize,
}

impl Tested {
    /// Takes it out of a request. `None` if there is nothing of that kind, or if the source will refuse the request.
    pub(super) fn take(asked: &mut Map<String, Value>) -> Option<Tested> {
        let limit = match asked.get("limit") {
            None | Some(Value::Null) => LIST_EVENTS,
            Some(limit) => usize::try_from(limit.as_u64()?).ok()?.clamp(1, LIST_EVENTS_OF_FILE),
        };
        let filter = asked.get_mut("filter")?.as_object_mut()?;
        let word = |name: &str| match filter.get(name) {
            None | Some(Value::Null) => Some(String::new()),
            Some(value) => value.as_str().map(str::to_owned),
        };
        let (written, text, level, session) = (word("where")?, word("text")?, word("level")?, word("session")?);
        let (of_row, mut conditions) = Conditions::parse(&written).ok()?.split_row();
        // The source tests them too. Neither is masked, so its answer tells nothing that the events do not show.
        for (name, value) in [("level", level), ("session", session)].into_iter().filter(|(_, value)| !value.is_empty())
        {
            conditions = conditions.and(name, &value);
        }
        if conditions.is_empty() && text.is_empty() {
            return None;
        }
        filter.insert("where".to_owned(), of_row.join(", ").into());
        filter.remove("text");
        Some(Tested { conditions, text, limit })
    }

    /// Whether an event is one of the list, after what is personal was hidden in it.
    pub(super) fn holds(&self, event: &Value) -> bool {
        let json = event.get("json").unwrap_or(&Value::Null);
        // As in an answer to `show`, or as in a list.
        let row = event.get("event").unwrap_or(event);
        (self.text.is_empty() || json.to_string().contains(&self.text)) && self.conditions.hold_for(row, json)
    }
}

/// The number of an event.
pub(super) fn seq(event: &Value) -> Option<u64> {
    event.get("event").unwrap_or(event).get("seq")?.as_u64()
}
