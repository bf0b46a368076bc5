//! Replaces the ring's file if it was unlinked or cut while the process records.

use super::Writer;
use super::batch::{Batch, Op};
use crate::limits::RING_BYTES;
use crate::reason::Reason;
use crate::ring::scan::Scan;
use crate::store::FoldPosition;

impl Writer {
    /// Moves the ring into a new file if its file was unlinked or cut. Every readable record is kept.
    pub(super) fn keep_ring_intact(&mut self) {
        if !self.shared.ring.has_file() || self.shared.ring.is_intact() || !self.can_fold() {
            return;
        }
        if !self.shared.folder_is_in_place() {
            // Another process may have the folder that is at this path now.
            return;
        }
        let shared = std::sync::Arc::clone(&self.shared);
        // First while callers continue, then the rest under the append lock.
        let taken = || crate::ring::reserve::read(&shared.ring.map()).is_some();
        while self.pending.is_some() || shared.ring.tail() != shared.ring.published() || taken() {
            if self.pending.is_none() {
                self.pending = self.read();
            }
            let wipe = self.pending.as_ref().and_then(|batch| batch.wipe.filter(|_| batch.wipe_next));
            if !self.commit() || wipe.is_some_and(|wipe| !self.erase(wipe)) {
                return;
            }
        }
        let folded = self.store.as_ref().map(crate::store::Store::fold_position).unwrap_or_default();
        // Under the append lock records are only copied: stamping calls the app's hook, and callers wait for the lock.
        let (superblock, generation) = (shared.ring.superblock(), shared.ring.generation());
        // A new database into which nothing of this ring was folded yet has no position in it.
        let (ticket, total) = match superblock.fold_generation == generation && folded.generation != generation {
            true => (superblock.fold_ticket, superblock.fold_total),
            false => (folded.ticket, folded.total),
        };
        let (mut records, mut read, tail) = (Vec::new(), total, shared.ring.tail());
        let mut before = ticket;
        let replaced = shared.ring.replace(&shared.folder, super::files::boot_hash(&shared.boot), |map, head| {
            let mut scan = Scan::new(map, RING_BYTES, tail, head, ticket, total).of(generation);
            let mut bytes = Vec::new();
            while let Some(head) = scan.next(&mut bytes).or_else(|| scan.resync(&mut bytes)) {
                records.push((head, bytes.clone()));
            }
            read = scan.total.saturating_sub(scan.lost);
        });
        if replaced.is_err() {
            return;
        }
        let superblock = shared.ring.superblock();
        let (ticket, total) = (superblock.fold_ticket, superblock.fold_total);
        let denied = crate::ring::denied_bits(superblock.consent);
        let mut rest = Batch { wipe: superblock.wipes.next(), denied, ..Batch::default() };
        for (head, bytes) in &records {
            self.record_after(before, head, bytes, &mut rest);
            before = head.ticket;
        }
        if before != ticket {
            // The last records are lost.
            self.forget_who(ticket, &mut rest);
        }
        if total > read {
            rest.ops.push(Op::Lost(Reason::CorruptFile, total - read));
        }
        // The new file counts its reserve anew.
        let (reserve_generation, reserve_total) = (0, 0);
        let generation = shared.ring.generation();
        rest.folded = FoldPosition { generation, ticket, total, reserve_generation, reserve_total };
        rest.end = 0;
        self.pending = Some(rest);
        self.commit();
    }
}

#[cfg(test)]
mod tests {
    use crate::inspect::{Filter, Reader};
    use crate::kind::Kind;
    use crate::limits::RING_BYTES;
    use crate::ring::layout::{self, Word};
    use crate::ring::reserve;
    use crate::writer::tests::busy;
    use crate::{Config, Consent, ErrorEvent, Level, Monitor, Purpose, ScopeChange, User};
    use std::time::Duration;

    const WAIT: Duration = Duration::from_secs(60);

    #[test]
    fn a_crash_in_the_reserve_of_a_replaced_ring_is_not_taken_for_one_that_is_folded() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::builder(folder.path(), "shop", "shop@1")
            .consent(Purpose::Monitoring, Consent::Granted)
            .sessions(false)
            .native_crashes(false);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        let crash = |at_ms: i64| {
            let mut buffer = [0u8; 4096];
            let len = ErrorEvent::new("Boom", "out of memory").into_event(Kind::Crash).encode(&mut buffer, at_ms, 1);
            let shared = &monitor.0.shared;
            let key = shared.key.to_bytes();
            reserve::write(&shared.ring.reserve_map(), Kind::Crash as u8, key, &buffer[..len]).unwrap();
            monitor.persist(WAIT).unwrap();
        };
        crash(1_795_400_000_000);
        let (ring, before) = (&monitor.0.shared.ring, monitor.0.shared.ring.generation());
        for word in [Word::Magic, Word::ReserveGeneration, Word::ReserveTotal] {
            layout::set(&ring.map(), word, 0);
        }
        monitor.persist(WAIT).unwrap();
        assert_ne!(ring.generation(), before, "the ring was replaced");
        crash(1_795_400_000_005);
        monitor.close(WAIT);
        let rows = Reader::open(folder.path()).unwrap().list(&Filter::default()).unwrap();
        assert_eq!(rows.iter().filter(|listed| listed.row.kind == Kind::Crash).count(), 2);
    }

    #[test]
    fn what_follows_a_change_of_the_user_that_a_replaced_ring_lost_belongs_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::builder(folder.path(), "shop", "shop@1")
            .consent(Purpose::Monitoring, Consent::Granted)
            .sessions(false);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        let set_user = |id: &str| monitor.scope(ScopeChange::User(Some(User { id: Some(id), ..User::default() })));
        set_user("user-a");
        let _ = monitor.message("before", Level::Info, &[]);
        monitor.persist(WAIT).unwrap();
        let go = busy(&monitor);
        set_user("user-b");
        let ring = &monitor.0.shared.ring;
        let (map, generation) = (ring.map(), ring.generation());
        layout::write(&map, layout::REGION, &vec![0; RING_BYTES]);
        layout::set(&map, Word::Magic, 0);
        drop(go);
        monitor.persist(WAIT).unwrap();
        assert_ne!(ring.generation(), generation, "the ring was replaced");
        let _ = monitor.message("after", Level::Info, &[]);
        monitor.close(WAIT);
        let mut rows = Reader::open(folder.path()).unwrap().list(&Filter::default()).unwrap();
        rows.sort_by_key(|listed| listed.row.seq);
        let json = rows.iter().map(|listed| serde_json::from_str::<serde_json::Value>(&listed.row.json).unwrap());
        let users: Vec<_> = json.map(|row| row["user"]["id"].as_str().map(str::to_owned)).collect();
        assert_eq!(users, [Some("user-a".to_owned()), None]);
    }
}
