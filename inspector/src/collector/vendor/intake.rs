//! Events of a request become arrivals, and are stored.

use super::super::State;
use super::super::access::project;
use super::super::response::ErrorResponse;
use super::take::Fields;
use crate::received::{Arrival, Refusal, Sender};
use rez_monitor::Kind;
use serde_json::Value;

/// Bytes that are kept of something that cannot be read.
const KEPT_BYTES: usize = 64 * 1024;

/// Longest name of a library, of an installation and of an id, in characters.
const NAME_CHARS: usize = 200;

/// The events of one request.
pub(super) struct Intake<'a> {
    state: &'a State,
    sender: Sender,
    pub(super) arrivals: Vec<Arrival>,
}

/// What an event has besides its fields.
#[derive(Default)]
pub(super) struct Known<'a> {
    pub(super) id: &'a str,
    /// What an event that comes again has in common with the first; empty = the id.
    pub(super) once: &'a str,
    pub(super) install: &'a str,
    pub(super) at_ms: Option<i64>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(state: &'a State, protocol: &'static str, key: Option<&str>, client: &str) -> Intake<'a> {
        let sender = Sender {
            protocol,
            project: key.map(project).unwrap_or_default(),
            client: cut(client),
            batch_id: String::new(),
            received_ms: (state.clock)(),
        };
        Intake { state, sender, arrivals: Vec::new() }
    }

    /// The library, if the request did not say it already.
    pub(super) fn client(&mut self, client: &str) {
        if self.sender.client.is_empty() {
            self.sender.client = cut(client);
        }
    }

    /// Adds an event.
    pub(super) fn add(&mut self, kind: Kind, original: &Value, fields: Fields, known: &Known<'_>) {
        let mut arrival = Arrival::of(kind, original, fields.0, self.sender.received_ms);
        arrival.id = cut(known.id);
        arrival.once = known.once.to_owned();
        arrival.install = cut(known.install);
        arrival.ts_ms = known.at_ms.unwrap_or(self.sender.received_ms);
        arrival.time_ms = arrival.ts_ms;
        self.arrivals.push(arrival);
    }

    /// Adds something that is not accepted. `text`: what was sent.
    pub(super) fn refuse(&mut self, kind: Kind, text: &str, code: &'static str, field: &str, message: &str) {
        let mut fields = Fields::default();
        fields.text("message", message);
        let mut arrival = Arrival::of(kind, &Value::Null, fields.0, self.sender.received_ms);
        let end = text.floor_char_boundary(KEPT_BYTES);
        arrival.text = text.get(..end).unwrap_or_default().to_owned();
        arrival.refusal = Some(Refusal { code, field: field.to_owned(), message: message.to_owned() });
        self.arrivals.push(arrival);
    }

    /// The first reason for which something was refused.
    pub(super) fn why(&self) -> Option<String> {
        self.arrivals.iter().find_map(|arrival| arrival.refusal.as_ref()).map(|refusal| refusal.message.clone())
    }

    /// Stores them. Afterwards they are on disk.
    pub(super) fn store(mut self) -> Result<(), ErrorResponse> {
        self.state.examine(&self.sender, &mut self.arrivals);
        Ok(self.state.db().store_events(&self.sender, &self.arrivals)?)
    }
}

fn cut(text: &str) -> String {
    text.chars().take(NAME_CHARS).collect()
}
