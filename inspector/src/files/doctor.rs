//! Examines a queue: what is wrong with it, and what mends it.

use super::copy::{Files, RING};
use super::db::number as query;
use super::error::FileError;
use super::place::one_line;
use super::source::Source;
use crate::queue;
use rez_monitor::inspect::doctor::{CLOCK, CLOCK_MS, Diagnosis, rows};
use rez_monitor::inspect::{self, number};
use rez_monitor::limits;
use rusqlite::Connection;
use std::path::Path;

/// Errors of the integrity check that are listed.
const INTEGRITY_ERRORS: usize = 10;

/// Bytes of one page in the log.
const FRAME_BYTES: u64 = 4096 + 24;

/// Free pages above which the file is much larger than what it holds.
const FREE_PAGES: i64 = 256;

/// Examines a source. `now_ms` is the wall clock, milliseconds since 1970.
///
/// # Errors
/// The queue cannot be read.
pub fn doctor(source: &Source, now_ms: i64) -> Result<Diagnosis, FileError> {
    let mut diagnosis = Diagnosis::default();
    let salvage = format!("`rezq salvage {} -o OUT.rezq`", source.path().display());
    for note in source.notes() {
        match source.salvage() {
            Some(_) => diagnosis.damage("file", note, &salvage),
            None => diagnosis.finding("file", note, "copy the whole folder while the app is stopped"),
        }
    }
    let db = source.connect()?;
    let sqlite = |error: rusqlite::Error| FileError::unreadable(source.path(), one_line(&error.to_string()));
    if source.salvage().is_none() {
        integrity(&db, &mut diagnosis, &salvage).map_err(sqlite)?;
        checksums(source, &mut diagnosis, &salvage)?;
        free_list(&db, &mut diagnosis).map_err(sqlite)?;
        balance(source, &mut diagnosis)?;
    }
    clocks(&db, &mut diagnosis, now_ms).map_err(sqlite)?;
    if let Some(home) = source.home() {
        let live = source.salvage().is_none() && source.reader().is_ok_and(|reader| reader.live());
        log(&home, live, &db, &mut diagnosis);
        ring(&home, live, &mut diagnosis);
        diagnosis.quarantine(&home);
        diagnosis.disk(&home);
    }
    Ok(diagnosis)
}

fn integrity(db: &Connection, diagnosis: &mut Diagnosis, salvage: &str) -> rusqlite::Result<()> {
    let mut check = db.prepare(&format!("PRAGMA integrity_check({INTEGRITY_ERRORS})"))?;
    let errors: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    match errors.as_slice() {
        [ok] if ok == "ok" => diagnosis.fact("integrity", "SQLite finds no error"),
        errors => errors.iter().for_each(|error| diagnosis.damage("integrity", one_line(error), salvage)),
    }
    Ok(())
}

fn checksums(source: &Source, diagnosis: &mut Diagnosis, salvage: &str) -> Result<(), FileError> {
    let reader = source.reader()?;
    let read = reader.damaged().and_then(|damaged| Ok((damaged, reader.overview()?.rows)));
    let (damaged, all) = read.map_err(|error| FileError::of_store(source.path(), error))?;
    diagnosis.checksums(damaged, all, salvage);
    Ok(())
}

fn free_list(db: &Connection, diagnosis: &mut Diagnosis) -> rusqlite::Result<()> {
    let (free, pages) = (query(db, "PRAGMA freelist_count")?, query(db, "PRAGMA page_count")?);
    let text = format!("{free} of {pages} pages are free");
    if free > FREE_PAGES && free.saturating_mul(2) > pages {
        diagnosis.finding("free list", text, "open the app and leave it idle: it gives the pages back");
    } else {
        diagnosis.fact("free list", text);
    }
    Ok(())
}

fn balance(source: &Source, diagnosis: &mut Diagnosis) -> Result<(), FileError> {
    let overview = source.reader()?.overview().map_err(|error| FileError::of_store(source.path(), error))?;
    diagnosis.balance(overview.balance.holds(), &format!("`rezq status {}`", source.path().display()));
    Ok(())
}

/// The log beside the file: whether it is in use, too long, or has too few blocks for a full disk.
fn log(home: &Path, live: bool, db: &Connection, diagnosis: &mut Diagnosis) {
    if query(db, "SELECT erase FROM fold").is_ok_and(|erase| erase == 1) {
        let mend = "end other programs that read the queue, then open the app: it erases the log";
        diagnosis.finding("log", "queue.db-wal still holds copies of events that the user erased", mend);
    }
    let files = Files::of(&home.join(queue::FILE));
    let Ok(bytes) = files.wal.metadata().map(|metadata| metadata.len()) else {
        diagnosis.fact("log", "there is no queue.db-wal");
        return;
    };
    let state = if live { "in use, or the app ended without closing it" } else { "empty" };
    let text = format!("queue.db-wal has {} bytes, {state}", number(bytes));
    if bytes > u64::from(limits::HELD_LOG_PAGES) * FRAME_BYTES {
        let mend = "end the program that keeps a read transaction open; the app stores rows again within a second";
        diagnosis.finding("log", text, mend);
    } else {
        diagnosis.fact("log", text);
    }
    if bytes < limits::LOG_BYTES {
        let text = format!("queue.db-wal has blocks for {} of {} bytes", number(bytes), number(limits::LOG_BYTES));
        diagnosis.finding(
            "ballast",
            format!("{text}: on a full disk rows cannot be stored"),
            "free disk space and start the app",
        );
    } else {
        diagnosis.fact("ballast", "queue.db-wal has the blocks that a full disk needs");
    }
}

fn ring(home: &Path, live: bool, diagnosis: &mut Diagnosis) {
    let path = home.join(RING);
    let view = match inspect::ring(&path) {
        Ok(view) => view,
        Err(error) => {
            let mend = "copy the whole folder; if it is the app's own, its next start makes a new ring";
            diagnosis.finding("ring", format!("ring.bin cannot be read: {error}"), mend);
            return;
        }
    };
    let detail = format!("`rezq ring {}`", home.display());
    for damage in &view.damage {
        diagnosis.damage(
            "ring",
            damage,
            format!("{detail} shows what can be read; the next start of the app counts the rest"),
        );
    }
    let waiting = view.records.len() as u64;
    diagnosis.fact(
        "ring",
        format!("{} waiting, {} of {} bytes", number(waiting), number(view.waiting_bytes), number(view.capacity)),
    );
    if view.crash.is_some() && !live {
        diagnosis.finding("ring", "a crash waits in the reserve", "start the app: it stores the crash");
    }
    if view.failed_starts > 1 {
        let text = format!("the last {} starts of the app ended in the same step", number(view.failed_starts));
        diagnosis.finding("ring", text, "look for a crash of the app at its start");
    }
    let erasures = view.superblock.iter().flat_map(|superblock| &superblock.pending_erasures);
    for (what, ticket) in erasures {
        let text = format!("an erasure of {what} up to record {ticket} is not finished");
        diagnosis.finding("ring", text, "open the app, and end other programs that read the queue");
    }
}

/// Rows from the future, and rows whose two clocks do not agree with those of their boot.
fn clocks(db: &Connection, diagnosis: &mut Diagnosis, now_ms: i64) -> rusqlite::Result<()> {
    let future: i64 =
        db.query_row("SELECT count(*) FROM event WHERE wall_ms > ?1", [now_ms.saturating_add(CLOCK_MS)], |row| {
            row.get(0)
        })?;
    let moved: i64 = db.query_row(
        "SELECT count(*) FROM event JOIN run ON run.number = event.run JOIN boot ON boot.boot = run.boot
         WHERE abs(event.wall_ms - event.mono_ms - boot.wall_offset_ms) > ?1",
        [CLOCK_MS],
        |row| row.get(0),
    )?;
    let count = |n: i64| rows(u64::try_from(n).unwrap_or(0));
    if future > 0 {
        diagnosis.finding("clock", format!("{} from the future by the clock of this machine", count(future)), CLOCK);
    }
    if moved > 0 {
        let text = format!("the clock was set while the app ran: {} from before it", count(moved));
        diagnosis.finding("clock", text, CLOCK);
    }
    if future + moved == 0 {
        diagnosis.fact("clock", "no row is from the future, and both clocks agree");
    }
    Ok(())
}
