//! The writer: the one thread that owns the store. It folds the ring in ticket order, commits, keeps the file within its
//! caps and in good order, and does what the delivery and the app ask of it.
//!
//! | file | idea |
//! | --- | --- |
//! | `shared` | what callers, writer and delivery share; waking and asking |
//! | `batch` | what one transaction of the fold does |
//! | `stamp`, `json` | from a record to a row |
//! | `fold` | ring to batch, batch to store |
//! | `files` | opening, quarantine, wiping |
//! | `carve` | reading a damaged file for rows |
//! | `disk_space`, `ring_health` | a full disk; a ring whose file was taken away |
//! | `crash_loop` | starts that died in the engine |
//! | `orphan` | queues that nobody records into any more |
//! | `screens`, `dedup` | the screen of the moment; the same error over and over |
//! | `store_access` | the delivery thread's way to the store |
//! | `hook` | the app's own `before_send` |

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

/// Whether this is a thread of the engine: what it records is refused.
#[inline]
pub(crate) fn is_ours() -> bool {
    OURS.with(Cell::get)
}

/// Marks the present thread as one of the engine's.
pub(crate) fn mark_ours() {
    OURS.with(|ours| ours.set(true));
}

/// The thread's own state.
struct Writer {
    shared: Arc<Shared>,
    store: Option<Store>,
    stamper: Stamper,
    /// Decided, not yet committed.
    pending: Option<Batch>,
    /// Run of the rows that come next.
    run: i64,
    /// That run, for a file that does not know it; `None` = no store was open yet.
    run_row: Option<crate::row::Run>,
    /// What the next batch begins with: the run of the records in the ring, when the store does not know it.
    adopted: Vec<batch::Op>,
    /// Transactions in a row that found the disk full.
    tries: u32,
    /// The disk is full and nothing could be freed: folding waits until then.
    full_until: Option<Instant>,
    hook: Option<hook::Hook>,
    /// When what is committed must be synced.
    sync_at: Option<Instant>,
    last_critical_sync: Option<Instant>,
    reopen_at: Option<Instant>,
    upkeep_at: Option<Instant>,
    /// When idle work is due (see [`Store::tidy`]).
    tidy_at: Option<Instant>,
    /// When to try again to erase what a wipe left in the log.
    erase_log_at: Option<Instant>,
    /// Upkeep was done in this run.
    upkept: bool,
    carving: Option<carve::Carving>,
    suspended: bool,
    first_fold: bool,
    /// Position of the ring's head at the last sleep.
    slept_at: u64,
    /// The queue was quarantined because earlier runs died while opening it: once per run.
    crash_loop_handled: bool,
    /// The session an earlier run left open was looked for.
    session_ended: bool,
    /// Rows in a folder that was moved away, not counted as lost yet.
    left_behind: u32,
}

/// Upkeep (age, dead letters, dormant routes) is looked at this often while something happens.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(60);

/// How long nothing must have happened before idle work begins.
const TIDY_WAIT: Duration = Duration::from_secs(1);

/// Least bytes ahead of the head that are touched before each sleep; twice what came since the last one where that is
/// more.
const TOUCH_BYTES: u64 = 64 * 1024;

/// Starts the thread.
pub(crate) fn start(shared: &Arc<Shared>) -> std::io::Result<()> {
    let for_thread = Arc::clone(shared);
    std::thread::Builder::new().name("rez-writer".into()).spawn(move || {
        // Here, not by whoever starts it: the first wake may come before `spawn` has returned.
        for_thread.set_thread(std::thread::current());
        mark_ours();
        let _guarded = ThreadGuard::new();
        let guard = CloseCommands(Arc::clone(&for_thread));
        Writer::new(for_thread).run();
        drop(guard);
    })?;
    Ok(())
}

/// However the thread ends, nobody waits for it in vain.
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
            upkeep_at: None,
            tidy_at: None,
            erase_log_at: None,
            upkept: false,
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
            self.maintain();
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
                // Rows of a damaged file were recorded too; 20 MB are read in some 30 ms.
                while self.carving.is_some() && self.can_fold() {
                    self.carve();
                }
                let folded = self.pending.is_none() && self.shared.ring.head() == self.position();
                let synced = folded && self.store.is_some() && self.sync();
                let _ = done.send(synced);
            }
            // The fold before this command did it, or could not yet.
            Command::Wipe => {
                self.adopt_all();
                self.shared.forgets.store(false, std::sync::atomic::Ordering::Release);
            }
            Command::Reopen => self.open(),
            Command::Failed(error, serial) => {
                // Of a file that was put aside meanwhile: dealt with, and the new one is not to follow it.
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

    /// Checkpoints, evicts, expires, carves: what is due.
    fn maintain(&mut self) {
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
        if self.upkeep_at.is_some_and(|at| at <= now) {
            self.upkeep_at = None;
            self.upkept = true;
            self.upkeep();
        }
        if self.carving.is_some() {
            self.carve();
        }
    }

    /// Writes the log into the file and syncs both.
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

    /// Nothing happened for a while: one step of what was left for this moment.
    fn tidy(&mut self) {
        let Some(store) = &mut self.store else { return };
        self.tidy_at = match store.tidy() {
            Ok(Tidy::More) => Some(Instant::now()),
            Ok(Tidy::Blocked) => Some(Instant::now() + TIDY_WAIT),
            Ok(Tidy::Done) => None,
            // A full log; the next commit deals with what does not pass.
            Err(StoreError::Full(_)) => Some(Instant::now() + TIDY_WAIT),
            Err(error) => {
                self.failed(&error);
                None
            }
        };
    }

    /// A run may be short: its first upkeep is due at once.
    fn upkeep_wait(&self) -> std::time::Duration {
        if self.upkept { UPKEEP_INTERVAL } else { std::time::Duration::ZERO }
    }

    /// Caps in bytes and age; answers nothing: what went is in the ledger.
    fn upkeep(&mut self) {
        let now = self.shared.now();
        let directory = self.shared.delivery.get().map(crate::delivery::DeliveryHandle::directory);
        let Some(store) = &mut self.store else { return };
        let wants = |route: &str, row: &crate::row::Row| directory.as_ref().is_none_or(|d| d.wants(route, row));
        let idle = directory.as_ref().map(crate::delivery::Directory::idle_routes).unwrap_or_default();
        let done = store
            .evict(&wants, &idle, now)
            .and_then(|evicted| Ok(evicted + store.expire(&wants, now)?))
            .and_then(|gone| store.upkeep(now).map(|()| gone));
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
            // One that a full disk broke off.
            self.find_carving();
        }
        self.adopt_orphans();
    }

    /// Rows went: the superblock say so, lest they come back from a damaged file.
    fn mark_settled(&self) {
        if let Some(store) = &self.store {
            // A store that cannot be read is found out by whoever works with it next; the superblock stay as they were.
            let _ = self.shared.write_superblock(store, true);
        }
    }

    /// Sleeps until something must be done: with nothing to wait for, for ever.
    fn sleep(&mut self) {
        if self.first_fold {
            self.shared.ring.leave();
        }
        let head = self.shared.ring.head();
        let came = head.saturating_sub(std::mem::replace(&mut self.slept_at, head));
        self.shared.ring.touch_ahead(TOUCH_BYTES.max(2 * came));
        let upkeep = self.upkeep_at.filter(|_| self.sync_at.is_some());
        let until = [self.sync_at, self.reopen_at, self.full_until, upkeep, self.tidy_at, self.erase_log_at];
        let until = until.into_iter().flatten().min();
        // With nowhere to fold to, records must not wake it in vain.
        self.shared.set_sleep(if self.can_fold() { PARKED } else { DOZING });
        if self.nothing_to_do() && (!self.can_fold() || self.shared.ring.head() == self.position()) {
            match until {
                Some(until) => std::thread::park_timeout(until.saturating_duration_since(Instant::now())),
                None => std::thread::park(),
            }
        }
        // Records of no urgency are gathered for one interval, so that a burst is one transaction.
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
        // Only now may another engine have the folder.
        if self.shared.ring.detach().is_ok() {
            self.shared.give_lock(None);
        }
        self.shared.wake_successor();
    }

    /// Gives the database and its locks back to the system.
    fn release(&mut self) {
        if let Some(store) = self.store.take() {
            // A close that fails leaves the log behind, which the next open takes over.
            let _ = store.close();
        }
        // The next open takes the carve up again; without a store it would only keep the thread awake.
        self.carving = None;
        (self.sync_at, self.tidy_at, self.erase_log_at) = (None, None, None);
        self.shared.set_state(StoreState::Unavailable("suspended".into()));
    }
}
