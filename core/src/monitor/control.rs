//! Calls that are rare: consent, destinations, waiting, shutdown.

use super::{Inner, Monitor};
use crate::channel::channel;
use crate::config::{ConfigError, Consent, check_destination};
use crate::delivery::{DeliveryHandle, Flushed, Hint};
use crate::destination::{Destination, Named};
use crate::event::ErrorEvent;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::id::EventId;
use crate::inspect::Fate;
use crate::kind::{Kind, Purpose};
use crate::limits::{self, FATAL_WAIT, RECORD_BYTES};
use crate::reason::Reason;
use crate::ring::{Admission, Append, reserve};
use crate::settings::{Settings, SettingsError, Spelling};
use crate::writer::shared::{Command, Shared, Until};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use crate::store::From;

/// How durable a fatal error is when `fatal` returns.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On the disk: it survives a power failure.
    Synced(EventId),
    /// In the ring: it survives the process being killed.
    InRing(EventId),
    /// Refused, and counted under this reason.
    Dropped(Reason),
}

/// A wait that ended without success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The time limit passed. The work continues.
    #[error("not finished within {0:?}; the work continues in the background")]
    Timeout(Duration),
    /// The database cannot be used now.
    #[error("the database cannot be used now, see status().store; records are kept in the ring")]
    Unavailable,
    /// The engine is closed.
    #[error("the engine is closed; open it again")]
    Closed,
}

/// The field of an event that says that nobody is its user: an empty map.
const NOBODY: [u8; 4] = [Field::User as u8, crate::event::encode::MAP, 0, 0];

/// When a wait ends. One that is too long for the clock ends in a day.
pub(super) fn end_of(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).or_else(|| now.checked_add(Duration::from_secs(86_400))).unwrap_or(now)
}

/// The time left until `end`.
pub(super) fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}

impl Inner {
    /// Calls a function with this engine and with the engines of orphaned queues.
    pub(super) fn each_engine(&self, mut call: impl FnMut(&Shared)) {
        if self.is_forked() {
            // Ring, database and threads belong to the parent process.
            return;
        }
        call(&self.shared);
        self.shared.orphans().iter().for_each(|orphan| call(orphan));
    }

    fn add(&self, all: Vec<Named>, from: From) {
        all.iter().for_each(|(name, destination)| self.samplers.add(name, &**destination));
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        let about = format!("destination {}", names.join(", "));
        self.each_engine(|shared| {
            let all = all.clone();
            shared.with_delivery(&about, move |delivery| delivery.add(all, from));
        });
    }

    fn pause(&self, name: &str, paused: bool) -> Result<(), ConfigError> {
        check_destination(name)?;
        if self.refused_here().is_some() {
            return Ok(());
        }
        // Two threads agree about the last of their calls.
        let _one = self.pausing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = self.shared.paused();
        if paused && known.len() >= limits::PAUSED && !known.iter().any(|known| known == name) {
            let why = "64 destinations are paused already; resume one first";
            return Err(ConfigError::Destination { name: name.to_owned(), why });
        }
        self.append_scope(|encoder| {
            encoder.field(Field::Change, if paused { "pause" } else { "resume" }.into());
            encoder.field(Field::Name, name.into());
        });
        // Trace headers must not promise a trace that is not sent.
        self.samplers.pause(name, paused);
        let (name, shared) = (name.to_owned(), Arc::downgrade(&self.shared));
        self.shared.with_delivery(&format!("pause {name}"), move |delivery| {
            if let Some(shared) = shared.upgrade() {
                shared.pause(&name, paused, delivery);
            }
        });
        Ok(())
    }

    /// Makes one attempt to send what the end of the session added, within half of the time that is left.
    fn send_session_end(&self, end: Instant) {
        let wait = left(end) / 2;
        let attempt_end = end_of(wait);
        if wait.is_zero() || self.persist(wait).is_err() {
            return;
        }
        if let Some(delivery) = self.shared.delivery.get() {
            delivery.flush(left(attempt_end));
        }
    }

    fn close(&self, end: Instant) {
        if self.is_forked() {
            return;
        }
        self.append_scope(|encoder| encoder.field(Field::Change, "closed".into()));
        self.shared.set_closing();
        self.shared.config.faults.give_up();
        self.each_engine(|shared| {
            if let Some(delivery) = shared.delivery.get() {
                delivery.close(left(end) / 2);
            }
            let (done, ended) = channel();
            if shared.command(Command::Close(done)) {
                let _ = ended.recv_timeout(left(end));
            }
        });
        self.shared.recent.forget();
        self.shared.config.log.close();
    }

    /// Records a crash; `encode` writes its body, or returns `None` if it is malformed.
    pub(super) fn fatal(
        &self,
        wall_ms: i64,
        encode: impl Fn(&mut [u8]) -> Option<usize>,
        wait: Duration,
    ) -> Durability {
        let shared = &self.shared;
        let mut buffer = [0u8; RECORD_BYTES];
        let Some(len) = encode(&mut buffer) else {
            shared.ring.refuse_crash(Reason::Malformed, Kind::Crash);
            return Durability::Dropped(Reason::Malformed);
        };
        let body = buffer.get(..len).unwrap_or_default();
        let own_id = Body::decode(body).and_then(|body| body.id);
        let append = Append {
            kind: Kind::Crash as u8,
            lane: 0,
            n: 1,
            admission: Admission::Always,
            purposes: Kind::Crash.purpose_bits(),
            body,
        };
        let ticket = match shared.ring.append_within(&append, Duration::from_millis(50)) {
            Some(Ok(appended)) => appended.ticket,
            Some(Err(reason @ (Reason::Consent | Reason::StoreUnavailable))) => {
                shared.ring.refuse(reason, Some(Kind::Crash), 1);
                return Durability::Dropped(reason);
            }
            Some(Err(_)) | None => {
                // The crashed thread may hold the lock, or the ring is full: use the reserve, with the event cut to fit.
                let room = buffer.len().min(reserve::BODY_BYTES);
                let mut len = encode(buffer.get_mut(..room - NOBODY.len()).unwrap_or_default()).unwrap_or(0);
                let has_user = || Body::decode(buffer.get(..len)?)?.get(Field::User);
                // A change of the user may be held in memory, which the crash does not survive. The user before it is wrong.
                if shared.ring.has_held()
                    && has_user().is_none()
                    && let Some(place) = buffer.get_mut(len..len + NOBODY.len())
                {
                    place.copy_from_slice(&NOBODY);
                    len += NOBODY.len();
                }
                let body = buffer.get(..len).unwrap_or_default();
                match reserve::write(&shared.ring.reserve_map(), Kind::Crash as u8, shared.key.to_bytes(), body) {
                    Some(number) => number | crate::writer::RESERVED_TICKET,
                    None => {
                        shared.ring.refuse_crash(Reason::RingFull, Kind::Crash);
                        return Durability::Dropped(Reason::RingFull);
                    }
                }
            }
        };
        crate::crash::told();
        let id = own_id.unwrap_or_else(|| shared.key.id(wall_ms, ticket, 0));
        match self.persist(wait.min(FATAL_WAIT)) {
            Ok(()) => Durability::Synced(id),
            Err(_) => Durability::InRing(id),
        }
    }

    fn persist(&self, wait: Duration) -> Result<(), WaitError> {
        if self.is_forked() {
            return Err(WaitError::Closed);
        }
        let (done, ended) = channel();
        // The generation first: if the ring is replaced between the two, the writer notices. Both without the append lock, which
        // a thread that crashed may hold.
        let ring = &self.shared.ring;
        let until = Until { generation: ring.generation(), published: ring.published() };
        if !self.shared.command(Command::Persist(until, done)) {
            return Err(WaitError::Closed);
        }
        match ended.recv_timeout(wait) {
            Ok(true) => Ok(()),
            Ok(false) => Err(WaitError::Unavailable),
            Err(_) => Err(WaitError::Timeout(wait)),
        }
    }
}

impl Monitor {
    /// Records the error that ends the process. Waits for the disk at most `wait`, and never longer than 500 ms.
    pub fn fatal(&self, error: ErrorEvent<'_>, wait: Duration) -> Durability {
        let inner = &*self.0;
        if let Some(reason) = inner.refused_here() {
            if reason == Reason::Reentrant {
                inner.shared.ring.refuse_crash(reason, Kind::Crash);
            }
            return Durability::Dropped(reason);
        }
        let event = error.into_event(Kind::Crash);
        let (wall_ms, mono_us) = inner.shared.clock.now();
        inner.fatal(wall_ms, |buffer| Some(event.encode(buffer, wall_ms, mono_us)), wait)
    }

    /// Stores the user's decision about a purpose. It is in effect when the call returns. A denial also erases, in the
    /// background, stored events that no other granted purpose needs; when both purposes are denied, it erases the user, tags
    /// and contexts as well.
    pub fn set_consent(&self, purpose: Purpose, consent: Consent) {
        self.0.each_engine(|shared| {
            shared.change_consent(purpose, consent);
            shared.with_delivery("consent", DeliveryHandle::consent_changed);
        });
    }

    /// Erases everything recorded so far from ring, queue and quarantines, and creates a new install id. Events recorded after
    /// this call are kept.
    pub fn forget_user(&self) {
        self.0.each_engine(Shared::forget);
        self.0.append_scope(|encoder| encoder.field(crate::event::field::Field::Change, "user".into()));
        self.0.each_engine(|shared| _ = shared.command(Command::Wipe));
    }

    /// Passes what the host knows about network and power to the engine. A hint delays requests; it never stops them.
    pub fn hint(&self, hint: Hint) {
        self.0.each_engine(|shared| shared.with_delivery(hint.about(), move |delivery| delivery.hint(hint)));
    }

    /// Adds a destination, or replaces the one of this name.
    ///
    /// # Errors
    /// [`ConfigError::Destination`] if the name is invalid.
    pub fn add_destination(&self, name: &str, destination: impl Destination, from: From) -> Result<(), ConfigError> {
        check_destination(name)?;
        self.0.add(vec![(name.to_owned(), Arc::new(destination))], from);
        Ok(())
    }

    /// Adds the destinations of these settings, as [`Monitor::add_destination`] does. The other settings are not used.
    ///
    /// # Errors
    /// [`SettingsError`] names the first invalid setting as `spelling` says; then none is added.
    pub fn add_destinations(&self, settings: &Settings, spelling: Spelling, from: From) -> Result<(), SettingsError> {
        self.0.add(settings.destinations(spelling)?, from);
        Ok(())
    }

    /// Removes a destination. Its rows are kept for 7 days in case it is added again.
    pub fn remove_destination(&self, name: &str) {
        self.0.samplers.remove(name);
        let name = name.to_owned();
        self.0.each_engine(|shared| {
            let name = name.clone();
            shared.with_delivery(&format!("destination {name}"), move |delivery| delivery.remove(&name));
        });
    }

    /// Pauses a destination until [`Monitor::resume_destination`], also over restarts. What is recorded meanwhile is never sent
    /// there, not even later; other destinations get it. What was recorded before stays in the queue and is sent after the
    /// end of the pause, as far as it is not too old then. A request that is running ends as usual.
    ///
    /// For an app that switches one vendor off, for example Google Analytics. It is no consent: to stop a purpose everywhere
    /// and to erase what is stored, use [`Monitor::set_consent`]. At most 64 destinations can be paused. The name need not be
    /// declared yet.
    ///
    /// # Errors
    /// [`ConfigError::Destination`] if the name is invalid, or 64 other destinations are paused.
    pub fn pause_destination(&self, name: &str) -> Result<(), ConfigError> {
        self.0.pause(name, true)
    }

    /// Ends the pause of a destination. Without a pause it does nothing.
    ///
    /// # Errors
    /// [`ConfigError::Destination`] if the name is invalid.
    pub fn resume_destination(&self, name: &str) -> Result<(), ConfigError> {
        self.0.pause(name, false)
    }

    /// Waits until everything recorded so far is on the disk.
    ///
    /// # Errors
    /// [`WaitError`] if that takes longer than `wait`, or the database cannot be used.
    pub fn persist(&self, wait: Duration) -> Result<(), WaitError> {
        self.0.persist(wait)
    }

    /// Persists, then sends to each destination until nothing is left, a request fails or `wait` ends. It ignores batch
    /// timers and low power, but not consent, `Retry-After` or a stop. After a failed request it ignores the wait before the next one at most
    /// once in 5 s per route; a call in between returns at once. Returns per destination the rows delivered, the rows
    /// left, and why they wait.
    ///
    /// # Errors
    /// [`WaitError`] if persisting takes longer than `wait`, or the database cannot be used.
    pub fn flush(&self, wait: Duration) -> Result<Vec<Flushed>, WaitError> {
        let end = end_of(wait);
        self.0.persist(wait)?;
        let delivery = self.0.shared.delivery.get().ok_or(WaitError::Unavailable)?;
        let mut flushed = delivery.flush(left(end));
        // The queues of processes that ended are part of the result.
        for orphan in self.0.shared.orphans() {
            let more = orphan.delivery.get().map(|delivery| delivery.flush(left(end))).unwrap_or_default();
            more.into_iter().for_each(|more| more.add_to(&mut flushed));
        }
        Ok(flushed)
    }

    /// Prepares for the system suspending the process: starts no new request, waits for those in flight, folds, and releases
    /// the database with its locks. Recording continues into the ring.
    pub fn suspend(&self, wait: Duration) {
        let end = end_of(wait);
        self.0.each_engine(|shared| {
            if let Some(delivery) = shared.delivery.get() {
                delivery.suspend(left(end) / 2);
            }
            let (done, ended) = channel();
            if shared.command(Command::Suspend(done)) {
                let _ = ended.recv_timeout(left(end));
            }
        });
    }

    /// Reopens the database after [`Monitor::suspend`].
    pub fn resume(&self) {
        self.0.each_engine(|shared| {
            shared.command(Command::Resume);
            shared.with_delivery("resume", DeliveryHandle::resume);
        });
    }

    /// Ends the session, makes one attempt to send its end and what is queued before it (as [`Monitor::flush`] does, in
    /// at most half of `wait`), then syncs and closes. A request that has not ended after `wait` stays in flight and is
    /// sent again at the next start. Other clones of the handle are closed too: what they record is
    /// `Dropped(StoreUnavailable)`. The folder is free for the next `open` when everything is folded, even if that
    /// takes longer than `wait`.
    pub fn close(self, wait: Duration) {
        let end = end_of(wait);
        if self.0.is_forked() {
            return;
        }
        if self.0.end_session() {
            self.0.send_session_end(end);
        }
        self.0.close(end);
    }

    /// Returns the fate of an event. Waits for the writer at most `wait`.
    ///
    /// # Errors
    /// [`WaitError`] if the writer does not reply within `wait`, or the database cannot be used. A database that turns out
    /// to be damaged is repaired; ask again then.
    pub fn why(&self, id: EventId, wait: Duration) -> Result<Fate, WaitError> {
        self.0.read_store(wait, move |store| store.fate(id))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The last handle was dropped without `close`: the threads end by themselves, without a wait.
        self.close(Instant::now());
    }
}
