//! A running app with the inspector's page, for the tests of the page: `page-tests/run.mjs` starts it.
//!
//! It records a session of a shop, delivers it, records three events more after one of the two vendors went down, and prints one JSON
//! object with the address of the page. Then it reads commands, one a line, and prints `done` after each:
//!
//! - `visit N`: records N more events.
//! - `save FILE`: writes the saved page.
//!
//! It ends with its input.

// An example ends with the first thing that goes wrong.
#![allow(clippy::expect_used, missing_docs)]

mod session;

use rez_inspect::collector::{Collector, Fault, Options, Switches, What};
use rez_inspect::source::{App, Inspect};
use rez_inspect::web::{Server, saved};
use rez_monitor::destination::Rez;
use rez_monitor::{Config, Consent, Monitor, Purpose};
use serde_json::{Value, json};
use session::document;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(30);

fn main() {
    let folder = std::env::args_os().nth(1).map(std::path::PathBuf::from).expect("pass an empty folder");
    let desk = Collector::start(Options::new(folder.join("desk.sqlite"))).expect("the collector starts");
    desk.set_switches(Switches { reject: Some(session::REFUSED.to_owned()), ..Switches::default() });
    let vendor = Collector::start(Options::new(folder.join("vendor.sqlite"))).expect("the collector starts");
    let rez = |url: &str, purposes| Rez::builder(url, "key").purposes(purposes).build().expect("a destination");
    let config = Config::builder(folder.join("app"), "shop", "shop@1.4.0+77")
        .destination("desk", rez(&desk.url(), &Purpose::ALL))
        .destination("vendor", rez(&vendor.url(), &[Purpose::Analytics]))
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .inspector(true);
    let monitor = Monitor::open(config.build().expect("a configuration")).expect("the queue opens");
    let source = Arc::new(App::new(monitor.clone(), WAIT));
    record(&monitor, &session::visit(session::now_ms() - 62_000));
    send(&source);
    let down = What::Status { code: 503, retry_after: Some("3600".to_owned()), body: "maintenance".to_owned() };
    vendor.set_switches(Switches {
        faults: [Fault { what: down, times: 0, commit: None }].into(),
        ..Switches::default()
    });
    record(&monitor, &session::more(session::now_ms(), 3));
    send(&source);

    let server = Server::start(([127, 0, 0, 1], 0).into(), source.clone()).expect("the server starts");
    say(&json!({"url": server.url()}).to_string());
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("visit", events) => {
                let items = session::more(session::now_ms(), events.parse().expect("a number"));
                record(&monitor, &items);
            }
            ("save", file) => {
                let page = saved(&*source, 10_000).expect("the page is saved");
                std::fs::write(file, page).expect("the file is written");
            }
            (other, _) => say(&format!("unknown command: {other}")),
        }
        say("done");
    }
}

fn record(monitor: &Monitor, items: &[Value]) {
    assert!(monitor.record_batch(&document(items)), "an event was refused");
}

/// Sends until each event has its state.
fn send(source: &App) {
    let sent = source.inspect(r#"{"tell":"send_now"}"#);
    assert!(sent.contains("destinations"), "{sent}");
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    // The reader may be gone; the input then ends, too.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
