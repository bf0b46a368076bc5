//! Whether this process is a child of the one that opened the engine.
//!
//! A forked child shares the ring's pages with its parent: one append from both would destroy records. Asking for the
//! process id costs a system call per record, so the child's own `fork` handler counts instead.

use std::sync::atomic::{AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between this process and the first one; compare with the value kept at `open`.
#[inline]
pub(crate) fn generation() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// From now on `generation` changes in children. Called at each `open`; registers once.
pub(crate) fn watch() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(register);
}

#[cfg(unix)]
fn register() {
    extern "C" fn in_child() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler only adds to an atomic, which is async-signal-safe. A failure (no memory) leaves forks
    // unseen, as they would be without the handler.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

#[cfg(not(unix))]
fn register() {}
