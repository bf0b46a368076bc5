//! Access to the store for the benchmark program: batches of rows without the ring and the threads.
//!
//! Not part of the API: only with the feature `bench-access`, and subject to change with the benchmarks.

use crate::destination::Want;
use crate::id::IdKey;
use crate::kind::Kind;
use crate::row::Run;
use crate::store::{
    FoldPosition, From, Identity, LeaseLimits, NewRow, Now, Options, Receipt, Result, RowEnd, Selector, Store,
    StoreError,
};
use std::path::Path;

const NOW: Now = Now { wall_ms: 1_795_000_000_000, mono_ms: 1_000_000 };

/// The text under the privacy rules of an app that chose nothing.
#[must_use]
pub fn scrub(text: &str) -> std::borrow::Cow<'_, str> {
    crate::privacy::Rules::default().text(text)
}

/// A store that is used on the caller's thread.
pub struct Rows {
    store: Store,
    key: IdKey,
    next: u64,
}

fn text<T>(result: Result<T>) -> std::result::Result<T, String> {
    result.map_err(|error: StoreError| error.to_string())
}

impl Rows {
    /// Opens the store, as the writer does.
    ///
    /// # Errors
    /// The message of the store's error.
    pub fn open(folder: &Path, cap_bytes: u64) -> std::result::Result<Rows, String> {
        let identity = Identity { install: "install".into(), epoch: 1, boot: "boot".into(), gone: Default::default() };
        let options = Options { cap_bytes, ..Options::default() };
        let store = text(Store::open(folder, &identity, options))?;
        let next = store.fold_position().ticket;
        Ok(Rows { store, key: IdKey::from_bytes([7; 16]), next })
    }

    /// Declares a destination with one route `rows`.
    ///
    /// # Errors
    /// The message of the store's error.
    pub fn declare(&mut self, destination: &str) -> std::result::Result<(), String> {
        text(self.store.declare(destination, &["rows"], From::Oldest, NOW))
    }

    /// Folds `count` rows with this JSON in one transaction.
    ///
    /// # Errors
    /// The message of the store's error.
    pub fn insert(&mut self, count: u64, json: &str) -> std::result::Result<(), String> {
        text(self.fold(Kind::ApiCall, count, json))
    }

    /// Folds `count` rows of one kind in one transaction.
    ///
    /// # Errors
    /// What the store says.
    pub fn insert_kind(&mut self, kind: Kind, count: u64, json: &str) -> std::result::Result<(), String> {
        text(self.fold(kind, count, json))
    }

    fn fold(&mut self, kind: Kind, count: u64, json: &str) -> Result<()> {
        let mut fold = self.store.begin(false, NOW)?;
        let run = fold.run(&Run { id: "run".into(), boot: "boot".into(), ..Run::default() })?;
        for _ in 0..count {
            self.next = self.next.saturating_add(1);
            fold.intake(Some(kind), 1)?;
            fold.insert(&NewRow {
                id: self.key.id(NOW.wall_ms, self.next, 0),
                kind,
                run,
                wall_ms: NOW.wall_ms,
                mono_ms: NOW.mono_ms,
                targets: &[],
                json,
                late: false,
            })?;
        }
        fold.set_position(
            FoldPosition { ticket: self.next, total: self.next, ..FoldPosition::default() },
            "boot",
            NOW.wall_ms,
        )?;
        fold.commit()
    }

    /// Leases up to `count` rows of the destination and returns their numbers.
    ///
    /// # Errors
    /// The message of the store's error.
    pub fn lease(&mut self, destination: &str, count: usize) -> std::result::Result<Vec<u64>, String> {
        let limits = LeaseLimits { max_events: count, max_bytes: 16 << 20 };
        let route = format!("{destination}/rows");
        let lease =
            text(self.store.lease(&route, limits, 1, &|| "batch".into(), Selector::new(&mut |_| Want::Yes), NOW))?;
        Ok(lease.map(|lease| lease.rows.iter().map(|row| row.seq).collect()).unwrap_or_default())
    }

    /// Settles the rows as delivered. Rows that no destination waits for any more are deleted.
    ///
    /// # Errors
    /// The message of the store's error.
    pub fn settle(&mut self, destination: &str, seqs: &[u64]) -> std::result::Result<(), String> {
        let ends: Vec<(u64, RowEnd)> = seqs.iter().map(|seq| (*seq, RowEnd::Delivered)).collect();
        let receipt = Receipt { at_ms: NOW.wall_ms, status: 200, batch_id: "batch".into(), note: "delivered".into() };
        text(self.store.settle(&format!("{destination}/rows"), &ends, &receipt, None, NOW))
    }

    /// What the delivery thread asks of the store for one request while the route takes no rows of the kinds in
    /// `closed`: leases until rows are found or there are none, settles them, and reads what is left. Returns the
    /// number of rows delivered.
    ///
    /// # Errors
    /// What the store says.
    pub fn request(&mut self, destination: &str, count: usize, closed: &[Kind]) -> std::result::Result<usize, String> {
        let limits = LeaseLimits { max_events: count, max_bytes: 16 << 20 };
        let route = format!("{destination}/rows");
        let mut wants = |row: &crate::row::Row| if closed.contains(&row.kind) { Want::Later } else { Want::Yes };
        let lease = loop {
            let select = Selector { closed, ..Selector::new(&mut wants) };
            let lease = text(self.store.lease(&route, limits, 1, &|| "batch".into(), select, NOW))?;
            if lease.is_some() || !self.store.lease_again(&route) {
                break lease;
            }
        };
        let seqs: Vec<u64> = lease.iter().flat_map(|lease| &lease.rows).map(|row| row.seq).collect();
        if !seqs.is_empty() {
            self.settle(destination, &seqs)?;
        }
        text(self.store.waiting(&route))?;
        text(self.store.next_retry(&route, NOW))?;
        Ok(seqs.len())
    }

    /// Writes the log into the file and syncs both.
    ///
    /// # Errors
    /// The message of the store's error.
    pub fn checkpoint(&mut self) -> std::result::Result<(), String> {
        text(self.store.checkpoint())
    }

    /// Pages of the log that are not in the file yet: the writer checkpoints at [`crate::limits::WAL_PAGES`].
    #[must_use]
    pub fn wal_pages(&self) -> u32 {
        self.store.wal_pages()
    }

    /// Closes the store cleanly.
    ///
    /// # Errors
    /// The message of the store's error.
    pub fn close(self) -> std::result::Result<(), String> {
        text(self.store.close())
    }
}

/// The writer's part of a batch: decoding and stamping.
pub struct Documents(crate::writer::bench::Decoding);

impl Documents {
    /// A writer without a store.
    ///
    /// # Errors
    /// The system has no memory for a ring.
    pub fn open(folder: &Path) -> std::result::Result<Documents, String> {
        crate::writer::bench::Decoding::new(folder).map(Documents).ok_or_else(|| "no memory for a ring".to_owned())
    }

    /// Prepares a record with these items.
    pub fn prepare(&mut self, items: &str) {
        self.0.prepare(items);
    }

    /// Decodes and stamps it; returns the number of rows.
    pub fn decode(&mut self, events: u16) -> usize {
        self.0.decode(events)
    }
}
