//! The engine as a whole: its start, and its cost while idle.

use super::record::monitor;
use super::{Line, Result, Scale, Times, proc_number};
use rez_monitor::{Config, Consent, Monitor, Purpose};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(20);

pub fn run(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    init(folder, say)?;
    idle(scale, folder, say)
}

fn init(folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let [mut first, mut again, mut least] = [Times::new(), Times::new(), Times::new()];
    for number in 0..20 {
        let folder = folder.join(format!("init-{number}"));
        for times in [&mut first, &mut again] {
            let config = Config::builder(&folder, "bench", "bench@1.0.0+1")
                .consent(Purpose::Monitoring, Consent::Granted)
                .build()?;
            let opened = times.time(|| Monitor::open(config))?;
            opened.persist(WAIT)?;
            opened.close(WAIT);
        }
        least.time(|| -> Result<memmap2::MmapMut> {
            let path = folder.join("least");
            std::fs::create_dir_all(&path)?;
            let file =
                std::fs::File::options().create(true).truncate(true).read(true).write(true).open(path.join("m"))?;
            file.set_len(rez_monitor::limits::RING_BYTES as u64)?;
            std::thread::spawn(|| {});
            // SAFETY: the file is this function's own.
            Ok(unsafe { memmap2::MmapMut::map_mut(&file)? })
        })?;
    }
    say(Line::new("init_caller", again.quantile(0.5) / 1e3, "us", 200.0)
        .floor("mkdir_file_mmap_thread_p50", least.quantile(0.5) / 1e3)
        .note(format!("the first start of an app, with a new folder, {:.0} us", first.quantile(0.5) / 1e3)));
    Ok(())
}

/// A child that says when it is ready and waits until its input ends.
pub fn idle_child(folder: Option<&Path>) -> Result<()> {
    let monitor = match folder {
        Some(folder) => Some(monitor(folder)?),
        None => None,
    };
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    drop(monitor);
    Ok(())
}

fn start(args: &[&std::ffi::OsStr]) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg("--child").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no pipe")?).read_line(&mut line)?;
    Ok(child)
}

fn switches(process: u32) -> Result<u64> {
    let mut sum = 0;
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let status = thread?.path().join("status");
        sum += proc_number(&status.to_string_lossy(), "voluntary_ctxt_switches")?;
    }
    Ok(sum)
}

fn idle(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let mut empty = start(&["empty".as_ref(), "-".as_ref()])?;
    let mut open = start(&["idle".as_ref(), folder.join("idle").as_os_str()])?;
    std::thread::sleep(Duration::from_millis(1_500));
    let resident = |child: &Child| proc_number(&format!("/proc/{}/status", child.id()), "VmRSS");
    let (least, ours) = (resident(&empty)? as f64 / 1024.0, resident(&open)? as f64 / 1024.0);
    let before = switches(open.id())?;
    let span = scale.of(20, 4);
    std::thread::sleep(Duration::from_secs(span));
    let woken = switches(open.id())?.saturating_sub(before);
    for child in [&mut empty, &mut open] {
        drop(child.stdin.take());
        child.wait()?;
    }
    say(Line::new("idle_rss", ours - least, "MiB", 6.0)
        .floor("empty_process_rss", least)
        .note("above the empty process, pages of the program included"));
    say(Line::new("idle_wakeups_per_minute", woken as f64 * 60.0 / span as f64, "per min", 0.0)
        .note(format!("{woken} in {span} s, all threads")));
    Ok(())
}
