//! What a row costs on its way into the store and out of it.

use super::{Line, Result, Scale, Times, proc_number};
use rez_monitor::bench::Rows;
use rez_monitor::limits::WAL_PAGES;
use rusqlite::{Connection, params};
use std::path::Path;

const BATCH: u64 = 100;

/// Raised for the lines over 20,000 rows.
const CAP_BYTES: u64 = 256 << 20;

fn json() -> String {
    let head = r#"{"name":"GET /v1/products/{id}","duration_us":120000,"status":200,"pad":""#;
    format!("{head}{}\"}}", "x".repeat(275 - head.len() - 2))
}

/// The same table and pragmas without anything of ours around them.
fn raw(path: &Path) -> Result<Connection> {
    let db = Connection::open(path)?;
    db.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
         PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -512;
         CREATE TABLE IF NOT EXISTS event (
           seq INTEGER PRIMARY KEY, id TEXT NOT NULL, lane INTEGER NOT NULL, kind TEXT NOT NULL, run INTEGER NOT NULL,
           wall_ms INTEGER NOT NULL, mono_ms INTEGER NOT NULL, targets TEXT, json TEXT NOT NULL, crc INTEGER NOT NULL
         ) STRICT;
         CREATE INDEX IF NOT EXISTS event_lane ON event (lane);",
    )?;
    Ok(db)
}

fn raw_insert(db: &Connection, from: u64, json: &str) -> Result<()> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    {
        let mut insert = db.prepare_cached("INSERT INTO event VALUES (?1, ?2, 2, ?3, 1, ?4, ?5, NULL, ?6, ?7)")?;
        for seq in from..from + BATCH {
            let id = "01a1b2c3-d4e5-7f60-8172-93a4b5c6d7e8";
            insert.execute(params![seq as i64, id, "api_call", 1_795_000_000_000i64, 1_000_000, json, seq as i64])?;
        }
    }
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

fn raw_delete(db: &Connection, from: u64) -> Result<()> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    db.prepare_cached("DELETE FROM event WHERE seq >= ?1 AND seq < ?2")?
        .execute(params![from as i64, (from + BATCH) as i64])?;
    db.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

fn raw_checkpoint(db: &Connection) -> Result<()> {
    Ok(db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
}

fn written() -> Result<f64> {
    Ok(proc_number("/proc/self/io", "write_bytes")? as f64)
}

pub fn run(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    speed(scale, folder, say)?;
    disk(scale, folder, say)?;
    open(folder, say)
}

fn speed(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let (json, folder) = (json(), folder.join("rows"));
    std::fs::create_dir_all(&folder)?;
    let mut rows = Rows::open(&folder, CAP_BYTES)?;
    rows.declare("main")?;
    let db = raw(&folder.join("raw.db"))?;
    let batches = scale.of(180u64, 60);
    let [mut ours, mut theirs, mut leased] = [Times::new(), Times::new(), Times::new()];
    for batch in 0..batches {
        ours.time(|| rows.insert(BATCH, &json))?;
        theirs.time(|| raw_insert(&db, batch * BATCH, &json))?;
        if batch % 5 == 4 {
            rows.checkpoint()?;
            raw_checkpoint(&db)?;
        }
    }
    let per_row = |times: &mut Times| times.quantile(0.5) / BATCH as f64;
    let (value, floor) = (per_row(&mut ours), per_row(&mut theirs));
    say(Line::new("queue_row_100_batch", value, "ns", floor * 1.5)
        .floor("raw_sqlite_insert_row_p50", floor)
        .note(format!("{:.2}x", value / floor)));

    let [mut ours, mut theirs] = [Times::new(), Times::new()];
    for batch in 0..batches {
        let seqs = leased.time(|| rows.lease("main", BATCH as usize))?;
        ours.time(|| rows.settle("main", &seqs))?;
        theirs.time(|| raw_delete(&db, batch * BATCH))?;
        if batch % 5 == 4 {
            rows.checkpoint()?;
            raw_checkpoint(&db)?;
        }
    }
    let (value, floor) = (per_row(&mut ours), per_row(&mut theirs));
    let lease = per_row(&mut leased);
    say(Line::new("settle_row_100_batch", value, "ns", floor * 1.5)
        .floor("raw_sqlite_delete_row_p50", floor)
        .note(format!("{:.2}x; with receipt, cursor and counts; the lease before it {lease:.0} ns", value / floor)));
    rows.close()?;
    Ok(())
}

/// Bytes handed to the block layer, by `/proc/self/io`: 0 on a tmpfs.
fn disk(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let (json, folder) = (json(), folder.join("disk"));
    std::fs::create_dir_all(&folder)?;
    let mut rows = Rows::open(&folder, CAP_BYTES)?;
    rows.declare("one")?;
    rows.declare("two")?;
    rows.checkpoint()?;
    let events = scale.of(20_000u64, 5_000);
    let due = |rows: &mut Rows| if rows.wal_pages() >= WAL_PAGES { rows.checkpoint() } else { Ok(()) };
    let start = written()?;
    for _ in 0..events / BATCH {
        rows.insert(BATCH, &json)?;
        due(&mut rows)?;
    }
    rows.checkpoint()?;
    let inserted = written()?;
    let mut ends = [inserted; 2];
    for (end, destination) in ends.iter_mut().zip(["one", "two"]) {
        loop {
            let seqs = rows.lease(destination, BATCH as usize)?;
            if seqs.is_empty() {
                break;
            }
            rows.settle(destination, &seqs)?;
            due(&mut rows)?;
        }
        rows.checkpoint()?;
        *end = written()?;
    }
    rows.close()?;
    let [settled, deleted] = ends;
    // The ring, with the whole engine around it: what is above the store's own part.
    let monitor = super::record::monitor(&folder.join("engine"))?;
    let (before, attrs) = (written()?, super::record::attrs());
    for _ in 0..5 {
        for _ in 0..1_000 {
            super::record::one(&monitor, &attrs);
        }
        monitor.persist(std::time::Duration::from_secs(20))?;
    }
    let engine = (written()? - before) / 5_000.0;
    monitor.close(std::time::Duration::from_secs(20));
    let each = |from: f64, to: f64| (to - from) / events as f64;
    let (insert, settle) = (each(start, inserted), each(inserted, settled));
    say(Line::new("disk_bytes_per_event", insert, "bytes", 1_300.0).floor("json_bytes", json.len() as f64).note(format!(
        "insert and checkpoint; settle {settle:.0}, delete {:.0} more; through the engine with its ring {engine:.0}; \
         batches of {BATCH}",
        each(settled, deleted) - settle
    )));
    Ok(())
}

fn open(folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let (json, folder) = (json(), folder.join("many"));
    std::fs::create_dir_all(&folder)?;
    let mut rows = Rows::open(&folder, CAP_BYTES)?;
    rows.declare("main")?;
    let db = raw(&folder.join("raw.db"))?;
    for batch in 0..1_000 {
        rows.insert(BATCH, &json)?;
        raw_insert(&db, batch * BATCH, &json)?;
        if rows.wal_pages() >= WAL_PAGES {
            rows.checkpoint()?;
            raw_checkpoint(&db)?;
        }
    }
    rows.close()?;
    raw_checkpoint(&db)?;
    drop(db);
    let [mut ours, mut theirs] = [Times::new(), Times::new()];
    for _ in 0..30 {
        let rows = ours.time(|| Rows::open(&folder, CAP_BYTES))?;
        // As an app ends: SQLite would cut the log of a connection that is only dropped.
        rows.close()?;
        let db = theirs.time(|| -> Result<Connection> {
            let db = Connection::open(folder.join("raw.db"))?;
            db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            db.query_row("SELECT max(seq) FROM event", [], |_| Ok(()))?;
            Ok(db)
        })?;
        drop(db);
    }
    say(Line::new("open_100k_rows", ours.quantile(0.5) / 1e3, "us", 1_000.0)
        .floor("raw_sqlite_open_p50", theirs.quantile(0.5) / 1e3)
        .note(format!("size cap raised to {} MiB", CAP_BYTES >> 20)));
    Ok(())
}
