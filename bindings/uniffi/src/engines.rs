//! The open engines by handle, and the call of an engine from another language.
//!
//! A handle is a slot and a generation, never a pointer: a handle that is stale, made up or of another copy of the library
//! finds no engine. A panic of the core ends here, and the caller gets the answer of a closed engine.

use rez_monitor::Monitor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{OnceLock, PoisonError, RwLock};

/// Engines that can be open at once. An app has one, or one per process name.
const SLOTS: usize = 64;

#[derive(Default)]
struct Slot {
    generation: u32,
    monitor: Option<Monitor>,
}

/// One lock per slot, so that engines do not share a line of memory that every record writes.
static TABLE: [RwLock<Slot>; SLOTS] = [const { RwLock::new(Slot { generation: 0, monitor: None }) }; SLOTS];

fn parts(handle: u64) -> (usize, u32) {
    ((handle >> 32) as usize, handle as u32)
}

/// Gives the engine a handle; `None` if too many are open. Never 0.
pub(crate) fn insert(monitor: Monitor) -> Option<u64> {
    for (at, slot) in TABLE.iter().enumerate() {
        let mut slot = slot.write().unwrap_or_else(PoisonError::into_inner);
        if slot.monitor.is_none() {
            slot.generation = slot.generation.wrapping_add(1).max(1);
            slot.monitor = Some(monitor);
            return Some((at as u64) << 32 | u64::from(slot.generation));
        }
    }
    None
}

/// The engine of a handle.
pub(crate) fn get(handle: u64) -> Option<Monitor> {
    let (at, generation) = parts(handle);
    let slot = TABLE.get(at)?.read().unwrap_or_else(PoisonError::into_inner);
    slot.monitor.as_ref().filter(|_| slot.generation == generation).cloned()
}

/// Removes the engine of a handle. The handle is stale from then on.
pub(crate) fn remove(handle: u64) -> Option<Monitor> {
    let (at, generation) = parts(handle);
    let mut slot = TABLE.get(at)?.write().unwrap_or_else(PoisonError::into_inner);
    if slot.generation == generation { slot.monitor.take() } else { None }
}

/// Calls the core. `or` is the answer if there is no such engine or the core panics.
#[inline]
pub(crate) fn with<T>(handle: u64, or: T, call: impl FnOnce(&Monitor) -> T) -> T {
    match get(handle) {
        Some(monitor) => guarded(or, || call(&monitor)),
        None => or,
    }
}

/// Runs a call; `or` is the answer if it panics.
#[inline]
pub(crate) fn guarded<T>(or: T, call: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(|| {
        #[cfg(feature = "test-access")]
        crate::test_access::panic_if_asked();
        call()
    }))
    .unwrap_or(or)
}

/// A number that this copy of the library made when it was loaded. JNI and JNA must see the same one: otherwise two copies are
/// loaded, and a handle of one means nothing to the other.
#[uniffi::export]
#[must_use]
pub fn nonce() -> i64 {
    static NONCE: OnceLock<i64> = OnceLock::new();
    *NONCE.get_or_init(|| {
        use std::hash::{BuildHasher, RandomState};
        // A key that the system made, and the address of this copy.
        RandomState::new().hash_one(std::ptr::from_ref(&TABLE) as usize) as i64
    })
}

/// The version of the library, as in `sdk_version` of every request.
#[uniffi::export]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
