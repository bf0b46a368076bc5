//! When the ends of earlier runs are recorded: at once, or when the host has reported the exits that the system remembers.

use super::Writer;
use super::session_record::{append_end, append_exit};
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::exit::{LastRun, UncleanExits};
use crate::limits;
use crate::sys::Clock;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How the run before this one ended, once that is known. The app asks on any thread.
#[derive(Default)]
pub(crate) struct KnownLastRun {
    last_run: Mutex<Option<Option<LastRun>>>,
    known: Condvar,
}

impl KnownLastRun {
    /// Waits until it is known. `None` after a longer wait; `Some(None)`: there was no run before.
    pub(crate) fn get_within(&self, wait: Duration) -> Option<Option<LastRun>> {
        let last_run = self.last_run.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.known.wait_timeout_while(last_run, wait, |last_run| last_run.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    fn is_known(&self) -> bool {
        self.last_run.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn set(&self, last_run: Option<LastRun>) {
        *self.last_run.lock().unwrap_or_else(PoisonError::into_inner) = Some(last_run);
        self.known.notify_all();
    }
}

impl Writer {
    /// Records the ends of earlier runs that nothing explains, and of the sessions that they left without one. Tells the app how the
    /// last one ended.
    pub(super) fn account_for_earlier_runs(&mut self) {
        if self.stamper.key != Some(self.shared.key) {
            return;
        }
        if std::mem::take(&mut self.stamper.ends_changed) || !self.shared.last_run.is_known() {
            self.shared.last_run.set(self.stamper.last_run());
        }
        if self.accounted || self.awaits_exits() {
            return;
        }
        self.accounted = true;
        if self.shared.config.unclean_exits != UncleanExits::Ignored {
            for (run, seen_ms) in self.stamper.unexplained_runs() {
                append_exit(&self.shared, &run, seen_ms);
            }
        }
        if self.stamper.has_open_ends() {
            self.shared.ring.append_scope(&ends_decided(&self.shared.clock));
        }
        for session in self.stamper.unfinished_sessions() {
            let end_ms = session.ended_ms.unwrap_or_else(|| self.shared.clock.wall_ms());
            append_end(&self.shared, &session.id, session.started_ms, session.status, end_ms);
        }
    }

    /// The host has reported nothing for so long that it is not going to.
    pub(super) fn give_up_exits(&mut self) {
        self.exits_until = None;
        self.stamper.exits_reported = true;
        self.account_for_earlier_runs();
    }

    /// Whether the host is going to report the exits of earlier runs, which say more than their absence does.
    fn awaits_exits(&mut self) -> bool {
        if self.shared.config.unclean_exits != UncleanExits::AwaitReport || self.stamper.exits_reported {
            self.exits_until = None;
            return false;
        }
        self.exits_until.get_or_insert_with(|| Instant::now() + self.shared.config.pace.wait(limits::EXIT_REPORT_WAIT));
        true
    }
}

/// The record that follows those of the ends.
fn ends_decided(clock: &Clock) -> Vec<u8> {
    let mut buffer = vec![0; 128];
    let mut encoder = Encoder::new(&mut buffer, clock.wall_ms(), clock.mono_us());
    encoder.field(Field::Change, "ends_decided".into());
    let len = encoder.finish();
    buffer.truncate(len);
    buffer
}
