//! Brings the rows of a damaged queue back into a file that can be read.
//!
//! The same carver and the same rules as those of an app that finds its queue damaged, but nothing is delivered and the
//! rows keep their numbers.

use crate::carve::{Candidate, Carver, Found, FoundRun, Origin};
use crate::id::EventId;
use crate::kind::Kind;
use crate::ring::layout::FILE_BYTES;
use crate::ring::superblock::{SettledRoute, Superblock};
use crate::row::Run;
use crate::store::{
    EPOCH_SHIFT, Gone, Identity, MAX_EPOCH, Result, SalvagedRoute, candidate_crc, repair, route_hash, routes_of,
    write_salvaged,
};
use crate::sys::file;
use crate::sys::map::Map;
use serde::Serialize;
use std::cell::RefCell;
use std::collections::HashSet;
use std::path::Path;

/// Page images read in one step of the carver.
const STEP_PAGES: u32 = 1_024;

/// What [`salvage`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Salvage {
    /// Page images read, in the file and its log.
    pub pages: u32,
    /// Rows written to the new file.
    pub rows: u64,
    /// Runs written to the new file.
    pub runs: u64,
    /// What says which rows were settled.
    pub marks: Marks,
    /// Rows that were found and not taken.
    pub rejected: Rejected,
    /// Rows that some destination had not settled when the file was damaged, if that is known. More than `rows` = some are lost.
    pub expected: Option<u32>,
}

/// What says which rows were delivered, dropped or erased before the damage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Marks {
    /// The superblock of the ring, or its copy in a quarantine.
    Superblock,
    /// Nothing beside the file: only rows that are in the table as of the last commit are taken.
    #[default]
    None,
}

/// Rows that were found and not taken, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The checksum is wrong.
    pub checksum: u64,
    /// All destinations had settled it: delivered, dropped, or put aside as a dead letter.
    pub settled: u64,
    /// The user asked to erase it.
    pub erased: u64,
    /// A copy outside of the table, and nothing says whether it was settled.
    pub deleted: u64,
    /// Another copy of an event that was taken.
    pub repeated: u64,
    /// Its kind or id is unknown to this build.
    pub unknown: u64,
}

/// Reads `queue.db` and `queue.db-wal` of a folder page by page and writes the rows that wait for a destination to `out`,
/// which must not exist. `ring.bin`, or `superblock` in a quarantine, says which rows are settled.
///
/// No process may write to the files meanwhile: pass the folder of a copy.
///
/// # Errors
/// A file cannot be read, or `out` cannot be written.
pub fn salvage(folder: &Path, out: &Path) -> Result<Salvage> {
    let superblock = superblock(folder);
    let mut carver = Carver::open(folder)?;
    let runs = runs(&mut carver);
    let mut found = Salvage {
        pages: carver.end(),
        marks: if superblock.is_some() { Marks::Superblock } else { Marks::None },
        expected: superblock.as_ref().map(|superblock| superblock.rows),
        ..Salvage::default()
    };
    let rows = rows(&mut carver, superblock.as_ref(), &mut found);
    let superblock = superblock.unwrap_or_default();
    let newest = rows.iter().map(|row| row.seq >> EPOCH_SHIFT).max().unwrap_or(0);
    let identity = Identity {
        install: uuid::Uuid::from_bytes(superblock.install).to_string(),
        epoch: newest.max(superblock.epoch).saturating_add(1).min(MAX_EPOCH),
        boot: String::new(),
        gone: Gone::default(),
    };
    let mut routes = routes_of(&folder.join(crate::store::FILE));
    for route in &mut routes {
        let hash = route_hash(&route.name);
        if let Some(settled) = superblock.routes.iter().find(|settled| settled.hash == hash) {
            route.lanes = settled.lanes;
        }
    }
    found.rows = rows.len() as u64;
    found.runs = runs.len() as u64;
    write_salvaged(out, &identity, &runs, &rows, &whole(routes, &superblock))?;
    Ok(found)
}

/// The routes, if they are all that the superblock knows of: with one of them missing, its rows would seem to be settled.
fn whole(routes: Vec<SalvagedRoute>, superblock: &Superblock) -> Vec<SalvagedRoute> {
    let known = |settled: &SettledRoute| routes.iter().any(|route| route_hash(&route.name) == settled.hash);
    if superblock.routes.iter().all(known) { routes } else { Vec::new() }
}

/// The superblock beside the files: the copy of a quarantine, else that of the ring.
fn superblock(folder: &Path) -> Option<Superblock> {
    if let Some(copy) = repair::superblock_copy(folder) {
        return Superblock::from_bytes(&copy);
    }
    let bytes = file::read(&folder.join(crate::ring::FILE)).ok()?;
    let map = Map::anonymous(FILE_BYTES).ok()?;
    crate::ring::layout::write(&map, 0, bytes.get(..FILE_BYTES).unwrap_or(&bytes));
    Superblock::read(&map).map(|(_, superblock)| superblock)
}

/// A run counts only if its JSON repeats the other columns: its row has no checksum.
fn runs(carver: &mut Carver) -> Vec<FoundRun> {
    let is_whole = |found: &FoundRun| {
        serde_json::from_str(&found.json).is_ok_and(|run: Run| run.key() == found.id && run.boot == found.boot)
    };
    carver.runs().into_iter().filter(is_whole).collect()
}

fn rows(carver: &mut Carver, superblock: Option<&Superblock>, found: &mut Salvage) -> Vec<Found> {
    let tried = RefCell::new(HashSet::new());
    let crc = |candidate: &Candidate<'_>| {
        tried.borrow_mut().insert(candidate.seq);
        candidate_crc(candidate)
    };
    let mut ids: HashSet<EventId> = HashSet::new();
    let mut rows = Vec::new();
    let mut position = Some(0);
    while let Some(page) = position {
        let step = carver.step(page, STEP_PAGES, &crc);
        for row in step.records {
            tried.borrow_mut().remove(&row.seq);
            match verdict(&row, superblock) {
                Verdict::Take(id) if ids.insert(id) => rows.push(row),
                Verdict::Take(_) => found.rejected.repeated += 1,
                Verdict::Settled => found.rejected.settled += 1,
                Verdict::Erased => found.rejected.erased += 1,
                Verdict::Deleted => found.rejected.deleted += 1,
                Verdict::Unknown => found.rejected.unknown += 1,
            }
        }
        position = step.next_page;
    }
    // A seq is returned once: an image that is tried after it is not a row that was rejected.
    let taken: HashSet<u64> = rows.iter().map(|row| row.seq).collect();
    found.rejected.checksum = tried.borrow().difference(&taken).count() as u64;
    rows
}

enum Verdict {
    Take(EventId),
    Settled,
    Erased,
    Deleted,
    Unknown,
}

fn verdict(row: &Found, superblock: Option<&Superblock>) -> Verdict {
    let (Ok(id), Some(kind)) = (row.id.parse(), Kind::parse(&row.kind)) else { return Verdict::Unknown };
    let Some(superblock) = superblock else {
        return if row.origin == Origin::Tree { Verdict::Take(id) } else { Verdict::Deleted };
    };
    // The user asked to erase it, and the app was not done with it.
    if superblock.wipes.all().any(|wipe| wipe.erases(kind)) {
        return Verdict::Erased;
    }
    let lane = kind.lane() as usize;
    let has_settled = |route: &SettledRoute| route.lanes.get(lane).is_some_and(|mark| row.seq <= *mark);
    if !superblock.routes.is_empty() && superblock.routes.iter().all(has_settled) {
        return Verdict::Settled;
    }
    Verdict::Take(id)
}
