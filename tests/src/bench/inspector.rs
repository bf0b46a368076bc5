//! What the inspector costs: for the person who waits for an answer, and for the app whose queue is read.

use super::record::{attrs, one};
use super::{Line, Result, Scale};
use rez_inspect::source::{Ask, Folder, Query};
use rez_monitor::{Config, Consent, Monitor, Purpose};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(60);

/// Holds all rows.
const CAP_BYTES: u64 = 256 << 20;

/// Answers per figure; the median is shown.
const ROUNDS: usize = 9;

pub fn run(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let rows = scale.of(100_000u32, 10_000);
    let (queue, busy) = (folder.join("inspected"), folder.join("busy"));
    let monitor = open(&queue)?;
    fill(&monitor, rows)?;
    monitor.close(WAIT);
    let db = Connection::open_with_flags(queue.join("queue.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let page = || -> Result<()> {
        db.query_row("SELECT count(*) FROM event", [], |row| row.get::<_, i64>(0))?;
        let mut select = db.prepare("SELECT json FROM event ORDER BY seq DESC LIMIT 100")?;
        select.query_map([], |row| row.get::<_, String>(0))?.collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(())
    };
    let opened = median_ms(|| {
        let source = Folder::open(&queue)?;
        let ask = Ask(&source);
        let counted = ask.overview(false)?.rows;
        let listed = ask.list(&Query { limit: 100, ..Query::default() })?.events.len();
        expect(counted == u64::from(rows) && listed == 100, "the page is whole")
    })?;
    say(Line::new("inspector_open_100k", opened, "ms", 50.0)
        .floor("sqlite_count_and_page_ms", median_ms(page)?)
        .note("open, counts of all routes and kinds, the newest 100 events with their states"));
    let drawn = median_ms(|| {
        let source = Folder::open(&queue)?;
        let screen = rez_inspect::tui::first_screen(&source, "inspected", 80, 24);
        expect(screen.lines().count() == 24 && screen.contains("> "), "the screen shows events")
    })?;
    say(Line::new("tui_first_frame_100k", drawn, "ms", 100.0)
        .floor("sqlite_count_and_page_ms", median_ms(page)?)
        .note("open, the newest 200 events with their states, counts, reasons; 80 by 24 cells"));
    let source = Folder::open(&queue)?;
    let scan = || -> Result<()> {
        let mut select = db.prepare("SELECT json FROM event")?;
        let mut found = select.query([])?;
        let mut bytes = 0;
        while let Some(row) = found.next()? {
            bytes += row.get_ref(0)?.as_str()?.len();
        }
        expect(bytes > 0, "the rows are read")
    };
    let filtered = median_ms(|| {
        let filter = vec![("where", "kind = api_call, attrs.status >= 500, attrs.n < 0".to_owned())];
        let found = Ask(&source).list(&Query { filter, ..Query::default() })?;
        expect(found.events.is_empty(), "nothing matches, so every row was examined")
    })?;
    say(Line::new("inspector_list_filter_100k", filtered, "ms", 300.0)
        .floor("sqlite_read_every_json_ms", median_ms(scan)?)
        .note("three conditions on every row, with its checksum"));
    let alone = p99_us(&folder.join("alone"), scale, false)?;
    let read = p99_us(&busy, scale, true)?;
    say(Line::new("writer_p99_with_reader", read, "us", (2.0 * alone).max(5.0))
        .floor("writer_p99_alone_us", alone)
        .note("a call that records, while status and list run in a loop on the same folder"));
    Ok(())
}

fn open(folder: &Path) -> Result<Monitor> {
    let config = Config::builder(folder, "bench", "bench@1.0.0+1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .cap_bytes(CAP_BYTES)
        .sessions(false);
    Ok(Monitor::open(config.build()?)?)
}

fn fill(monitor: &Monitor, rows: u32) -> Result<()> {
    let attrs = attrs();
    let mut recorded = 0;
    while recorded < rows {
        recorded += u32::from(one(monitor, &attrs));
        if recorded % 500 == 0 {
            monitor.persist(WAIT)?;
        }
    }
    Ok(monitor.persist(WAIT)?)
}

/// The 99th percentile of a recording call, in microseconds.
fn p99_us(folder: &Path, scale: Scale, is_read: bool) -> Result<f64> {
    let monitor = open(folder)?;
    monitor.persist(WAIT)?;
    let is_over = Arc::new(AtomicBool::new(false));
    let (over, path) = (Arc::clone(&is_over), folder.to_owned());
    let reader = is_read.then(|| {
        std::thread::spawn(move || -> std::result::Result<u32, String> {
            let source = Folder::open(&path).map_err(|error| error.to_string())?;
            let mut answers = 0;
            while !over.load(Ordering::Relaxed) {
                let ask = Ask(&source);
                ask.overview(false).map_err(|error| error.to_string())?;
                ask.list(&Query { limit: 50, ..Query::default() }).map_err(|error| error.to_string())?;
                answers += 2;
            }
            Ok(answers)
        })
    });
    let attrs = attrs();
    let calls = scale.of(60_000usize, 6_000);
    let mut times = Vec::with_capacity(calls);
    for call in 0..calls {
        let begun = Instant::now();
        one(&monitor, &attrs);
        times.push(begun.elapsed());
        if call % 50 == 0 {
            // As fast as the writer folds, so that the ring is never full.
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    is_over.store(true, Ordering::Relaxed);
    if let Some(reader) = reader {
        let answers = reader.join().map_err(|_| "the reader panicked")??;
        expect(answers > 0, "the reader read")?;
    }
    monitor.close(WAIT);
    times.sort_unstable();
    Ok(times.get(calls * 99 / 100).map_or(0.0, |time| time.as_secs_f64() * 1e6))
}

fn median_ms(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        work()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(ROUNDS / 2).copied().unwrap_or_default())
}

fn expect(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(format!("expected that {what}").into()) }
}
