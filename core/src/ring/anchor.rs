//! What can be read of the ring while its lock is held by a thread that crashed.

use super::counters;
use crate::kind::{Kind, Purpose};
use crate::reason::Reason;
use crate::sys::map::Map;
use crate::sys::signal_cell::SignalCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The part of a ring that needs no lock. A signal handler may use it.
pub(crate) struct Anchor {
    /// The same memory as in the state of the ring.
    map: SignalCell<Arc<Map>>,
    /// Records are held.
    pub(super) holding: AtomicBool,
    /// A second copy of the counters of refusals: the file, and the map with it, may be cut.
    pub(super) refused: Box<[AtomicU64]>,
    monitoring_denied: AtomicBool,
}

impl Anchor {
    pub(super) fn new(map: &Arc<Map>, consent: [u8; 2]) -> Anchor {
        // A damaged counter starts at 0 until the database is open: see `restore_refusals`.
        let refused = (0..counters::COUNT).map(|index| AtomicU64::new(counters::read(map, index).unwrap_or(0)));
        let anchor = Anchor {
            map: SignalCell::new(),
            holding: AtomicBool::new(false),
            refused: refused.collect(),
            monitoring_denied: AtomicBool::new(false),
        };
        anchor.set_consent(consent);
        anchor.move_to(map);
        anchor
    }

    /// The ring has other memory from now on.
    pub(super) fn move_to(&self, map: &Arc<Map>) {
        self.map.set(Some(Arc::clone(map)));
    }

    /// Calls a function with the ring's memory. Async-signal-safe if the function is.
    #[allow(dead_code)] // Where native crashes are not captured.
    pub(crate) fn with_map<R>(&self, call: impl FnOnce(&Map) -> R) -> Option<R> {
        self.map.with(|map| call(map))
    }

    pub(super) fn map(&self) -> Option<Arc<Map>> {
        self.map.with(Arc::clone)
    }

    /// What the user has decided from now on.
    pub(super) fn set_consent(&self, consent: [u8; 2]) {
        let denied = super::denied_bits(consent) & Purpose::Monitoring.bit() != 0;
        self.monitoring_denied.store(denied, Ordering::Release);
    }

    /// Whether nothing of the purpose monitoring is recorded.
    #[allow(dead_code)] // Where native crashes are not captured.
    pub(crate) fn is_monitoring_denied(&self) -> bool {
        self.monitoring_denied.load(Ordering::Acquire)
    }

    /// Counts events that were not accepted. `map` is the memory of the ring.
    pub(crate) fn refuse(&self, map: &Map, reason: Reason, kind: Option<Kind>, n: u64) {
        let index = counters::index(reason, kind);
        if let Some(refused) = self.refused.get(index) {
            let total = refused.fetch_add(n, Ordering::Relaxed).saturating_add(n);
            counters::add(map, index, n, total);
        }
    }

    /// Whether held records wait for space.
    pub(crate) fn has_held(&self) -> bool {
        self.holding.load(Ordering::Acquire)
    }
}
