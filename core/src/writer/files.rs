//! The store's file: opening it, and what to do when it is full, damaged, unusable or to be wiped.

use super::Writer;
use super::batch::Op;
use super::shared::{Door, Role, StoreState};
use super::stamp::Stamper;
use crate::carve::{Candidate, Carver};
use crate::courier::{Courier, Options};
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::reason::Reason;
use crate::ring::guard::Step;
use crate::ring::marks::Marks;
use crate::store::{Identity, NewRow, RawRow, Store, StoreError, Wipe, repair, row_crc};
use crate::sys::{fault, random};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Pages carved in one go: about a millisecond, so that recording and delivery go on meanwhile.
const CARVE_PAGES: u32 = 16;

/// Tries of one batch on a full disk before the writer pauses.
const FULL_TRIES: u32 = 3;

/// Pause between tries on a full disk.
const FULL_PAUSE: Duration = Duration::from_secs(5);

/// A damaged file being read for rows.
pub(super) struct Carving {
    folder: PathBuf,
    carver: Carver,
    marks: Marks,
    page: u32,
    known: HashSet<crate::EventId>,
}

/// A number for a boot id, for the ring's header.
pub(crate) fn boot_hash(boot: &str) -> u64 {
    (u64::from(crc32fast::hash(boot.as_bytes())) << 32) | (boot.len() as u64 + 1)
}

impl Writer {
    /// Opens the store and all that needs it.
    pub(super) fn open(&mut self) {
        if self.store.is_some() || self.suspended {
            return;
        }
        if !self.shared.ring.has_file() && self.take_folder().is_none() {
            return self.give_up_for_now("the folder cannot be used".into());
        }
        if self.first_fold {
            if !self.guarded() {
                return;
            }
            self.shared.ring.enter(Step::Open);
        }
        let marks = self.shared.ring.marks();
        let install =
            if marks.install == [0; 16] { random::uuid() } else { uuid::Uuid::from_bytes(marks.install).to_string() };
        let identity =
            Identity { install, epoch: marks.epoch.saturating_add(1).max(1), boot: self.shared.boot.clone() };
        let options = crate::store::Options {
            cap_bytes: self.shared.config.cap_bytes,
            max_age: self.shared.config.max_age,
            max_age_crash: limits::MAX_AGE_CRASH.max(self.shared.config.max_age),
        };
        let opened = Store::open(&self.shared.folder, &identity, options).and_then(|mut store| {
            if store.epoch() < marks.epoch || self.history_was_cut(&store) {
                store.raise_epoch(marks.epoch.max(store.epoch()).saturating_add(1))?;
            }
            let (stamper, run) = match &self.run_row {
                // Opened again in this run. What is known in memory goes with the pending batch, if there is one, and a
                // new file must know it too: its rows belong to this run, and the next start closes its session.
                Some(row) => {
                    let mut fold = store.begin(true, self.shared.now())?;
                    let number = fold.run(row)?;
                    self.stamper.write(&mut fold, number)?;
                    fold.commit()?;
                    (None, Some(crate::row::Run { number, ..row.clone() }))
                }
                None => {
                    self.shared.ring.enter(Step::Load);
                    (Some(Stamper::load(&store, self.shared.config.mask_user)?), store.runs()?.pop())
                }
            };
            let settled = store.settled()?;
            self.shared.write_marks(settled, store.epoch(), store.install());
            // A ballast that cannot be made now is made by the first upkeep that finds room.
            let _ = store.ballast();
            Ok((store, stamper, run))
        });
        match opened {
            Ok((store, stamper, run)) => {
                if let Some(stamper) = stamper {
                    // Decided with what an earlier try to open had loaded; the ring still has it.
                    self.pending = None;
                    self.stamper = stamper;
                }
                self.run = run.as_ref().map_or(0, |run| run.number);
                self.run_row = run;
                self.store = Some(store);
                self.shared.set_state(StoreState::Ready);
                self.find_carving();
                self.start_courier();
            }
            Err(error) => {
                self.failed(&error);
                if self.store.is_none() && self.reopen_at.is_none() {
                    self.give_up_for_now(error.to_string());
                }
            }
        }
    }

    /// Another boot without a clean close: what was not synced may be gone.
    fn history_was_cut(&self, store: &Store) -> bool {
        let (boot, clean) = store.boot_seen();
        !clean && !boot.is_empty() && boot != self.shared.boot
    }

    fn start_courier(&mut self) {
        if matches!(self.shared.role, Role::Relic) {
            return;
        }
        if let Some(courier) = self.shared.courier.get() {
            return courier.store_back();
        }
        let transport = self.shared.config.transport.clone().or_else(default_transport);
        let Some(transport) = transport else { return };
        let options = Options {
            boot: self.shared.boot.clone(),
            key: self.shared.key,
            clock: self.shared.clock.clone(),
            foreground: true,
        };
        let Ok(courier) = Courier::start(Arc::new(Door(Arc::clone(&self.shared))), transport, options) else { return };
        for (name, destination) in &self.shared.config.destinations {
            courier.add(name, Arc::clone(destination), crate::store::From::Oldest);
        }
        let _ = self.shared.courier.set(courier);
    }

    /// The disk is full: the ballast goes, then the least important rows. `true` = there is room again.
    pub(super) fn make_room(&mut self) -> bool {
        let directory = self.shared.courier.get().map(crate::courier::CourierHandle::directory);
        let now = self.shared.now();
        // Indexes, tallies and page ends come on top of the rows.
        let need = self.pending.as_ref().map_or(0, |batch| batch.bytes.saturating_mul(2));
        let Some(store) = &mut self.store else { return false };
        let wants = |route: &str, row: &crate::row::Row| directory.as_ref().is_none_or(|d| d.wants(route, row));
        self.tries += 1;
        match store.free_space_for(need, &wants, now) {
            // Room for a probe, yet not for the batch: not in a circle at full speed.
            Ok(()) if self.tries > FULL_TRIES => {
                self.tries = 0;
                self.shared.set_state(StoreState::Unavailable("the disk is full".into()));
                self.sync_at = Some(Instant::now() + FULL_PAUSE);
                false
            }
            Ok(()) => true,
            Err(StoreError::Corrupt(_)) => self.quarantine(),
            Err(error) => {
                // The store stays open: the next try may find room.
                self.shared.set_state(StoreState::Unavailable(error.to_string()));
                self.sync_at = Some(Instant::now() + FULL_PAUSE);
                false
            }
        }
    }

    /// The file is damaged: put aside, a new one begun in a new epoch, the old one carved in the background.
    pub(super) fn quarantine(&mut self) -> bool {
        self.store = None;
        self.carving = None;
        let (folder, now) = (self.shared.folder.clone(), self.shared.now());
        if repair::quarantines_lately(&folder, now) >= limits::QUARANTINES {
            self.give_up_for_now("the queue was damaged more than 3 times in 7 days: this run stays in memory".into());
            return false;
        }
        let marks = self.shared.ring.marks().to_bytes();
        if let Err(error) = repair::quarantine(&folder, &marks, now) {
            self.give_up_for_now(error.to_string());
            return false;
        }
        self.sync_at = None;
        // The pending batch stays: it was decided from what the file had folded, and is folded into the new one.
        self.open();
        if self.store.is_some()
            && let Some(courier) = self.shared.courier.get()
        {
            courier.store_replaced();
        }
        self.store.is_some()
    }

    /// Nothing can be done now: tried again after a minute. The ring goes on as long as it has room.
    pub(super) fn give_up_for_now(&mut self, why: String) {
        self.store = None;
        // The next open takes the carve up again; without a store it would only keep the thread awake.
        self.carving = None;
        self.sync_at = None;
        self.reopen_at = Some(Instant::now() + limits::REOPEN_INTERVAL);
        self.shared.set_state(StoreState::Unavailable(why));
    }

    /// Erases what the marks say, to the last byte; the mark goes last, so a kill anywhere in between does it again. Called
    /// when all records up to the wipe's ticket are folded and none behind it; `false` = it must be tried again.
    pub(super) fn erase(&mut self) -> bool {
        let marks = self.shared.ring.marks();
        let Some(wipe) = marks.wipe else { return true };
        fault::point("wipe_begun");
        let now = self.shared.now();
        let all = wipe.what == 0xff;
        let gone = |kind: Kind| super::fold::purpose_bits(kind) & !wipe.what == 0;
        let what = if all {
            Wipe::All
        } else {
            Wipe::Purposes(
                Purpose::ALL.into_iter().filter(|purpose| wipe.what & (1 << (*purpose as u8)) != 0).collect(),
            )
        };
        let install = all.then(random::uuid);
        let Some(store) = &mut self.store else { return false };
        let done = store.wipe(what, &|kind| !all && !gone(kind), install.as_deref(), now).and_then(|()| {
            let settled = store.settled()?;
            Ok((settled, store.epoch(), store.install().to_owned()))
        });
        match done {
            Ok((settled, epoch, install)) => {
                fault::point("wipe_ended");
                self.shared.ring.zero_free();
                self.stamper.forget(wipe.what);
                self.carving = None;
                self.shared.write_marks(settled, epoch, &install);
                self.shared.ring.change_marks(|state| state.marks.wipe.take_if(|mark| mark.ticket == wipe.ticket));
                if let Some(courier) = self.shared.courier.get() {
                    courier.store_back();
                }
                true
            }
            Err(error) => {
                self.failed(&error);
                false
            }
        }
    }

    fn find_carving(&mut self) {
        let Some(store) = &self.store else { return };
        let Some(folder) = repair::to_carve(&self.shared.folder).unwrap_or_default().into_iter().next() else { return };
        let Ok(page) = store.carve_position(&folder) else { return };
        let marks = std::fs::read(folder.join(repair::MARKS))
            .ok()
            .and_then(|bytes| Marks::from_bytes(&bytes))
            .unwrap_or_default();
        let Ok(carver) = Carver::open(&folder) else { return };
        let known = store.ids(0).unwrap_or_default().into_iter().collect();
        self.carving = Some(Carving { folder, carver, marks, page: u32::try_from(page).unwrap_or(u32::MAX), known });
    }

    /// One step of the carve: rows and position in one transaction.
    pub(super) fn carve(&mut self) {
        let Some(mut carving) = self.carving.take() else { return };
        let now = self.shared.now();
        let Some(store) = &mut self.store else { return };
        let step = carving.carver.step(carving.page, CARVE_PAGES, &crc);
        let rows: Vec<_> = step.records.into_iter().filter_map(|found| carving.take(found)).collect();
        let key = repair::carve_key(&carving.folder);
        let result = (|| {
            let mut fold = store.begin(false, now)?;
            for row in &rows {
                let wanted = carving.unsettled(row.seq, row.kind);
                match wanted {
                    Ok(targets) => drop(fold.insert(&NewRow {
                        id: row.id,
                        kind: row.kind,
                        run: self.run,
                        wall_ms: row.wall_ms,
                        mono_ms: row.mono_ms,
                        targets: if row.targets.is_empty() { &targets } else { &row.targets },
                        json: &row.json,
                        late: true,
                    })?),
                    Err(()) => {
                        fold.intake(Some(row.kind), 1)?;
                        fold.drop(Some(row.kind), Reason::CarvedStale, 1)?;
                    }
                }
            }
            fault::point("carve_step");
            fold.carved(&key, u64::from(step.next_page.unwrap_or(u32::MAX)))?;
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
                self.find_carving();
                self.sync_at.get_or_insert(Instant::now() + limits::SYNC_INTERVAL);
                if let Some(courier) = self.shared.courier.get() {
                    courier.store_back();
                }
            }
            (Err(error), _) => {
                self.failed(&error);
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

    /// `Err` when the copied marks say that every route had settled it; else the destinations to aim it at (empty = all).
    fn unsettled(&self, seq: u64, kind: Kind) -> Result<Vec<String>, ()> {
        let lane = kind.lane() as usize;
        let settled = |route: &crate::ring::marks::RouteMark| {
            route.lanes.get(lane).is_some_and(|mark| seq <= *mark) || (route.sending != 0 && seq <= route.sending)
        };
        if !self.marks.routes.is_empty() && self.marks.routes.iter().all(settled) { Err(()) } else { Ok(Vec::new()) }
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

#[cfg(feature = "transport-reqwest")]
fn default_transport() -> Option<Arc<dyn crate::transport::Transport>> {
    Some(Arc::new(crate::transport::Reqwest::new()))
}

#[cfg(not(feature = "transport-reqwest"))]
fn default_transport() -> Option<Arc<dyn crate::transport::Transport>> {
    None
}
