//! State shared by callers, the writer thread and the delivery thread.

use super::known_last_run::KnownLastRun;
use crate::channel::Sender;
use crate::config::{Config, Consent};
use crate::delivery::{DeliveryHandle, DestinationNote, ForDelivery};
use crate::id::IdKey;
use crate::inspect::Recent;
use crate::kind::Purpose;
use crate::limits;
use crate::metrics::Metrics;
use crate::ring::Ring;
use crate::row::{Row, Run};
use crate::store::{Now, Store, StoreError};
use crate::sys::Clock;
use crate::sys::lock::FolderLock;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::Thread;

/// Work for the writer with the store, done after everything recorded so far is folded. `None` = the store is not open.
pub(crate) type Work = Box<dyn FnOnce(Option<&mut Store>, Now) + Send>;

/// A command for the writer.
pub(crate) enum Command {
    /// Does work with the store.
    Work(Work),
    /// Calls a function with the handle of the delivery thread, once that is running.
    WithDelivery(ForDelivery),
    /// Syncs; sends whether what was recorded before this point is on the disk.
    Persist(Until, Sender<bool>),
    /// Erases what the superblock requests, also in the folders of ended processes.
    Wipe,
    /// The store with this serial number failed during work of the delivery thread.
    Failed(StoreError, u64),
    /// Releases the database and its locks. Recording continues into the ring.
    Suspend(Sender<()>),
    /// Opens the database again.
    Resume,
    /// Tries to open the database, since the folder may be free now.
    Reopen,
    /// Folds, syncs, closes and ends the thread.
    Close(Sender<()>),
}

/// A point in the ring, when a call was made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    pub(crate) generation: u64,
    pub(crate) published: u64,
}

/// Whether the database can be used.
#[derive(Clone, Debug, PartialEq, Eq, Default, serde::Serialize)]
#[serde(tag = "state", content = "why", rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreState {
    /// The database is being opened. Records wait in the ring.
    #[default]
    Opening,
    /// The database is open.
    Ready,
    /// The database cannot be used, for this reason. It is tried again every 60 s; if it is open and the disk is full, or another
    /// program's read transaction keeps its log from being emptied, every second. Records stay in the ring, which is in memory only if
    /// the folder itself cannot be used.
    Unavailable(String),
}

/// The role of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The app records into it.
    App,
    /// Delivers and removes the queue of a process that ended.
    Orphan,
    /// Folds the ring that it finds in a folder which another engine is about to take over.
    Predecessor,
}

/// The shared state of an engine.
pub(crate) struct Shared {
    pub(crate) role: Role,
    pub(crate) ring: Ring,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    /// What was stored lately, while inspection is on.
    pub(crate) recent: Recent,
    /// The durations of this run, from typed calls and from batches.
    pub(crate) metrics: Metrics,
    /// When this engine was opened, by the monotonic clock.
    pub(crate) opened_ms: i64,
    /// The folder in use: the configured one, or a sibling if another process holds it.
    pub(crate) folder: PathBuf,
    pub(crate) boot: String,
    pub(crate) key: IdKey,
    pub(crate) found: crate::ring::Found,
    pub(crate) delivery: OnceLock<DeliveryHandle>,
    pub(crate) state: Mutex<StoreState>,
    commands: Mutex<Commands>,
    sleep: AtomicU8,
    /// An event of lane 0 or 1 was appended, or the ring is half full.
    urgent: AtomicBool,
    thread: OnceLock<Thread>,
    /// The folder's lock; none while records are in memory, and after the writer released the folder.
    lock: Mutex<Option<FolderLock>>,
    /// `close` was called.
    closing: AtomicBool,
    pub(crate) last_run: KnownLastRun,
    /// The folder is being taken over from memory: its lock is held, but not here yet.
    pub(crate) takes_over: AtomicBool,
    /// The user is being forgotten: data in the folders of ended processes is erased too, whenever they are found.
    pub(crate) forgets: AtomicBool,
    /// The destinations that are paused, for the delivery threads of this engine and of the queues that it adopts.
    paused: Mutex<Vec<String>>,
    /// A reader keeps erased data in the log.
    pub(crate) erasure_blocked: AtomicBool,
    /// The engine that waits for this one to release the folder.
    successor: Mutex<Weak<Shared>>,
    /// Engines over the folders of processes that are gone.
    orphans: Mutex<Vec<Weak<Shared>>>,
}

#[derive(Default)]
struct Commands {
    queue: VecDeque<Command>,
    closed: bool,
}

/// The writer is working, or sleeps on a short timer.
pub(crate) const AWAKE: u8 = 0;
/// It wakes by itself within the fold interval.
pub(crate) const SLEEPING_TIMED: u8 = 1;
/// It sleeps until it is woken.
pub(crate) const SLEEPING_UNTIL_WOKEN: u8 = 2;

impl Shared {
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn new(
        ring: Ring,
        config: Config,
        folder: PathBuf,
        boot: String,
        key: IdKey,
        found: crate::ring::Found,
        lock: Option<FolderLock>,
        role: Role,
    ) -> Shared {
        Shared {
            role,
            lock: Mutex::new(lock),
            closing: AtomicBool::new(false),
            last_run: KnownLastRun::default(),
            takes_over: AtomicBool::new(false),
            forgets: AtomicBool::new(false),
            paused: Mutex::default(),
            erasure_blocked: AtomicBool::new(false),
            successor: Mutex::default(),
            orphans: Mutex::default(),
            ring,
            opened_ms: config.clock.mono_ms(),
            clock: config.clock.clone(),
            recent: Recent::default(),
            metrics: Metrics::new(),
            config,
            folder,
            boot,
            key,
            found,
            delivery: OnceLock::new(),
            state: Mutex::new(StoreState::Opening),
            commands: Mutex::new(Commands::default()),
            sleep: AtomicU8::new(AWAKE),
            urgent: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }

    /// Whether the folder is ours and in its place: one that was moved or removed may have another owner there now.
    pub(crate) fn folder_is_in_place(&self) -> bool {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        lock.as_ref().is_some_and(FolderLock::is_in_place)
    }

    /// Whether this engine holds the folder.
    pub(crate) fn holds_folder(&self) -> bool {
        self.takes_over.load(Ordering::Acquire) || self.lock.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Takes the lock, and with it the folder, out of this engine.
    pub(crate) fn take_lock(&self) -> Option<FolderLock> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes over the folder with this lock, or releases it with `None`.
    pub(crate) fn give_lock(&self, lock: Option<FolderLock>) {
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = lock;
    }

    /// Whether `close` was called: the next `open` of the folder creates a new engine.
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(crate) fn set_closing(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Registers the engine to wake when this one releases the folder.
    pub(crate) fn set_successor(&self, successor: &Arc<Shared>) {
        *self.successor.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(successor);
    }

    pub(crate) fn wake_successor(&self) {
        let successor = self.successor.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(successor) = successor {
            successor.command(Command::Reopen);
        }
    }

    /// Adds the engine of an orphaned queue; `false` if this engine is closing.
    pub(crate) fn adopt(&self, orphan: &Arc<Shared>) -> bool {
        let mut orphans = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        orphans.retain(|orphan| orphan.strong_count() > 0);
        if self.is_closing() {
            return false;
        }
        orphans.push(Arc::downgrade(orphan));
        true
    }

    /// The engines of orphaned queues that are still running.
    pub(crate) fn orphans(&self) -> Vec<Arc<Shared>> {
        let orphans = self.orphans.lock().unwrap_or_else(PoisonError::into_inner);
        orphans.iter().filter_map(Weak::upgrade).collect()
    }

    /// What the destinations change in the values of this run.
    pub(crate) fn notes(&self, run: &Run) -> Vec<DestinationNote> {
        self.delivery.get().map(|delivery| delivery.directory().run_notes(run)).unwrap_or_default()
    }

    /// The current time.
    pub(crate) fn now(&self) -> Now {
        Now { wall_ms: self.clock.wall_ms(), mono_ms: self.clock.mono_ms() }
    }

    /// Sets the writer thread, which is to be woken.
    pub(crate) fn set_thread(&self, thread: Thread) {
        let _ = self.thread.set(thread);
    }

    /// Wakes the writer after an append if it must not sleep on. `urgent` = lane 0 or 1, or the ring is half full.
    #[inline]
    pub(crate) fn wake_after_append(&self, urgent: bool) {
        if urgent {
            self.urgent.store(true, Ordering::Release);
        }
        let sleep = self.sleep.load(Ordering::Acquire);
        if sleep == SLEEPING_UNTIL_WOKEN || (urgent && sleep == SLEEPING_TIMED) {
            self.wake();
        }
    }

    #[cold]
    pub(crate) fn wake(&self) {
        if self.sleep.swap(AWAKE, Ordering::AcqRel) != AWAKE
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Sets how the writer sleeps. The writer then reads the ring's head under the append lock, so that an append either is
    /// seen by the writer or sees this state.
    pub(crate) fn set_sleep(&self, sleep: u8) {
        self.sleep.store(sleep, Ordering::Release);
    }

    /// Returns and clears whether something urgent was appended.
    pub(crate) fn take_urgency(&self) -> bool {
        self.urgent.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn woken(&self) -> bool {
        self.sleep.load(Ordering::Acquire) == AWAKE
    }

    /// Stores the consent to a purpose under the append lock, so that every later append sees it. A denial also requests the
    /// wipe of events that no other granted purpose needs.
    pub(crate) fn change_consent(&self, purpose: Purpose, consent: Consent) {
        let denied = consent == Consent::Denied;
        self.ring.change_superblock(|state| {
            if let Some(place) = state.superblock.consent.get_mut(purpose as usize) {
                *place = consent.number();
            }
            state.superblock.consent_ticket = state.ticket;
            if denied {
                state.superblock.wipes.deny(state.ticket, crate::ring::denied_bits(state.superblock.consent));
            }
        });
        if denied {
            self.forget_recent();
            self.command(Command::Wipe);
        }
    }

    /// Forgets what is in memory, and gives up requests that a fault delays.
    pub(crate) fn forget_recent(&self) {
        self.recent.forget();
        self.config.faults.give_up();
    }

    /// Requests the wipe of everything recorded so far; [`Command::Wipe`] starts it.
    pub(crate) fn forget(&self) {
        self.forget_recent();
        self.forgets.store(true, Ordering::Release);
        self.ring.change_superblock(|state| state.superblock.wipes.forget(state.ticket));
    }

    /// The destinations that are paused.
    pub(crate) fn paused(&self) -> Vec<String> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_paused(&self, names: Vec<String>) {
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// Says whether a route wants a row. While nothing is delivered, every route does.
    pub(crate) fn wants(&self) -> impl Fn(&str, &Row) -> bool + use<> {
        let directory = self.delivery.get().map(DeliveryHandle::directory);
        move |route, row| directory.as_ref().is_none_or(|directory| directory.wants(route, row))
    }

    /// Pauses or resumes a destination for this engine and the queues that it adopted. Runs on the writer's thread.
    pub(crate) fn pause(&self, name: &str, paused: bool, delivery: &DeliveryHandle) {
        let mut names = self.paused();
        names.retain(|known| known != name);
        if paused {
            if names.len() >= limits::PAUSED {
                // The stamper does not pause it either.
                return;
            }
            names.push(name.to_owned());
        }
        self.set_paused(names);
        delivery.pause(name, paused);
        for orphan in self.orphans() {
            let name = name.to_owned();
            orphan.with_delivery(&format!("pause {name}"), move |delivery| delivery.pause(&name, paused));
        }
    }

    /// Calls a function with the handle of the delivery thread, once that is running. `about`: see [`ForDelivery`].
    pub(crate) fn with_delivery(&self, about: &str, work: impl FnOnce(&DeliveryHandle) + Send + 'static) {
        self.command(Command::WithDelivery(ForDelivery::new(about, work)));
    }

    /// Queues a command for the writer; `false` if the writer has ended.
    pub(crate) fn command(&self, command: Command) -> bool {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if commands.closed {
            return false;
        }
        commands.queue.push_back(command);
        drop(commands);
        self.wake();
        true
    }

    pub(crate) fn next_command(&self) -> Option<Command> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).queue.pop_front()
    }

    pub(crate) fn has_commands(&self) -> bool {
        !self.commands.lock().unwrap_or_else(PoisonError::into_inner).queue.is_empty()
    }

    /// Rejects further commands. Waiting ones are dropped, which ends the waits of their senders.
    pub(crate) fn close_commands(&self) {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.closed = true;
        let left = std::mem::take(&mut commands.queue);
        drop(commands);
        drop(left);
    }

    pub(crate) fn set_state(&self, state: StoreState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub(crate) fn state(&self) -> StoreState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
