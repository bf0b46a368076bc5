//! Detects that this process is a forked child of the one that opened the engine.
//!
//! A forked child shares the ring's pages with its parent, and appends from both would destroy records. Reading the
//! process id costs a system call per record, so a `fork` handler in the child increments a counter instead.

use std::sync::atomic::{AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);

/// Number of forks between this process and the first one. Compare it with the value at `open`.
#[inline]
pub(crate) fn generation() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Registers the handler that changes `generation` in children. Called at each `open`; registers once.
pub(crate) fn watch() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(register);
}

#[cfg(unix)]
fn register() {
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler only adds to an atomic, which is async-signal-safe. If registering fails (no memory), forks
    // are not detected.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

#[cfg(not(unix))]
fn register() {}
