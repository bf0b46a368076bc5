//! Sessions in the folded scope: their errors, their ends, and the sessions that earlier runs left open.

use super::batch::Batch;
use super::row_json::RowJson;
use super::scope_keys::{PREVIOUS, SESSION};
use super::stamp::Stamper;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::kind::Kind;
use serde_json::{Value, json};

/// A session that its own run did not end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub(crate) id: String,
    pub(crate) started_ms: i64,
    /// How it is to be ended: `crashed` or `abnormal`.
    pub(crate) status: &'static str,
}

impl Stamper {
    /// Removes the current session and returns it with the release it ran in, for the run that ends it.
    pub(super) fn take_session(&mut self, release: Option<&str>) -> Option<Value> {
        let mut session: Value = serde_json::from_str(&self.scope.remove(SESSION)?).ok()?;
        session.as_object_mut()?.entry("release").or_insert(release?.into());
        Some(session)
    }

    /// The release changes within the current session: the session belongs to the one in which it began.
    pub(super) fn keep_release_of_session(&mut self, release: &str, batch: &mut Batch) {
        let session = self.scope.get(SESSION).and_then(|json| serde_json::from_str::<Value>(json).ok());
        if let Some(Value::Object(mut session)) = session {
            session.entry("release").or_insert(release.into());
            self.keep(SESSION, Some(Value::Object(session).to_string()), batch);
        }
    }

    /// The sessions of earlier runs that have no end yet, oldest first.
    pub(crate) fn unfinished_sessions(&self) -> Vec<Unfinished> {
        let unfinished = |session: &Value| {
            let crashed = session.get("crashed").and_then(Value::as_bool).unwrap_or(false);
            Some(Unfinished {
                id: session.get("id")?.as_str()?.to_owned(),
                started_ms: session.get("started_ms")?.as_i64()?,
                status: if crashed { "crashed" } else { "abnormal" },
            })
        };
        self.previous().iter().filter_map(unfinished).collect()
    }

    pub(super) fn previous(&self) -> Vec<Value> {
        match self.scope.get(PREVIOUS).and_then(|json| serde_json::from_str(json).ok()) {
            Some(Value::Array(sessions)) => sessions,
            // Written by a build that remembered one session only.
            Some(session @ Value::Object(_)) => vec![session],
            _ => Vec::new(),
        }
    }

    pub(super) fn session_event(&mut self, body: &Body<'_>, object: &mut RowJson, batch: &mut Batch) {
        let id = body.str(Field::Session).unwrap_or_default();
        let is_it = |session: &Value| session.get("id").and_then(Value::as_str) == Some(id);
        let current = self.scope.get(SESSION).and_then(|json| serde_json::from_str(json).ok()).filter(is_it);
        let mut previous = self.previous();
        let earlier = previous.iter().position(is_it).map(|at| previous.remove(at));
        if let Some(session) = current.as_ref().or(earlier.as_ref()) {
            object.number("errors", session.get("errors").and_then(Value::as_u64).unwrap_or(0));
            if let Some(release) = session.get("release") {
                object.json("release", &release.to_string());
            }
        }
        if earlier.is_some() {
            self.keep(PREVIOUS, (!previous.is_empty()).then(|| Value::Array(previous).to_string()), batch);
        }
        // Its end removes it at once: a kill before the scope change that follows must not end it a second time.
        if current.is_some() && body.str(Field::Status) != Some("ok") {
            self.keep(SESSION, None, batch);
        }
    }

    pub(super) fn count_error(&mut self, kind: Kind, batch: &mut Batch) {
        let Some(mut session) = self.scope.get(SESSION).and_then(|json| serde_json::from_str::<Value>(json).ok())
        else {
            return;
        };
        session["errors"] = json!(session.get("errors").and_then(Value::as_u64).unwrap_or(0) + 1);
        if kind == Kind::Crash {
            session["crashed"] = json!(true);
        }
        self.keep(SESSION, Some(session.to_string()), batch);
    }
}
