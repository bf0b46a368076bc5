//! A session as a story: its events in the order in which they began, with their durations.

use crate::source::{Ask, Event, Query, SourceError};
use rez_monitor::inspect::MARK_LOGGER;
use serde_json::Value;

/// An event on the line of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When it began, milliseconds since 1970.
    pub start_ms: i64,
    /// How long it took, in microseconds; `None` = it is a moment.
    pub duration_us: Option<u64>,
    /// The word for its kind: `screen`, `call`, `tap`.
    pub word: String,
    /// What happened.
    pub text: String,
    /// Whether it failed, was slow or is an error.
    pub is_bad: bool,
    /// Its id.
    pub id: String,
}

impl Moment {
    /// The moment of an event that was listed with its JSON.
    #[must_use]
    pub fn of(event: &Event) -> Moment {
        let text = |name: &str| event.json.get(name).and_then(Value::as_str);
        let number = |name: &str| event.json.get(name).and_then(Value::as_i64);
        let is = |name: &str| event.json.get(name) == Some(&Value::Bool(true));
        let duration_us = number("duration_us").and_then(|us| u64::try_from(us).ok());
        let is_mark = event.kind == "log" && text("logger") == Some(MARK_LOGGER);
        let word = match event.kind.as_str() {
            _ if is_mark => "mark",
            "screen_load" | "screen_view" => "screen",
            "api_call" => "call",
            "image_load" => "image",
            "interaction" => "tap",
            "app_start" => "start",
            "analytics" => "event",
            kind => kind,
        };
        let mut notes = vec![event.name.clone()];
        notes.extend(number("status").map(|status| status.to_string()));
        notes.extend(is("slow").then(|| "slow".to_owned()));
        notes.extend(is("failed").then(|| "failed".to_owned()));
        // Rows of a call have the time of its end.
        let end_ms = event.wall_ms;
        Moment {
            start_ms: number("start_ms").or_else(|| number("started_ms")).unwrap_or(end_ms),
            duration_us,
            word: word.to_owned(),
            text: notes.join("  "),
            is_bad: is("slow")
                || is("failed")
                || matches!(event.kind.as_str(), "error" | "crash" | "hang" | "app_exit" | "alert"),
            id: event.id.clone(),
        }
    }
}

/// The moments of a session, the first one first. Of an event only its moment stays in memory.
///
/// # Errors
/// The source cannot be read, or refuses.
pub fn story(ask: Ask<'_>, session: &str) -> Result<Vec<Moment>, SourceError> {
    let query = Query { filter: vec![("session", session.to_owned())], ..Query::default() };
    let mut shown = Vec::new();
    ask.each(&query, |event| shown.extend(placed(&event)))?;
    Ok(in_order(shown))
}

/// The moment of an event and its number. Records of the session itself and metrics have no place on the line.
fn placed(event: &Event) -> Option<(u64, Moment)> {
    let is_shown = !matches!(event.kind.as_str(), "session" | "metric" | "frames" | "user_prop");
    is_shown.then(|| (event.seq, Moment::of(event)))
}

/// Of one millisecond, in the order in which they were stored.
fn in_order(mut shown: Vec<(u64, Moment)>) -> Vec<Moment> {
    shown.sort_by_key(|(seq, moment)| (moment.start_ms, *seq));
    shown.into_iter().map(|(_, moment)| moment).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, wall_ms: i64, name: &str, json: Value) -> Event {
        let event = json!({"seq": 1, "id": name, "kind": kind, "name": name, "wall_ms": wall_ms, "bytes": 1, "state": "queued",
            "routes": [], "json": json});
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn what_began_first_comes_first_and_has_its_duration() {
        let events = [
            event("error", 900, "Oops", json!({})),
            event(
                "api_call",
                800,
                "GET /pay",
                json!({"start_ms": 300, "duration_us": 500_000, "status": 503, "failed": true}),
            ),
            event("screen_load", 700, "Home", json!({"start_ms": 100, "duration_us": 400_000})),
            event("log", 750, "tapped Pay", json!({"logger": "rez.mark"})),
            event("session", 0, "", json!({})),
        ];
        let moments = in_order(events.iter().filter_map(placed).collect());
        let told: Vec<_> =
            moments.iter().map(|one| (one.word.as_str(), one.start_ms, one.is_bad, one.text.as_str())).collect();
        assert_eq!(
            told,
            [
                ("screen", 100, false, "Home"),
                ("call", 300, true, "GET /pay  503  failed"),
                ("mark", 750, false, "tapped Pay"),
                ("error", 900, true, "Oops"),
            ]
        );
        assert_eq!(moments[1].duration_us, Some(500_000));
    }
}
