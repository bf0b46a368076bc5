//! Which threads belong to the engine: what they record is refused, since a hook or a logger that records would never end.

use std::cell::Cell;

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a thread of the engine. Its records are refused.
#[inline]
pub(crate) fn is_ours() -> bool {
    OURS.with(Cell::get)
}

/// Marks the current thread as a thread of the engine.
pub(crate) fn mark_ours() {
    crate::crash::guard_stack();
    OURS.with(|ours| ours.set(true));
}
