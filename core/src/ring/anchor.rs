//! What can be read of the ring while its lock is held by a thread that crashed.

use crate::sys::map::Map;
use crate::sys::signal_cell::SignalCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The part of a ring that needs no lock. A signal handler may use it.
pub(crate) struct Anchor {
    /// The same memory as in the state of the ring.
    map: SignalCell<Arc<Map>>,
    /// Records are held.
    pub(super) holding: AtomicBool,
}

impl Anchor {
    pub(super) fn new(map: &Arc<Map>) -> Anchor {
        let anchor = Anchor { map: SignalCell::new(), holding: AtomicBool::new(false) };
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

    /// Whether held records wait for space.
    pub(crate) fn has_held(&self) -> bool {
        self.holding.load(Ordering::Acquire)
    }
}
