//! Sessions: one starts at `open`, a new one after a long time in the background. A session that its own run did not end is
//! ended by the next run as crashed or abnormal.

use super::Inner;
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::sys::ids::Fresh;
use crate::trace::share::session_share;
use crate::writer::session_record::{append_end, append_scope, append_session};
use std::sync::{Arc, PoisonError};

/// The current session.
#[derive(Debug, Default)]
pub(crate) struct Session {
    id: Option<String>,
    started_ms: i64,
    background_since_us: Option<i64>,
    background_wall_ms: i64,
}

/// A session, as those see it who ask what its destinations decide.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) id: String,
    /// See [`crate::trace::share::session_share`].
    pub(crate) share: f64,
    /// Microseconds since boot.
    started_us: i64,
}

/// The session that a row belongs to.
#[derive(Debug, Default)]
pub(crate) enum SessionOf {
    /// The one in which it is recorded.
    #[default]
    Current,
    /// The one in which it started.
    Earlier(Arc<Current>),
    /// It started before there was a session.
    Nothing,
}

/// The current session and the one before it.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    current: Option<Arc<Current>>,
    before: Option<Arc<Current>>,
}

impl Inner {
    /// The current session. Costs one short lock.
    pub(super) fn current_session(&self) -> Option<Arc<Current>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    /// The session of a call that started in `session`.
    pub(super) fn session_of(&self, session: Option<&Arc<Current>>) -> SessionOf {
        let latest = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        match (session, &latest.current) {
            (Some(session), Some(current)) if Arc::ptr_eq(session, current) => SessionOf::Current,
            (Some(session), _) => SessionOf::Earlier(Arc::clone(session)),
            (None, Some(_)) => SessionOf::Nothing,
            (None, None) => SessionOf::Current,
        }
    }

    /// The session of a call that started at this time, in microseconds since boot. The last two are known.
    pub(super) fn session_at(&self, at_us: i64) -> SessionOf {
        let latest = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        match (&latest.current, &latest.before) {
            (Some(current), Some(before)) if at_us < current.started_us => SessionOf::Earlier(Arc::clone(before)),
            (Some(current), None) if at_us < current.started_us => SessionOf::Nothing,
            _ => SessionOf::Current,
        }
    }

    fn set_current_session(&self, id: &str) {
        let session = Current { id: id.to_owned(), share: session_share(id), started_us: self.shared.clock.mono_us() };
        let mut latest = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        latest.before = latest.current.replace(Arc::new(session));
    }
}

impl Inner {
    /// Ends the current session and starts a new one.
    pub(crate) fn start_session(&self) {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        self.end_locked(&mut session, "exited");
        let id = self.shared.config.ids.uuid(Fresh::Session);
        let started_ms = self.shared.clock.wall_ms();
        self.decide_sampling(&id);
        self.set_current_session(&id);
        self.append_scope(|encoder| {
            encoder.field(Field::Change, "session".into());
            encoder.field(Field::Session, id.as_str().into());
            encoder.field(Field::StartedMs, started_ms.into());
        });
        append_session(&self.shared, &id, started_ms, "ok", true, 0);
        *session = Session { id: Some(id), started_ms, ..Session::default() };
    }

    /// Ends the current session. `false` if there is none.
    pub(crate) fn end_session(&self) -> bool {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        self.end_locked(&mut session, "exited")
    }

    fn end_locked(&self, session: &mut Session, status: &str) -> bool {
        let Some(id) = session.id.take() else { return false };
        let end_ms = if session.background_since_us.is_some() {
            session.background_wall_ms
        } else {
            self.shared.clock.wall_ms()
        };
        append_end(&self.shared, &id, session.started_ms, status, end_ms);
        self.append_scope(|encoder| encoder.field(Field::Change, "session".into()));
        true
    }

    /// Handles a change between foreground and background.
    pub(crate) fn session_foreground(&self, foreground: bool) {
        let now_us = self.shared.clock.mono_us();
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if !foreground {
            session.background_since_us.get_or_insert(now_us);
            session.background_wall_ms = self.shared.clock.wall_ms();
            return;
        }
        let away = session.background_since_us.map(|since| now_us.saturating_sub(since));
        let most_us = self.shared.config.session_background.as_micros() as i64;
        let over = away.is_some_and(|away| away >= most_us);
        if over || session.id.is_none() {
            drop(session);
            self.start_session();
        } else {
            session.background_since_us = None;
        }
    }
}

impl Inner {
    /// Appends a scope change.
    pub(crate) fn append_scope(&self, write: impl FnOnce(&mut Encoder<'_>)) {
        if !self.is_forked() {
            append_scope(&self.shared, write);
        }
    }
}
