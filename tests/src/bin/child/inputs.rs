//! Malformed arguments, and texts in every field that accepts text.

use super::{Args, acknowledge, flush, print_line};
use rez_monitor::{
    Breadcrumb, ConfigBuilder, ErrorEvent, Event, Level, Metric, Monitor, Outcome, ScopeChange, Timing, Value,
};
use std::time::Duration;

/// Records events with malformed arguments.
pub fn hostile(args: &Args, monitor: Monitor) {
    let long = "n".repeat(10_000);
    let odd = ["", "\0", "a\0b", "\u{1f600}\u{1f468}\u{200d}\u{1f469}", "\u{feff}\u{202e}", long.as_str()];
    let mut serial = 0;
    let mut count = |outcome: Outcome| {
        acknowledge(serial, outcome);
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
        monitor.persist(super::WAIT).expect("persisted");
    }
    let _ = monitor.metrics();
    flush(args, &monitor);
    print_line("done");
    std::process::exit(0);
}

/// Sets what a developer switches on.
pub fn switches(args: &Args, mut config: ConfigBuilder) -> ConfigBuilder {
    if let Some(debug) = args.0.get("debug") {
        config = config.debug(debug == "1");
    }
    if let Some(inspector) = args.0.get("inspector") {
        config = config.inspector(inspector == "1");
    }
    config
}

/// Reads texts, one per line, and records each in a field that accepts text. The fields alternate.
pub fn texts(args: &Args, monitor: Monitor) {
    everywhere(args, &monitor);
    for step in args.text("end", "close").split(',') {
        match step {
            "flush" => flush(args, &monitor),
            _ => monitor.clone().close(super::WAIT),
        }
    }
    print_line("done");
    std::process::exit(0);
}

/// Records each line of a file in one of the places that a text can have.
pub fn everywhere(args: &Args, monitor: &Monitor) {
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
                let outcome = monitor.message(&format!("tagged {serial}"), Level::Info, plain);
                monitor.scope(ScopeChange::Tag("note", None));
                outcome
            }
            8 => {
                monitor.scope(ScopeChange::Context("note", Some(&nested)));
                let outcome = monitor.message(&format!("with context {serial}"), Level::Info, plain);
                monitor.scope(ScopeChange::Context("note", None));
                outcome
            }
            9 => monitor.feedback(Feedback { message: text, name: None, email: None, about: None }),
            10 => monitor.error(error().frames(&frames).attrs(plain)),
            _ => {
                monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), extra: &nested, ..User::default() })));
                let outcome = monitor.message(&format!("known {serial}"), Level::Info, plain);
                monitor.scope(ScopeChange::User(None));
                outcome
            }
        };
        acknowledge(serial as u64, outcome);
        if serial % 500 == 499 {
            monitor.persist(super::WAIT).expect("persisted");
        }
    }
}
