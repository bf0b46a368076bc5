//! What a call costs its caller.

use super::{Line, Result, Scale, Times, proc_number};
use rez_monitor::{Attrs, Breadcrumb, Config, Consent, ErrorEvent, Frame, Monitor, Outcome, Purpose, Timing};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

const WAIT: Duration = Duration::from_secs(20);

/// Records between two folds: about a third of the ring.
pub const BURST: usize = 1_000;

/// Bytes of a record of [`one`], for the floor.
const RECORD: usize = 256;

pub fn attrs() -> [(&'static str, rez_monitor::Value<'static>); 5] {
    [
        ("order", "RZ-1042".into()),
        ("items", 3.into()),
        ("total", 1499.5.into()),
        ("member", true.into()),
        ("store", "pune-04".into()),
    ]
}

/// An engine that only records.
pub fn monitor(folder: &Path) -> Result<Monitor> {
    let config = Config::builder(folder, "bench", "bench@1.0.0+1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(false)
        .build()?;
    let monitor = Monitor::open(config)?;
    monitor.persist(WAIT)?;
    Ok(monitor)
}

/// The event of most lines: an API call with 5 attributes.
#[inline]
pub fn one(monitor: &Monitor, attrs: Attrs<'_>) -> bool {
    let call = Timing::api_call("GET", "https://api.example.com/v1/products/42", Duration::from_millis(120));
    matches!(monitor.timing(call.status(200).bytes(312, 20_480).attrs(attrs)), Outcome::Recorded(_))
}

/// Copy, checksum and commit word in a mapped file: the least that survives the process.
fn floor(folder: &Path, calls: usize) -> Result<Times> {
    let file =
        std::fs::File::options().create(true).truncate(true).read(true).write(true).open(folder.join("floor"))?;
    file.set_len(rez_monitor::limits::RING_BYTES as u64)?;
    // SAFETY: the file is this function's own.
    let mut map = unsafe { memmap2::MmapMut::map_mut(&file)? };
    map.fill(1);
    let record = [7u8; RECORD];
    let mut times = Times::new();
    let mut at = 0;
    for _ in 0..calls {
        times.time(|| {
            if let Some(place) = map.get_mut(at..at + RECORD + 8) {
                let (body, end) = place.split_at_mut(RECORD);
                body.copy_from_slice(std::hint::black_box(&record));
                end.copy_from_slice(&u64::from(crc32fast::hash(body)).to_le_bytes());
            }
        });
        at = (at + RECORD + 8) % (map.len() - RECORD - 8);
    }
    Ok(times)
}

/// Bursts with a fold between them.
fn bursts(monitor: &Monitor, bursts: usize, len: usize, mut call: impl FnMut() -> bool) -> Result<(Times, usize)> {
    let mut times = Times::new();
    let mut refused = 0;
    for _ in 0..bursts {
        for _ in 0..len {
            refused += usize::from(!times.time(&mut call));
        }
        monitor.persist(WAIT)?;
    }
    Ok((times, refused))
}

pub fn run(scale: Scale, folder: &Path, say: &mut dyn FnMut(Line)) -> Result<()> {
    let mut least = floor(folder, 100_000)?;
    let (p50, p99, p999) = (least.quantile(0.5), least.quantile(0.99), least.quantile(0.999));
    let monitor = monitor(&folder.join("record"))?;
    let attrs = attrs();

    let (mut times, refused) = bursts(&monitor, scale.of(150, 30), BURST, || one(&monitor, &attrs))?;
    let note = format!("{refused} refused");
    say(Line::new("record_timing_p50", times.quantile(0.5), "ns", 200.0).floor("mmap_crc_copy_p50", p50).note(&note));
    say(Line::new("record_timing_p99", times.quantile(0.99), "ns", 1_000.0).floor("mmap_crc_copy_p99", p99).note(note));

    let (mut times, _) = bursts(&monitor, scale.of(60, 15), BURST, || {
        monitor.breadcrumb(Breadcrumb::new("ui.click", "the cart was opened").data(attrs.get(..2).unwrap_or_default()));
        true
    })?;
    say(Line::new("record_breadcrumb_p50", times.quantile(0.5), "ns", 120.0).floor("mmap_crc_copy_p50", p50));

    let mut times = sparse(scale, folder, &monitor, &attrs)?;
    let note = "2,000/s beside a thread that writes and syncs";
    let line = Line::new("record_sparse_p99", times.quantile(0.99), "ns", 5_000.0);
    say(line.floor("mmap_crc_copy_p99", p99).note(note));
    let line = Line::new("record_sparse_p999", times.quantile(0.999), "ns", 50_000.0);
    say(line.floor("mmap_crc_copy_p999", p999).note(note));

    let mut times = contended(scale, &monitor)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    say(Line::new("record_contended_p999", times.quantile(0.999), "ns", 10_000.0)
        .floor("mmap_crc_copy_p999", p999)
        .note(format!("4 threads on {cores} cores, p50 {} ns", times.quantile(0.5))));

    let before = crate::allocations();
    for _ in 0..BURST {
        one(&monitor, &attrs);
    }
    let made = crate::allocations() - before;
    monitor.persist(WAIT)?;
    let line = Line::new("record_allocations", made as f64 / BURST as f64, "per call", 0.0);
    say(line.note(format!("{made} in {BURST} calls, on the caller's thread")));

    say(syscalls(folder, "record_syscalls", "record", BURST)?);

    for _ in 0..100 {
        monitor.breadcrumb(Breadcrumb::new("ui.click", "the cart was opened"));
    }
    monitor.persist(WAIT)?;
    let frames = [Frame { function: "checkout", file: "cart.rs", line: 42, ..Frame::default() }; 10];
    let (mut times, _) = bursts(&monitor, scale.of(30, 10), 100, || {
        let error = ErrorEvent::new("PaymentError", "the card was declined").frames(&frames);
        matches!(monitor.error(error), Outcome::Recorded(_))
    })?;
    say(Line::new("capture_error_100_crumbs_p50", times.quantile(0.5), "ns", 2_000.0)
        .floor("mmap_crc_copy_p50", p50)
        .note("10 frames"));
    monitor.close(WAIT);
    Ok(())
}

fn sparse(scale: Scale, folder: &Path, monitor: &Monitor, attrs: Attrs<'_>) -> Result<Times> {
    let stop = Arc::new(AtomicBool::new(false));
    let (ended, path) = (Arc::clone(&stop), folder.join("writeback"));
    let writeback = std::thread::spawn(move || -> std::io::Result<()> {
        use std::io::{Seek, Write};
        let mut file = std::fs::File::create(path)?;
        let block = vec![7u8; 1 << 20];
        while !ended.load(Ordering::Relaxed) {
            file.rewind()?;
            for _ in 0..4 {
                file.write_all(&block)?;
            }
            file.sync_all()?;
        }
        Ok(())
    });
    let mut times = Times::new();
    let began = Instant::now();
    for number in 0..scale.of(12_000u32, 3_000) {
        let due = Duration::from_micros(500) * number;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        times.time(|| one(monitor, attrs));
    }
    stop.store(true, Ordering::Relaxed);
    writeback.join().map_err(|_| "the writeback thread failed")??;
    monitor.persist(WAIT)?;
    Ok(times)
}

fn contended(scale: Scale, monitor: &Monitor) -> Result<Times> {
    let barrier = Barrier::new(5);
    let rounds = scale.of(100, 20);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let attrs = attrs();
                    let mut times = Times::new();
                    for _ in 0..rounds {
                        barrier.wait();
                        for _ in 0..BURST / 4 {
                            times.time(|| one(monitor, &attrs));
                        }
                        barrier.wait();
                    }
                    times
                })
            })
            .collect();
        let mut persisted = Ok(());
        for _ in 0..rounds {
            barrier.wait();
            barrier.wait();
            persisted = persisted.and(monitor.persist(WAIT));
        }
        let mut all = Times::default();
        for thread in threads {
            all.append(thread.join().map_err(|_| "a recording thread failed")?);
        }
        persisted?;
        Ok(all)
    })
}

/// The child under `strace`: between two calls of `getppid` it only records.
pub fn syscall_child(folder: &Path, calls: usize, call: fn(&Monitor)) -> Result<()> {
    let monitor = monitor(folder)?;
    for _ in 0..calls / 10 {
        call(&monitor);
    }
    let counts = || -> Result<u64> {
        Ok(proc_number("/proc/thread-self/io", "syscr")? + proc_number("/proc/thread-self/io", "syscw")?)
    };
    let cost = counts()?.abs_diff(counts()?);
    let before = counts()?;
    // SAFETY: a call without arguments that cannot fail.
    unsafe { libc::getppid() };
    for _ in 0..calls {
        call(&monitor);
    }
    // SAFETY: as above.
    unsafe { libc::getppid() };
    println!("{}", counts()?.saturating_sub(before).saturating_sub(cost));
    monitor.close(WAIT);
    Ok(())
}

/// The call of most lines, for [`syscall_child`].
pub fn timing(monitor: &Monitor) {
    one(monitor, &attrs());
}

/// The caller's own system calls, wake-ups of the sleeping writer apart: one futex call per interval, not per record.
pub fn syscalls(folder: &Path, name: &'static str, child: &str, calls: usize) -> Result<Line> {
    let this = std::env::current_exe()?;
    let trace = folder.join(format!("strace-{child}"));
    let run = |command: &mut Command, name: &str| {
        command.arg("--child").arg(child).arg(folder.join(format!("{name}-{child}"))).output()
    };
    let traced = run(Command::new("strace").arg("-o").arg(&trace).arg(&this), "traced");
    if traced.is_ok_and(|output| output.status.success()) {
        let text = std::fs::read_to_string(&trace)?;
        let found: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("getppid")).skip(1).collect();
        let found: Vec<&str> = found.into_iter().take_while(|line| !line.starts_with("getppid")).collect();
        let names: Vec<&str> = found.iter().take(3).filter_map(|line| line.split('(').next()).collect();
        let line = Line::new(name, found.len() as f64 / calls as f64, "per call", 0.0);
        return Ok(line.note(format!("{} in {calls} calls, by strace on the caller's thread {names:?}", found.len())));
    }
    let output = run(&mut Command::new(&this), "counted")?;
    let count: u64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    let line = Line::new(name, count as f64 / calls as f64, "per call", 0.0);
    Ok(line.note("reads and writes by /proc/thread-self/io only: strace is not here or not allowed"))
}
