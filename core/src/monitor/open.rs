//! `open`: folder, lock, ring and run record. Nothing else runs on the caller's thread.

use super::{Inner, Monitor, Start};
use crate::config::{Config, ConfigError};
use crate::id::IdKey;
use crate::logger::Log;
use crate::ring::{Found, Ring};
use crate::row::Run;
use crate::store::repair;
use crate::sys::fork;
use crate::sys::ids::Ids;
use crate::sys::lock::{FolderLock, SIBLINGS, sibling};
use crate::trace::IdGenerator;
use crate::writer::shared::{Command, Role, Shared};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// The handle of a folder, and all engines of this process that may still hold the folder.
struct Known {
    inner: Weak<Inner>,
    engines: Vec<Weak<Shared>>,
}

/// The engines of this process by folder. Opening a folder twice returns the same engine.
fn engines() -> &'static Mutex<HashMap<PathBuf, Known>> {
    static ENGINES: OnceLock<Mutex<HashMap<PathBuf, Known>>> = OnceLock::new();
    ENGINES.get_or_init(Mutex::default)
}

pub(super) fn open(mut config: Config) -> Result<Monitor, ConfigError> {
    let mut engines = engines().lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = std::path::absolute(&config.folder).unwrap_or_else(|_| config.folder.clone());
    let known = engines.get(&wanted);
    if let Some(inner) = known.and_then(|known| known.inner.upgrade()).filter(|inner| !inner.shared.is_closing()) {
        return Ok(Monitor(inner));
    }
    // An engine that is still closing: records wait in memory until it releases the folder.
    let mut earlier: Vec<_> = known.map(|known| known.engines.clone()).unwrap_or_default();
    earlier.retain(|shared| shared.strong_count() > 0);
    let closing = earlier.iter().filter_map(Weak::upgrade).find(|shared| shared.holds_folder());
    config.folder.clone_from(&wanted);
    if let Some(logger) = config.logger.take().filter(|_| config.debug) {
        config.log = Log::start(logger, config.clock.clone());
    }
    fork::watch();
    let boot = config.ids.boot();
    let hash = crate::writer::boot_hash(&boot);
    let on_disk = if closing.is_some() { None } else { on_disk(&wanted, hash) };
    let (ring, found, folder, lock) = match on_disk {
        Some((ring, found, folder, lock)) => (ring, found, folder, Some(lock)),
        None => {
            let ring = Ring::in_memory(hash)
                .map_err(|error| ConfigError::System(format!("no memory for the ring ({error})")))?;
            (ring, Found::default(), wanted.clone(), None)
        }
    };
    let start = start(&ring, found, (lock.is_some() && folder == wanted).then_some(&folder));
    if let Some(ids) = config.seed.and_then(|seed| seeded(seed, &ring, &start)) {
        config.ids = ids;
    }
    let key = IdKey::from_bytes(config.ids.key());
    let shared = Arc::new(Shared::new(ring, config, folder, boot, key, found, lock, Role::App));
    set_first_consent(&shared);
    let run = super::run::begin(&shared);
    if shared.config.native_crashes {
        crate::crash::arm(key, shared.ring.anchor(), &shared.clock, &shared.folder);
    }
    let inner = Arc::new(Inner {
        start,
        session: Mutex::default(),
        pausing: Mutex::default(),
        sessions: Mutex::default(),
        samplers: super::samplers::Samplers::new(&shared.config),
        run: Mutex::new(run),
        sampled_out: AtomicU32::new(0),
        screen: Mutex::default(),
        ids: IdGenerator::with_key(shared.config.ids.trace_key(key, shared.clock.wall_ms())),
        forks: fork::generation(),
        shared: Arc::clone(&shared),
    });
    if shared.config.sessions {
        inner.start_session();
    } else {
        inner.decide_sampling(&shared.boot);
    }
    crate::writer::start(&shared)
        .map_err(|error| ConfigError::System(format!("no thread for the writer ({error})")))?;
    if let Some(closing) = closing {
        closing.set_successor(&shared);
        if !closing.holds_folder() {
            // It released the folder before it could know its successor.
            shared.command(Command::Reopen);
        }
    }
    earlier.push(Arc::downgrade(&shared));
    engines.insert(wanted, Known { inner: Arc::downgrade(&inner), engines: earlier });
    Ok(Monitor(inner))
}

/// Opens the ring in the folder, or in the first sibling that no other process holds.
fn on_disk(wanted: &Path, boot: u64) -> Option<(Ring, Found, PathBuf, FolderLock)> {
    for number in 0..=SIBLINGS {
        let folder = sibling(wanted, number);
        // The app may use a link as its folder; a sibling is ours, and a link there is somebody else's.
        if number > 0 && folder.is_symlink() {
            continue;
        }
        let lock = match FolderLock::take(&folder) {
            Ok(lock) => lock,
            Err(_) if number > 0 => continue,
            Err(_) => return None,
        };
        if let Some(lock) = lock {
            let (ring, found) = Ring::open_file(&folder, boot).ok()?;
            return Some((ring, found, folder, lock));
        }
    }
    None
}

/// What the files of the folder say about earlier starts. `folder`: `None` if the ring is in memory, or in a sibling of the folder that
/// another process holds.
fn start(ring: &Ring, found: Found, folder: Option<&PathBuf>) -> Start {
    let before = ring.superblock().run.and_then(|run| serde_json::from_str::<Run>(&run.json).ok());
    let is_new = |folder: &PathBuf| repair::has_no_queue(folder);
    let first = found.fresh && !found.unreadable && before.is_none() && folder.is_some_and(is_new);
    let version_before = before.as_ref().filter(|_| folder.is_some()).map(Start::version_of);
    Start { first, version_before, ..Start::default() }
}

/// The ids of this run in test mode. `None` where the earlier runs of the folder are not known: seeded ids could be theirs.
fn seeded(seed: u64, ring: &Ring, start: &Start) -> Option<Ids> {
    let run = ring.superblock().run.and_then(|run| serde_json::from_str::<Run>(&run.json).ok());
    let before = run.map(|run| run.id).or_else(|| start.first.then(String::new))?;
    Some(Ids::seeded(seed, &before, ring.last().0))
}

/// Stores the configured consent if none is stored.
fn set_first_consent(shared: &Shared) {
    if shared.ring.consent() == [0, 0] {
        let consent = shared.config.consent.map(crate::Consent::number);
        shared.ring.change_superblock(|state| state.superblock.consent = consent);
    }
}
