//! The app process of the tests: records events, and prints one line for each acknowledged event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alerts;
mod batches;
mod crash;
mod drain;
mod ends;
mod files;
mod heap;
mod inputs;
mod java;

use drain::{drain, flush};
use rez_monitor::destination::Rez;
use rez_monitor::{
    Breadcrumb, Clock, Config, Consent, Durability, ErrorEvent, Event, Level, Monitor, Outcome, Purpose, Reason,
    ScopeChange, Timing, TraceStyle, Value,
};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// Limit of every wait for the engine. Long enough for a busy machine.
const WAIT: Duration = Duration::from_secs(60);

/// The manual clock, if the test asked for one.
static CLOCK: OnceLock<Clock> = OnceLock::new();

/// Moves the wall clock of the manual clock; its monotonic clock does not change.
fn set_date(days: i64) {
    let clock = CLOCK.get().expect("a manual clock");
    clock.set_wall_ms(clock.wall_ms() + days * 24 * 3_600_000);
}

struct Args(HashMap<String, String>);

impl Args {
    fn text(&self, name: &str, default: &str) -> String {
        self.0.get(name).cloned().unwrap_or_else(|| default.to_owned())
    }
    fn number(&self, name: &str, default: u64) -> u64 {
        self.0.get(name).map_or(default, |text| text.parse().expect("a number"))
    }
}

fn main() {
    let mut args = HashMap::new();
    for arg in std::env::args().skip(1) {
        let (name, value) = arg.split_once('=').expect("name=value");
        args.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    let args = Args(args);
    if let Some(bytes) = args.0.get("max_file") {
        files::small_files(bytes.parse().expect("bytes"));
    }
    if args.text("mode", "") == "crash" {
        crash::prepare(&args);
    }
    let monitor = Monitor::open(config(&args)).expect("it opens");
    match args.text("mode", "").as_str() {
        "alerts" => alerts::alerts(&args, &monitor),
        "record" if args.number("batch", 0) > 0 => batches::batches(&args, monitor),
        "record" => record(&args, monitor),
        "allocations" => heap::allocations(&monitor),
        "steady" => steady(&args, &monitor),
        "hostile" => inputs::hostile(&args, monitor),
        "crash" => crash::crash(&args, monitor),
        "ends" => ends::end(&args, monitor),
        "fork" => fork(monitor),
        "twice" => twice(&args, monitor),
        "threads" => threads(&args, monitor),
        "texts" => inputs::texts(&args, monitor),
        "status" => print_line(&monitor.status().to_json()),
        other => panic!("no mode {other}"),
    }
}

fn config(args: &Args) -> Config {
    let consent = |name: &str| match args.text(name, "granted").as_str() {
        "granted" => Consent::Granted,
        "pending" => Consent::Pending,
        _ => Consent::Denied,
    };
    let mut config = Config::builder(args.text("folder", ""), "shop", args.text("release", "shop@1"))
        .consent(Purpose::Monitoring, consent("monitoring"))
        .consent(Purpose::Analytics, consent("analytics"))
        .sessions(args.number("sessions", 0) == 1)
        .native_crashes(args.number("native", 0) == 1)
        .unclean_exits(ends::unclean_exits(args))
        .cap_bytes(args.number("cap", 64 * 1024 * 1024))
        .trace_targets(["rezapp.com"])
        .trace_styles([TraceStyle::W3c, TraceStyle::Sentry, TraceStyle::Datadog]);
    config = inputs::switches(args, config);
    let url = args.text("url", "none");
    if url != "none" {
        config = config.destination("desk", Rez::builder(url, "key").purposes(&Purpose::ALL).build().expect("a URL"));
    }
    if let Some(url) = args.0.get("second_url") {
        let second = Rez::builder(url, "key").purposes(&Purpose::ALL).build().expect("a URL");
        config = config.destination("second", second);
    }
    config = alerts::destinations(args, config).suspended(args.number("suspended", 0) == 1);
    if let Some(wall_ms) = args.0.get("clock") {
        let wall_ms = wall_ms.parse().expect("milliseconds");
        config = config.clock(CLOCK.get_or_init(|| Clock::manual(wall_ms, 1_000_000)).clone());
    }
    config.build().expect("a configuration")
}

fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    // Fails only if the reader has gone.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn acknowledge(serial: u64, outcome: Outcome) {
    match outcome {
        Outcome::Recorded(id) => print_line(&format!("+ {id} {serial}")),
        Outcome::Dropped(reason) => print_line(&format!("- {reason}")),
    }
}

/// Records one event. Its kind depends on the serial number, so that every lane is used.
fn event(monitor: &Monitor, serial: u64, fill: &str, kinds: &str) -> Outcome {
    let attrs: &[(&str, Value<'_>)] = &[("serial", serial.into()), ("fill", fill.into())];
    let which = match kinds {
        "message" => 0,
        "analytics" => 1,
        "metric" => 2,
        "error" => 3,
        // Errors are rare in a healthy app.
        "mixed" => {
            if serial.is_multiple_of(500) {
                3
            } else {
                [0, 2, 4][serial as usize % 3]
            }
        }
        _ => serial % 7,
    };
    match which {
        1 => monitor.track("bought", attrs),
        2 if kinds == "metric" => monitor.record(Event::frames("Home", 1, 0, 60).attrs(attrs)),
        2 => monitor
            .timing(Timing::api_call("GET", "https://api.rezapp.com/products", Duration::from_millis(9)).attrs(attrs)),
        3 => {
            let fingerprint = serial.to_string();
            monitor.error(ErrorEvent::new("PaymentError", "declined").fingerprint(&fingerprint).attrs(attrs))
        }
        4 => monitor.record(Event::frames("Home", 1, 0, 60).attrs(attrs)),
        5 => monitor.record(Event::interaction("tap", "Pay").attrs(attrs)),
        _ => monitor.message(&format!("hello {serial}"), Level::Info, attrs),
    }
}

/// Sets release and facts that name the next event.
fn change_run(monitor: &Monitor, serial: u64) {
    let facts = rez_monitor::Facts::new().app_build(serial.to_string());
    monitor.set_facts(facts).expect("facts");
    monitor.set_release(&format!("shop@{serial}"), None).expect("a release");
}

fn record(args: &Args, monitor: Monitor) {
    let n = args.number("n", 0);
    let first = args.number("first", 0);
    let fill = "x".repeat(args.number("fill", 60) as usize);
    let kinds = args.text("kinds", "all");
    let every = args.number("persist_every", 0);
    // Release and facts change before each event whose number is a multiple of this.
    let changes = args.number("change_every", 0);
    let pause = Duration::from_micros(args.number("pause_us", 0));
    let crumbs = args.number("crumbs", 1) == 1;
    // As fast as the writer can follow.
    let patient = args.number("patient", 0) == 1;
    print_line(&format!("folder {}", monitor.status().folder));
    // With `after_line`, recording goes on until a line arrives on stdin, and ends this many events later.
    let after_line = args.0.get("after_line").map(|count| count.parse::<u64>().expect("a number"));
    let line_arrived = Arc::new(AtomicBool::new(false));
    if after_line.is_some() {
        let line_arrived = Arc::clone(&line_arrived);
        std::thread::spawn(move || {
            let _ = std::io::stdin().lock().read_line(&mut String::new());
            line_arrived.store(true, Ordering::SeqCst);
        });
    }
    let mut end = if after_line.is_some() { u64::MAX } else { first.saturating_add(n) };
    for serial in first.. {
        if serial >= end {
            break;
        }
        if let Some(count) = after_line
            && end == u64::MAX
            && line_arrived.load(Ordering::SeqCst)
        {
            end = serial + count;
        }
        if changes > 0 && serial > first && (serial - first).is_multiple_of(changes) {
            change_run(&monitor, serial);
        }
        let mut outcome = event(&monitor, serial, &fill, &kinds);
        while patient && outcome == Outcome::Dropped(Reason::RingFull) {
            std::thread::sleep(Duration::from_micros(200));
            outcome = event(&monitor, serial, &fill, &kinds);
        }
        acknowledge(serial, outcome);
        if crumbs && serial % 5 == 0 {
            monitor.breadcrumb(Breadcrumb::new("user.action", "scrolled"));
        }
        if every > 0 && (serial - first + 1).is_multiple_of(every) {
            let persisted = monitor.persist(WAIT);
            print_line(&format!("persisted {}", persisted.is_ok()));
        }
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
    }
    for serial in 0..args.number("fatals", 0) {
        let serial = end + serial;
        let attrs: &[(&str, Value<'_>)] = &[("serial", serial.into()), ("fill", fill.as_str().into())];
        match monitor.fatal(ErrorEvent::new("Crash", "the end").attrs(attrs), Duration::from_millis(500)) {
            Durability::Synced(id) | Durability::InRing(id) => acknowledge(serial, Outcome::Recorded(id)),
            Durability::Dropped(reason) => {
                acknowledge(serial, Outcome::Dropped(reason));
                break;
            }
        }
    }
    let mut more = end + 100;
    for step in args.text("end", "exit").split(',') {
        match step {
            "exit" => {}
            "persist" => print_line(&format!("persisted {}", monitor.persist(WAIT).is_ok())),
            "forget" => monitor.forget_user(),
            "deny" => monitor.set_consent(Purpose::Analytics, Consent::Denied),
            "resume" => monitor.resume(),
            "user" => monitor.scope(ScopeChange::User(None)),
            "flush" => flush(args, &monitor),
            "drain" => drain(args, &monitor),
            "try" => {
                let report = monitor.flush(Duration::from_millis(args.number("wait_ms", 5_000)));
                print_line(&format!("tried {}", report.is_ok()));
            }
            "snapshot" => print_line(&match monitor.snapshot(WAIT) {
                Ok(bytes) => format!("snapshot {}", bytes.len()),
                Err(error) => format!("snapshot {error}"),
            }),
            "state" => print_line(&format!("store {:?}", monitor.status().store)),
            "wait" => {
                print_line("waiting");
                let _ = std::io::stdin().lock().read_line(&mut String::new());
            }
            // As many recorded events, however many more a full ring refuses.
            "again" => {
                let mut left = args.number("again", 0);
                for serial in first + n.. {
                    if left == 0 {
                        break;
                    }
                    let outcome = event(&monitor, serial, &fill, &kinds);
                    acknowledge(serial, outcome);
                    match outcome {
                        Outcome::Dropped(Reason::RingFull) => std::thread::sleep(Duration::from_micros(200)),
                        _ => left -= 1,
                    }
                    if !pause.is_zero() {
                        std::thread::sleep(pause);
                    }
                }
            }
            "day_back" => set_date(-1),
            "day_ahead" => set_date(1),
            "more" => {
                for serial in 0..10 {
                    more += 1;
                    acknowledge(more, event(&monitor, more, &fill, &kinds));
                    CLOCK.get().expect("a manual clock").advance(Duration::from_millis(serial));
                }
            }
            "close" => {
                monitor.clone().close(WAIT);
                print_line("closed");
            }
            other => panic!("no end {other}"),
        }
    }
    print_line("done");
    // As an app that is swept away: no destructor runs.
    std::process::exit(0);
}

/// Records between two `getppid` calls, which a tracer sees. System calls of this thread in between belong to recording.
fn steady(args: &Args, monitor: &Monitor) {
    let n = args.number("n", 1000);
    let attrs: &[(&str, Value<'_>)] = &[("serial", 1_u64.into()), ("price", 499.0.into()), ("name", "tea".into())];
    for _ in 0..n {
        let _ = monitor.track("bought", attrs);
    }
    monitor.persist(WAIT).expect("persisted");
    let mut recorded = 0;
    // SAFETY: getppid has no arguments and cannot fail.
    unsafe { libc::getppid() };
    for _ in 0..n {
        recorded += u64::from(monitor.track("bought", attrs).id().is_some());
    }
    // SAFETY: as above.
    unsafe { libc::getppid() };
    print_line(&format!("steady {recorded}"));
    print_line("done");
    std::process::exit(0);
}

fn fork(monitor: Monitor) {
    acknowledge(0, event(&monitor, 0, "", "message"));
    // SAFETY: the child only records and exits.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let outcome = event(&monitor, 1, "", "message");
        let fatal = monitor.fatal(ErrorEvent::new("E", "in the child"), Duration::ZERO);
        // Ring and consent are the parent's.
        monitor.set_consent(Purpose::Monitoring, Consent::Denied);
        monitor.forget_user();
        monitor.scope(ScopeChange::Tag("child", Some("yes")));
        monitor.suspend(WAIT);
        let waits = [monitor.persist(WAIT).is_err(), monitor.flush(WAIT).is_err()];
        monitor.clone().close(WAIT);
        print_line(&format!("child {outcome:?} {fatal:?} {waits:?}"));
        // SAFETY: ends the child without running destructors of the parent.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: waits for the child that was just forked.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    print_line(&format!("status {status}"));
    acknowledge(2, event(&monitor, 2, "", "message"));
    monitor.persist(WAIT).expect("persisted");
    print_line("done");
    std::process::exit(0);
}

fn twice(args: &Args, monitor: Monitor) {
    let second = Monitor::open(config(args)).expect("it opens");
    acknowledge(0, event(&monitor, 0, "", "message"));
    acknowledge(1, event(&second, 1, "", "message"));
    print_line(&format!("accepted {} {}", monitor.status().accepted, second.status().accepted));
    print_line(&format!("folders {}", u64::from(monitor.status().folder == second.status().folder)));
    drop(monitor);
    acknowledge(2, event(&second, 2, "", "message"));
    second.persist(Duration::from_secs(10)).expect("persisted");
    print_line("done");
    std::process::exit(0);
}

fn threads(args: &Args, monitor: Monitor) {
    let n = args.number("n", 1000);
    let count = args.number("threads", 8);
    let results: Vec<(Vec<(rez_monitor::EventId, u64)>, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|thread| {
                let monitor = &monitor;
                scope.spawn(move || {
                    let mut ids = Vec::with_capacity(n as usize);
                    let mut refused = 0;
                    for at in 0..n {
                        let serial = thread * n + at;
                        match event(monitor, serial, "abc", "message") {
                            Outcome::Recorded(id) => ids.push((id, serial)),
                            Outcome::Dropped(_) => refused += 1,
                        }
                    }
                    (ids, refused)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let refused: u64 = results.iter().map(|(_, refused)| refused).sum();
    let counted: u64 = monitor.status().refused.iter().map(|refused| refused.count).sum();
    print_line(&format!("refused {refused}"));
    print_line(&format!("counted {counted}"));
    for (id, serial) in results.into_iter().flat_map(|(ids, _)| ids) {
        acknowledge(serial, Outcome::Recorded(id));
    }
    monitor.clone().close(WAIT);
    print_line("done");
    std::process::exit(0);
}
