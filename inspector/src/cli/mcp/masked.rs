//! A source whose answers have no personal data: the rules of `rezq export` on every answer.

use crate::source::{Ask, Inspect, Query, SourceError};
use rez_monitor::inspect::ExportRules;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Hides what says who the user and the device are in every answer of a source.
pub(super) struct MaskedSource {
    source: Box<dyn Inspect>,
    known: Mutex<Known>,
}

/// Identifiers that were found in the source, and up to which event.
#[derive(Default)]
struct Known {
    identifiers: BTreeSet<String>,
    install: String,
    version: Option<u64>,
    seq: u64,
}

impl MaskedSource {
    pub(super) fn new(source: Box<dyn Inspect>) -> MaskedSource {
        MaskedSource { source, known: Mutex::default() }
    }

    /// The rules for an answer. An identifier of one event is hidden in all of them.
    fn rules(&self, answer: &Value) -> Result<ExportRules, SourceError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.update(Ask(&*self.source))?;
        // The source can have more events by now than when it answered, and the other way round.
        let events = answer.get("events").and_then(Value::as_array).into_iter().flatten();
        let rows = events.filter_map(|event| event.get("json")).chain(answer.get("json"));
        known.identifiers.extend(rows.flat_map(ExportRules::identifiers));
        Ok(ExportRules::new(known.identifiers.iter().cloned()))
    }
}

impl Known {
    fn update(&mut self, ask: Ask<'_>) -> Result<(), SourceError> {
        let version = ask.version()?;
        if self.version == Some(version) {
            return Ok(());
        }
        let about = ask.raw(&json!({"ask": "about"}))?;
        let install = about.get("install").and_then(Value::as_str).unwrap_or_default();
        if install != self.install {
            // Another queue is in its place: its numbers begin again.
            (self.install, self.seq) = (install.to_owned(), 0);
        }
        self.identifiers.insert(install.to_owned());
        let new = format!("user != null, seq > {}", self.seq);
        let mut last = self.seq;
        ask.each(&Query { filter: vec![("where", new)], ..Query::default() }, |event| {
            last = last.max(event.seq);
            self.identifiers.extend(ExportRules::identifiers(&event.json));
        })?;
        (self.seq, self.version) = (last, Some(version));
        Ok(())
    }
}

impl Inspect for MaskedSource {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        let answer = self.source.try_inspect(request)?;
        let mut answer: Value = serde_json::from_str(&answer)
            .map_err(|error| SourceError::Answer { request: "request", message: error.to_string() })?;
        let rules = self.rules(&answer)?;
        mask(&rules, &mut answer);
        Ok(answer.to_string())
    }

    fn notes(&self) -> Vec<String> {
        self.source.notes()
    }

    fn is_damaged(&self) -> bool {
        self.source.is_damaged()
    }
}

fn mask(rules: &ExportRules, answer: &mut Value) {
    let kind = answer.pointer("/event/kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (key, value) in answer.as_object_mut().into_iter().flatten() {
        match (key.as_str(), value) {
            ("events", Value::Array(events)) => events.iter_mut().for_each(|event| mask_event(rules, event)),
            ("event", event) => mask_event(rules, event),
            ("json", row) => rules.row(&kind, row),
            (key, value) => rules.value(key, value),
        }
    }
}

/// Hides it in an event of a list. Its id and its session are random, and are needed to ask on.
fn mask_event(rules: &ExportRules, event: &mut Value) {
    let kind = event.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (key, value) in event.as_object_mut().into_iter().flatten() {
        match key.as_str() {
            "id" | "session" => {}
            "json" => rules.row(&kind, value),
            key => rules.value(key, value),
        }
    }
}
