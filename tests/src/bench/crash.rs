//! What the capture of native crashes costs while nothing crashes.

use super::record::{BURST, attrs, one};
use super::{Line, Result, Scale, Times};
use rez_monitor::{Config, Consent, Monitor, Purpose};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);

pub fn run(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    install(scale, folder, say)?;
    record(scale, folder, say)
}

fn monitor(folder: &Path, on: bool) -> Result<Config> {
    let config = Config::builder(folder, "bench", "bench@1.0.0+1");
    Ok(config.consent(Purpose::Monitoring, Consent::Granted).sessions(false).native_crashes(on).build()?)
}

/// Handlers are installed once for a process, so each sample is a process. It prints what `open` takes without them and with them.
pub fn install_child(folder: &Path) -> Result<()> {
    let mut microseconds = Vec::new();
    // The first start creates its folder, and its time is not used.
    for (name, on) in [("a", false), ("b", false), ("b", false), ("b", true)] {
        let config = monitor(&folder.join(name), on)?;
        let mut times = Times::new();
        let opened = times.time(|| Monitor::open(config))?;
        microseconds.push(times.quantile(0.5) / 1e3);
        opened.persist(WAIT)?;
        opened.close(WAIT);
    }
    println!("{:.1} {:.1}", microseconds.get(2).ok_or("no time")?, microseconds.get(3).ok_or("no time")?);
    Ok(())
}

fn install(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let [mut without, mut with] = [Vec::new(), Vec::new()];
    for number in 0..scale.of(21, 5) {
        let place = folder.join(format!("crash-{number}"));
        let mut command = Command::new(std::env::current_exe()?);
        let output = command.args(["--child", "crash"]).arg(&place).output()?;
        let text = String::from_utf8(output.stdout)?;
        let (off, on) = text.trim().split_once(' ').ok_or("the child printed no times")?;
        without.push(off.parse::<f64>()?);
        with.push(on.parse::<f64>()?);
    }
    let [without, with] = [without, with].map(|mut times| {
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(0.0)
    });
    say(Line::new("crash_handler_install", with - without, "us", 200.0)
        .floor("open_without_p50", without)
        .note("what open takes more, once for a process"));
    Ok(())
}

fn record(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let attrs = attrs();
    let [off, on] = [false, true].map(|on| -> Result<Monitor> {
        let opened = Monitor::open(monitor(&folder.join(format!("crash-record-{on}")), on)?)?;
        opened.persist(WAIT)?;
        Ok(opened)
    });
    let (off, on) = (off?, on?);
    let [mut without, mut with] = [Times::new(), Times::new()];
    // In turn, so that both meet the same machine.
    for _ in 0..scale.of(40, 8) {
        for (monitor, times) in [(&off, &mut without), (&on, &mut with)] {
            for _ in 0..BURST {
                times.time(|| one(monitor, &attrs));
            }
            monitor.persist(WAIT)?;
        }
    }
    let (without, with) = (without.quantile(0.5), with.quantile(0.5));
    say(Line::new("record_native_crashes_p50", with, "ns", without * 1.1)
        .floor("record_without_p50", without)
        .note("the target is the time without, and a tenth for noise"));
    on.close(WAIT);
    off.close(WAIT);
    Ok(())
}
