//! When the ends of earlier runs are recorded: at once, or when the host has reported the exits that the system remembers.

use super::Writer;
use super::session_record::{append_end, append_exit, append_scope};
use crate::event::field::Field;
use crate::exit::UncleanExits;
use crate::limits;
use std::time::Instant;

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
            // After the events of the ends, which need what it drops.
            append_scope(&self.shared, |encoder| encoder.field(Field::Change, "ends_decided".into()));
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
