//! The run that a crash belongs to.

use crate::ring::Anchor;
use crate::sys::Clock;
use crate::sys::map::Map;
use crate::sys::signal_cell::SignalCell;
use libc::c_int;
use std::ffi::CString;
use std::sync::{Arc, Mutex, PoisonError};

/// What the handler needs of it.
pub(super) struct Armed {
    pub(super) anchor: Arc<Anchor>,
    pub(super) key: [u8; 16],
    pub(super) clock: Clock,
    /// The folder of the queue; `None` if its path has a zero.
    pub(super) folder: Option<CString>,
    /// A child of this process does not write to its ring.
    pub(super) process: c_int,
}

static ARMED: SignalCell<Armed> = SignalCell::new();

/// The key of the run in [`ARMED`], for those that replace it.
static KEY: Mutex<Option<[u8; 16]>> = Mutex::new(None);

/// Crashes belong to this run from now on. `before` is called when no other thread can change that.
pub(super) fn set(run: Armed, before: impl FnOnce()) {
    let mut current = KEY.lock().unwrap_or_else(PoisonError::into_inner);
    before();
    *current = Some(run.key);
    ARMED.set(Some(run));
}

/// They belong to no run, if they belonged to the one with this key. `before` is called while they still do.
pub(super) fn clear(key: [u8; 16], before: impl FnOnce()) {
    let mut current = KEY.lock().unwrap_or_else(PoisonError::into_inner);
    if current.take_if(|current| *current == key).is_some() {
        before();
        ARMED.set(None);
    }
}

/// Calls a function with the run; `None` if there is none. Async-signal-safe if the function is.
pub(super) fn with_armed<R>(call: impl FnOnce(&Armed) -> R) -> Option<R> {
    ARMED.with(call)
}

/// Calls a function with the memory of its ring.
pub(super) fn with_map(call: impl FnOnce(&Map)) {
    ARMED.with(|armed| armed.anchor.with_map(call));
}
