//! The cost of one request while many rows wait for something else, as a multiple of its cost when none do.

use super::record::attrs;
use super::{Line, Result, Scale, Times, cpu};
use rez_inspect::collector::{Collector, Options};
use rez_monitor::bench::Rows;
use rez_monitor::destination::Rez;
use rez_monitor::limits::WAL_PAGES;
use rez_monitor::{Config, Consent, ErrorEvent, Kind, Monitor, Purpose};
use std::path::Path;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

/// The ratio that both lines must stay under.
const TARGET: f64 = 1.2;

const CAP_BYTES: u64 = 256 << 20;

pub fn run(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    parked(scale, &folder.join("parked"), say)?;
    pending(scale, &folder.join("pending"), say)
}

/// The store alone: lease, settle and the counts that follow, while a rate limit keeps rows of another kind.
fn parked(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let parked = scale.of(100_000u64, 20_000);
    let json = format!("{{\"message\":\"{}\"}}", "x".repeat(250));
    let mut p50 = [0.0; 2];
    for (p50, parked) in p50.iter_mut().zip([0, parked]) {
        let folder = folder.join(parked.to_string());
        std::fs::create_dir_all(&folder)?;
        let mut rows = Rows::open(&folder, CAP_BYTES)?;
        rows.declare("main")?;
        for _ in 0..parked / 500 {
            rows.insert(500, &json)?;
            if rows.wal_pages() >= WAL_PAGES {
                rows.checkpoint()?;
            }
        }
        let mut times = Times::new();
        // The first request parks the rows.
        rows.request("main", 500, &[Kind::ApiCall])?;
        for number in 0..scale.of(400u64, 40) {
            rows.insert_kind(Kind::Message, 1, &json)?;
            let sent = times.time(|| rows.request("main", 500, &[Kind::ApiCall]))?;
            if sent != 1 {
                return Err(format!("request {number} carried {sent} rows").into());
            }
            if rows.wal_pages() >= WAL_PAGES {
                rows.checkpoint()?;
            }
        }
        *p50 = times.quantile(0.5) / 1e3;
        rows.close()?;
    }
    let [none, many] = p50;
    say(Line::new("lease_beside_parked_100k", many / none.max(0.001), "x", TARGET)
        .floor("us_per_request_none_parked", none)
        .note(format!("{many:.0} us per request with {parked} rows parked; lease, settle, counts")));
    Ok(())
}

/// The engine: errors are recorded and flushed one by one while analytics rows wait for consent.
fn pending(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let (pending, errors) = (scale.of(100_000u32, 20_000), scale.of(40u32, 10));
    let mut per_error = [0.0; 2];
    for (per_error, pending) in per_error.iter_mut().zip([0, pending]) {
        let folder = folder.join(pending.to_string());
        std::fs::create_dir_all(&folder)?;
        let collector = Collector::start(Options::new(folder.join("collector.sqlite")))?;
        let config = Config::builder(folder.join("queue"), "bench", "bench@1.0.0+1")
            .destination("main", Rez::builder(collector.url(), "bench").purposes(&Purpose::ALL).build()?)
            .consent(Purpose::Monitoring, Consent::Granted)
            .cap_bytes(CAP_BYTES)
            .sessions(false)
            .build()?;
        let monitor = Monitor::open(config)?;
        let attrs = attrs();
        for number in 0..pending {
            let _ = monitor.track("cart_viewed", &attrs);
            if number % 1_000 == 999 {
                monitor.persist(WAIT)?;
            }
        }
        let send = |number: u32| -> Result<()> {
            let _ = monitor.error(ErrorEvent::new("PaymentError", &format!("declined {number}")));
            monitor.flush(WAIT)?;
            Ok(())
        };
        // The first one parks what waits.
        send(u32::MAX)?;
        let before = cpu();
        for number in 0..errors {
            send(number)?;
        }
        *per_error = (cpu() - before) * 1e3 / f64::from(errors);
        let arrived = collector.arrived()?;
        if arrived < u64::from(errors) {
            return Err(format!("{arrived} of {errors} errors arrived").into());
        }
        monitor.close(WAIT);
        collector.stop();
    }
    let [none, many] = per_error;
    say(Line::new("lease_beside_pending_100k", many / none.max(0.001), "x", TARGET)
        .floor("cpu_ms_per_error_none_pending", none)
        .note(format!("{many:.2} ms of CPU per error recorded and flushed with {pending} rows pending")));
    Ok(())
}
