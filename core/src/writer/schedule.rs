//! What the writer does between folds: checkpoints, maintenance, idle work, and sleep.

use super::Writer;
use super::report::report_evicted;
use super::shared::{self, Role, SLEEPING_TIMED, SLEEPING_UNTIL_WOKEN};
use crate::crash;
use crate::limits;
use crate::ring::reserve;
use crate::store::{Now, Result, Store, StoreError, Tidy, Wants};
use std::time::{Duration, Instant};

/// Time between two maintenance runs (age, dead letters, dormant routes) while events arrive.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);

/// Time without work after which idle work begins.
pub(super) const TIDY_WAIT: Duration = Duration::from_secs(1);

/// Least bytes ahead of the head to touch before each sleep. The writer touches twice the bytes recorded since the last
/// sleep if that is more.
const TOUCH_BYTES: u64 = 64 * 1024;

impl Writer {
    /// Runs what is due: reopening, checkpoint, erasure, idle work, maintenance, carving.
    pub(super) fn run_due(&mut self) {
        let now = Instant::now();
        self.serve_crashes();
        if self.reopen_at.is_some_and(|at| at <= now) {
            self.reopen_at = None;
            self.open();
        }
        if self.store.is_none() {
            return;
        }
        if self.log_held && self.full_until.is_none_or(|at| at <= now) {
            self.check_held_log();
        }
        let pages = self.store.as_ref().map_or(0, Store::wal_pages);
        if pages >= limits::WAL_PAGES || self.sync_at.is_some_and(|at| at <= now) {
            self.sync();
        }
        if self.erase_log_at.is_some_and(|at| at <= now) {
            self.erase_log();
        }
        if self.tidy_at.is_some_and(|at| at <= now) {
            self.tidy();
        }
        if self.maintenance_at.is_some_and(|at| at <= now) {
            self.maintenance_at = None;
            self.maintained = true;
            self.maintain();
        }
        if self.carving.is_some() {
            self.carve();
        }
        if self.exits_until.is_some_and(|at| at <= now) {
            self.give_up_exits();
        }
    }

    /// Takes back a signal that the process survived, and keeps the list of libraries for the next one.
    fn serve_crashes(&mut self) {
        let shared = &self.shared;
        if !shared.config.native_crashes || !matches!(shared.role, Role::App) {
            return;
        }
        crash::release_survived();
        // The crash of an earlier run needs the list of its own run.
        if !self.first_fold && shared.ring.has_file() && !reserve::is_taken(&shared.ring.map()) {
            self.modules.keep(&shared.folder, shared.key);
        }
    }

    /// Checkpoints: copies the log into the file and syncs both.
    pub(super) fn sync(&mut self) -> bool {
        let Some(store) = &mut self.store else { return false };
        match store.checkpoint() {
            Ok(()) => {
                self.sync_at = None;
                self.last_critical_sync = Some(Instant::now());
                true
            }
            Err(error) => {
                self.sync_at = Some(Instant::now() + limits::SYNC_INTERVAL);
                self.failed(&error);
                false
            }
        }
    }

    /// One step of idle work.
    fn tidy(&mut self) {
        let Some(store) = &mut self.store else { return };
        self.tidy_at = match store.tidy() {
            Ok(Tidy::More) => Some(Instant::now()),
            Ok(Tidy::Blocked) => Some(Instant::now() + TIDY_WAIT),
            Ok(Tidy::Done) => None,
            // The next commit handles a full log.
            Err(StoreError::Full(_)) => Some(Instant::now() + TIDY_WAIT),
            Err(error) => {
                self.failed(&error);
                None
            }
        };
    }

    /// A run may be short, so its first maintenance is due at once.
    pub(super) fn maintenance_wait(&self) -> std::time::Duration {
        if self.maintained { MAINTENANCE_INTERVAL } else { std::time::Duration::ZERO }
    }

    /// Enforces the caps in bytes and age, and runs the store's maintenance.
    pub(super) fn maintain(&mut self) {
        let log = self.log().clone();
        self.delete_rows(|store, wants, idle, now| {
            let evicted = store.evict(wants, idle, now)?;
            report_evicted(&log, evicted);
            let deleted = evicted + store.expire(wants, now)?;
            store.maintain(now)?;
            Ok(deleted)
        });
        if self.carving.is_none() {
            // A full disk may have interrupted one.
            self.find_carving();
        }
        self.adopt_orphans();
    }

    /// Enforces the size cap.
    pub(super) fn evict(&mut self) {
        let log = self.log().clone();
        self.delete_rows(|store, wants, idle, now| {
            store.evict(wants, idle, now).inspect(|evicted| report_evicted(&log, *evicted))
        });
    }

    /// Runs work that deletes rows and returns their number; the ledger counts them.
    fn delete_rows(&mut self, work: impl FnOnce(&mut Store, Wants<'_>, &[String], Now) -> Result<usize>) {
        let now = self.shared.now();
        let wants = self.shared.wants();
        let idle = self.shared.delivery.get().map(|delivery| delivery.directory().idle_routes()).unwrap_or_default();
        let Some(store) = &mut self.store else { return };
        match work(store, &wants, &idle, now) {
            Ok(deleted) => {
                self.mark_settled();
                if deleted > 0
                    && let Some(delivery) = self.shared.delivery.get()
                {
                    delivery.wake([0; 4]);
                }
            }
            Err(error) => {
                self.failed(&error);
            }
        }
    }

    /// Records deleted rows in the superblock, so that the carver does not bring them back. After the commit: if the process dies in
    /// between and the file is lost, their count is lost with it, and the carver counts them. Settlements are noted before it, see
    /// [`Store::on_settle`].
    pub(super) fn mark_settled(&self) {
        if let Some(store) = &self.store {
            // If the store cannot be read, its next user reports the error and the superblock stays as it is.
            let _ = self.shared.write_superblock(store);
        }
    }

    /// Sleeps until the next deadline; without one, until woken.
    pub(super) fn sleep(&mut self) {
        if self.first_fold {
            self.shared.ring.leave();
        }
        let head = self.shared.ring.head();
        let came = head.saturating_sub(std::mem::replace(&mut self.slept_at, head));
        self.shared.ring.touch_ahead(TOUCH_BYTES.max(2 * came));
        let maintenance = self.maintenance_at.filter(|_| self.sync_at.is_some());
        let until = [self.sync_at, self.reopen_at, self.full_until, maintenance, self.tidy_at, self.erase_log_at];
        let until = until.into_iter().chain([self.exits_until.filter(|_| self.store.is_some())]).flatten().min();
        // While it cannot fold, records must not wake it.
        self.shared.set_sleep(if self.can_fold() { SLEEPING_UNTIL_WOKEN } else { SLEEPING_TIMED });
        if self.nothing_to_do() && (!self.can_fold() || self.shared.ring.head() == self.position()) {
            match until {
                Some(until) => std::thread::park_timeout(until.saturating_duration_since(Instant::now())),
                None => std::thread::park(),
            }
        }
        // Waits one interval for more records unless one is urgent, so that a burst is one transaction.
        self.shared.set_sleep(SLEEPING_TIMED);
        if self.nothing_to_do()
            && self.can_fold()
            && !self.shared.take_urgency()
            && self.shared.config.pace.batches()
            && self.shared.ring.head() != self.position()
        {
            std::thread::park_timeout(limits::FOLD_INTERVAL);
        }
        self.shared.set_sleep(shared::AWAKE);
    }

    fn nothing_to_do(&self) -> bool {
        self.carving.is_none() && !self.shared.has_commands() && !self.shared.woken()
    }
}
