//! `open`: folder, lock, ring, run record; nothing else on the caller's thread.

use super::{Inner, Monitor};
use crate::config::{Config, ConfigError};
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::id::IdKey;
use crate::limits::RECORD_BYTES;
use crate::metrics::Metrics;
use crate::ring::{Admission, Append, Found, Ring, record};
use crate::row::Run;
use crate::sys::{clock, file, fork, random};
use crate::writer::shared::Shared;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// Sibling folders that other processes of the app may use at once.
const SIBLINGS: u32 = 16;

/// Engines of this process by folder: the same folder twice is the same engine.
fn engines() -> &'static Mutex<HashMap<PathBuf, Weak<Inner>>> {
    static ENGINES: OnceLock<Mutex<HashMap<PathBuf, Weak<Inner>>>> = OnceLock::new();
    ENGINES.get_or_init(Mutex::default)
}

pub(super) fn open(config: Config) -> Result<Monitor, ConfigError> {
    let mut engines = engines().lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = std::path::absolute(&config.folder).unwrap_or_else(|_| config.folder.clone());
    if let Some(inner) = engines.get(&wanted).and_then(Weak::upgrade) {
        return Ok(Monitor(inner));
    }
    fork::watch();
    let boot = clock::boot_id();
    let hash = crate::writer::boot_hash(&boot);
    let (ring, found, folder, lock) = match on_disk(&wanted, hash) {
        Some((ring, found, folder, lock)) => (ring, found, folder, Some(lock)),
        None => {
            let ring = Ring::in_memory(hash).map_err(|error| ConfigError::System(error.to_string()))?;
            (ring, Found::default(), wanted.clone(), None)
        }
    };
    let key = IdKey::from_bytes(random::random_16());
    let shared = Arc::new(Shared::new(ring, config, folder, boot, key, found));
    set_first_consent(&shared);
    append_run(&shared);
    let inner = Arc::new(Inner {
        metrics: Metrics::new(),
        session: Mutex::default(),
        sampled_out: AtomicU32::new(0),
        screen: Mutex::default(),
        spans: AtomicU64::new(1),
        forks: fork::generation(),
        _lock: lock,
        shared: Arc::clone(&shared),
    });
    if shared.config.sessions {
        inner.start_session();
    } else {
        inner.decide_sampling(&shared.boot);
    }
    crate::writer::start(&shared).map_err(|error| ConfigError::System(format!("no thread for the writer: {error}")))?;
    engines.insert(wanted, Arc::downgrade(&inner));
    Ok(Monitor(inner))
}

/// The folder, or the first sibling that no other process holds.
fn on_disk(wanted: &Path, boot: u64) -> Option<(Ring, Found, PathBuf, File)> {
    for number in 0..=SIBLINGS {
        let folder = match number {
            0 => wanted.to_owned(),
            number => {
                let mut name = wanted.as_os_str().to_owned();
                name.push(format!(".{number}"));
                PathBuf::from(name)
            }
        };
        file::create_folder(&folder).ok()?;
        let lock = file::open_private(&folder.join("owner.lock")).ok()?;
        match lock.try_lock() {
            Ok(()) => {
                let (ring, found) = Ring::open_file(&folder, boot).ok()?;
                return Some((ring, found, folder, lock));
            }
            Err(std::fs::TryLockError::WouldBlock) => {}
            Err(std::fs::TryLockError::Error(_)) => return None,
        }
    }
    None
}

/// The configuration's consent counts only while none is stored.
fn set_first_consent(shared: &Shared) {
    if shared.ring.consent() == [0, 0] {
        let consent = shared.config.consent.map(crate::Consent::number);
        shared.ring.change_marks(|state| state.marks.consent = consent);
    }
}

/// The first record of a run: who records from here on, and the key of its ids.
fn append_run(shared: &Shared) {
    let config = &shared.config;
    let run = Run {
        number: 0,
        id: random::uuid(),
        boot: shared.boot.clone(),
        app: config.app.clone(),
        release: config.release.clone(),
        dist: config.dist.clone(),
        environment: config.environment.clone(),
        os: config.os.clone(),
        device: config.device.clone(),
        wall_ms: shared.clock.wall_ms(),
        mono_ms: shared.clock.mono_ms(),
    };
    let json = serde_json::to_string(&run).unwrap_or_default();
    let key = uuid::Uuid::from_bytes(shared.key.to_bytes()).simple().to_string();
    let mut buffer = vec![0u8; RECORD_BYTES];
    let mut encoder = Encoder::new(&mut buffer, run.wall_ms, shared.clock.mono_us());
    encoder.field(Field::Key, key.as_str().into());
    encoder.field(Field::Run, json.as_str().into());
    let len = encoder.finish();
    let body = buffer.get(..len).unwrap_or_default();
    // Held like a scope change when the ring is full of an earlier run's records: nothing is accepted before it.
    shared.ring.append_held_first(&Append {
        kind: record::RUN,
        lane: 0,
        n: 0,
        admission: Admission::Always,
        purposes: 0,
        body,
    });
}
