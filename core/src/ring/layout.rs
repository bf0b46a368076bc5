//! Layout of `ring.bin`.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0 .. 4 KiB | header: magic number, generation, tail, hints, crash loop state, reserve state |
//! | 4 .. 8, 8 .. 12 KiB | the two copies of the superblock |
//! | 12 .. 20 KiB | cumulative counters of refusals, by reason and kind |
//! | 20 .. 788 KiB | the records |
//! | 788 .. 804 KiB | the reserve, for one crash |

use crate::limits::{RESERVE_BYTES, RING_BYTES};
use crate::sys::map::Map;

/// The smallest page size in use. On systems with larger pages some pages are touched more than once.
pub(crate) const PAGE: u64 = 4096;
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"REZRING1");
pub(crate) const SUPERBLOCK: [usize; 2] = [4096, 8192];
pub(crate) const SUPERBLOCK_BYTES: usize = 4096;
pub(crate) const COUNTERS: usize = 12288;
/// Kinds per reason in the counters; the last one is for an unknown kind.
pub(crate) const COUNTER_KINDS: usize = 32;
/// Reasons in the counters.
pub(crate) const COUNTER_REASONS: usize = 32;
pub(crate) const REGION: usize = 20480;
pub(crate) const RESERVE: usize = REGION + RING_BYTES;
pub(crate) const FILE_BYTES: usize = RESERVE + RESERVE_BYTES;

/// A word of the header, by its offset in bytes.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(crate) enum Word {
    Magic = 0,
    Generation = 8,
    /// Position where reading starts. Positions only grow; the offset is `position % RING_BYTES`.
    Tail = 16,
    /// Ticket of the last published record. A hint: it is written after the record, so it may lag by one.
    LastTicket = 24,
    /// Running total after the last published record. A hint like [`Word::LastTicket`].
    LastTotal = 32,
    /// 1 = closed cleanly with everything folded.
    Clean = 40,
    /// Consecutive runs that ended in the step [`Word::FailedStep`].
    FailedStarts = 48,
    /// 0 free, 1 being written, 2 holds a crash, 3 holds a signal that the process may survive.
    ReserveState = 56,
    /// Number of the crash in the reserve. Grows with each claim.
    ReserveGeneration = 64,
    /// Number of crashes the reserve has accepted.
    ReserveTotal = 72,
    /// Hash of the boot in which the ring was last opened.
    Boot = 80,
    /// The step of its start that this run is in; 0 = none. See [`super::crash_loop`].
    Step = 88,
    /// The step in which the last runs ended.
    FailedStep = 96,
}

/// Reads a header word.
pub(crate) fn get(map: &Map, word: Word) -> u64 {
    // SAFETY: within the header page, 8-byte aligned; other threads only touch it by these two functions.
    unsafe { atomic(map, word).load(std::sync::atomic::Ordering::Acquire) }
}

/// Writes a header word.
pub(crate) fn set(map: &Map, word: Word, value: u64) {
    // SAFETY: as in `get`.
    unsafe { atomic(map, word).store(value, std::sync::atomic::Ordering::Release) }
}

/// Replaces a header word if it has the expected value.
pub(crate) fn exchange(map: &Map, word: Word, expected: u64, value: u64) -> bool {
    use std::sync::atomic::Ordering::SeqCst;
    // SAFETY: as in `get`.
    unsafe { atomic(map, word).compare_exchange(expected, value, SeqCst, SeqCst).is_ok() }
}

/// Writes a word's own value, so that its page is in memory and writable. A concurrent write to the word takes
/// precedence.
pub(crate) fn touch(map: &Map, at: usize) {
    if !at.is_multiple_of(8) || at.checked_add(8).is_none_or(|end| end > map.len()) {
        return;
    }
    // SAFETY: in range and aligned. An exchange by the same value is a store to the hardware, which an `or` by 0 is not
    // to the compiler; it changes nothing, and fails where the value is no longer the one read.
    let word = unsafe { std::sync::atomic::AtomicU64::from_ptr(map.base().as_ptr().add(at).cast()) };
    let value = word.load(std::sync::atomic::Ordering::Relaxed);
    let _ =
        word.compare_exchange(value, value, std::sync::atomic::Ordering::Relaxed, std::sync::atomic::Ordering::Relaxed);
}

/// Replaces the word at this multiple of 8, without a lock: a thread that crashed may hold it.
pub(crate) fn update(map: &Map, at: usize, change: impl Fn(u64) -> u64) {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    if at.is_multiple_of(8) && at.checked_add(8).is_some_and(|end| end <= map.len()) {
        // SAFETY: in range and aligned, as just checked; other threads only touch it by atomics or copy it out.
        let word = unsafe { AtomicU64::from_ptr(map.base().as_ptr().add(at).cast()) };
        let _ = word.fetch_update(Relaxed, Relaxed, |word| Some(change(word)));
    }
}

/// # Safety
/// The map must be at least a header long and stay mapped while the reference lives.
unsafe fn atomic(map: &Map, word: Word) -> &std::sync::atomic::AtomicU64 {
    // SAFETY: the caller's promise; words are 8-byte aligned in a page-aligned map.
    unsafe { std::sync::atomic::AtomicU64::from_ptr(map.base().as_ptr().add(word as usize).cast()) }
}

/// Copies bytes out of the map. A range outside of the map reads as zeros.
pub(crate) fn read(map: &Map, at: usize, out: &mut [u8]) {
    if at.checked_add(out.len()).is_none_or(|end| end > map.len()) {
        out.fill(0);
        return;
    }
    // SAFETY: the range was just checked. Bytes another thread may be writing at this moment are only ever read by
    // callers that verify a checksum afterwards.
    unsafe { std::ptr::copy_nonoverlapping(map.base().as_ptr().add(at), out.as_mut_ptr(), out.len()) }
}

/// Copies bytes into the map. A range outside of the map is not written.
pub(crate) fn write(map: &Map, at: usize, bytes: &[u8]) {
    if at.checked_add(bytes.len()).is_none_or(|end| end > map.len()) {
        return;
    }
    // SAFETY: the range was just checked; the append lock is held by the caller, or the range is its own.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), map.base().as_ptr().add(at), bytes.len()) }
}

/// Stores a length: the one that publishes a record, or the zero that ends the chain.
pub(crate) fn set_len(map: &Map, offset: u64, len: u32) {
    let at = REGION + offset as usize;
    if at + 4 <= map.len() {
        // SAFETY: in range; record offsets are 8-byte aligned in a page-aligned map.
        unsafe {
            std::sync::atomic::AtomicU32::from_ptr(map.base().as_ptr().add(at).cast())
                .store(len, std::sync::atomic::Ordering::Release)
        }
    }
}
