//! Sessions in the folded scope: their errors, their ends, and the sessions that earlier runs left open.

use super::batch::Batch;
use super::row_json::RowJson;
use super::scope_keys::{PREVIOUS, SESSION};
use super::stamp::Stamper;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::exit::RunEnd;
use crate::kind::Kind;
use crate::limits;
use crate::row::Run;
use serde_json::{Value, json};

/// A session that its own run did not end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfinished {
    pub(crate) id: String,
    pub(crate) started_ms: i64,
    /// How it is to be ended: `crashed`, `exited` or `abnormal`.
    pub(crate) status: &'static str,
    /// When its run was seen last, if that is known.
    pub(crate) ended_ms: Option<i64>,
}

impl Stamper {
    /// Removes the current session and returns it with the release it ran in and how its run ended, for the run that ends it.
    fn take_session(&mut self, release: Option<&str>, ended: Option<(&Run, RunEnd)>) -> Option<Value> {
        let mut session: Value = serde_json::from_str(&self.scope.remove(SESSION)?).ok()?;
        let members = session.as_object_mut()?;
        members.entry("release").or_insert(release?.into());
        if let Some((run, end)) = ended {
            members.insert("run".into(), run.id.as_str().into());
            let crash = self.crashed().map(|crashed| crashed.crash.at_ms);
            members.insert("ended_ms".into(), crash.unwrap_or_else(|| self.seen_ms(run)).into());
            if end == RunEnd::Exited {
                members.insert("status".into(), end.as_str().into());
            }
        }
        Some(session)
    }

    /// A session begins, or the current one has ended.
    pub(super) fn begin_session(&mut self, body: &Body<'_>, batch: &mut Batch) {
        if let Some(id) = body.str(Field::Session) {
            self.sessions.swap(0, 1);
            self.sessions[0] = Some(id.to_owned());
        }
        let session = body.str(Field::Session).map(|id| {
            json!({"id": id, "started_ms": body.i64(Field::StartedMs).unwrap_or(body.wall_ms), "errors": 0}).to_string()
        });
        self.keep(SESSION, session, batch);
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
            let status = session.get("status").and_then(Value::as_str).unwrap_or_default();
            Some(Unfinished {
                id: session.get("id")?.as_str()?.to_owned(),
                started_ms: session.get("started_ms")?.as_i64()?,
                status: match status {
                    _ if crashed => "crashed",
                    "exited" => "exited",
                    _ => "abnormal",
                },
                ended_ms: session.get("ended_ms").and_then(Value::as_i64),
            })
        };
        self.previous().iter().filter_map(unfinished).collect()
    }

    pub(super) fn has_session(&self) -> bool {
        self.scope.contains_key(SESSION)
    }

    /// The sessions without an end, the current one with them, which is then none. The oldest go if they are too many.
    pub(super) fn take_unfinished(&mut self, release: Option<&str>, ended: Option<(&Run, RunEnd)>) -> Vec<Value> {
        let mut unfinished = self.previous();
        unfinished.extend(self.take_session(release, ended));
        let excess = unfinished.len().saturating_sub(limits::UNFINISHED_SESSIONS);
        unfinished.drain(..excess);
        self.sessions = [None, None];
        unfinished
    }

    fn previous(&self) -> Vec<Value> {
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

    /// Sessions of a run crashed, as far as their end is not recorded yet.
    pub(super) fn sessions_crashed(&mut self, run: &str, at_ms: i64, batch: &mut Batch) {
        self.change_sessions_of(run, batch, |session| {
            if session.get("crashed").is_none() {
                add_error(session, Kind::Crash);
                session["ended_ms"] = json!(at_ms);
            }
        });
    }

    /// They ended without a fault.
    pub(super) fn sessions_exited(&mut self, run: &str, batch: &mut Batch) {
        self.change_sessions_of(run, batch, |session| session["status"] = json!("exited"));
    }

    fn change_sessions_of(&mut self, run: &str, batch: &mut Batch, change: impl Fn(&mut Value)) {
        let mut sessions = self.previous();
        sessions.iter_mut().filter(|session| session.get("run").and_then(Value::as_str) == Some(run)).for_each(change);
        if !sessions.is_empty() {
            self.keep(PREVIOUS, Some(Value::Array(sessions).to_string()), batch);
        }
    }

    pub(super) fn count_error(&mut self, kind: Kind, batch: &mut Batch) {
        let Some(mut session) = self.scope.get(SESSION).and_then(|json| serde_json::from_str::<Value>(json).ok())
        else {
            return;
        };
        add_error(&mut session, kind);
        self.keep(SESSION, Some(session.to_string()), batch);
    }
}

fn add_error(session: &mut Value, kind: Kind) {
    session["errors"] = json!(session.get("errors").and_then(Value::as_u64).unwrap_or(0) + 1);
    if kind == Kind::Crash {
        session["crashed"] = json!(true);
    }
}
