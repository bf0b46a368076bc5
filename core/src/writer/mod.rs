//! The writer: the one thread that owns the store.
//!
//! It folds the ring in ticket order, commits, keeps the file within its caps, and runs the commands of the delivery thread
//! and the app.
//!
//! | file | idea |
//! | --- | --- |
//! | `shared`, `work` | state shared by callers, writer and delivery thread; commands; work with the store for another thread |
//! | `batch` | the steps of one transaction |
//! | `stamp`, `row_json` | record to row |
//! | `read`, `fold` | ring to batch, batch to store |
//! | `document`, `lost_records` | records that hold a batch document; what follows lost records |
//! | `files`, `erase` | opening, quarantine; erasure |
//! | `superblock` | what the ring keeps of the store in case its file is lost |
//! | `carve` | recovery of rows from a damaged file |
//! | `disk_space`, `ring_health` | a full disk; a ring file that was removed or cut |
//! | `crash_loop` | repeated crashes of the engine during start |
//! | `paused` | destinations that the app has paused |
//! | `orphan` | queues without a recording process |
//! | `profile`, `super_properties`, `timed_events` | the last values of the properties of the user; attributes of every analytics event; the duration of an event |
//! | `crashes`, `ended_runs`, `exits` | the crash of a run; how each earlier run ended; an event about it |
//! | `earlier_runs`, `known_last_run` | when the ends of earlier runs are recorded; the answer to the app |
//! | `screens`, `sessions`, `dedup` | the current screen; sessions; repeated errors and messages |
//! | `store_access` | the delivery thread's way to the store |
//! | `schedule` | what is due while nothing is recorded: checkpoints, maintenance, idle work, sleep |
//! | `hook` | the app's `before_send` |
//! | `report` | what the logger hears of all this |

pub(crate) mod alert_windows;
mod batch;
#[cfg(feature = "bench-access")]
pub(crate) mod bench;
mod carve;
mod crash_loop;
mod crashes;
mod crumbs;
mod dedup;
mod device;
mod disk_space;
mod document;
mod earlier_runs;
mod ended_runs;
mod erase;
mod exits;
mod files;
mod flags;
mod fold;
mod hook;
mod known_last_run;
mod lost_records;
mod orphan;
mod paused;
mod profile;
mod read;
mod report;
mod ring_health;
mod roots;
mod row_json;
mod schedule;
mod scope_keys;
mod scope_stamp;
mod screens;
pub(crate) mod session_record;
mod sessions;
pub(crate) mod shared;
mod stamp;
mod store_access;
mod super_properties;
mod superblock;
#[cfg(test)]
mod tests;
mod timed_events;
mod work;

pub(crate) use crate::own_thread::{is_ours, mark_ours};
pub(crate) use files::boot_hash;
pub(crate) use read::RESERVED_TICKET;

use crate::crash;
use crate::delivery::ForDelivery;
use crate::kind::Kind;
use crate::reason::Reason;
use crate::ring::reserve;
use crate::store::Store;
use crate::sys::map::ThreadGuard;
use batch::Batch;
use schedule::TIDY_WAIT;
use shared::{Command, Shared, StoreState};
use stamp::Stamper;
use std::sync::Arc;
use std::time::Instant;

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
    /// A reader keeps the log from being restarted.
    log_held: bool,
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
    /// The refusals at the call that the store has.
    stored_refusals: Vec<(Reason, Option<Kind>, u64)>,
    /// Position of the ring's head at the last sleep.
    slept_at: u64,
    /// The queue was quarantined because earlier runs died while opening it: once per run.
    crash_loop_handled: bool,
    /// The ends of earlier runs and of their sessions were recorded.
    accounted: bool,
    /// Until when they wait for the host's report of the exits.
    exits_until: Option<Instant>,
    /// What the app asked of the delivery thread before it was started, in order: the last request about each subject.
    for_delivery: Vec<ForDelivery>,
    /// Rows in a folder that was moved away, not counted as lost yet.
    left_behind: u32,
    /// Rows of a lost file that were in flight, not counted yet.
    left_in_flight: u64,
    /// What interrupted removals left beside the folder was removed by this process.
    removals_finished: std::cell::Cell<bool>,
    /// Where items of a batch are encoded: an event, and the warning of a slow call.
    scratch: Vec<u8>,
    /// Ticket of the last record whose durations are in `metrics()`.
    measured: u64,
    reported: report::Reported,
    /// The file with the libraries of this run.
    modules: crash::ModuleFile,
}

/// Starts the writer thread.
pub(crate) fn start(shared: &Arc<Shared>) -> std::io::Result<()> {
    let for_thread = Arc::clone(shared);
    // Read before the app has the handle: what is refused from now on is news.
    let reported = report::Reported::new(shared);
    std::thread::Builder::new().name("rez-writer".into()).spawn(move || {
        // Set here, because the first wake can come before `spawn` returns.
        for_thread.set_thread(std::thread::current());
        mark_ours();
        let _guarded = ThreadGuard::new();
        let guard = CloseCommands(Arc::clone(&for_thread));
        Writer::new(for_thread, reported).run();
        drop(guard);
    })?;
    Ok(())
}

/// Replies to all waiting commands when the thread ends, for whatever cause.
struct CloseCommands(Arc<Shared>);

impl Drop for CloseCommands {
    fn drop(&mut self) {
        self.0.close_commands();
    }
}

impl Writer {
    fn new(shared: Arc<Shared>, reported: report::Reported) -> Writer {
        let suspended = shared.config.suspended && matches!(shared.role, shared::Role::App);
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
            log_held: false,
            hook,
            sync_at: None,
            last_critical_sync: None,
            reopen_at: None,
            maintenance_at: None,
            tidy_at: None,
            erase_log_at: None,
            maintained: false,
            carving: None,
            suspended,
            first_fold: true,
            stored_refusals: Vec::new(),
            slept_at: 0,
            crash_loop_handled: false,
            accounted: false,
            exits_until: None,
            for_delivery: Vec::new(),
            left_behind: 0,
            left_in_flight: 0,
            removals_finished: std::cell::Cell::new(false),
            scratch: Vec::new(),
            measured: 0,
            reported,
            modules: crash::ModuleFile::default(),
        }
    }

    fn run(mut self) {
        if self.suspended {
            self.release();
        }
        self.open();
        loop {
            self.fold();
            self.start_first_delivery();
            while let Some(command) = self.shared.next_command() {
                // It may have made room, or somebody waits for what is folded.
                self.full_until = None;
                if let Command::Close(done) = command {
                    self.close();
                    let _ = done.send(());
                    return;
                }
                self.fold_present();
                self.obey(command);
            }
            self.run_due();
            self.report_gate();
            if self.is_unserved() {
                self.fold();
                self.start_first_delivery();
            }
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
            Command::WithDelivery(request) => {
                match self.shared.delivery.get() {
                    Some(delivery) => (request.work)(delivery),
                    None => self.keep_for_delivery(request),
                }
                self.report_notes();
            }
            Command::Persist(until, done) => {
                // Rows of a damaged file count as recorded. Carving 20 MB takes about 30 ms.
                while self.carving.is_some() && self.can_fold() {
                    self.carve();
                }
                self.store_refusals();
                let ring = &self.shared.ring;
                // Positions of another generation cannot be compared: the ring was replaced since the call.
                let reached = match ring.generation() == until.generation {
                    true => self.position() >= until.published,
                    false => ring.head() == self.position(),
                };
                let folded = self.pending.is_none() && reached && !reserve::is_taken(&ring.map());
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
                // A flush that follows finds the delivery of an engine that was opened suspended.
                self.fold();
                self.start_first_delivery();
            }
            Command::Close(_) => {}
        }
    }

    fn close(&mut self) {
        self.shared.ring.refuse_all();
        self.fold();
        self.report_gate();
        let folded = self.pending.is_none() && self.shared.ring.head() == self.position();
        let closed = self.store.take().is_some_and(|store| store.close().is_ok());
        // Until here a crash is one of this run. The file must not keep a signal that is not decided.
        crash::disarm(self.shared.key);
        if closed && folded {
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
