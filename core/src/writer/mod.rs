//! The writer: the one thread that owns the store.
//!
//! It folds the ring in ticket order, commits, keeps the file within its caps, and runs the commands of the delivery thread
//! and the app.
//!
//! | file | idea |
//! | --- | --- |
//! | `shared` | state shared by callers, writer and delivery thread; commands |
//! | `batch` | the steps of one transaction |
//! | `stamp`, `json` | record to row |
//! | `fold` | ring to batch, batch to store |
//! | `files` | opening, quarantine, erasure |
//! | `carve` | recovery of rows from a damaged file |
//! | `disk_space`, `ring_health` | a full disk; a ring file that was removed or cut |
//! | `crash_loop` | repeated crashes of the engine during start |
//! | `orphan` | queues without a recording process |
//! | `screens`, `dedup` | the current screen; repeated errors and messages |
//! | `store_access` | the delivery thread's way to the store |
//! | `hook` | the app's `before_send` |

pub(crate) mod batch;
mod carve;
mod crash_loop;
mod dedup;
mod device;
mod disk_space;
mod files;
mod fold;
mod hook;
mod json;
mod orphan;
mod ring_health;
mod screens;
pub(crate) mod session_record;
pub(crate) mod shared;
mod stamp;
mod store_access;
#[cfg(test)]
mod tests;

pub(crate) use files::boot_hash;
pub(crate) use fold::RESERVED_TICKET;

use crate::limits;
use crate::store::{Store, StoreError, Tidy};
use crate::sys::map::ThreadGuard;
use batch::Batch;
use shared::{Command, DOZING, PARKED, Shared, StoreState};
use stamp::Stamper;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a thread of the engine. Its records are refused.
#[inline]
pub(crate) fn is_ours() -> bool {
    OURS.with(Cell::get)
}

/// Marks the current thread as a thread of the engine.
pub(crate) fn mark_ours() {
    OURS.with(|ours| ours.set(true));
}

/// The state of the writer thread.
struct Writer {
    shared: Arc<Shared>,
    store: Option<Store>,
    stamper: Stamper,
    /// The next transaction, built but not committed.
    pending: Option<Batch>,
    /// Number of the run of the next rows.
    run: i64,
    /// That run, for a new file that does not have it; `None` before the first open.
    run_row: Option<crate::row::Run>,
    /// First steps of the next batch: the run of the records in the ring, if the store lacks it.
    adopted: Vec<batch::Op>,
    /// Transactions in a row that found the disk full.
    tries: u32,
    /// The disk is full: no fold before this time.
    full_until: Option<Instant>,
    hook: Option<hook::Hook>,
    /// When the last commits must be synced.
    sync_at: Option<Instant>,
    last_critical_sync: Option<Instant>,
    reopen_at: Option<Instant>,
    maintenance_at: Option<Instant>,
    /// When idle work is due (see [`Store::tidy`]).
    tidy_at: Option<Instant>,
    /// When to try again to erase what a wipe left in the log.
    erase_log_at: Option<Instant>,
    /// Maintenance ran in this run.
    maintained: bool,
    carving: Option<carve::Carving>,
    suspended: bool,
    first_fold: bool,
    /// Position of the ring's head at the last sleep.
    slept_at: u64,
    /// The queue was quarantined because earlier runs died while opening it: once per run.
    crash_loop_handled: bool,
    /// Sessions that earlier runs left open were ended.
    session_ended: bool,
    /// Rows in a folder that was moved away, not counted as lost yet.
    left_behind: u32,
}

/// Time between two maintenance runs (age, dead letters, dormant routes) while events arrive.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);

/// Time without work after which idle work begins.
const TIDY_WAIT: Duration = Duration::from_secs(1);

/// Least bytes ahead of the head to touch before each sleep. The writer touches twice the bytes recorded since the last
/// sleep if that is more.
const TOUCH_BYTES: u64 = 64 * 1024;

/// Starts the writer thread.
pub(crate) fn start(shared: &Arc<Shared>) -> std::io::Result<()> {
    let for_thread = Arc::clone(shared);
    std::thread::Builder::new().name("rez-writer".into()).spawn(move || {
        // Set here, because the first wake can come before `spawn` returns.
        for_thread.set_thread(std::thread::current());
        mark_ours();
        let _guarded = ThreadGuard::new();
        let guard = CloseCommands(Arc::clone(&for_thread));
        Writer::new(for_thread).run();
        drop(guard);
    })?;
    Ok(())
}

/// Answers all waiting commands when the thread ends, whatever ends it.
struct CloseCommands(Arc<Shared>);

impl Drop for CloseCommands {
    fn drop(&mut self) {
        self.0.close_commands();
    }
}

impl Writer {
    fn new(shared: Arc<Shared>) -> Writer {
        let hook = shared.config.before_send.clone().map(|hook| hook::Hook::start(hook, shared.config.rules));
        Writer {
            shared,
            store: None,
            stamper: Stamper::default(),
            pending: None,
            run: 0,
            run_row: None,
            adopted: Vec::new(),
            tries: 0,
            full_until: None,
            hook,
            sync_at: None,
            last_critical_sync: None,
            reopen_at: None,
            maintenance_at: None,
            tidy_at: None,
            erase_log_at: None,
            maintained: false,
            carving: None,
            suspended: false,
            first_fold: true,
            slept_at: 0,
            crash_loop_handled: false,
            session_ended: false,
            left_behind: 0,
        }
    }

    fn run(mut self) {
        self.open();
        loop {
            self.fold();
            while let Some(command) = self.shared.next_command() {
                // It may have made room, or somebody waits for what is folded.
                self.full_until = None;
                if let Command::Close(done) = command {
                    self.close();
                    let _ = done.send(());
                    return;
                }
                self.fold();
                self.obey(command);
            }
            self.run_due();
            if self.is_drained_orphan() {
                return self.remove_orphan();
            }
            self.sleep();
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Work(work) => {
                let before = self.store.as_ref().map(Store::commits);
                work(self.store.as_mut(), self.shared.now());
                if self.store.as_ref().map(Store::commits) != before {
                    self.tries = 0;
                }
                self.tidy_at = Some(Instant::now() + TIDY_WAIT);
            }
            Command::Tell(tell) => {
                if let Some(delivery) = self.shared.delivery.get() {
                    tell(delivery);
                }
            }
            Command::Persist(done) => {
                // Rows of a damaged file count as recorded. Carving 20 MB takes about 30 ms.
                while self.carving.is_some() && self.can_fold() {
                    self.carve();
                }
                let folded = self.pending.is_none() && self.shared.ring.head() == self.position();
                let synced = folded && self.store.is_some() && self.sync();
                let _ = done.send(synced);
            }
            // The fold before this command did the wipe, if it could.
            Command::Wipe => {
                self.adopt_all();
                self.shared.forgets.store(false, std::sync::atomic::Ordering::Release);
            }
            Command::Reopen => self.open(),
            Command::Failed(error, serial) => {
                // An error of a file that is quarantined by now does not concern the new one.
                let stale = self.store.as_ref().is_none_or(|store| store.serial() != serial);
                if (stale || self.failed(&error))
                    && self.store.is_some()
                    && let Some(delivery) = self.shared.delivery.get()
                {
                    delivery.store_back();
                }
            }
            Command::Suspend(done) => {
                self.suspended = true;
                self.release();
                let _ = done.send(());
            }
            Command::Resume => {
                self.suspended = false;
                self.open();
            }
            Command::Close(_) => {}
        }
    }

    /// Runs what is due: reopening, checkpoint, erasure, idle work, maintenance, carving.
    fn run_due(&mut self) {
        let now = Instant::now();
        if self.reopen_at.is_some_and(|at| at <= now) {
            self.reopen_at = None;
            self.open();
        }
        if self.store.is_none() {
            return;
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
    }

    /// Checkpoints: copies the log into the file and syncs both.
    fn sync(&mut self) -> bool {
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
    fn maintenance_wait(&self) -> std::time::Duration {
        if self.maintained { MAINTENANCE_INTERVAL } else { std::time::Duration::ZERO }
    }

    /// Enforces the caps in bytes and age. The ledger counts what is deleted.
    fn maintain(&mut self) {
        let now = self.shared.now();
        let directory = self.shared.delivery.get().map(crate::delivery::DeliveryHandle::directory);
        let Some(store) = &mut self.store else { return };
        let wants = |route: &str, row: &crate::row::Row| directory.as_ref().is_none_or(|d| d.wants(route, row));
        let idle = directory.as_ref().map(crate::delivery::Directory::idle_routes).unwrap_or_default();
        let done = store
            .evict(&wants, &idle, now)
            .and_then(|evicted| Ok(evicted + store.expire(&wants, now)?))
            .and_then(|gone| store.maintain(now).map(|()| gone));
        match done {
            Ok(0) => {}
            Ok(_) => {
                self.mark_settled();
                if let Some(delivery) = self.shared.delivery.get() {
                    delivery.wake([0; 4]);
                }
            }
            Err(error) => {
                self.failed(&error);
            }
        }
        if self.carving.is_none() {
            // A full disk may have interrupted one.
            self.find_carving();
        }
        self.adopt_orphans();
    }

    /// Records deleted rows in the superblock, so that the carver does not bring them back.
    fn mark_settled(&self) {
        if let Some(store) = &self.store {
            // If the store cannot be read, its next user reports the error and the superblock stays as it is.
            let _ = self.shared.write_superblock(store, true);
        }
    }

    /// Sleeps until the next deadline; without one, until woken.
    fn sleep(&mut self) {
        if self.first_fold {
            self.shared.ring.leave();
        }
        let head = self.shared.ring.head();
        let came = head.saturating_sub(std::mem::replace(&mut self.slept_at, head));
        self.shared.ring.touch_ahead(TOUCH_BYTES.max(2 * came));
        let maintenance = self.maintenance_at.filter(|_| self.sync_at.is_some());
        let until = [self.sync_at, self.reopen_at, self.full_until, maintenance, self.tidy_at, self.erase_log_at];
        let until = until.into_iter().flatten().min();
        // While it cannot fold, records must not wake it.
        self.shared.set_sleep(if self.can_fold() { PARKED } else { DOZING });
        if self.nothing_to_do() && (!self.can_fold() || self.shared.ring.head() == self.position()) {
            match until {
                Some(until) => std::thread::park_timeout(until.saturating_duration_since(Instant::now())),
                None => std::thread::park(),
            }
        }
        // Waits one interval for more records unless one is urgent, so that a burst is one transaction.
        self.shared.set_sleep(DOZING);
        if self.nothing_to_do()
            && self.can_fold()
            && !self.shared.take_urgency()
            && self.shared.ring.head() != self.position()
        {
            std::thread::park_timeout(limits::FOLD_INTERVAL);
        }
        self.shared.set_sleep(shared::AWAKE);
    }

    fn nothing_to_do(&self) -> bool {
        self.carving.is_none() && !self.shared.has_commands() && !self.shared.woken()
    }

    fn close(&mut self) {
        self.shared.ring.shut();
        self.fold();
        let folded = self.pending.is_none() && self.shared.ring.head() == self.position();
        if let Some(store) = self.store.take()
            && store.close().is_ok()
            && folded
        {
            self.shared.ring.close_cleanly();
        }
        self.shared.set_state(StoreState::Unavailable("closed".into()));
        // From here on another engine may use the folder.
        if self.shared.ring.detach().is_ok() {
            self.shared.give_lock(None);
        }
        self.shared.wake_successor();
    }

    /// Closes the database and releases its locks.
    fn release(&mut self) {
        if let Some(store) = self.store.take() {
            // If the close fails, the next open recovers the log.
            let _ = store.close();
        }
        // The next open resumes the carve; without a store it would keep the thread awake.
        self.carving = None;
        (self.sync_at, self.tidy_at, self.erase_log_at) = (None, None, None);
        self.shared.set_state(StoreState::Unavailable("suspended".into()));
    }
}
