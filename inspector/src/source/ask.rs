//! Typed questions to a source.

use super::{Inspect, SourceError};
use crate::queue::Overview;
use rez_monitor::inspect::doctor::Diagnosis;
use rez_monitor::limits::LIST_EVENTS_OF_FILE;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A source, asked in types instead of JSON.
#[derive(Clone, Copy)]
pub struct Ask<'a>(pub &'a dyn Inspect);

/// Which events to list. The default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Members of the filter: `kind`, `lane`, `level`, `state`, `session`, `install`, `text`, `where`.
    pub filter: Vec<(&'static str, String)>,
    /// Only what happened at or after this time, milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Only what was stored after the latest mark.
    pub since_mark: bool,
    /// Only events stored before this one.
    pub before: Option<u64>,
    /// Only events stored after this one.
    pub after: Option<u64>,
    /// With the JSON of each event.
    pub json: bool,
    /// At most this many, the newest; 0 = all.
    pub limit: usize,
}

/// An event of a list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Event {
    /// Its sequence number.
    pub seq: u64,
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its lane.
    #[serde(default)]
    pub lane: String,
    /// Its type and message, or its name.
    pub name: String,
    /// Its level, if it has one.
    pub level: Option<String>,
    /// When it happened, milliseconds since 1970.
    pub wall_ms: i64,
    /// Bytes of its JSON.
    pub bytes: u64,
    /// Its state over all routes.
    pub state: String,
    /// Its state on each route.
    pub routes: Vec<EventRoute>,
    /// Id of its session.
    pub session: Option<String>,
    /// All its fields, if they were asked for.
    #[serde(default)]
    pub json: Value,
}

/// An event on one route.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EventRoute {
    /// Name of the route.
    pub route: String,
    /// Its state.
    pub state: String,
    /// The same as a sentence.
    pub text: String,
}

/// A page of a list, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// The same, as the source answered.
    pub raw: Vec<Value>,
    /// Where the next page begins; `None` at the end.
    pub before: Option<u64>,
    /// Rows with a wrong checksum among those that were examined. They are left out.
    pub unreadable: u64,
}

/// Everything about one event.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Shown {
    /// The event, as in a list.
    pub event: Event,
    /// All its fields.
    pub json: Value,
    /// When it happened, milliseconds since 1970.
    pub wall_ms: i64,
    /// The same in milliseconds since boot.
    pub mono_ms: i64,
    /// The checksum of its row, hexadecimal.
    #[serde(default)]
    pub crc: String,
    /// Where a privacy rule replaced something.
    #[serde(default)]
    pub masked: Vec<Masked>,
    /// What became of it, on each route.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Its run, with release and facts.
    #[serde(default)]
    pub run: Value,
}

/// A place in which a privacy rule replaced something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Masked {
    /// The field.
    pub path: String,
    /// The marker.
    pub what: String,
}

/// Events lost on one day for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Lost {
    /// The day.
    pub day: String,
    /// Name of the route; `None` = before a route.
    pub route: Option<String>,
    /// The kind.
    pub kind: String,
    /// The reason.
    pub reason: String,
    /// How many.
    pub n: u64,
    /// What the reason means.
    pub text: Option<String>,
}

impl Ask<'_> {
    /// Asks, and returns the answer unless it is an error.
    ///
    /// # Errors
    /// The source cannot be read, or refuses.
    pub fn raw(&self, request: &Value) -> Result<Value, SourceError> {
        let answer = self.0.try_inspect(&request.to_string())?;
        let answer: Value = serde_json::from_str(&answer).map_err(|error| unreadable("request", &error.to_string()))?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(SourceError::Refused(error.to_owned())),
            None => Ok(answer),
        }
    }

    /// The events of a query, newest first, over as many answers as it takes.
    ///
    /// # Errors
    /// As [`Ask::raw`].
    pub fn list(&self, query: &Query) -> Result<Page, SourceError> {
        let mut all = Page { before: query.before, ..Page::default() };
        let mut is_marked = false;
        loop {
            // An app gives fewer at once.
            let left = if query.limit == 0 { LIST_EVENTS_OF_FILE } else { query.limit - all.events.len() };
            let mut filter: Map<String, Value> =
                query.filter.iter().map(|(name, text)| ((*name).to_owned(), text.clone().into())).collect();
            filter.insert("since_mark".to_owned(), query.since_mark.into());
            filter.insert("since_ms".to_owned(), query.since_ms.into());
            let limit = left.min(LIST_EVENTS_OF_FILE);
            let request = json!({"ask": "list", "filter": filter, "before": all.before, "after": query.after, "limit": limit, "json": query.json});
            let mut answer = self.raw(&request)?;
            let raw = match answer.get_mut("events").map(Value::take) {
                Some(Value::Array(events)) => events,
                _ => return Err(unreadable("list", "it has no `events`")),
            };
            for event in &raw {
                all.events.push(Event::deserialize(event).map_err(|error| unreadable("list", &error.to_string()))?);
            }
            all.raw.extend(raw);
            all.unreadable += answer.get("unreadable").and_then(Value::as_u64).unwrap_or_default();
            let before = answer.get("before").and_then(Value::as_u64);
            is_marked |= answer.get("mark") != Some(&Value::Bool(false));
            // A source that does not advance would keep the loop here.
            let advances = before.is_some_and(|next| all.before.is_none_or(|last| next < last));
            all.before = before.filter(|_| advances);
            if all.before.is_none() && query.since_mark && !is_marked {
                let why =
                    "no mark is among the events that are stored; set one with `rezq mark`, or leave out --since-mark";
                return Err(SourceError::Refused(why.to_owned()));
            }
            if all.before.is_none() || (query.limit > 0 && all.events.len() >= query.limit) {
                return Ok(all);
            }
        }
    }

    /// Everything about an event.
    ///
    /// # Errors
    /// As [`Ask::raw`]; an event that is not known is [`SourceError::Refused`].
    pub fn show(&self, id: &str) -> Result<(Shown, Value), SourceError> {
        let answer = self.raw(&json!({"ask": "show", "id": id}))?;
        let shown = Shown::deserialize(&answer).map_err(|error| unreadable("show", &error.to_string()))?;
        Ok((shown, answer))
    }

    /// The balance and the state of the routes. `check`: also with the checksum of every row, 100 ms at 100,000 rows.
    ///
    /// # Errors
    /// As [`Ask::raw`].
    pub fn overview(&self, check: bool) -> Result<Overview, SourceError> {
        Ok(self.overview_and_fault(check)?.0)
    }

    /// The same, and the fault that an app has been told to have: `none`, `offline` and so on.
    ///
    /// # Errors
    /// As [`Ask::raw`].
    pub fn overview_and_fault(&self, check: bool) -> Result<(Overview, String), SourceError> {
        let answer = self.raw(&json!({"ask": "status", "check": check}))?;
        let balance = answer.get("balance").filter(|balance| !balance.is_null());
        let balance = balance.ok_or_else(|| {
            let lines = answer.get("lines").and_then(Value::as_array).into_iter().flatten();
            let lines: Vec<&str> = lines.filter_map(Value::as_str).collect();
            SourceError::Refused(format!("the app cannot read its queue now: {}", lines.join("; ")))
        })?;
        let overview = Overview::deserialize(balance).map_err(|error| unreadable("status", &error.to_string()))?;
        // An app that answers has it open.
        let live = answer.get("live").and_then(Value::as_bool).unwrap_or(true);
        // A file has none.
        let fault = answer.get("fault").and_then(Value::as_str).unwrap_or("none").to_owned();
        Ok((Overview { live, ..overview }, fault))
    }

    /// Whether the source is what a collector received.
    ///
    /// # Errors
    /// As [`Ask::raw`].
    pub fn is_collector(&self) -> Result<bool, SourceError> {
        let about = self.raw(&json!({"ask": "about"}))?;
        Ok(about.get("source").is_some_and(|source| source == "collector"))
    }

    /// The status in sentences.
    ///
    /// # Errors
    /// As [`Ask::raw`].
    pub fn lines(&self) -> Result<Vec<String>, SourceError> {
        let answer = self.raw(&json!({"ask": "status"}))?;
        let lines = answer.get("lines").and_then(Value::as_array).into_iter().flatten();
        Ok(lines.filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// A number that changes when something was stored, sent or settled.
    ///
    /// # Errors
    /// As [`Ask::raw`].
    pub fn version(&self) -> Result<u64, SourceError> {
        let answer = self.raw(&json!({"ask": "version"}))?;
        answer.get("version").and_then(Value::as_u64).ok_or_else(|| unreadable("version", "it has no `version`"))
    }

    /// What is wrong, and what mends it.
    ///
    /// # Errors
    /// As [`Ask::raw`].
    pub fn doctor(&self) -> Result<Diagnosis, SourceError> {
        let answer = self.raw(&json!({"ask": "doctor"}))?;
        Diagnosis::deserialize(answer).map_err(|error| unreadable("doctor", &error.to_string()))
    }

    /// The counts of lost events, the latest day first, and the answer.
    ///
    /// # Errors
    /// As [`Ask::raw`].
    pub fn drops(&self) -> Result<(Vec<Lost>, Value), SourceError> {
        let answer = self.raw(&json!({"ask": "drops"}))?;
        let drops = answer.get("drops").cloned().unwrap_or_default();
        let drops = serde_json::from_value(drops).map_err(|error| unreadable("drops", &error.to_string()))?;
        Ok((drops, answer))
    }
}

fn unreadable(request: &'static str, message: &str) -> SourceError {
    SourceError::Answer { request, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives fixed answers: what a source could say that is no engine.
    struct Says(&'static str);

    impl Inspect for Says {
        fn try_inspect(&self, _: &str) -> Result<String, SourceError> {
            Ok(self.0.to_owned())
        }
    }

    #[test]
    fn an_answer_of_another_form_is_an_error_and_no_endless_loop() {
        for answer in ["", "no json", "{}", r#"{"events": 7}"#, r#"{"events": [{}]}"#, "[]"] {
            let error = Ask(&Says(answer)).list(&Query::default()).unwrap_err();
            assert!(error.to_string().contains("use the version of rezq"), "{answer}: {error}");
        }
        let page = Ask(&Says(r#"{"events": [], "before": 7}"#)).list(&Query::default()).unwrap();
        assert!(page.events.is_empty() && page.before.is_none());
        assert!(Ask(&Says("{}")).version().is_err() && Ask(&Says("{}")).drops().is_err());
        assert!(Ask(&Says("{}")).doctor().is_err());
        assert_eq!(Ask(&Says(r#"{"error": "no"}"#)).show("x").unwrap_err(), SourceError::Refused("no".to_owned()));
    }
}
