//! `rezq diff` with a real app and a real collector, whose file is changed as a faulty server would.

#![allow(clippy::unwrap_used, clippy::panic)]

use rez_inspect::collector::{Collector, Options, Running};
use rez_monitor::destination::{Mixpanel, Otlp, Rez, Sentry};
use rez_monitor::{Config, Consent, Monitor, Purpose};
use rusqlite::Connection;
use serde_json::Value;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

struct Desk {
    folder: tempfile::TempDir,
    monitor: Monitor,
    collector: Option<Running>,
}

impl Desk {
    /// An app that has delivered five events.
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { key: Some("key".to_owned()), ..Options::new(folder.path().join("collector.sqlite")) };
        let collector = Collector::start(options).unwrap();
        let team =
            Rez::builder(format!("http://{}", collector.address()), "key").purposes(&Purpose::ALL).build().unwrap();
        let config = Config::builder(folder.path().join("app"), "shop", "shop@1")
            .destination("team", team)
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted)
            .sessions(false)
            .inspector(true);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        let desk = Desk { folder, monitor, collector: Some(collector) };
        (0..5).for_each(|n| desk.track(n));
        desk.monitor.flush(WAIT).unwrap();
        assert_eq!(desk.collector.as_ref().unwrap().counts().unwrap().total, 5);
        desk
    }

    fn track(&self, n: i64) {
        let _ = self.monitor.track(&format!("event_{n}"), &[("price", n.into())]);
        self.monitor.persist(WAIT).unwrap();
    }

    fn fault(&self, fault: &str) {
        let answer = self.monitor.inspect(&format!(r#"{{"tell": "fault", "fault": "{fault}"}}"#), WAIT);
        assert_eq!(answer, format!(r#"{{"fault":"{fault}"}}"#));
    }

    /// Stops the collector and opens its file.
    fn file(&mut self) -> Connection {
        self.collector.take().unwrap().stop();
        Connection::open(self.folder.path().join("collector.sqlite")).unwrap()
    }

    /// Runs it with JSON and returns exit code, findings (what, member, events) and totals.
    fn diff(&self, server: &str, more: &[&str]) -> (Option<i32>, Vec<(String, String, u64)>, Value) {
        let (code, lines, err) = self.rezq(server, &[more, &["--json"]].concat());
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let totals = lines.last().unwrap_or_else(|| panic!("{err}")).clone();
        assert_eq!((&totals["line"], &totals["v"]), (&"diff".into(), &1.into()));
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let found = lines.iter().filter(|line| line["line"] == "difference");
        let found = found.map(|line| (text(line, "what"), text(line, "member"), line["events"].as_u64().unwrap()));
        (code, found.collect(), totals)
    }

    fn rezq(&self, server: &str, more: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_rezq"))
            .args(["diff", "app", "--server", server])
            .args(more)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

const FILE: &str = "collector.sqlite";

#[test]
fn both_sides_are_the_same_in_the_file_over_http_and_in_a_folder_and_what_waits_is_no_finding() {
    let mut desk = Desk::new();
    let (code, found, totals) = desk.diff(FILE, &[]);
    assert_eq!((code, found.len(), &totals["same"], &totals["server"]), (Some(0), 0, &5.into(), &5.into()), "{totals}");
    let url = format!("http://{}", desk.collector.as_ref().unwrap().address());
    assert_eq!(desk.diff(&url, &["--key", "key"]), (code, found.clone(), totals.clone()));
    assert_eq!(desk.diff(".", &[]), (code, found, totals));
    let (code, _, err) = desk.rezq(&url, &["--key", "wrong"]);
    assert!(code == Some(3) && err.contains("--key"), "{err}");
    desk.fault("offline");
    desk.track(5);
    let (code, found, totals) = desk.diff(FILE, &[]);
    assert_eq!((code, found.len(), &totals["waiting"]), (Some(0), 0, &1.into()), "{totals}");
    desk.file();
    let (code, _, err) = desk.rezq(&url, &[]);
    assert!(code == Some(3) && err.contains("rezq collect"), "{err}");
    desk.monitor.close(WAIT);
}

#[test]
fn each_sort_of_difference_is_told_with_its_event_and_its_member() {
    let mut desk = Desk::new();
    let columns = "key, protocol, client, project, id, once, install, seq, kind, ts_ms, time_ms, received_ms, boot, mono_ms, batch_id, text";
    let file = desk.file();
    let change = |sql: &str| assert_eq!(file.execute(&sql.replace("COLUMNS", columns), []).unwrap(), 1, "{sql}");
    change("DELETE FROM event WHERE n = 2");
    change("UPDATE event SET text = replace(text, '\"price\":2', '\"price\":\"2\"') WHERE n = 3");
    // As if a second key had sent it once more.
    change("INSERT INTO event (COLUMNS) SELECT key, protocol, client, 'other', id, '', install, seq, kind, ts_ms, time_ms, received_ms, boot, mono_ms, batch_id, text
            FROM event WHERE n = 4");
    change("INSERT INTO event (COLUMNS) SELECT key, protocol, client, project, '019b8d62-9137-700c-bd21-b3ef314c7a63', '', install, seq + 1000, kind, ts_ms, time_ms,
            received_ms, boot, mono_ms, batch_id, text FROM event WHERE n = 5");
    change("INSERT INTO event (COLUMNS) SELECT key, protocol, client, project, '019b8d62-9137-700c-bd21-b3ef314c7a64', '', 'another', seq, kind, ts_ms, time_ms,
            received_ms, boot, mono_ms, batch_id, text FROM event WHERE n = 5");
    let (code, found, totals) = desk.diff(FILE, &[]);
    let told = |what: &str, member: &str, events| (what.to_owned(), member.to_owned(), events);
    assert_eq!(
        found,
        [told("missing", "", 1), told("different", "attrs.price", 1), told("duplicate", "", 1), told("extra", "", 1),],
        "{totals}"
    );
    assert_eq!((code, &totals["same"], &totals["others"]), (Some(1), &3.into(), &1.into()), "{totals}");
    let (_, text, _) = desk.rezq(FILE, &[]);
    assert!(text.contains("attrs.price is 2 on the device and \"2\" at the server"), "{text}");
    assert!(text.contains("1 missing, 1 duplicate, 1 extra, 1 different"), "{text}");
    drop(file);
    // The same over HTTP, where two events have one id.
    let options = Options::new(desk.folder.path().join(FILE));
    desk.collector = Some(Collector::start(options).unwrap());
    let url = format!("http://{}", desk.collector.as_ref().unwrap().address());
    assert_eq!(desk.diff(&url, &[]), (code, found, totals));
    desk.monitor.close(WAIT);
}

#[test]
fn a_number_that_neither_side_has_is_explained_by_a_loss_or_missing() {
    let mut desk = Desk::new();
    desk.fault("offline");
    desk.track(5);
    let listed: Value = serde_json::from_str(&desk.monitor.inspect(r#"{"ask": "list"}"#, WAIT)).unwrap();
    let id = listed["events"][0]["id"].as_str().unwrap();
    let dropped = desk.monitor.inspect(&format!(r#"{{"tell": "drop", "ids": ["{id}"]}}"#), WAIT);
    assert_eq!(dropped, r#"{"dropped":1}"#);
    desk.fault("none");
    desk.track(6);
    desk.monitor.flush(WAIT).unwrap();
    desk.monitor.clone().close(WAIT);
    // The memory of delivered events ends some day.
    std::fs::remove_file(desk.folder.path().join("app/recent.ndjson")).unwrap();
    let (code, found, totals) = desk.diff(FILE, &[]);
    assert_eq!((code, found.len(), &totals["explained_numbers"]), (Some(0), 0, &1.into()), "{totals}");
    let file = desk.file();
    assert_eq!(file.execute("DELETE FROM event WHERE n IN (2, 3)", []).unwrap(), 2);
    let (code, found, totals) = desk.diff(FILE, &[]);
    assert_eq!((code, found), (Some(1), vec![("missing".to_owned(), String::new(), 2)]), "{totals}");
    assert_eq!((&totals["explained_numbers"], &totals["missing"]), (&1.into(), &2.into()), "{totals}");
}

/// An app that sends to the collector by three vendors' protocols.
fn vendors(folder: &Path, collector: &Running) -> Monitor {
    let at = format!("http://{}", collector.address());
    let dsn = at.replace("http://", "http://abc@");
    let config = Config::builder(folder, "shop", "shop@1")
        .destination("sentry", Sentry::builder(format!("{dsn}/1")).traces_sample_rate(1.0).build().unwrap())
        .destination("mixpanel", Mixpanel::builder("T").endpoint(&at).purposes(&Purpose::ALL).build().unwrap())
        .destination("otlp", Otlp::builder(&at).purposes(&Purpose::ALL).build().unwrap())
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .inspector(true);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    for n in 0..3 {
        let _ = monitor.track("purchase", &[("price", n.into())]);
        let _ = monitor.error(rez_monitor::ErrorEvent::new("PaymentError", &format!("declined {n}")));
    }
    let _ = monitor.people(rez_monitor::People::Set("plan", "pro".into()));
    let flushed = monitor.flush(WAIT).unwrap();
    assert!(flushed.iter().all(|one| one.left == 0), "{flushed:?}");
    monitor
}

#[test]
fn what_our_destinations_delivered_by_a_vendors_protocol_is_compared_by_id() {
    let mut desk = Desk::new();
    desk.monitor.clone().close(WAIT);
    std::fs::remove_dir_all(desk.folder.path().join("app")).unwrap();
    desk.collector.take().unwrap().stop();
    let open = Collector::start(Options::new(desk.folder.path().join("open.sqlite"))).unwrap();
    let app = vendors(&desk.folder.path().join("app"), &open);
    let url = format!("http://{}", open.address());
    for (protocol, same, without_id) in [("sentry", 3, 1), ("mixpanel", 3, 1), ("otlp", 8, 0)] {
        let (code, found, totals) = desk.diff(&url, &["--protocol", protocol]);
        assert_eq!((code, found.len()), (Some(0), 0), "{protocol}: {totals}");
        assert_eq!((&totals["same"], &totals["explained"]), (&same.into(), &without_id.into()), "{protocol}: {totals}");
        assert_eq!(desk.diff("open.sqlite", &["--protocol", protocol]).2, totals);
    }
    let (code, text, _) = desk.rezq(&url, &["--protocol", "mixpanel"]);
    assert!(code == Some(0) && text.contains("sends no id of it"), "{text}");
    // A server that lost one, and refused another although the app was told that it was accepted.
    open.stop();
    let file = Connection::open(desk.folder.path().join("open.sqlite")).unwrap();
    let of = "WHERE protocol = 'sentry' AND kind = 'error' ORDER BY n LIMIT 1";
    assert_eq!(file.execute(&format!("DELETE FROM event WHERE n = (SELECT n FROM event {of})"), []).unwrap(), 1);
    let refuse = "UPDATE event SET code = 'x', field = '', message = 'too slow' WHERE n =";
    assert_eq!(file.execute(&format!("{refuse} (SELECT n FROM event {of})"), []).unwrap(), 1);
    let (code, found, totals) = desk.diff("open.sqlite", &["--protocol", "sentry"]);
    let told = |what: &str, member: &str| (what.to_owned(), member.to_owned(), 1);
    assert_eq!((code, found), (Some(1), vec![told("missing", ""), told("different", "state")]), "{totals}");
    app.close(WAIT);
}

#[test]
fn the_old_library_and_ours_are_compared_by_the_names_of_their_events() {
    let desk = Desk::new();
    let collector = desk.collector.as_ref().unwrap();
    let old = |name: &str, at: i64| {
        let record = serde_json::json!({"event": name, "properties": {"token": "key", "time": at, "distinct_id": "u"}})
            .to_string();
        let mut stream = std::net::TcpStream::connect(collector.address()).unwrap();
        let head = format!(
            "POST /track HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            record.len()
        );
        stream.write_all(format!("{head}{record}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("\r\n\r\n1"), "{answer}");
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    for name in ["event_0", "event_1", "event_1", "old_only"] {
        old(name, now);
    }
    old("event_4", now - 3_600_000);
    let names = |source: &str, more: &[&str]| {
        let url = format!("http://{}", collector.address());
        let arguments = [&["diff", source, "--server", &url, "--key", "key", "--by", "name", "--json"], more].concat();
        let output =
            Command::new(env!("CARGO_BIN_EXE_rezq")).args(arguments).current_dir(desk.folder.path()).output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let named = lines.iter().filter(|line| line["line"] == "name").map(|line| {
            (line["name"].as_str().unwrap().to_owned(), line["here"].as_u64().unwrap(), line["there"].as_u64().unwrap())
        });
        (output.status.code(), named.collect::<Vec<_>>())
    };
    let of = |all: &[(&str, u64, u64)]| {
        all.iter().map(|(name, here, there)| ((*name).to_owned(), *here, *there)).collect::<Vec<_>>()
    };
    let whole = of(&[
        ("event_0", 1, 1),
        ("event_1", 1, 2),
        ("event_2", 1, 0),
        ("event_3", 1, 0),
        ("event_4", 1, 1),
        ("old_only", 0, 1),
    ]);
    assert_eq!(names("app", &[]), (Some(1), whole.clone()));
    assert_eq!(names("app", &["--protocol", "mixpanel"]), (Some(1), whole.clone()));
    // Both libraries at one collector.
    assert_eq!(names(FILE, &[]), (Some(1), whole));
    let lately = names("app", &["--since", "30m"]).1;
    assert_eq!(lately[4], ("event_4".to_owned(), 1, 0));
    assert_eq!(names("app", &["--protocol", "sentry"]).1.iter().map(|one| one.2).sum::<u64>(), 0);
    let (code, _, err) = desk.rezq(FILE, &["--key", "key", "--by", "name", "--session", "none"]);
    assert!(code == Some(1) && err.contains("session `none`"), "{err}");
    let (code, text, _) = desk.rezq(FILE, &["--by", "name"]);
    assert!(code == Some(1) && text.contains("only there") && text.contains("2 of 6 names the same"), "{text}");
    for wrong in [["--since", "1h"], ["--session", "x"], ["--protocol", "ga4"]] {
        assert_eq!(desk.rezq(FILE, &wrong).0, Some(2), "{wrong:?}");
    }
    desk.monitor.clone().close(WAIT);
}

#[test]
fn a_server_that_lies_is_an_error_that_names_its_address() {
    let desk = Desk::new();
    for (answer, part) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nno json\n", "line 1"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}\n", "line 1: missing field"),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "status 404"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", "does not answer"),
        ("SSH-2.0\r\n\r\n", "does not answer"),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let (code, out, err) = desk.rezq(&format!("http://{address}"), &[]);
        server.join().unwrap();
        assert!(code == Some(3) && out.is_empty(), "{answer}: {out}");
        assert!(err.contains(part) && err.contains(&address.to_string()), "{answer}: {err}");
    }
    desk.monitor.close(WAIT);
}

#[test]
fn the_pages_of_a_server_advance_over_an_id_that_two_keys_have() {
    let mut desk = Desk::new();
    let file = desk.file();
    // The last event of the second page has the id of the first event: the page after it begins there.
    let more = "WITH RECURSIVE c(i) AS (SELECT 6 UNION ALL SELECT i + 1 FROM c WHERE i < 2001)
        INSERT INTO event (key, protocol, client, project, id, once, install, seq, kind, ts_ms, time_ms, received_ms, batch_id, text)
        SELECT key, protocol, client, CASE i WHEN 2000 THEN 'other' ELSE project END,
          CASE i WHEN 2000 THEN id ELSE printf('%08x-0000-7000-8000-000000000000', i) END,
          '', 'another', i, kind, ts_ms, time_ms, received_ms, batch_id, text FROM event, c WHERE n = 1";
    assert_eq!(file.execute(more, []).unwrap(), 1_996);
    drop(file);
    let in_file = desk.diff(FILE, &[]);
    assert_eq!((in_file.0, &in_file.2["others"]), (Some(0), &1_996.into()), "{}", in_file.2);
    desk.collector = Some(Collector::start(Options::new(desk.folder.path().join(FILE))).unwrap());
    let url = format!("http://{}", desk.collector.as_ref().unwrap().address());
    assert_eq!(desk.diff(&url, &[]), in_file);
    desk.monitor.close(WAIT);
}

#[test]
fn a_damaged_queue_is_not_compared_because_its_ledger_is_not_known() {
    let desk = Desk::new();
    desk.fault("offline");
    desk.track(5);
    desk.monitor.clone().close(WAIT);
    let file = desk.folder.path().join("app/queue.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100..4096].fill(0xa5);
    std::fs::write(&file, bytes).unwrap();
    let (code, out, err) = desk.rezq(FILE, &[]);
    assert!(code == Some(1) && out.is_empty() && err.contains("rezq salvage"), "{code:?} {out} {err}");
}

#[test]
fn a_queue_without_a_route_to_such_a_server_is_an_error_with_its_routes() {
    let desk = Desk::new();
    let folder = desk.folder.path().join("alone");
    Monitor::open(Config::builder(&folder, "shop", "shop@1").build().unwrap()).unwrap().close(WAIT);
    let run = |source: &Path| {
        let run = Command::new(env!("CARGO_BIN_EXE_rezq")).arg("diff").arg(source).args(["--server", "x"]).output();
        run.unwrap().status.code()
    };
    assert_eq!(run(&folder), Some(3), "the server is read first");
    let (code, _, err) = desk.rezq(FILE, &["--route", "team/sentry"]);
    assert!(code == Some(2) && err.contains("team/rez.batch"), "{err}");
    let (code, _, err) = desk.rezq(FILE, &["--protocol", "sentry"]);
    assert!(code == Some(2) && err.contains("sentry") && err.contains("team/rez.batch"), "{err}");
    desk.monitor.close(WAIT);
}
