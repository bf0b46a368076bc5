//! When the ends of earlier runs are recorded: at once, or when the host has reported the exits that the system remembers.

use super::Writer;
use super::session_record::{append_end, append_exit};
use crate::exit::{LastRun, UncleanExits};
use crate::limits;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How the run before this one ended, once that is known. The app asks on any thread.
#[derive(Default)]
pub(crate) struct KnownLastRun(Mutex<Option<Option<LastRun>>>);

impl KnownLastRun {
    /// `None` while it is not known; `Some(None)`: there was no run before.
    pub(crate) fn get(&self) -> Option<Option<LastRun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, last_run: Option<LastRun>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(last_run);
    }
}

impl Writer {
    /// Records the ends of earlier runs that nothing explains, and of the sessions that they left without one. Tells the app how the
    /// last one ended.
    pub(super) fn account_for_earlier_runs(&mut self) {
        if self.stamper.key != Some(self.shared.key) {
            return;
        }
        if std::mem::take(&mut self.stamper.ends_changed) || self.shared.last_run.get().is_none() {
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
