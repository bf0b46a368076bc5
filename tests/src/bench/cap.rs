//! The cost of a stored row at the size cap, as a multiple of its cost below it.

use super::record::{attrs, one};
use super::{Line, Result, Scale, cpu};
use rez_monitor::{Config, Consent, Monitor, Purpose};
use std::path::Path;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

/// The default cap: some 45,000 rows.
const CAP_BYTES: u64 = rez_monitor::limits::QUEUE_BYTES;

/// Rows that fill it.
const FILL: u32 = 80_000;

pub fn run(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let events = scale.of(60_000u32, 10_000);
    let below = cost(&folder.join("below"), 256 << 20, events)?;
    let at = cost(&folder.join("at"), CAP_BYTES, events)?;
    say(Line::new("record_at_cap", at / below.max(0.001), "x", 1.5)
        .floor("cpu_us_per_row_below_the_cap", below)
        .note(format!("{at:.1} us of CPU per row at a cap of {} MiB; record, fold, evict", CAP_BYTES >> 20)));
    Ok(())
}

/// Microseconds of CPU per row, once the queue is full.
fn cost(folder: &Path, cap_bytes: u64, events: u32) -> Result<f64> {
    let config = Config::builder(folder, "bench", "bench@1.0.0+1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .cap_bytes(cap_bytes)
        .sessions(false)
        .build()?;
    let monitor = Monitor::open(config)?;
    let attrs = attrs();
    let record = |events: u32| -> Result<u32> {
        let mut recorded = 0;
        for number in 1..=events {
            recorded += u32::from(one(&monitor, &attrs));
            if number % 500 == 0 {
                monitor.persist(WAIT)?;
            }
        }
        Ok(recorded)
    };
    record(FILL)?;
    let before = cpu();
    let recorded = record(events)?;
    let used = cpu() - before;
    monitor.close(WAIT);
    Ok(used * 1e6 / f64::from(recorded.max(1)))
}
