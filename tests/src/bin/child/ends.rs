//! A run that ends in one of many ways.

use super::{Args, WAIT, print_line};
use rez_monitor::{
    Breadcrumb, ErrorEvent, Event, ExitReason, ExitReport, Level, Monitor, ScopeChange, UncleanExits, User,
};

/// What the child records of the run before it.
pub fn unclean_exits(args: &Args) -> UncleanExits {
    match args.text("exits", "recorded").as_str() {
        "await" => UncleanExits::AwaitReport,
        _ => UncleanExits::Recorded,
    }
}

/// Records a little, and ends as the arguments say.
pub fn end(args: &Args, monitor: Monitor) {
    match args.text("foreground", "none").as_str() {
        "1" => monitor.scope(ScopeChange::Foreground(true)),
        "0" => {
            monitor.scope(ScopeChange::Foreground(true));
            monitor.scope(ScopeChange::Foreground(false));
        }
        _ => {}
    }
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), ..User::default() })));
    monitor.scope(ScopeChange::Tag("shop", Some("pune")));
    let _ = monitor.record(Event::screen_view("Cart", None));
    let text = "x".repeat(900);
    (0..args.number("crumbs", 0)).for_each(|_| monitor.breadcrumb(Breadcrumb::new("user.action", &text)));
    monitor.breadcrumb(Breadcrumb::new("user.action", "tapped pay"));
    if let Some(release) = args.0.get("set_release") {
        monitor.set_release(release, None).expect("a release");
    }
    let _ = monitor.message("recorded", Level::Info, &[]);
    let persisted = monitor.persist(WAIT);
    // What a full disk does not hold yet is in the ring.
    assert!(persisted.is_ok() || args.number("full", 0) == 1, "{persisted:?}");
    for report in args.text("report", "").split(',').filter(|report| !report.is_empty()) {
        report_one(&monitor, report, args);
    }
    if args.number("reported", 0) == 1 {
        monitor.persist(WAIT).expect("persisted");
    }
    let error = |kind, text| ErrorEvent::new(kind, text).level(Level::Fatal);
    match args.text("how", "").as_str() {
        "close" => return monitor.close(WAIT),
        "fatal" => {
            let _ = monitor.fatal(error("TypeError", "undefined is not a function").mechanism("onerror"), WAIT);
        }
        "twice" => {
            let _ = monitor.fatal(error("TypeError", "undefined is not a function").mechanism("onerror"), WAIT);
            let java = error("com.facebook.react.common.JavascriptException", "TypeError: a@b.example wrote it");
            let _ = monitor.fatal(java.mechanism("UncaughtExceptionHandler"), WAIT);
        }
        _ => {}
    }
    print_line("done");
    // SAFETY: ends this process.
    unsafe { libc::raise(libc::SIGKILL) };
}

/// `PID:TIME:REASON`
fn report_one(monitor: &Monitor, report: &str, args: &Args) {
    let mut parts = report.split(':');
    let mut next = || parts.next().expect("PID:TIME:REASON");
    let (pid, at_ms) = (next().parse().expect("a process"), next().parse().expect("a time"));
    let reason = ExitReason::parse(next()).expect("a reason");
    let attrs = [("rss_kb", 312_000.into())];
    let text = args.text("description", "by the system");
    assert!(monitor.report_exits(&[ExitReport::new(pid, at_ms, reason).description(&text).attrs(&attrs)]));
}
