//! The app of the tests: records, and says on standard output what was acknowledged, a line an event, flushed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod heap;

use rez_monitor::destination::Rez;
use rez_monitor::{
    Breadcrumb, Clock, Config, Consent, Durability, ErrorEvent, Event, Level, Metric, Monitor, Outcome, Purpose,
    ScopeChange, Timing, Value,
};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// The clock that only moves when told, if there is one.
static CLOCK: OnceLock<Clock> = OnceLock::new();

/// Sets the date of that clock; its time since boot goes on.
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
    let monitor = Monitor::open(config(&args)).expect("it opens");
    match args.text("mode", "").as_str() {
        "record" => record(&args, monitor),
        "allocations" => heap::allocations(&monitor),
        "steady" => steady(&args, &monitor),
        "hostile" => hostile(&args, monitor),
        "fork" => fork(monitor),
        "twice" => twice(&args, monitor),
        "threads" => threads(&args, monitor),
        "texts" => texts(&args, monitor),
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
        .cap_bytes(args.number("cap", 64 * 1024 * 1024));
    let url = args.text("url", "none");
    if url != "none" {
        config = config.destination("desk", Rez::builder(url, "key").purposes(&Purpose::ALL).build().expect("a URL"));
    }
    if let Some(wall_ms) = args.0.get("clock") {
        let wall_ms = wall_ms.parse().expect("milliseconds");
        config = config.clock(CLOCK.get_or_init(|| Clock::manual(wall_ms, 1_000_000)).clone());
    }
    config.build().expect("a configuration")
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever listened may have gone.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn tell(serial: u64, outcome: Outcome) {
    match outcome {
        Outcome::Recorded(id) => say(&format!("+ {id} {serial}")),
        Outcome::Dropped(reason) => say(&format!("- {reason}")),
    }
}

/// One event of a kind that changes with its number, so that every lane takes part.
fn event(monitor: &Monitor, serial: u64, fill: &str, kinds: &str) -> Outcome {
    let attrs: &[(&str, Value<'_>)] = &[("serial", serial.into()), ("fill", fill.into())];
    let which = match kinds {
        "message" => 0,
        "analytics" => 1,
        "metric" => 2,
        "error" => 3,
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
        _ => monitor.message("hello", Level::Info, attrs),
    }
}

fn record(args: &Args, monitor: Monitor) {
    let n = args.number("n", 0);
    let first = args.number("first", 0);
    let fill = "x".repeat(args.number("fill", 60) as usize);
    let kinds = args.text("kinds", "all");
    let every = args.number("persist_every", 0);
    let pause = Duration::from_micros(args.number("pause_us", 0));
    let crumbs = args.number("crumbs", 1) == 1;
    say(&format!("folder {}", monitor.status().folder.display()));
    for serial in first..first.saturating_add(n) {
        tell(serial, event(&monitor, serial, &fill, &kinds));
        if crumbs && serial % 5 == 0 {
            monitor.breadcrumb(Breadcrumb::new("user.action", "scrolled"));
        }
        if every > 0 && (serial - first + 1).is_multiple_of(every) {
            let persisted = monitor.persist(Duration::from_secs(10));
            say(&format!("persisted {}", persisted.is_ok()));
        }
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
    }
    for serial in 0..args.number("fatals", 0) {
        let serial = first + n + serial;
        let attrs: &[(&str, Value<'_>)] = &[("serial", serial.into()), ("fill", fill.as_str().into())];
        match monitor.fatal(ErrorEvent::new("Crash", "the end").attrs(attrs), Duration::from_millis(500)) {
            Durability::Synced(id) | Durability::InRing(id) => tell(serial, Outcome::Recorded(id)),
            Durability::Dropped(reason) => {
                tell(serial, Outcome::Dropped(reason));
                break;
            }
        }
    }
    let mut more = first + n + 100;
    for step in args.text("end", "exit").split(',') {
        match step {
            "exit" => {}
            "persist" => say(&format!("persisted {}", monitor.persist(Duration::from_secs(10)).is_ok())),
            "forget" => monitor.forget_user(),
            "deny" => monitor.set_consent(Purpose::Analytics, Consent::Denied),
            "resume" => monitor.resume(),
            "user" => monitor.scope(ScopeChange::User(None)),
            "flush" => flush(args, &monitor),
            "try" => {
                let report = monitor.flush(Duration::from_millis(args.number("wait_ms", 5_000)));
                say(&format!("tried {}", report.is_ok()));
            }
            "state" => say(&format!("store {:?}", monitor.status().store)),
            "wait" => {
                say("waiting");
                let _ = std::io::stdin().lock().read_line(&mut String::new());
            }
            "day_back" => set_date(-1),
            "day_ahead" => set_date(1),
            "second" => CLOCK.get().expect("a manual clock").advance(Duration::from_secs(1)),
            "more" => {
                for serial in 0..10 {
                    more += 1;
                    tell(more, event(&monitor, more, &fill, &kinds));
                    CLOCK.get().expect("a manual clock").advance(Duration::from_millis(serial));
                }
            }
            "close" => {
                monitor.clone().close(Duration::from_secs(20));
                say("closed");
            }
            other => panic!("no end {other}"),
        }
    }
    say("done");
    // Like an app that is swept away: nothing is dropped in order.
    std::process::exit(0);
}

/// Flushes until nothing is left, then closes.
fn flush(args: &Args, monitor: &Monitor) {
    let end = Instant::now() + Duration::from_secs(args.number("flush_s", 30));
    let left = loop {
        let report = monitor.flush(Duration::from_secs(10));
        let left = report.as_ref().ok().map(|all| all.iter().map(|one| one.left).sum::<u64>());
        if left == Some(0) || Instant::now() > end {
            if left != Some(0) {
                say(&format!("report {report:?} {:?}", monitor.status()));
            }
            break left;
        }
    };
    say(&format!("left {}", left.map_or("unknown".to_owned(), |n| n.to_string())));
    monitor.clone().close(Duration::from_secs(20));
}

/// Records between two marks that a tracer sees (`getppid`): what lies between on this thread is the record's own.
fn steady(args: &Args, monitor: &Monitor) {
    let n = args.number("n", 1000);
    let attrs: &[(&str, Value<'_>)] = &[("serial", 1_u64.into()), ("price", 499.0.into()), ("name", "tea".into())];
    for _ in 0..n {
        let _ = monitor.track("bought", attrs);
    }
    monitor.persist(Duration::from_secs(10)).expect("persisted");
    let mut recorded = 0;
    // SAFETY: two calls without arguments that cannot fail.
    unsafe { libc::getppid() };
    for _ in 0..n {
        recorded += u64::from(monitor.track("bought", attrs).id().is_some());
    }
    // SAFETY: as above.
    unsafe { libc::getppid() };
    say(&format!("steady {recorded}"));
    say("done");
    std::process::exit(0);
}

/// Arguments no app should give.
fn hostile(args: &Args, monitor: Monitor) {
    let long = "n".repeat(10_000);
    let odd = ["", "\0", "a\0b", "\u{1f600}\u{1f468}\u{200d}\u{1f469}", "\u{feff}\u{202e}", long.as_str()];
    let mut serial = 0;
    let mut count = |outcome: Outcome| {
        tell(serial, outcome);
        serial += 1;
    };
    let many: Vec<(String, Value<'_>)> = (0..1_000).map(|n| (format!("k{n}"), Value::I64(n))).collect();
    let many: Vec<(&str, Value<'_>)> = many.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let depth1 = [("d", Value::Str("deep"))];
    let depth2 = [("d", Value::Map(&depth1))];
    let depth3 = [("d", Value::Map(&depth2))];
    let depth4 = [("d", Value::Map(&depth3))];
    let depth5 = [("d", Value::Map(&depth4))];
    let depth6 = [("d", Value::Map(&depth5))];
    let depth7 = [("d", Value::Map(&depth6))];
    let list: Vec<Value<'_>> = (0..5_000).map(Value::I64).collect();
    let bad = [
        ("nan", f64::NAN.into()),
        ("inf", f64::INFINITY.into()),
        ("big", Value::U64(u64::MAX)),
        ("list", Value::List(&list)),
        ("", Value::Null),
    ];
    for text in odd {
        for attrs in [&many[..], &depth7[..], &bad[..], &[(text, Value::Str(text))][..]] {
            count(monitor.track(text, attrs));
            count(monitor.message(text, Level::Warning, attrs));
            count(monitor.error(ErrorEvent::new(text, text).code(text).fingerprint(text).context(attrs).attrs(attrs)));
            monitor.breadcrumb(Breadcrumb::new(text, text).kind(text).data(attrs));
            monitor.scope(ScopeChange::Tag(text, Some(text)));
            monitor.scope(ScopeChange::Context(text, Some(attrs)));
        }
        count(monitor.metric(text, Metric::Distribution(f64::NAN)));
        count(monitor.timing(Timing::api_call(text, text, Duration::MAX).status(u16::MAX).bytes(u64::MAX, u64::MAX)));
        count(monitor.timing(Timing::image_load(text, Duration::ZERO).started_at(i64::MIN)));
        count(monitor.record(Event::interaction(text, text)));
        count(monitor.record(Event::app_exit(text, text)));
        count(monitor.api_call(text, text).fail(text));
        count(monitor.screen(text).finish());
        monitor.persist(Duration::from_secs(10)).expect("persisted");
    }
    let _ = monitor.metrics();
    flush(args, &monitor);
    say("done");
    std::process::exit(0);
}

fn fork(monitor: Monitor) {
    tell(0, event(&monitor, 0, "", "message"));
    // SAFETY: the child only records and ends.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let outcome = event(&monitor, 1, "", "message");
        let fatal = monitor.fatal(ErrorEvent::new("E", "in the child"), Duration::ZERO);
        say(&format!("child {outcome:?} {fatal:?}"));
        // SAFETY: ends the child without running anything of the parent's.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: waits for the child just made.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    say(&format!("status {status}"));
    tell(2, event(&monitor, 2, "", "message"));
    monitor.persist(Duration::from_secs(10)).expect("persisted");
    say("done");
    std::process::exit(0);
}

fn twice(args: &Args, monitor: Monitor) {
    let second = Monitor::open(config(args)).expect("it opens");
    tell(0, event(&monitor, 0, "", "message"));
    tell(1, event(&second, 1, "", "message"));
    say(&format!("accepted {} {}", monitor.status().accepted, second.status().accepted));
    say(&format!("folders {}", u64::from(monitor.status().folder == second.status().folder)));
    drop(monitor);
    tell(2, event(&second, 2, "", "message"));
    second.persist(Duration::from_secs(10)).expect("persisted");
    say("done");
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
    let counted: u64 = monitor.status().refused.iter().map(|(_, _, n)| n).sum();
    say(&format!("refused {refused}"));
    say(&format!("counted {counted}"));
    for (id, serial) in results.into_iter().flat_map(|(ids, _)| ids) {
        tell(serial, Outcome::Recorded(id));
    }
    monitor.clone().close(Duration::from_secs(30));
    say("done");
    std::process::exit(0);
}

/// Reads texts, a line each, and puts each into every field that takes text in turn.
fn texts(args: &Args, monitor: Monitor) {
    use rez_monitor::{Feedback, Frame, User};
    let lines = std::fs::read_to_string(args.text("texts", "")).expect("the texts");
    for (serial, text) in lines.lines().enumerate() {
        let attrs: &[(&str, Value<'_>)] = &[("serial", (serial as u64).into()), ("note", text.into())];
        let plain: &[(&str, Value<'_>)] = &[("serial", (serial as u64).into())];
        let nested = [("inner", Value::Str(text))];
        let deep: &[(&str, Value<'_>)] = &[("serial", (serial as u64).into()), ("map", Value::Map(&nested))];
        let frames = [Frame { function: "pay", module: text, file: "pay.rs", line: 1, ..Frame::default() }];
        let fingerprint = serial.to_string();
        let url = format!("https://api.rezapp.com/q?note={text}");
        let error = || ErrorEvent::new("E", "m").fingerprint(&fingerprint);
        let which = args.0.get("field").map_or(serial as u64 % 12, |field| field.parse().expect("a number"));
        let outcome = match which {
            0 => monitor.message(text, Level::Info, plain),
            1 => monitor.error(ErrorEvent::new("E", text).fingerprint(&fingerprint).attrs(plain)),
            2 => monitor.track("bought", attrs),
            3 => monitor.track("bought", deep),
            4 => monitor.timing(Timing::api_call("GET", &url, Duration::from_millis(1)).attrs(plain)),
            5 => monitor.error(error().context(attrs)),
            6 => {
                monitor.breadcrumb(Breadcrumb::new("user", text).data(&nested));
                monitor.error(error().attrs(plain))
            }
            7 => {
                monitor.scope(ScopeChange::Tag("note", Some(text)));
                let outcome = monitor.message("tagged", Level::Info, plain);
                monitor.scope(ScopeChange::Tag("note", None));
                outcome
            }
            8 => {
                monitor.scope(ScopeChange::Context("note", Some(&nested)));
                let outcome = monitor.message("with context", Level::Info, plain);
                monitor.scope(ScopeChange::Context("note", None));
                outcome
            }
            9 => monitor.feedback(Feedback { message: text, name: None, email: None, about: None }),
            10 => monitor.error(error().frames(&frames).attrs(plain)),
            _ => {
                monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), extra: &nested, ..User::default() })));
                let outcome = monitor.message("known", Level::Info, plain);
                monitor.scope(ScopeChange::User(None));
                outcome
            }
        };
        tell(serial as u64, outcome);
        if serial % 500 == 499 {
            monitor.persist(Duration::from_secs(20)).expect("persisted");
        }
    }
    for step in args.text("end", "close").split(',') {
        match step {
            "flush" => flush(args, &monitor),
            _ => monitor.clone().close(Duration::from_secs(20)),
        }
    }
    say("done");
    std::process::exit(0);
}
