//! Two sides that have no ids in common, compared by how often each name comes: the library that an app had, and ours.

use crate::source::Event;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How far the clocks of both libraries may be apart around a session, in milliseconds.
const SLACK_MS: i64 = 5_000;

/// A name, and how often both sides have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) here: u64,
    pub(crate) there: u64,
}

/// Counts the names of both sides, ordered by kind and name.
pub(crate) fn names(here: &[Event], there: &[Event]) -> Vec<Named> {
    let mut counts: BTreeMap<(String, String), [u64; 2]> = BTreeMap::new();
    for (side, events) in [here, there].into_iter().enumerate() {
        for event in events {
            let count = counts.entry((event.kind.clone(), name_of(event))).or_default();
            if let Some(count) = count.get_mut(side) {
                *count = count.saturating_add(1);
            }
        }
    }
    counts.into_iter().map(|((kind, name), [here, there])| Named { kind, name, here, there }).collect()
}

/// The part of the other side that happened while these events did.
pub(crate) fn during(events: &[Event], others: Vec<Event>) -> Vec<Event> {
    let times = || events.iter().map(|event| event.wall_ms);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return Vec::new() };
    let window = first.saturating_sub(SLACK_MS)..=last.saturating_add(SLACK_MS);
    others.into_iter().filter(|event| window.contains(&event.wall_ms)).collect()
}

/// What stays the same of an event each time: of an error its type, of a call its method and template, else its name.
fn name_of(event: &Event) -> String {
    let text = |name: &str| event.json.get(name).and_then(Value::as_str).unwrap_or_default();
    let first = |names: &[&str]| {
        names.iter().map(|name| text(name)).find(|text| !text.is_empty()).unwrap_or_default().to_owned()
    };
    let name = match event.kind.as_str() {
        "error" | "crash" => first(&["type", "message"]),
        "api_call" => format!("{} {}", text("method"), first(&["endpoint", "url", "name"])),
        "interaction" => format!("{} {}", text("action"), text("component")),
        "session" => first(&["status"]),
        "alert" => first(&["title"]),
        _ => first(&["name", "message", "type"]),
    };
    let name = name.trim();
    if name.is_empty() { event.name.clone() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, json: Value, wall_ms: i64) -> Event {
        let event = json!({"seq": 1, "id": "x", "kind": kind, "name": "title", "wall_ms": wall_ms, "bytes": 1, "state": "queued",
            "routes": [], "json": json});
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn names_are_counted_on_both_sides_without_what_differs_each_time() {
        let error = |message: &str| event("error", json!({"type": "PaymentError", "message": message}), 0);
        let call = || event("api_call", json!({"method": "GET", "endpoint": "/cart", "status": 200}), 0);
        let here = [error("a"), error("b"), call(), event("log", json!({}), 0)];
        let there = [error("c"), call(), event("analytics", json!({"name": "old"}), 0)];
        let told: Vec<(String, u64, u64)> = names(&here, &there)
            .into_iter()
            .map(|one| (format!("{} {}", one.kind, one.name), one.here, one.there))
            .collect();
        let wanted =
            [("analytics old", 0, 1), ("api_call GET /cart", 1, 1), ("error PaymentError", 2, 1), ("log title", 1, 0)];
        assert_eq!(told, wanted.map(|(name, here, there)| (name.to_owned(), here, there)));
    }

    #[test]
    fn only_what_happened_meanwhile_is_compared_with_a_session() {
        let at = |ms: i64| event("log", json!({"message": ms.to_string()}), ms);
        let found = during(&[at(100_000), at(90_000)], vec![at(84_999), at(85_000), at(105_000), at(105_001)]);
        assert_eq!(found.iter().map(|event| event.wall_ms).collect::<Vec<_>>(), [85_000, 105_000]);
        assert!(during(&[], vec![at(1)]).is_empty());
    }
}
