//! Memory after an app has made up a new name for everything it records, 200,000 times.

use super::{Line, Result, Scale, proc_number};
use rez_monitor::{Breadcrumb, Config, Consent, ErrorEvent, Metric, Monitor, Purpose, ScopeChange, Timing};
use std::path::Path;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

/// Names before the first look: tables that are bounded have reached their bound.
const WARM: u32 = 20_000;

/// Growth that is allowed, in MiB: less than 11 bytes a name.
const TARGET_MIB: f64 = 2.0;

pub fn run(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let names = scale.of(200_000u32, 40_000);
    let config = Config::builder(folder.join("names"), "bench", "bench@1.0.0+1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .cap_bytes(2 << 20)
        .build()?;
    let monitor = Monitor::open(config)?;
    let resident = || -> Result<f64> { Ok(proc_number("/proc/self/status", "VmRSS")? as f64 / 1024.0) };
    let mut before = 0.0;
    for number in 0..WARM + names {
        if number == WARM {
            monitor.persist(WAIT)?;
            before = resident()?;
        }
        let name = format!("name-{number}-{:08x}", number.wrapping_mul(2_654_435_761));
        name_everything(&monitor, &name);
        if number % 100 == 99 {
            monitor.persist(WAIT)?;
        }
    }
    monitor.persist(WAIT)?;
    let grown = resident()? - before;
    monitor.close(WAIT);
    say(Line::new("memory_200k_names", grown.max(0.0), "MiB", TARGET_MIB).floor("process_rss_before", before).note(
        format!("growth over {names} new names of events, metrics, URLs, screens, errors, tags and breadcrumbs"),
    ));
    Ok(())
}

fn name_everything(monitor: &Monitor, name: &str) {
    let url = format!("https://{name}.example.com/{name}");
    let wait = Duration::from_millis(120);
    let _ = monitor.track(name, &[(name, 1.into())]);
    let _ = monitor.metric(name, Metric::Gauge(1.0));
    let _ = monitor.timing(Timing::api_call("GET", &url, wait).status(200));
    let _ = monitor.screen(name).finish();
    let _ = monitor.error(ErrorEvent::new(name, name));
    monitor.breadcrumb(Breadcrumb::new(name, name));
    monitor.scope(ScopeChange::Tag(name, Some(name)));
}
