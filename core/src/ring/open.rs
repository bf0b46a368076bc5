//! Opens the ring: in a file with allocated blocks, or in plain memory if the folder cannot be used.

use super::crash_loop::{self, FailedStarts};
use super::layout::{self, FILE_BYTES, Word};
use super::reserve;
use super::scan::Scan;
use super::superblock::Superblock;
use super::{Anchor, FILE, NEW_FILE, Ring, State, counters};
use crate::limits::RING_BYTES;
use crate::sys::map::Map;
use crate::sys::random::random_16;
use crate::sys::{file, place};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Gap left in the tickets after each boot. After a power failure the database may have folded tickets that the ring has
/// lost, and new records with those tickets would be skipped. Also after a clean close: the page that records the close
/// may be older than the last run, if that run's writes did not reach the disk.
const TICKETS_AFTER_BOOT: u64 = 1 << 32;

/// Upper bound of positions, tickets and totals in an undamaged file. A larger value is damage, and adding to it could
/// overflow.
const LARGEST_COUNT: u64 = 1 << 60;

/// State of the file when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Found {
    /// The file was created, or was unreadable and formatted again.
    pub(crate) fresh: bool,
    /// It existed but was not a ring.
    pub(crate) unreadable: bool,
    /// It was last open in another boot and not closed cleanly: the power may have failed.
    pub(crate) power_loss: bool,
    /// Earlier runs that died in the same step of their start.
    pub(crate) failed_starts: Option<FailedStarts>,
}

impl Ring {
    /// Opens `folder/ring.bin`; creates it with allocated blocks if it does not exist.
    pub(crate) fn open_file(folder: &Path, boot: u64) -> io::Result<(Ring, Found)> {
        let path = folder.join(FILE);
        let file = file::open_private(&path)?;
        let len = file.metadata()?.len();
        let mut found = Found::default();
        let mut saved = None;
        let map = if len == FILE_BYTES as u64 {
            Map::of_file(&file, FILE_BYTES)?
        } else {
            found.unreadable = len != 0;
            saved = saved_superblock(&file);
            make(&file, boot)?
        };
        let counts = [Word::Tail, Word::LastTicket, Word::LastTotal].map(|word| layout::get(&map, word));
        if layout::get(&map, Word::Magic) != layout::MAGIC
            || layout::get(&map, Word::Generation) == 0
            || counts.iter().any(|count| *count > LARGEST_COUNT)
        {
            found.unreadable |= !found.fresh && len == FILE_BYTES as u64;
            saved = saved.or_else(|| saved_superblock(&file));
            format(&map, boot, 0, 0);
            found.fresh = true;
        }
        if let Some((version, superblock)) = saved {
            superblock.write(&map, version + 1);
        }
        found.fresh |= len != FILE_BYTES as u64;
        let (version, superblock) = Superblock::read(&map).unwrap_or_default();
        let booted = !found.fresh && layout::get(&map, Word::Boot) != boot;
        found.power_loss = booted && layout::get(&map, Word::Clean) == 0;
        found.failed_starts = crash_loop::count_failed_starts(&map);
        reserve::settle(&map);
        let (head, ticket, total) = end_of_records(&map, &superblock);
        let ticket = if booted { ticket.saturating_add(TICKETS_AFTER_BOOT) } else { ticket };
        layout::set(&map, Word::Boot, boot);
        layout::set(&map, Word::Clean, 0);
        Ok((Ring::over(map, head, ticket, total, superblock, version, Some((file, path))), found))
    }

    /// Creates a ring in plain memory, for a folder that cannot be used.
    pub(crate) fn in_memory(boot: u64) -> io::Result<Ring> {
        let map = Map::anonymous(FILE_BYTES)?;
        format(&map, boot, 0, 0);
        Ok(Ring::over(map, 0, 0, 0, Superblock::default(), 0, None))
    }

    fn over(
        map: Map,
        head: u64,
        ticket: u64,
        total: u64,
        superblock: Superblock,
        superblock_version: u64,
        file: Option<(File, std::path::PathBuf)>,
    ) -> Ring {
        let map = Arc::new(map);
        Ring {
            anchor: Arc::new(Anchor::new(&map, superblock.consent)),
            tail: AtomicU64::new(layout::get(&map, Word::Tail) & !7),
            published: AtomicU64::new(head),
            generation: AtomicU64::new(layout::get(&map, Word::Generation)),
            state: Mutex::new(State {
                map,
                head,
                ticket,
                total,
                superblock,
                superblock_version,
                held: super::held::Held::default(),
                refuses_all: false,
            }),
            file: Mutex::new(file),
        }
    }

    /// Whether the ring has a file, and that file is undamaged and still at its path.
    pub(crate) fn is_intact(&self) -> bool {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match &*file {
            Some((file, path)) => {
                let map = self.map();
                let header = [Word::Magic, Word::Generation].map(|word| layout::get(&map, word));
                header == [layout::MAGIC, self.generation()]
                    && !map.was_torn()
                    && file::is_whole(file, path, FILE_BYTES as u64)
            }
            None => false,
        }
    }

    /// Whether the ring is in a file.
    pub(crate) fn has_file(&self) -> bool {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Moves this ring into a new file in this folder. It replaces the ring of `predecessor`, which must be
    /// folded to its end. Of that ring only the superblock, without what concerns its records, and the counters of refusals are kept.
    pub(crate) fn move_into(&self, folder: &Path, boot: u64, predecessor: &Ring) -> io::Result<()> {
        let temporary = folder.join(NEW_FILE);
        let _ = std::fs::remove_file(&temporary);
        let file = file::open_private(&temporary)?;
        let map = make(&file, boot)?;
        let path = folder.join(FILE);
        let (old, refused) = (predecessor.superblock(), predecessor.refusals());
        let mut state = self.lock();
        // The waiting records are copied unchanged, with their tickets.
        let mut bytes = vec![0u8; FILE_BYTES];
        layout::read(&state.map, 0, &mut bytes);
        layout::write(&map, 0, &bytes);
        reserve::forget_unfinished(&map);
        layout::set(&map, Word::Tail, self.tail());
        layout::set(&map, Word::Magic, layout::MAGIC);
        // A decision made in this run takes precedence over the stored one.
        let answered = state.superblock.consent_ticket > 0 || state.superblock.wipes.next().is_some();
        if !answered && old.consent != [0, 0] {
            state.superblock.consent = old.consent;
        }
        (state.superblock.install, state.superblock.epoch, state.superblock.routes) =
            (old.install, old.epoch, old.routes);
        state.superblock.losses = old.losses;
        self.anchor.set_consent(state.superblock.consent);
        state.superblock_version += 1;
        state.superblock.write(&map, state.superblock_version);
        place::for_file(&path)?;
        std::fs::rename(&temporary, &path)?;
        // From here on it cannot fail: each attempt would add them again.
        refused.into_iter().for_each(|(reason, kind, n)| self.anchor.refuse(&map, reason, kind, n));
        state.map = Arc::new(map);
        self.anchor.move_to(&state.map);
        drop(state);
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some((file, path));
        file::sync_folder(folder);
        Ok(())
    }

    /// Refuses every record from now on.
    pub(crate) fn refuse_all(&self) {
        self.lock().refuses_all = true;
    }

    /// Releases the file, so that another engine can open it. Handles that still exist use plain memory from now on.
    ///
    /// # Errors
    /// There is no memory; the file is not released.
    pub(crate) fn detach(&self) -> io::Result<()> {
        let memory = Arc::new(Map::anonymous(FILE_BYTES)?);
        let mut state = self.lock();
        let mut header = vec![0u8; layout::REGION];
        layout::read(&state.map, 0, &mut header);
        layout::write(&memory, 0, &header);
        reserve::refuse_all(&memory);
        state.map = Arc::clone(&memory);
        self.anchor.move_to(&memory);
        drop(state);
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Overwrites the freed space with zeros, so that erased events cannot be read from the file.
    pub(crate) fn zero_free(&self) {
        let state = self.lock();
        let region = RING_BYTES as u64;
        let (head, tail) = (state.head, self.tail());
        let zeros = vec![0u8; RING_BYTES];
        let free = region.saturating_sub(head.saturating_sub(tail));
        let start = head % region;
        let first = free.min(region - start);
        layout::write(&state.map, layout::REGION + start as usize, zeros.get(..first as usize).unwrap_or_default());
        layout::write(&state.map, layout::REGION, zeros.get(..(free - first) as usize).unwrap_or_default());
    }

    /// Moves the ring into a new file because the old one was unlinked or truncated. Callers continue to append. `drain`
    /// reads the records left in the old memory; it runs under the append lock, so none are added while it runs.
    pub(crate) fn replace(&self, folder: &Path, boot: u64, drain: impl FnOnce(&Map, u64)) -> io::Result<()> {
        let temporary = folder.join(NEW_FILE);
        let _ = std::fs::remove_file(&temporary);
        let file = file::open_private(&temporary)?;
        let map = make(&file, boot)?;
        let path = folder.join(FILE);
        let mut state = self.lock();
        drain(&state.map, state.head);
        format(&map, boot, state.ticket, state.total);
        for (number, refused) in self.anchor.refused.iter().enumerate() {
            // Not from the old map: the page may have been cut away.
            counters::write(&map, number, refused.load(Ordering::Relaxed));
        }
        state.superblock.fold_generation = layout::get(&map, Word::Generation);
        state.superblock.fold_ticket = state.ticket;
        state.superblock.fold_total = state.total;
        state.superblock_version += 1;
        state.superblock.write(&map, state.superblock_version);
        place::for_file(&path)?;
        std::fs::rename(&temporary, &path)?;
        self.generation.store(layout::get(&map, Word::Generation), Ordering::SeqCst);
        self.tail.store(0, Ordering::SeqCst);
        self.published.store(0, Ordering::SeqCst);
        state.head = 0;
        state.map = Arc::new(map);
        self.anchor.move_to(&state.map);
        drop(state);
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some((file, path));
        file::sync_folder(folder);
        Ok(())
    }

    /// Records that everything is folded and the run has ended.
    pub(crate) fn close_cleanly(&self) {
        layout::set(&self.map(), Word::Clean, 1);
        self.leave();
    }
}

/// Reads the superblock of a file that is not a valid ring: it has the user's consent. Tickets and positions are reset,
/// because the records are gone; a pending wipe covers everything recorded before this run.
fn saved_superblock(mut file: &File) -> Option<(u64, Superblock)> {
    use std::io::{Read, Seek, SeekFrom};
    let mut bytes = vec![0; layout::REGION];
    file.seek(SeekFrom::Start(0)).ok()?;
    let mut len = 0;
    while let Ok(read @ 1..) = file.read(bytes.get_mut(len..)?) {
        len += read;
    }
    let memory = Map::anonymous(FILE_BYTES).ok()?;
    layout::write(&memory, 0, &bytes);
    let (version, superblock) = Superblock::read(&memory)?;
    let wipes = superblock.wipes.of_before();
    let kept = Superblock {
        wipes,
        consent_ticket: 0,
        fold_generation: 0,
        fold_ticket: 0,
        fold_total: 0,
        run: None,
        ..superblock
    };
    Some((version, kept))
}

fn make(file: &File, boot: u64) -> io::Result<Map> {
    file.set_len(0)?;
    file::allocate(file, FILE_BYTES as u64)?;
    let map = Map::of_file(file, FILE_BYTES)?;
    format(&map, boot, 0, 0);
    Ok(map)
}

/// Formats the map as an empty ring of a new generation. The magic number is written last: after a kill before that,
/// the next open formats the file again.
fn format(map: &Map, boot: u64, ticket: u64, total: u64) {
    layout::set(map, Word::Magic, 0);
    let [a, b, c, d, e, f, g, h, ..] = random_16();
    layout::write(map, 16, &[0; layout::REGION - 16]);
    layout::write(map, layout::REGION, &[0; 8]);
    layout::set(map, Word::Generation, u64::from_le_bytes([a, b, c, d, e, f, g, h]) | 1);
    layout::set(map, Word::LastTicket, ticket);
    layout::set(map, Word::LastTotal, total);
    layout::set(map, Word::Boot, boot);
    layout::set(map, Word::Magic, layout::MAGIC);
}

/// Position after the last readable record, and the ticket and total to continue from.
fn end_of_records(map: &Map, superblock: &Superblock) -> (u64, u64, u64) {
    let tail = layout::get(map, Word::Tail) & !7;
    let (hint_ticket, hint_total) = (layout::get(map, Word::LastTicket), layout::get(map, Word::LastTotal));
    let known = superblock.fold_generation == layout::get(map, Word::Generation);
    let (ticket, total) = if known { (superblock.fold_ticket, superblock.fold_total) } else { (0, 0) };
    let end = tail.saturating_add(RING_BYTES as u64);
    let mut scan = Scan::new(map, RING_BYTES, tail, end, ticket, total);
    let mut body = Vec::new();
    while scan.next(&mut body).is_some() || (scan.ticket < hint_ticket && scan.resync(&mut body).is_some()) {}
    (scan.at, scan.ticket.max(hint_ticket), scan.total.max(hint_total))
}
