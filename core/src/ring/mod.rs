//! The crash-safe ring to which callers append records. A record survives the process being killed.
//!
//! Callers copy an encoded body into mapped memory under a short lock. The kernel owns the pages, so SIGKILL loses
//! nothing. The writer reads published records without the lock, folds them into the database, and then frees the
//! space. Accepted records are never overwritten: a full ring refuses new ones, by lane.

mod anchor;
pub(crate) mod counters;
pub(crate) mod crash_loop;
mod held;
pub(crate) mod layout;
pub(crate) mod losses;
mod open;
pub(crate) mod record;
pub(crate) mod reserve;
pub(crate) mod scan;
pub(crate) mod superblock;

use crate::kind::{Lane, Purpose};
use crate::limits::RING_BYTES;
use crate::reason::Reason;
use crate::sys::fault;
use crate::sys::map::Map;
pub(crate) use anchor::Anchor;
use held::Held;
pub(crate) use held::nobody;
use layout::Word;
pub(crate) use open::Found;
use record::{HEAD, Head, PAD};
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use superblock::Superblock;

/// Name of the ring's file inside the queue's folder.
pub(crate) const FILE: &str = "ring.bin";

/// Name of a ring's file that is not in its place yet.
const NEW_FILE: &str = "ring.new";

/// How far records of a class may fill the ring, in percent. The rest is kept for more important ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Bulk = 60,
    Normal = 80,
    Critical = 95,
    Always = 100,
}

impl Admission {
    /// The class of events of this lane.
    pub(crate) fn of_lane(lane: Lane) -> Admission {
        match lane {
            Lane::Crash | Lane::Critical => Admission::Critical,
            Lane::Normal => Admission::Normal,
            Lane::Bulk => Admission::Bulk,
        }
    }
}

/// A record to append.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Append<'a> {
    pub(crate) kind: u8,
    pub(crate) lane: u8,
    /// Number of events in the record.
    pub(crate) n: u16,
    pub(crate) admission: Admission,
    /// Purposes, one bit each: the record is refused if all of them are denied. 0 = it needs none.
    pub(crate) purposes: u8,
    pub(crate) body: &'a [u8],
}

/// Longest body whose checksum is computed in one pass under the append lock. Two passes, with the longer one before the
/// lock is taken, cost 20 ns more in all, and hold the lock for less time only if the body is longer than this.
const SHORT_BYTES: usize = 1024;

/// Body and checksum of a record.
enum Sum<'a> {
    /// The body is [`Append::body`], and its share of the checksum is known.
    Begun(crc32fast::Hasher),
    /// The body is at the front of this buffer and has this length.
    Short(&'a mut [u8], usize),
}

/// Result of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    pub(crate) ticket: u64,
    /// Purposes that were not denied at the append, one bit each.
    pub(crate) allowed: u8,
    /// Used bytes of the ring after the append.
    pub(crate) used: usize,
}

/// What the append lock protects.
pub(crate) struct State {
    pub(crate) map: Arc<Map>,
    /// Position after the last record.
    pub(crate) head: u64,
    pub(crate) ticket: u64,
    pub(crate) total: u64,
    pub(crate) superblock: Superblock,
    superblock_version: u64,
    /// Scope changes that found no space. Nothing else is accepted before them.
    held: Held,
    /// The engine is closed: nothing is accepted.
    refuses_all: bool,
}

/// The ring. Shared by all callers and the writer.
pub(crate) struct Ring {
    state: Mutex<State>,
    /// Position up to which the writer has freed the space. Only grows.
    tail: AtomicU64,
    /// Position after the last published record: the writer may read up to it.
    published: AtomicU64,
    generation: AtomicU64,
    file: Mutex<Option<(File, PathBuf)>>,
    /// Readable while the append lock is held by a thread that crashed.
    anchor: Arc<Anchor>,
}

impl Ring {
    /// Appends a record. Blocks only while another thread appends.
    pub(crate) fn append(&self, append: &Append<'_>) -> Result<Appended, Reason> {
        let generation = self.generation.load(Ordering::Relaxed);
        let crc = record::body_crc(generation, append.body);
        let mut state = self.lock();
        if generation != self.generation.load(Ordering::Relaxed) {
            // The file was replaced between the checksum and the lock.
            drop(state);
            return self.append(append);
        }
        self.append_locked(&mut state, append, Sum::Begun(crc))
    }

    /// Appends a record whose body is the first `len` bytes of a buffer with [`record::TAIL`] bytes to spare. `append.body`
    /// is ignored.
    #[inline]
    pub(crate) fn append_buffer(&self, append: &Append<'_>, buffer: &mut [u8], len: usize) -> Result<Appended, Reason> {
        let Some((body, tail)) = buffer.split_at_mut_checked(len) else { return Err(Reason::TooLarge) };
        if len > SHORT_BYTES || tail.len() < record::TAIL {
            return self.append(&Append { body, ..*append });
        }
        let mut state = self.lock();
        self.append_locked(&mut state, append, Sum::Short(buffer, len))
    }

    /// Appends a change of the scope. If there is no space, the change is held and nothing else is accepted before it,
    /// so that no event is stored under the wrong user.
    pub(crate) fn append_scope(&self, body: &[u8]) -> Option<Appended> {
        let mut state = self.lock();
        // Under the lock: a file replaced before it would leave this record unreadable.
        let generation = self.generation.load(Ordering::Relaxed);
        let append = scope_append(body);
        let appended = self.append_locked(&mut state, &append, Sum::Begun(record::body_crc(generation, body)));
        if appended.is_err() && !state.refuses_all {
            self.anchor.holding.store(true, Ordering::Release);
            let dropped = state.held.push(record::SCOPE, body);
            self.anchor.refuse(&state.map, Reason::RingFull, None, dropped);
        }
        appended.ok()
    }

    /// Appends a record of the run, or scope changes of a batch. If there is no space, the record is held and nothing else
    /// is accepted before it, so that no event is stored under another run, release or user.
    pub(crate) fn append_or_hold(&self, append: &Append<'_>) {
        let mut state = self.lock();
        let generation = self.generation.load(Ordering::Relaxed);
        if self.append_locked(&mut state, append, Sum::Begun(record::body_crc(generation, append.body))).is_err()
            && !state.refuses_all
        {
            self.anchor.holding.store(true, Ordering::Release);
            let dropped = state.held.push(append.kind, append.body);
            self.anchor.refuse(&state.map, Reason::RingFull, None, dropped);
        }
    }

    /// The ring's memory, without the append lock, which the crashed thread may hold.
    pub(crate) fn reserve_map(&self) -> Arc<Map> {
        self.anchor.map().unwrap_or_else(|| self.map())
    }

    /// What a signal handler needs of the ring.
    pub(crate) fn anchor(&self) -> Arc<Anchor> {
        Arc::clone(&self.anchor)
    }

    fn append_locked(&self, state: &mut State, append: &Append<'_>, sum: Sum<'_>) -> Result<Appended, Reason> {
        if state.refuses_all {
            return Err(Reason::StoreUnavailable);
        }
        if !state.held.is_empty() {
            self.append_held(state)?;
        }
        let denied = denied_bits(state.superblock.consent);
        if append.purposes != 0 && append.purposes & !denied == 0 {
            return Err(Reason::Consent);
        }
        let appended = self.place(state, append, sum, !denied & Purpose::ALL_BITS);
        if appended.is_ok() {
            fault::point("append_published");
        }
        appended
    }

    fn place(&self, state: &mut State, append: &Append<'_>, sum: Sum<'_>, mask: u8) -> Result<Appended, Reason> {
        let region = RING_BYTES as u64;
        let body_len = match &sum {
            Sum::Begun(_) => append.body.len(),
            Sum::Short(_, len) => *len,
        };
        let size = record::size(body_len) as u64;
        let offset = state.head % region;
        let padding = if offset + size > region { region - offset } else { 0 };
        let head = state.head + padding;
        let used = head + size - self.tail.load(Ordering::Acquire);
        // 8 bytes stay free for the zero length that ends the chain.
        if used > (region * append.admission as u64 / 100).min(region - 8) {
            return Err(Reason::RingFull);
        }
        let head_bytes = Head {
            ticket: state.ticket + 1,
            total: state.total + u64::from(append.n),
            kind: append.kind,
            format: record::FORMAT,
            n: append.n,
            lane: append.lane,
            mask,
        }
        .bytes();
        let len = (HEAD + body_len) as u32;
        let generation = self.generation.load(Ordering::Relaxed);
        let (crc, body) = match sum {
            Sum::Begun(crc) => (record::crc(crc, len, &head_bytes), append.body),
            Sum::Short(buffer, at) => {
                (record::short_crc(generation, buffer, at, len, &head_bytes), buffer.get(..at).unwrap_or_default())
            }
        };
        let map = &state.map;
        if padding > 0 {
            layout::set_len(map, 0, 0);
            layout::set_len(map, offset, PAD);
        }
        let offset = head % region;
        let start = layout::REGION + offset as usize;
        layout::write(map, start + 4, &crc.to_le_bytes());
        layout::write(map, start + 8, &head_bytes);
        layout::write(map, start + HEAD, body);
        layout::set_len(map, (offset + size) % region, 0);
        fault::point("append_started");
        layout::set_len(map, offset, len);
        layout::set(map, Word::LastTicket, state.ticket + 1);
        layout::set(map, Word::LastTotal, state.total + u64::from(append.n));
        state.head = head + size;
        state.ticket += 1;
        state.total += u64::from(append.n);
        self.published.store(state.head, Ordering::Release);
        Ok(Appended { ticket: state.ticket, allowed: mask, used: used as usize })
    }

    /// Changes the superblock under the append lock, then writes it to the file.
    pub(crate) fn change_superblock<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state);
        self.anchor.set_consent(state.superblock.consent);
        state.superblock_version += 1;
        state.superblock.write(&state.map, state.superblock_version);
        result
    }

    /// State of each purpose, as stored in the superblock.
    pub(crate) fn consent(&self) -> [u8; 2] {
        self.lock().superblock.consent
    }

    /// Position after the last record, read under the append lock: every later append sees all earlier writes of the
    /// caller.
    pub(crate) fn head(&self) -> u64 {
        self.lock().head
    }

    /// A copy of the superblock.
    pub(crate) fn superblock(&self) -> Superblock {
        self.lock().superblock.clone()
    }

    /// Position after the last record, and the running total there.
    pub(crate) fn end(&self) -> (u64, u64) {
        let state = self.lock();
        (state.head, state.total)
    }

    /// Ticket and running total of the last record.
    pub(crate) fn last(&self) -> (u64, u64) {
        let state = self.lock();
        (state.ticket, state.total)
    }

    /// Position after the last published record.
    pub(crate) fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// Position up to which the space is freed.
    pub(crate) fn tail(&self) -> u64 {
        self.tail.load(Ordering::Acquire)
    }

    /// Frees the space before `position`. Called by the writer only, after its commit.
    pub(crate) fn free(&self, position: u64) {
        layout::set(&self.map(), Word::Tail, position);
        self.tail.store(position, Ordering::Release);
    }

    /// The current generation.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The ring's memory.
    pub(crate) fn map(&self) -> Arc<Map> {
        Arc::clone(&self.lock().map)
    }

    /// Touches the header and the pages ahead of the head, so that no caller waits for a page under writeback. Takes no
    /// lock: callers may be writing to the same pages.
    pub(crate) fn touch_ahead(&self, bytes: u64) {
        let (map, head) = {
            let state = self.lock();
            (Arc::clone(&state.map), state.head)
        };
        layout::touch(&map, 0);
        let region = RING_BYTES as u64;
        let end = head + bytes.min(region.saturating_sub(head.saturating_sub(self.tail())));
        let mut at = (head | (layout::PAGE - 1)) + 1;
        while at < end {
            layout::touch(&map, layout::REGION + (at % region) as usize);
            at += layout::PAGE;
        }
    }

    /// Appends a record, but waits at most this long for the lock; `None` if the lock was not available.
    pub(crate) fn append_within(
        &self,
        append: &Append<'_>,
        wait: std::time::Duration,
    ) -> Option<Result<Appended, Reason>> {
        let end = std::time::Instant::now() + wait;
        let mut state = loop {
            match self.state.try_lock() {
                Ok(state) => break state,
                Err(std::sync::TryLockError::Poisoned(state)) => break state.into_inner(),
                Err(std::sync::TryLockError::WouldBlock) if std::time::Instant::now() >= end => return None,
                Err(std::sync::TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        };
        let crc = record::body_crc(self.generation.load(Ordering::Relaxed), append.body);
        Some(self.append_locked(&mut state, append, Sum::Begun(crc)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock leaves no half record: `len` is published last.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn scope_append(body: &[u8]) -> Append<'_> {
    Append { kind: record::SCOPE, lane: 0, n: 0, admission: Admission::Always, purposes: 0, body }
}

/// The denied purposes, one bit each.
pub(crate) fn denied_bits(consent: [u8; 2]) -> u8 {
    u8::from(consent[0] == 3) | (u8::from(consent[1] == 3) << 1)
}

#[cfg(test)]
mod tests;
