//! A damaged file is read for rows in the background, a few pages at a time.

use super::Writer;
use super::batch::Op;
use crate::carve::{Candidate, Carver};
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::ring::superblock::Superblock;
use crate::store::{Had, NewRow, RawRow, StoreError, repair, row_crc};
use crate::sys::fault;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Instant;

/// Pages carved in one go: about a millisecond, so that recording and delivery go on meanwhile.
const CARVE_PAGES: u32 = 16;

/// A damaged file being read for rows.
pub(super) struct Carving {
    folder: PathBuf,
    carver: Carver,
    superblock: Superblock,
    page: u32,
    known: HashSet<crate::EventId>,
}

impl Writer {
    pub(super) fn find_carving(&mut self) {
        let Some(store) = &self.store else { return };
        let Some(folder) = repair::to_carve(&self.shared.folder).unwrap_or_default().into_iter().next() else { return };
        let Ok(page) = store.carve_position(&folder) else { return };
        let superblock =
            repair::superblock_copy(&folder).and_then(|bytes| Superblock::from_bytes(&bytes)).unwrap_or_default();
        let Ok(carver) = Carver::open(&folder) else { return };
        let known = store.ids(0).unwrap_or_default().into_iter().collect();
        self.carving =
            Some(Carving { folder, carver, superblock, page: u32::try_from(page).unwrap_or(u32::MAX), known });
    }

    /// One step of the carve: rows and position in one transaction.
    pub(super) fn carve(&mut self) {
        let Some(mut carving) = self.carving.take() else { return };
        let now = self.shared.now();
        let Some(store) = &mut self.store else { return };
        let step = carving.carver.step(carving.page, CARVE_PAGES, &crc);
        let owed = |found: &&crate::carve::Found| {
            Kind::parse(&found.kind).is_some_and(|kind| carving.settled(found.seq, kind).is_some())
        };
        let found = step.records.iter().filter(owed).count() as u64;
        let rows: Vec<_> = step.records.into_iter().filter_map(|found| carving.take(found)).collect();
        let key = repair::carve_key(&carving.folder);
        let result = (|| {
            let mut fold = store.begin(false, now)?;
            for row in &rows {
                match carving.settled(row.seq, row.kind) {
                    Some(settled) => {
                        let row = NewRow {
                            id: row.id,
                            kind: row.kind,
                            run: self.run,
                            wall_ms: row.wall_ms,
                            mono_ms: row.mono_ms,
                            targets: &row.targets,
                            json: &row.json,
                            late: true,
                        };
                        fold.insert_carved(&row, &settled)?;
                    }
                    None => {
                        fold.intake(Some(row.kind), 1)?;
                        fold.drop(Some(row.kind), Reason::CarvedStale, 1)?;
                    }
                }
            }
            fault::point("carve_step");
            let found = fold.carved(&key, u64::from(step.next_page.unwrap_or(u32::MAX)), found)?;
            if step.next_page.is_none() {
                let lost = u64::from(carving.superblock.rows).saturating_sub(found);
                fold.intake(None, lost)?;
                fold.drop(None, Reason::CorruptFile, lost)?;
            }
            fold.commit()?;
            if step.next_page.is_none() {
                store.carve_done(&carving.folder)?;
            }
            Ok::<(), StoreError>(())
        })();
        match (result, step.next_page) {
            (Ok(()), Some(page)) => {
                carving.page = page;
                self.carving = Some(carving);
            }
            (Ok(()), None) => {
                self.mark_settled();
                self.find_carving();
                self.sync_at.get_or_insert(Instant::now() + limits::SYNC_INTERVAL);
                if let Some(delivery) = self.shared.delivery.get() {
                    delivery.store_back();
                }
            }
            (Err(error), _) => {
                // From the last commit on: what this step took for known is not in the store.
                if self.failed(&error) && self.carving.is_none() {
                    self.find_carving();
                }
            }
        }
    }
}

struct Carved {
    seq: u64,
    id: crate::EventId,
    kind: Kind,
    wall_ms: i64,
    mono_ms: i64,
    targets: Vec<String>,
    json: String,
}

impl Carving {
    /// What the ring gave back must not come a second time from the damaged file.
    pub(super) fn know(&mut self, batch: &super::batch::Batch) {
        self.known.extend(batch.ops.iter().filter_map(|op| match op {
            Op::Row { id, .. } => Some(*id),
            _ => None,
        }));
    }

    fn take(&mut self, found: crate::carve::Found) -> Option<Carved> {
        let id = found.id.parse().ok()?;
        let kind = Kind::parse(&found.kind)?;
        self.known.insert(id).then(|| Carved {
            seq: found.seq,
            id,
            kind,
            wall_ms: found.wall_ms,
            mono_ms: found.mono_ms,
            targets: found.targets.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default(),
            json: found.json,
        })
    }

    /// The routes that had settled it, as the copied superblock says, or may have; `None` = all had.
    fn settled(&self, seq: u64, kind: Kind) -> Option<Vec<Had>> {
        let lane = kind.lane() as usize;
        let had = |route: &crate::ring::superblock::RouteMark| {
            let settled = route.lanes.get(lane).is_some_and(|mark| seq <= *mark);
            let ambiguous = !settled && route.sending != 0 && seq <= route.sending;
            (settled || ambiguous).then_some(Had { hash: route.hash, ambiguous })
        };
        let routes: Vec<Had> = self.superblock.routes.iter().filter_map(had).collect();
        let some_wait = routes.is_empty() || routes.len() < self.superblock.routes.len();
        // What may have arrived is booked by the route, so the row comes back for that.
        (some_wait || routes.iter().any(|had| had.ambiguous)).then_some(routes)
    }
}

fn crc(found: &Candidate<'_>) -> u32 {
    row_crc(&RawRow {
        seq: i64::try_from(found.seq).unwrap_or(i64::MAX),
        id: found.id.as_bytes(),
        lane: i64::from(found.lane),
        kind: found.kind.as_bytes(),
        run: found.run,
        wall_ms: found.wall_ms,
        mono_ms: found.mono_ms,
        targets: found.targets.map(str::as_bytes),
        json: found.json.as_bytes(),
    })
}
