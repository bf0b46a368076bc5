//! Sends logs, traces and metrics to a real OpenTelemetry Collector, and reads the output of its file exporter.

use crate::{Skipped, cached};
use rez_monitor::destination::{Otlp, OtlpEncoding};
use rez_monitor::{
    Breadcrumb, Config, Consent, ErrorEvent, Event, Level, Metric, Monitor, Outcome, Purpose, Revenue, ScopeChange,
    StartKind, Timing, User,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Limit of every wait for the Collector and the engine.
const WAIT: Duration = Duration::from_secs(120);

/// Rounds of the workload in each encoding.
const ROUNDS: usize = 60;

/// A running Collector.
struct Collector {
    child: Child,
    url: String,
}

impl Collector {
    /// Starts it on a free port. Another process can take the port before the Collector binds it: then it exits, and
    /// another port is tried.
    fn start(program: &Path, folder: &Path) -> Collector {
        (0..5)
            .find_map(|_| Collector::start_on(free_port(), program, folder))
            .unwrap_or_else(|| panic!("the Collector ended: {}", log(folder)))
    }

    fn start_on(port: u16, program: &Path, folder: &Path) -> Option<Collector> {
        let config = format!(
            "receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 127.0.0.1:{port}\n\
             exporters:\n  file:\n    path: {}\n\
             service:\n  telemetry:\n    metrics:\n      level: none\n  pipelines:\n\
             \x20   logs: {{receivers: [otlp], exporters: [file]}}\n\
             \x20   traces: {{receivers: [otlp], exporters: [file]}}\n\
             \x20   metrics: {{receivers: [otlp], exporters: [file]}}\n",
            folder.join("out.json").display()
        );
        std::fs::write(folder.join("config.yaml"), config).unwrap();
        let errors = std::fs::File::create(folder.join("collector.log")).unwrap();
        let child = Command::new(program)
            .arg("--config")
            .arg(folder.join("config.yaml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut collector = Collector { child, url: format!("http://127.0.0.1:{port}") };
        let end = Instant::now() + WAIT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if collector.child.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(Instant::now() < end, "the Collector does not listen: {}", log(folder));
            std::thread::sleep(Duration::from_millis(50));
        }
        // The connection may have reached the process that took the port.
        collector.child.try_wait().unwrap().is_none().then_some(collector)
    }

    /// Stops it with SIGTERM, so that it flushes its output.
    fn stop(mut self) {
        // SAFETY: sends a signal to a child process that has not been waited for.
        unsafe { libc::kill(self.child.id() as libc::pid_t, libc::SIGTERM) };
        let end = Instant::now() + WAIT;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "the Collector does not end");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends raw bytes and returns the status. A server that answers before it has read the body closes the connection with a
    /// reset, which can overtake its answer; then the bytes are sent again.
    fn post(&self, path: &str, media_type: &str, body: &[u8]) -> u16 {
        let answer = (0..20).find_map(|_| self.try_post(path, media_type, body).ok());
        let answer = answer.expect("an answer in one of 20 attempts");
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
    }

    fn try_post(&self, path: &str, media_type: &str, body: &[u8]) -> std::io::Result<String> {
        let address = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address)?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        Ok(response)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("collector.log")).unwrap_or_default()
}

/// Recorded events: id and serial number.
type Recorded = BTreeMap<String, i64>;

/// Runs an app that records every kind, each event with its own serial number.
fn live(folder: &Path, url: &str, encoding: OtlpEncoding, first: i64) -> Recorded {
    let otlp = Otlp::builder(url).purposes(&Purpose::ALL).encoding(encoding).build().unwrap();
    let config = Config::builder(folder, "shop", "shop@1.4.0+77")
        .destination("collector", otlp)
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .sessions(true)
        .build()
        .unwrap();
    let monitor = Monitor::open(config).unwrap();
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-4711"), ..User::default() })));
    let mut recorded = Recorded::new();
    for round in 0..ROUNDS as i64 {
        let mut number = first + round * 100;
        let mut keep = |outcome: Outcome, number: i64| {
            let Outcome::Recorded(id) = outcome else { panic!("refused: {outcome:?}") };
            recorded.insert(id.to_string(), number);
        };
        let mut next = || {
            number += 1;
            number
        };
        let (n, name) = (next(), format!("E{round}"));
        monitor.breadcrumb(Breadcrumb::new("test", "before the error"));
        let attrs = [("serial", n.into()), ("emoji", "🛒 \"x\"\n".into())];
        keep(monitor.error(ErrorEvent::new(&name, "declined").attrs(&attrs)), n);
        let n = next();
        // Equal messages would collapse.
        keep(monitor.message(&format!("hello {n}"), Level::Warning, &[("serial", n.into())]), n);
        let n = next();
        keep(monitor.track("add_to_cart", &[("serial", n.into()), ("price", 49.5.into())]), n);
        let n = next();
        keep(monitor.record(Event::interaction("tap", "Pay").attrs(&[("serial", n.into())])), n);
        let n = next();
        keep(monitor.record(Event::screen_view("Cart", None).attrs(&[("serial", n.into())])), n);
        let (n, mut revenue) = (next(), Revenue::new(12.5, "INR"));
        let attrs = [("serial", n.into())];
        revenue.attrs = &attrs;
        keep(monitor.revenue(revenue), n);
        let ms = Duration::from_millis(120);
        for kind in 0..5 {
            let n = next();
            let attrs = [("serial", n.into())];
            let timing = match kind {
                0 => Timing::api_call("GET", "https://api.rezapp.com/products/17", ms).status(200),
                1 => Timing::image_load("https://img.rezapp.com/a.webp", ms),
                2 => Timing::app_start(StartKind::Cold, ms),
                3 => Timing::long_task("layout", ms),
                _ => Timing::screen_load("Cart", ms),
            };
            keep(monitor.timing(timing.attrs(&attrs)), n);
        }
        for outcome in [
            monitor.metric("taps", Metric::Counter(2.0)),
            monitor.metric("parse", Metric::Distribution(12.0)),
            monitor.metric("fps", Metric::Gauge(58.0)),
            monitor.record(Event::frames("Cart", 1, 0, 60)),
        ] {
            assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
        }
    }
    let end = Instant::now() + WAIT;
    loop {
        let flushed = monitor.flush(WAIT).unwrap();
        if flushed.iter().all(|flushed| flushed.left == 0) {
            break;
        }
        assert!(Instant::now() < end, "not all was sent: {flushed:?}");
    }
    monitor.close(Duration::from_secs(5));
    recorded
}

/// The output of the file exporter.
#[derive(Default)]
struct Found {
    /// Serial numbers by id, of log records and spans.
    serials: BTreeMap<String, Vec<i64>>,
    /// Ids of breadcrumbs.
    crumbs: BTreeMap<String, u64>,
    /// Sums of the counter, samples of the distribution, values of gauges by name.
    sums: BTreeMap<String, f64>,
    problems: Vec<String>,
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn attribute<'a>(record: &'a Value, key: &str) -> Option<&'a Value> {
    list(record, "attributes").find(|pair| pair["key"] == key)?["value"].as_object()?.values().next()
}

impl Found {
    fn read(path: &Path) -> Found {
        let mut read = Found::default();
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            for (outer, scopes, records) in [
                ("resourceLogs", "scopeLogs", "logRecords"),
                ("resourceSpans", "scopeSpans", "spans"),
                ("resourceMetrics", "scopeMetrics", "metrics"),
            ] {
                for resource in list(&line, outer) {
                    if attribute(&resource["resource"], "service.name") != Some(&"shop".into()) {
                        read.problems.push(format!("a resource without its service: {resource}"));
                    }
                    for record in list(resource, scopes).flat_map(|scope| list(scope, records)) {
                        if records == "metrics" { read.metric(record) } else { read.record(record) }
                    }
                }
            }
        }
        read
    }

    fn record(&mut self, record: &Value) {
        let Some(id) = attribute(record, "log.record.uid").and_then(Value::as_str) else {
            return self.problems.push(format!("a record without an id: {record}"));
        };
        if id.contains('/') {
            *self.crumbs.entry(id.to_owned()).or_default() += 1;
            return;
        }
        let serial = attribute(record, "serial").and_then(Value::as_str).and_then(|text| text.parse().ok());
        match serial {
            Some(serial) => self.serials.entry(id.to_owned()).or_default().push(serial),
            // The engine records sessions by itself.
            None if record["eventName"].as_str().is_some_and(|name| name.starts_with("session.")) => {}
            None => self.problems.push(format!("a record without its attributes: {record}")),
        }
        if attribute(record, "user.id") != Some(&"u-4711".into()) && serial.is_some() {
            self.problems.push(format!("a record without its user: {record}"));
        }
        if record["eventName"] == "exception" && attribute(record, "emoji") != Some(&"🛒 \"x\"\n".into()) {
            self.problems.push(format!("an attribute was changed: {record}"));
        }
    }

    fn metric(&mut self, metric: &Value) {
        let name = metric["name"].as_str().unwrap_or_default();
        for point in ["sum", "gauge"].into_iter().flat_map(|form| list(&metric[form], "dataPoints")) {
            *self.sums.entry(name.to_owned()).or_default() += point["asDouble"].as_f64().unwrap_or(0.0);
        }
        for point in list(&metric["histogram"], "dataPoints") {
            let count: f64 = point["count"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0.0);
            *self.sums.entry(name.to_owned()).or_default() += count;
        }
    }
}

pub fn every_event_once() -> Skipped {
    let Some(program) = cached("otelcol-0.155.0/otelcol") else {
        return Some("no OpenTelemetry Collector in the cache: `cargo xtask peers` builds it where there is go".into());
    };
    let dir = tempfile::tempdir().unwrap();
    let collector = Collector::start(&program, dir.path());
    let mut recorded = live(&dir.path().join("protobuf"), &collector.url, OtlpEncoding::Protobuf, 1_000_000);
    recorded.extend(live(&dir.path().join("json"), &collector.url, OtlpEncoding::Json, 2_000_000));
    // The Collector rejects invalid bodies, so accepting the others is meaningful.
    assert_eq!(collector.post("/v1/logs", "application/x-protobuf", b"\x0a\xff\xff"), 400);
    let bad = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"soon"}]}]}]}"#;
    assert_eq!(collector.post("/v1/logs", "application/json", bad), 400);
    assert_eq!(collector.post("/v1/logs", "text/plain", b"{}"), 415);
    collector.stop();

    let read = Found::read(&dir.path().join("out.json"));
    assert!(read.problems.is_empty(), "{} problems, first: {}", read.problems.len(), read.problems[0]);
    assert_eq!(recorded.len(), ROUNDS * 11 * 2);
    for (id, serial) in &recorded {
        assert_eq!(read.serials.get(id), Some(&vec![*serial]), "{id}");
    }
    assert_eq!(read.serials.len(), recorded.len(), "more than was recorded");
    assert!(!read.crumbs.is_empty() && read.crumbs.values().all(|times| *times == 1), "{:?}", read.crumbs);
    let lives = 2.0 * ROUNDS as f64;
    for (name, sum) in [
        ("taps", 2.0 * lives),
        ("parse", lives),
        ("fps", 58.0 * lives),
        ("app.frames.slow", lives),
        ("app.frames.total", 60.0 * lives),
    ] {
        assert_eq!(read.sums.get(name), Some(&sum), "{name}: {:?}", read.sums);
    }
    None
}
