//! A value that a signal handler reads while other threads replace it.
//!
//! A handler can take no lock: the thread that it interrupted may hold it. Here a reader counts itself before it loads the
//! pointer, and the thread that replaces the value frees the old one only if it then sees no reader.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// The cell; empty at first.
pub(crate) struct SignalCell<T> {
    value: AtomicPtr<T>,
    readers: AtomicU32,
}

impl<T> SignalCell<T> {
    /// An empty cell.
    pub(crate) const fn new() -> SignalCell<T> {
        SignalCell { value: AtomicPtr::new(null_mut()), readers: AtomicU32::new(0) }
    }

    /// Calls a function with the value; `None` if the cell is empty. Async-signal-safe if the function is.
    pub(crate) fn with<R>(&self, call: impl FnOnce(&T) -> R) -> Option<R> {
        self.readers.fetch_add(1, Ordering::SeqCst);
        let value = self.value.load(Ordering::SeqCst);
        // SAFETY: it came from a box in `set`, which does not free it while this reader is counted.
        let result = unsafe { value.as_ref() }.map(call);
        self.readers.fetch_sub(1, Ordering::SeqCst);
        result
    }

    /// Replaces the value. The old one is leaked if it is being read: a reader that is a signal handler may never end.
    pub(crate) fn set(&self, value: Option<T>) {
        let new = value.map_or(null_mut(), |value| Box::into_raw(Box::new(value)));
        let old = self.value.swap(new, Ordering::SeqCst);
        if !old.is_null() && self.readers.load(Ordering::SeqCst) == 0 {
            // SAFETY: it came from a box, no reader has it, and a later reader loads the new pointer.
            drop(unsafe { Box::from_raw(old) });
        }
    }
}

impl<T> Drop for SignalCell<T> {
    fn drop(&mut self) {
        self.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_value_is_freed_when_it_is_replaced_unless_somebody_reads_it() {
        let cell = SignalCell::new();
        assert_eq!(cell.with(|_: &Arc<i32>| ()), None);
        let [first, second] = [1, 2].map(Arc::new);
        cell.set(Some(Arc::clone(&first)));
        assert_eq!(cell.with(|value| **value), Some(1));
        cell.set(Some(Arc::clone(&second)));
        assert_eq!((Arc::strong_count(&first), cell.with(|value| **value)), (1, Some(2)));
        cell.with(|value| {
            cell.set(None);
            assert_eq!(**value, 2);
        });
        assert_eq!((Arc::strong_count(&second), cell.with(|_| ())), (2, None));
        cell.set(Some(Arc::clone(&first)));
        drop(cell);
        assert_eq!(Arc::strong_count(&first), 1);
    }
}
