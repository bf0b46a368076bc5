//! Reading: records of the ring become the steps of one transaction.

use super::Writer;
use super::batch::{Batch, Op};
use crate::crash;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::id::{EventId, IdKey};
use crate::kind::{Kind, Purpose};
use crate::limits::{RECORD_BYTES, RING_BYTES};
use crate::reason::Reason;
use crate::ring::crash_loop::Step;
use crate::ring::record::{self, Head};
use crate::ring::reserve;
use crate::ring::scan::Scan;
use crate::row::Run;
use crate::store::Store;
use crate::sys::{fault, map::Map};

/// Bytes of rows in one transaction. The log grows by about as much.
const BATCH_BYTES: usize = 256 * 1024;

/// The same on a disk that is nearly full, where a transaction must fit into the log.
const SMALL_BATCH_BYTES: usize = 32 * 1024;

/// Steps in one transaction.
const BATCH_OPS: usize = 2_000;

impl Writer {
    /// Reads the next batch; `None` when there is nothing to do.
    pub(super) fn read(&mut self) -> Option<Batch> {
        let ring = &self.shared.ring;
        let map = ring.map();
        let (from, (end, all)) = (ring.tail(), ring.end());
        let crash = reserve::read(&map);
        if from == end && crash.is_none() {
            return None;
        }
        let folded = self.store.as_ref()?.fold_position();
        let known = folded.generation == ring.generation();
        let superblock = ring.superblock();
        let again = if known { self.tickets_given_again(&map, (from, end), folded.ticket) } else { None };
        let (ticket, total) = match (known, superblock.fold_generation == ring.generation()) {
            (true, _) => again.unwrap_or((folded.ticket, folded.total)),
            // The database is new. The carver recovers what the lost one had folded.
            (false, true) => (superblock.fold_ticket, superblock.fold_total),
            (false, false) => (0, 0),
        };
        let denied = crate::ring::denied_bits(superblock.consent);
        let mut batch = Batch { folded, wipe: superblock.wipes.next(), denied, ..Batch::default() };
        batch.ops.append(&mut self.adopted);
        self.stamper.set_denied(denied, &mut batch);
        if !known || again.is_some() {
            // Another ring file counts its reserve anew, and so does an older one; a crash in it must not look folded.
            (batch.folded.reserve_generation, batch.folded.reserve_total) = (0, 0);
        }
        batch.crash = crash.filter(|crash| crash.generation > batch.folded.reserve_generation);
        let reached = self.read_records(&map, (from, end, all), (ticket, total), &mut batch);
        self.stamper.keep_alert_windows(&mut batch);
        batch.folded.generation = self.shared.ring.generation();
        (batch.end, batch.folded.ticket, batch.folded.total) = reached;
        if batch.end == end || batch.wipe_next {
            // The run record of this crash may still wait for room in the ring; the crash comes after it.
            let ours = |crash: &reserve::Reserved| self.is_of_this_run(crash) || !self.shared.ring.has_held();
            if let Some(crash) = batch.crash.take_if(|crash| ours(crash)) {
                self.take_reserve(&crash, &mut batch);
            }
        }
        Some(batch)
    }

    /// Ticket and total before the first record whose ticket was given a second time; `None` if there is none. A ring that was
    /// restored from a copy older than the database gives tickets again that are folded. What it records begins with a run that
    /// the database does not know.
    fn tickets_given_again(&self, map: &Map, range: (u64, u64), folded: u64) -> Option<(u64, u64)> {
        if !self.first_fold {
            return None;
        }
        let mut scan = Scan::new(map, RING_BYTES, range.0, range.1, 0, 0).of(self.shared.ring.generation());
        let (mut bytes, mut known) = (Vec::new(), None);
        while let Some(head) = scan.next(&mut bytes).or_else(|| scan.resync(&mut bytes)) {
            if head.ticket > folded {
                return None;
            }
            if head.kind != record::RUN || head.format != record::FORMAT {
                continue;
            }
            let Some(run) = Body::decode(&bytes).and_then(|body| run_of(&body)) else { continue };
            if known.is_none() {
                known = Some(self.store.as_ref()?.runs().ok()?);
            }
            if known.iter().flatten().all(|known| known.id != run.id) {
                return Some((head.ticket.saturating_sub(1), head.total));
            }
        }
        None
    }

    /// Reads records from `range.0` to `range.1` into the batch; the running total at the end is `range.2`. Returns the
    /// position, ticket and total it reached.
    pub(super) fn read_records(
        &mut self,
        map: &Map,
        range: (u64, u64, u64),
        after: (u64, u64),
        batch: &mut Batch,
    ) -> (u64, u64, u64) {
        let mut scan = Scan::new(map, RING_BYTES, range.0, range.1, after.0, after.1).of(self.shared.ring.generation());
        let scarce = self.store.as_ref().is_some_and(Store::is_scarce);
        let most = if scarce { SMALL_BATCH_BYTES } else { BATCH_BYTES };
        let mut bytes = Vec::new();
        loop {
            let before = (scan.at, scan.ticket, scan.total);
            let lost_before = scan.lost;
            let head = match scan.next(&mut bytes) {
                Some(head) => Some(head),
                None if scan.at < range.1 => scan.resync(&mut bytes),
                None => None,
            };
            if let (Some(head), Some(wipe)) = (&head, batch.wipe)
                && head.ticket > wipe.ticket
            {
                // Recorded after the wipe was requested, so the wipe must not delete it.
                batch.wipe_next = true;
                return before;
            }
            let lost = scan.lost - lost_before;
            if lost > 0 {
                batch.ops.push(Op::Lost(self.why_lost(), lost));
            }
            let Some(head) = head else {
                // The rest of the range is unreadable.
                let unread = range.2.saturating_sub(scan.total);
                if unread > 0 {
                    batch.ops.push(Op::Lost(self.why_lost(), unread));
                }
                if unread > 0 || scan.at < range.1 {
                    // A crash in the reserve may follow.
                    self.forget_who(scan.ticket.saturating_add(1), batch);
                }
                return (range.1, scan.ticket, range.2.max(scan.total));
            };
            self.record_after(before.1, &head, &bytes, batch);
            if batch.bytes > most || batch.ops.len() > BATCH_OPS {
                return (scan.at, scan.ticket, scan.total);
            }
        }
    }

    fn why_lost(&self) -> Reason {
        if self.first_fold && self.shared.found.power_loss { Reason::PowerLoss } else { Reason::CorruptFile }
    }

    /// One record.
    pub(super) fn record(&mut self, head: &Head, bytes: &[u8], batch: &mut Batch) {
        let kind = Kind::from_number(head.kind);
        if self.first_fold {
            if self.is_deadly(head.ticket) {
                refuse_all(head, kind, Reason::Malformed, batch);
                return;
            }
            self.shared.ring.enter(Step::Record(head.ticket));
        }
        fault::point("record_read");
        if head.kind == record::BATCH {
            self.document(head, bytes, batch);
            batch.bytes += bytes.len();
            return;
        }
        let body = Body::decode(bytes).filter(|_| head.format == record::FORMAT);
        let Some(body) = body else {
            let reason = if head.format == record::FORMAT { Reason::Malformed } else { Reason::Migration };
            refuse_all(head, kind, reason, batch);
            return;
        };
        match (head.kind, kind) {
            (record::RUN, _) => {
                // The crash that ended the previous run belongs before the record of the next one.
                if let Some(crash) = batch.crash.take_if(|crash| self.is_of_this_run(crash)) {
                    self.take_reserve(&crash, batch);
                }
                let before = batch.ops.len();
                self.stamper.run(&body, !head.mask, batch);
                // The state at the end of the run before can be as large as a row.
                batch.bytes += batch.bytes_since(before);
            }
            (record::RUN_CHANGE, _) => self.stamper.change_run(&body, batch),
            (record::SCOPE, _) => self.stamper.scope(&body, batch),
            (record::CRUMB, _) => self.stamper.crumb(&body, batch),
            (_, Some(kind)) => {
                let id = self.id_of(head, &body, 0);
                self.event(kind, id, head, &body, batch);
            }
            _ => {}
        }
        batch.bytes += bytes.len();
    }

    /// The id of the event at `index` of a record: that of the face, else the one that the key of the run gives.
    pub(super) fn id_of(&self, head: &Head, body: &Body<'_>, index: u16) -> EventId {
        let key = self.stamper.key.unwrap_or(self.shared.key);
        body.id.unwrap_or_else(|| key.id(body.wall_ms, head.ticket, index))
    }

    pub(super) fn event(&mut self, kind: Kind, id: EventId, head: &Head, body: &Body<'_>, batch: &mut Batch) {
        if let Some(wipe) = batch.wipe.filter(|wipe| head.ticket <= wipe.ticket)
            && (wipe.what == 0xff || kind.purpose_bits() & !wipe.what == 0)
        {
            let reason = if wipe.what == 0xff { Reason::ClearedByUser } else { Reason::Consent };
            batch.refuse(Some(kind), reason);
            return;
        }
        if kind.purpose_bits() & head.mask & !batch.denied == 0 {
            batch.refuse(Some(kind), Reason::Consent);
            return;
        }
        let before = batch.ops.len();
        self.stamper.event(kind, id, body, batch);
        self.ask_hook(before, batch);
        self.mark_paused(before, batch);
        if let Some(purpose) = denied_at_append(kind, head.mask) {
            for op in batch.ops.iter_mut().skip(before) {
                if let Op::Row { json, .. } = op {
                    crate::row::push_denied(json, purpose);
                }
            }
        }
        batch.critical |= kind.lane() as u8 <= 1;
        batch.bytes += batch.bytes_since(before);
    }

    /// Notes in the rows added since `from` which destinations are paused. After the hook, which cannot remove it.
    fn mark_paused(&self, from: usize, batch: &mut Batch) {
        let Some(names) = self.stamper.paused_json() else { return };
        for op in batch.ops.iter_mut().skip(from) {
            if let Op::Row { json, .. } = op {
                crate::row::push_paused(json, names);
            }
        }
    }

    /// Passes the rows added since `from` to the app's hook. Nothing is added to a row that it has seen.
    fn ask_hook(&mut self, from: usize, batch: &mut Batch) {
        let Some(hook) = &mut self.hook else { return };
        let mut lost_crash = false;
        for op in batch.ops.iter_mut().skip(from) {
            let Op::Row { kind, json, .. } = op else { continue };
            match hook.run(*kind, json) {
                Ok(changed) => *json = changed,
                Err(reason) => {
                    lost_crash |= *kind == Kind::Crash;
                    *op = Op::Drop(Some(*kind), reason);
                }
            }
        }
        let added = batch.ops.split_off(from.min(batch.ops.len()));
        batch.ops.extend(added.into_iter().filter(|op| !matches!(op, Op::Amend { .. })));
        if lost_crash {
            self.stamper.crash_was_dropped(batch);
        }
    }

    fn is_of_this_run(&self, crash: &reserve::Reserved) -> bool {
        self.stamper.key.is_some_and(|key| key.to_bytes() == crash.key)
    }

    fn take_reserve(&mut self, crash: &reserve::Reserved, batch: &mut Batch) {
        batch.folded.reserve_generation = crash.generation;
        batch.folded.reserve_total = batch.folded.reserve_total.saturating_add(1);
        let kind = Kind::from_number(crash.kind).unwrap_or(Kind::Crash);
        // It has no ticket and bypassed the gate, so while a wipe is pending it may be older than the wipe.
        let wiped = batch.wipe.is_some_and(|wipe| wipe.what == 0xff || kind.purpose_bits() & !wipe.what == 0);
        let refused = match batch.wipe {
            Some(wipe) if wiped && wipe.what == 0xff => Some(Reason::ClearedByUser),
            _ if wiped || kind.purpose_bits() & !batch.denied == 0 => Some(Reason::Consent),
            _ => None,
        };
        if let Some(reason) = refused {
            batch.refuse(Some(kind), reason);
            return;
        }
        let modules = crash::Modules::of_run(&self.shared.folder, crash.key);
        let mut named = vec![0; RECORD_BYTES];
        match Body::decode(&crash.body) {
            Some(body) => {
                let body = match modules {
                    Some(modules) => modules.name(body, &mut named),
                    None => body,
                };
                let made = || IdKey::from_bytes(crash.key).id(body.wall_ms, crash.generation | RESERVED_TICKET, 0);
                let id = body.id.unwrap_or_else(made);
                let (before, unmarked) = (batch.ops.len(), self.stamper.before_crash());
                self.stamper.event(kind, id, &body, batch);
                self.ask_hook(before, batch);
                if !self.is_of_this_run(crash) {
                    self.stamper.take_back(unmarked, batch);
                }
                self.mark_paused(before, batch);
                batch.critical = true;
            }
            None => {
                batch.refuse(Some(kind), Reason::Malformed);
            }
        }
    }
}

/// The run in a record of a run.
fn run_of(body: &Body<'_>) -> Option<Run> {
    serde_json::from_str(body.str(Field::Run)?).ok()
}

/// Counts the events of a record that cannot be read.
pub(super) fn refuse_all(head: &Head, kind: Option<Kind>, reason: Reason, batch: &mut Batch) {
    for _ in 0..head.n {
        batch.refuse(kind, reason);
    }
}

/// Bit set in tickets of the reserve, so that no record of the ring gets the same id.
pub(crate) const RESERVED_TICKET: u64 = 1 << 63;

/// The purpose of a kind with two purposes that was denied when the event was recorded. `allowed` has a bit for each purpose
/// that was not.
fn denied_at_append(kind: Kind, allowed: u8) -> Option<Purpose> {
    let denied = |purpose: &Purpose| allowed & purpose.bit() == 0;
    kind.purposes().iter().copied().find(denied).filter(|_| kind.purposes().len() > 1)
}
