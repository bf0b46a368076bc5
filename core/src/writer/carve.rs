//! Carves quarantined files in the background, a few pages at a time.

use super::Writer;
use super::batch::Op;
use crate::carve::{Carver, Found};
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::ring::superblock::{CarvePosition, SettledRoute, Superblock};
use crate::row::Run;
use crate::store::{NewRow, Result, SettledBefore, Store, StoreError, candidate_crc, repair};
use crate::sys::fault;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Instant;

/// Pages carved in one step: about a millisecond, so that recording and delivery continue meanwhile.
const CARVE_PAGES: u32 = 16;

/// Position of a file that is carved to its end.
const DONE: u32 = u32::MAX;

/// A quarantined file that is being carved.
pub(super) struct Carving {
    folder: PathBuf,
    carver: Carver,
    /// The superblock as of the quarantine.
    superblock: Superblock,
    /// CRC-32 of that copy, see [`CarvePosition`].
    quarantine: u32,
    position: u32,
    /// Rows found in earlier steps that this database does not know of.
    found_before: u32,
    /// Ids that must not be stored again.
    known: HashSet<crate::EventId>,
    runs: Runs,
}

/// The runs of the quarantined file.
struct Runs {
    /// By their number in that file.
    found: HashMap<i64, Run>,
    /// The last run before the damage: stands in for a run that cannot be read.
    last: Option<Run>,
    /// Number in the database by number in the file.
    stored: HashMap<i64, i64>,
}

impl Runs {
    /// A run of the file counts only if its JSON repeats the row's other columns.
    fn read(carver: &mut Carver, superblock: &Superblock) -> Runs {
        let whole = |found: crate::carve::FoundRun| {
            let run: Run = serde_json::from_str(&found.json).ok()?;
            (run.key() == found.id && run.boot == found.boot).then_some((found.number, run))
        };
        let last = superblock.run.as_ref().and_then(|run| serde_json::from_str(&run.json).ok());
        Runs { found: carver.runs().into_iter().filter_map(whole).collect(), last, stored: HashMap::new() }
    }

    /// The run's number in the database; stores the run if it is not there. `present` if nothing is known of any run.
    fn store(&mut self, number: i64, fold: &mut crate::store::Fold<'_>, present: i64) -> Result<i64> {
        if let Some(stored) = self.stored.get(&number) {
            return Ok(*stored);
        }
        let Some(run) = self.found.get(&number).or(self.last.as_ref()) else { return Ok(present) };
        let stored = fold.earlier_run(run)?;
        self.stored.insert(number, stored);
        Ok(stored)
    }
}

impl Writer {
    /// Looks for the oldest quarantine that is not carved yet.
    pub(super) fn find_carving(&mut self) {
        // Rows of the last file may be in the next one too, whatever became of them since.
        let mut known = self.carving.take().map(|carving| carving.known).unwrap_or_default();
        let Some(store) = &mut self.store else { return };
        let folders = repair::to_carve(&self.shared.folder).unwrap_or_default();
        if folders.is_empty() {
            // Reading the ids takes longer than all the rest of a start.
            return;
        }
        known.extend(store.ids(0).unwrap_or_default());
        let mark = Some(self.shared.ring.superblock().carve).filter(|mark| mark.boot == boot_crc(&self.shared.boot));
        for folder in folders {
            match Carving::open(store, folder, mark.unwrap_or_default()) {
                Ok(Some(carving)) => {
                    self.carving = Some(Carving { known, ..carving });
                    return;
                }
                // Carved to its end, and the process died before the folder was deleted.
                Ok(None) => {}
                // The next maintenance tries again.
                Err(_) => return,
            }
        }
    }

    /// One step of the carve: rows and position in one transaction.
    pub(super) fn carve(&mut self) {
        let Some(mut carving) = self.carving.take() else { return };
        let now = self.shared.now();
        let (present, boot) = (self.run, boot_crc(&self.shared.boot));
        let Some(store) = &mut self.store else { return };
        let step = carving.carver.step(carving.position, CARVE_PAGES, &candidate_crc);
        let unsettled =
            |found: &&Found| Kind::parse(&found.kind).is_some_and(|kind| carving.settled(found.seq, kind).is_some());
        let found = u32::try_from(step.records.iter().filter(unsettled).count()).unwrap_or(u32::MAX);
        let rows: Vec<_> = step.records.into_iter().filter_map(|found| carving.take(found)).collect();
        let mut stored = 0u32;
        let result = (|| {
            let mut fold = store.begin(false, now)?;
            for row in &rows {
                // Every route is done with it: it arrived, or its loss was counted when it happened.
                let Some(settled) = carving.settled(row.seq, row.kind) else { continue };
                let run = carving.runs.store(row.run, &mut fold, present)?;
                let row = NewRow {
                    id: row.id,
                    kind: row.kind,
                    run,
                    wall_ms: row.wall_ms,
                    mono_ms: row.mono_ms,
                    targets: &row.targets,
                    json: &row.json,
                    late: true,
                };
                fold.insert_carved(&row, &settled)?;
                stored = stored.saturating_add(1);
            }
            fault::point("carve_step");
            let key = repair::carve_key(&carving.folder);
            let found = u64::from(found.saturating_add(std::mem::take(&mut carving.found_before)));
            let found = fold.carved(&key, u64::from(step.next_page.unwrap_or(DONE)), found)?;
            if step.next_page.is_none() {
                let lost = u64::from(carving.superblock.rows).saturating_sub(found);
                fold.intake(None, lost)?;
                fold.drop(None, Reason::CorruptFile, lost)?;
            }
            fold.commit()?;
            Ok::<u64, StoreError>(found)
        })();
        let position = step.next_page.unwrap_or(DONE);
        let result = result.and_then(|found| {
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            self.shared.ring.change_superblock(|state| {
                state.superblock.rows = state.superblock.rows.saturating_add(stored);
                state.superblock.carve = CarvePosition { quarantine: carving.quarantine, position, found, boot };
            });
            fault::point("carve_committed");
            if position == DONE { store.carve_done(&carving.folder) } else { Ok(()) }
        });
        match result {
            Ok(()) if position == DONE => {
                self.mark_settled();
                self.carving = Some(carving);
                self.find_carving();
                self.sync_at.get_or_insert(Instant::now() + limits::SYNC_INTERVAL);
                if let Some(delivery) = self.shared.delivery.get() {
                    delivery.store_back();
                }
            }
            Ok(()) => {
                carving.position = position;
                self.carving = Some(carving);
            }
            Err(error) => {
                // Continues from the last commit: what this step took for known is not in the store.
                if self.failed(&error) && self.carving.is_none() {
                    self.find_carving();
                }
            }
        }
    }
}

fn boot_crc(boot: &str) -> u32 {
    crc32fast::hash(boot.as_bytes())
}

struct Carved {
    seq: u64,
    id: crate::EventId,
    kind: Kind,
    run: i64,
    wall_ms: i64,
    mono_ms: i64,
    targets: Vec<String>,
    json: String,
}

impl Carving {
    /// Opens a quarantine where its carve stopped; `None` if it is carved to its end, and then it is deleted.
    fn open(store: &mut Store, folder: PathBuf, mark: CarvePosition) -> Result<Option<Carving>> {
        let copy = repair::superblock_copy(&folder);
        let superblock = copy.as_deref().and_then(Superblock::from_bytes).unwrap_or_default();
        let quarantine = copy.as_deref().map_or(0, crc32fast::hash);
        let stored = u32::try_from(store.carve_position(&folder)?).unwrap_or(DONE);
        // A database that was lost during the carve took the position with it, and the next one starts without.
        let lost_position = stored == 0 && quarantine != 0 && mark.quarantine == quarantine;
        let (position, found_before) = if lost_position { (mark.position, mark.found) } else { (stored, 0) };
        if position == DONE {
            store.carve_done(&folder)?;
            return Ok(None);
        }
        let mut carver = Carver::open(&folder)?;
        let runs = Runs::read(&mut carver, &superblock);
        let known = HashSet::new();
        Ok(Some(Carving { folder, carver, superblock, quarantine, position, found_before, known, runs }))
    }

    /// Events that the ring gave back must not come a second time from the damaged file.
    pub(super) fn skip_ids_of(&mut self, batch: &super::batch::Batch) {
        self.known.extend(batch.ops.iter().filter_map(|op| match op {
            Op::Row { id, .. } => Some(*id),
            _ => None,
        }));
    }

    fn take(&mut self, found: Found) -> Option<Carved> {
        let id = found.id.parse().ok()?;
        let kind = Kind::parse(&found.kind)?;
        self.known.insert(id).then(|| Carved {
            seq: found.seq,
            id,
            kind,
            run: found.run,
            wall_ms: found.wall_ms,
            mono_ms: found.mono_ms,
            targets: found.targets.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
            json: found.json,
        })
    }

    /// The routes that had settled the row according to the copied superblock, or may have; `None` = all had.
    fn settled(&self, seq: u64, kind: Kind) -> Option<Vec<SettledBefore>> {
        let lane = kind.lane() as usize;
        let had = |route: &SettledRoute| {
            let settled = route.lanes.get(lane).is_some_and(|mark| seq <= *mark);
            let ambiguous = !settled && route.sending != 0 && seq <= route.sending;
            (settled || ambiguous).then_some(SettledBefore { hash: route.hash, ambiguous })
        };
        let routes: Vec<SettledBefore> = self.superblock.routes.iter().filter_map(had).collect();
        let some_wait = routes.is_empty() || routes.len() < self.superblock.routes.len();
        // The route counts what may have arrived, so the row comes back for that.
        (some_wait || routes.iter().any(|had| had.ambiguous)).then_some(routes)
    }
}
