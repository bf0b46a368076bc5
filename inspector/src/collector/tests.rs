//! Each rule of the protocol and each switch, over real TCP.

use super::*;
use crate::client::{Client, Reply};
use crate::received::rfc3339;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

const NOW: i64 = 1_795_400_000_000;
const DAY_MS: i64 = 24 * 3600 * 1000;

mod ask;

struct Desk {
    folder: tempfile::TempDir,
    running: Option<Running>,
    now: Arc<AtomicI64>,
    key: Option<String>,
}

impl Desk {
    fn new() -> Desk {
        Desk::with_key(None)
    }

    fn with_key(key: Option<&str>) -> Desk {
        let now = Arc::new(AtomicI64::new(NOW));
        let mut desk = Desk { folder: tempfile::tempdir().unwrap(), running: None, now, key: key.map(str::to_owned) };
        desk.start();
        desk
    }

    fn start(&mut self) {
        let now = self.now.clone();
        let clock: Clock = Arc::new(move || now.load(Ordering::SeqCst));
        let db = self.folder.path().join("collector.sqlite");
        let options = Options { key: self.key.clone(), clock, ..Options::new(db) };
        self.running = Some(Collector::start(options).unwrap());
    }

    fn restart(&mut self) {
        self.running.take().unwrap().stop();
        self.start();
    }

    fn on(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    fn client(&self) -> Client {
        Client::new(self.on().address())
    }

    fn later(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    fn switch(&self, switches: Value) {
        let reply = self.client().post("/v1/switches", &switches.to_string()).unwrap();
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    }

    fn total(&self) -> u64 {
        self.on().counts().unwrap().total
    }

    fn send(&self, batch: &Value) -> Reply {
        try_send(&mut self.client(), batch).unwrap()
    }
}

fn try_send(client: &mut Client, batch: &Value) -> std::io::Result<Reply> {
    send_body(client, batch["batch_id"].as_str().unwrap(), &[], batch.to_string().as_bytes())
}

fn send_body(client: &mut Client, key: &str, more: &[(&str, &str)], body: &[u8]) -> std::io::Result<Reply> {
    let mut headers = vec![("content-type", "application/json"), ("idempotency-key", key)];
    headers.extend_from_slice(more);
    client.send("POST", "/v1/batch", &headers, body)
}

fn id(n: u64) -> String {
    format!("019f0c1e-7c1e-7a53-9b0e-{n:012x}")
}

fn event(n: u64) -> Value {
    json!({"id": id(n), "seq": (1_u64 << 40) + n, "ts": rfc3339(NOW - 1000), "boot": "b1", "mono_ms": 5,
        "kind": "error", "session": "s", "attrs": {"n": n}})
}

fn batch(batch_id: &str, events: impl IntoIterator<Item = Value>) -> Value {
    json!({"v": 1, "batch_id": batch_id, "install": "i1", "epoch": 1, "boot": "b1",
        "sdk": {"name": "x", "version": "1"}, "resource": {"app": "shop"}, "lost": [],
        "events": events.into_iter().collect::<Vec<_>>()})
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&reply.body)))
}

fn outcome(reply: &Reply) -> (u64, u64, usize) {
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let body = body(reply);
    let number = |name: &str| body[name].as_u64().unwrap();
    (number("accepted"), number("duplicate"), body["rejected"].as_array().unwrap().len())
}

#[test]
fn a_batch_is_accepted_once_and_its_events_can_be_read_back() {
    let desk = Desk::new();
    let reply = desk.send(&batch("x1", (1..=3).map(event)));
    assert_eq!(outcome(&reply), (3, 0, 0));
    assert_eq!(body(&reply)["batch_id"], "x1");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let events = body(&desk.client().get("/v1/events?kind=error&limit=2").unwrap());
    assert_eq!(events.as_array().unwrap().len(), 2);
    assert_eq!(events[0]["id"], id(1));
    assert_eq!(events[0]["event"], event(1));
    let since = format!("/v1/events?since={}&format=ndjson", id(2));
    let lines = desk.client().get(&since).unwrap();
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    let text = String::from_utf8(lines.body).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(text.ends_with('\n') && text.contains(&id(3)));
    assert_eq!(desk.client().get(&format!("/v1/events?since={}", id(9))).unwrap().status, 400);
    assert_eq!(desk.client().get("/v1/events?kinds=error").unwrap().status, 400);
}

#[test]
fn the_same_key_and_events_get_the_stored_response_even_with_other_losses_and_after_a_restart() {
    let mut desk = Desk::new();
    let mut first = batch("x1", (1..=3).map(event));
    let response = desk.send(&first);
    desk.restart();
    first["lost"] = json!([{"reason": "sampled", "kind": "error", "count": 1}]);
    assert_eq!(desk.send(&first).body, response.body);
    let counts = desk.on().counts().unwrap();
    assert_eq!((counts.total, counts.batches, counts.replays, counts.duplicates), (3, 1, 1, 3));
}

#[test]
fn the_same_key_with_other_events_is_422_and_stores_nothing() {
    let desk = Desk::new();
    desk.send(&batch("x1", [event(1), event(2)]));
    for other in [vec![event(2), event(1)], vec![event(1)], vec![event(1), event(3)]] {
        assert_eq!(desk.send(&batch("x1", other)).status, 422);
    }
    assert_eq!(desk.total(), 2);
}

#[test]
fn after_24_hours_a_key_is_new_and_its_events_are_duplicates() {
    let desk = Desk::new();
    let first = batch("x1", [event(1)]);
    desk.send(&first);
    desk.later(DAY_MS + 1);
    assert_eq!(outcome(&desk.send(&first)), (0, 1, 0));
}

#[test]
fn an_event_in_another_batch_or_twice_in_one_is_a_duplicate() {
    let desk = Desk::new();
    desk.send(&batch("x1", [event(1), event(2)]));
    assert_eq!(outcome(&desk.send(&batch("x2", [event(2), event(3), event(3)]))), (1, 2, 0));
    let mut upper = event(1);
    upper["id"] = json!(id(1).to_uppercase());
    assert_eq!(outcome(&desk.send(&batch("x3", [upper]))), (0, 1, 0));
    assert_eq!(desk.total(), 3);
    assert_eq!(desk.on().counts().unwrap().duplicates, 3);
}

#[test]
fn an_id_is_remembered_for_31_days_and_an_event_that_old_is_refused() {
    let mut desk = Desk::new();
    desk.send(&batch("x1", [event(1)]));
    desk.later(31 * DAY_MS);
    desk.restart();
    let mut again = event(1);
    again["ts"] = json!(rfc3339(NOW + 31 * DAY_MS - 1));
    assert_eq!(outcome(&desk.send(&batch("x2", [again]))), (0, 1, 0));
    let reply = desk.send(&batch("x3", [event(2)]));
    assert_eq!(outcome(&reply), (0, 0, 1));
    assert_eq!(body(&reply)["rejected"][0]["code"], "too_old");
}

#[test]
fn the_good_events_of_a_batch_are_stored_and_the_bad_ones_named() {
    let desk = Desk::new();
    let mut no_time = event(2);
    no_time["ts"] = json!("soon");
    let reply = desk.send(&batch("x1", [event(1), no_time, json!(5), event(4)]));
    assert_eq!(outcome(&reply), (2, 0, 2));
    let rejected = body(&reply)["rejected"].clone();
    assert_eq!(rejected[0]["index"], 1);
    assert_eq!(rejected[0]["id"], id(2));
    assert_eq!(rejected[0]["code"], "invalid_field");
    assert_eq!(rejected[0]["field"], "ts");
    assert!(rejected[0]["message"].as_str().unwrap().contains("RFC 3339"));
    assert_eq!(rejected[1]["index"], 2);
    assert_eq!(desk.on().counts().unwrap().rejected["invalid_field"], 2);
}

#[test]
fn losses_are_cumulative_and_the_largest_count_stays() {
    let desk = Desk::new();
    for (batch_id, epoch, count) in [("x1", 1, 5), ("x2", 1, 9), ("x3", 1, 7), ("x4", 2, 1)] {
        let mut sent = batch(batch_id, []);
        sent["epoch"] = json!(epoch);
        sent["lost"] = json!([{"reason": "evicted_bytes", "kind": "api_call", "count": count}]);
        assert_eq!(desk.send(&sent).status, 200);
    }
    let lost = desk.on().counts().unwrap().lost;
    assert_eq!(lost.iter().map(|row| (row.epoch, row.lost.count)).collect::<Vec<_>>(), [(1, 9), (2, 1)]);
}

#[test]
fn the_time_is_corrected_by_the_clocks_of_the_request() {
    let desk = Desk::new();
    let sent = batch("x1", [event(1)]);
    let headers = [("x-rez-mono", "65005"), ("x-rez-sent-at", "1999-01-01T00:00:00.000Z")];
    let body = sent.to_string();
    assert_eq!(send_body(&mut desk.client(), "x1", &headers, body.as_bytes()).unwrap().status, 200);
    let stored = &desk.on().events(&Filter { limit: 1, ..Filter::default() }).unwrap()[0];
    assert_eq!(stored.time, rfc3339(NOW - 65_000));
    assert_eq!(stored.ts, rfc3339(NOW - 1000));
}

#[test]
fn gzip_is_read_and_another_encoding_is_415() {
    let desk = Desk::new();
    let plain = batch("x1", (1..=3).map(event)).to_string();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let mut client = desk.client();
    let gzip = send_body(&mut client, "x1", &[("content-encoding", "gzip")], &packed).unwrap();
    assert_eq!(outcome(&gzip), (3, 0, 0));
    let cut = &packed[..packed.len() - 9];
    assert_eq!(send_body(&mut client, "x1", &[("content-encoding", "gzip")], cut).unwrap().status, 400);
    let brotli = send_body(&mut client, "x1", &[("content-encoding", "br")], &packed).unwrap();
    assert_eq!(brotli.status, 415);
}

#[test]
fn a_batch_over_a_cap_is_413_and_names_the_caps() {
    let desk = Desk::new();
    let many = desk.send(&batch("x1", (0..501).map(event)));
    let long = desk.send(&batch("x2", [json!({"a": "x".repeat(MAX_BYTES)})]));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; 8 * MAX_BYTES]).unwrap();
    let bomb = encoder.finish().unwrap();
    let bomb = send_body(&mut desk.client(), "x3", &[("content-encoding", "gzip")], &bomb).unwrap();
    for reply in [many, long, bomb] {
        assert_eq!(reply.status, 413);
        assert_eq!(body(&reply)["max_bytes"], MAX_BYTES);
        assert_eq!(body(&reply)["max_events"], MAX_EVENTS);
    }
    assert_eq!(outcome(&desk.send(&batch("x4", (0..500).map(event)))), (500, 0, 0));
}

#[test]
fn what_cannot_be_read_is_400_and_says_why() {
    let desk = Desk::new();
    let mut client = desk.client();
    let mut code = |key: &str, body_sent: &str| {
        let reply = send_body(&mut client, key, &[], body_sent.as_bytes()).unwrap();
        assert_eq!(reply.status, 400);
        body(&reply)["error"]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("x1", "{"), "unreadable");
    assert_eq!(code("x1", "{}"), "unreadable");
    assert_eq!(code("x1", &batch("x2", [event(1)]).to_string()), "idempotency_key");
    let without = desk.client().post("/v1/batch", &batch("x1", [event(1)]).to_string()).unwrap();
    assert_eq!(without.status, 400);
    assert_eq!(desk.total(), 0);
}

#[test]
fn a_wrong_key_is_401_everywhere_and_the_file_holds_no_key() {
    let desk = Desk::with_key(Some("wk-secret-4711"));
    let sent = batch("x1", [event(1)]);
    assert_eq!(desk.send(&sent).status, 401);
    assert_eq!(desk.client().get("/v1/events").unwrap().status, 401);
    let text = sent.to_string();
    let with = |key: &str| send_body(&mut desk.client(), "x1", &[("authorization", key)], text.as_bytes()).unwrap();
    assert_eq!(with("Bearer wk-secret-4712").status, 401);
    assert_eq!(with("wk-secret-4711").status, 401);
    assert_eq!(outcome(&with("Bearer wk-secret-4711")), (1, 0, 0));
    let Desk { folder, running, .. } = desk;
    running.unwrap().stop();
    let file = std::fs::read(folder.path().join("collector.sqlite")).unwrap();
    assert!(!file.windows(14).any(|window| window == b"wk-secret-4711"));
}

#[test]
fn the_same_id_of_two_projects_is_two_events() {
    let desk = Desk::new();
    let text = batch("x1", [event(1)]).to_string();
    for key in ["Bearer a", "Bearer b"] {
        let reply = send_body(&mut desk.client(), "x1", &[("authorization", key)], text.as_bytes()).unwrap();
        assert_eq!(outcome(&reply), (1, 0, 0));
    }
    assert_eq!(desk.total(), 2);
    // Each can be asked for, and one that comes again is not a third.
    let repeat = batch("x2", [event(1)]).to_string();
    let reply = send_body(&mut desk.client(), "x2", &[("authorization", "Bearer b")], repeat.as_bytes()).unwrap();
    assert_eq!((outcome(&reply), desk.total()), ((0, 1, 0), 2));
    let source = crate::source::open(desk.folder.path().join("collector.sqlite").to_str().unwrap()).unwrap();
    let ask = crate::source::Ask(&*source);
    let listed = ask.list(&crate::source::Query { json: true, ..Default::default() }).unwrap().events;
    assert_eq!((listed.len(), listed[1].id.as_str()), (2, id(1).as_str()));
    assert_eq!(listed[0].json["received"]["id"], id(1));
    for one in &listed {
        assert_eq!(ask.show(&one.id).unwrap().1["event"]["seq"], one.seq);
    }
}

#[test]
fn gaps_name_what_is_missing_and_what_explains_it() {
    let desk = Desk::new();
    let mut bad = event(5);
    bad["kind"] = json!("nothing");
    let mut sent = batch("x1", [event(1), event(2), bad, event(9)]);
    sent["lost"] = json!([{"reason": "evicted_bytes", "kind": "unknown", "count": 2},
        {"reason": "sampled", "kind": "error", "count": 50}]);
    desk.send(&sent);
    let gaps = body(&desk.client().get("/v1/gaps").unwrap());
    let base = 1_u64 << 40;
    assert_eq!(gaps[0]["epoch"], 1);
    assert_eq!(gaps[0]["missing"], 5);
    assert_eq!(gaps[0]["ranges"], json!([[base + 3, base + 4], [base + 6, base + 8]]));
    assert_eq!((gaps[0]["lost"].as_u64(), gaps[0]["unexplained"].as_u64()), (Some(2), Some(3)));
}

#[test]
fn a_foreign_host_name_is_refused() {
    let desk = Desk::new();
    let mut stream = TcpStream::connect(desk.on().address()).unwrap();
    stream.write_all(b"GET /v1/events HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 403"), "{text}");
}

#[test]
fn an_address_that_others_could_reach_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { address: ([0, 0, 0, 0], 0).into(), ..Options::new(folder.path().join("c.sqlite")) };
    assert!(matches!(Collector::start(options), Err(CollectorError::NotLoopback(_))));
}

#[test]
fn a_file_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.sqlite");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(matches!(Collector::start(Options::new(&path)), Err(CollectorError::File(ReceivedError::NotOurs(_)))));
    std::fs::write(&path, "no database at all, only words of some length").unwrap();
    assert!(matches!(Collector::start(Options::new(&path)), Err(CollectorError::File(ReceivedError::Db { .. }))));
}

#[test]
fn a_status_is_returned_as_often_as_configured_and_nothing_is_stored() {
    let desk = Desk::new();
    desk.switch(json!({"faults": [{"what": {"status": {"code": 503, "retry_after": "7"}}, "times": 2}]}));
    let sent = batch("x1", [event(1)]);
    for _ in 0..2 {
        let reply = desk.send(&sent);
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("7")));
    }
    assert_eq!(desk.total(), 0);
    assert_eq!(outcome(&desk.send(&sent)), (1, 0, 0));
}

#[test]
fn every_status_can_be_returned() {
    let desk = Desk::new();
    for code in [200, 204, 302, 400, 401, 403, 404, 405, 408, 413, 415, 422, 425, 429, 500, 502, 504, 507] {
        let what = What::Status { code, retry_after: None, body: String::new() };
        desk.on().set_switches(Switches { faults: [Fault::once(what)].into(), ..Switches::default() });
        let mut stream = TcpStream::connect(desk.on().address()).unwrap();
        stream
            .write_all(b"POST /v1/batch HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {code}")), "{text}");
    }
}

#[test]
fn a_response_dropped_after_the_commit_is_replayed_on_the_second_try() {
    let desk = Desk::new();
    desk.switch(json!({"faults": [{"what": "drop_answer"}]}));
    let sent = batch("x1", [event(1), event(2)]);
    assert_eq!(try_send(&mut desk.client(), &sent).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(desk.total(), 2);
    assert_eq!(outcome(&desk.send(&sent)), (2, 0, 0));
    assert_eq!(desk.on().counts().unwrap().replays, 1);
}

#[test]
fn a_response_can_be_cut_at_every_byte() {
    let desk = Desk::new();
    let raw = |faults: Value, n: u64| {
        desk.switch(json!({ "faults": faults }));
        let text = batch(&format!("x{n}"), [event(n)]).to_string();
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nhost: localhost\r\nidempotency-key: x{n}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        let mut stream = TcpStream::connect(desk.on().address()).unwrap();
        stream.write_all(format!("{head}{text}").as_bytes()).unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        response
    };
    let whole = raw(json!([]), 1000);
    let head = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    for bytes in (0..whole.len()).step_by(7) {
        let cut = raw(json!([{"what": {"cut_answer": {"bytes": bytes}}}]), 2000 + bytes as u64);
        assert_eq!(cut.len(), bytes);
        assert_eq!(
            desk.on().events(&Filter { limit: 9999, ..Filter::default() }).unwrap().last().unwrap().id,
            id(2000 + bytes as u64)
        );
    }
    for bytes in [0, 1, 20] {
        let cut = raw(json!([{"what": {"cut_body": {"bytes": bytes}}}]), 3000 + bytes as u64);
        assert_eq!(cut.len(), head + bytes);
        assert!(cut.starts_with(b"HTTP/1.1 200"));
    }
}

#[test]
fn a_network_that_is_down_refuses_connections_resets_the_old_ones_and_comes_back_on_the_same_port() {
    let desk = Desk::new();
    let mut kept = desk.client();
    assert_eq!(outcome(&try_send(&mut kept, &batch("x1", [event(1)])).unwrap()), (1, 0, 0));
    let mut idle = TcpStream::connect(desk.on().address()).unwrap();
    desk.client().get("/v1/counts").unwrap();
    for round in 0..5 {
        desk.on().set_network(false);
        assert!(!desk.on().network_up());
        let refused = TcpStream::connect(desk.on().address()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let taken = std::net::TcpListener::bind(desk.on().address()).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse, "another program must not get the port meanwhile");
        // An old connection is of no use, and the client then finds the port closed.
        assert!(try_send(&mut kept, &batch("x2", [event(2)])).is_err());
        assert_eq!(try_send(&mut kept, &batch("x2", [event(2)])).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(desk.total(), 1 + round);
        desk.on().set_network(true);
        assert_eq!(
            outcome(&try_send(&mut kept, &batch(&format!("y{round}"), [event(10 + round)])).unwrap()),
            (1, 0, 0)
        );
    }
    assert!(matches!(idle.read(&mut [0; 1]), Ok(0) | Err(_)));
}

#[test]
fn refusing_for_a_time_begins_after_the_response_and_ends_by_itself() {
    let desk = Desk::new();
    desk.switch(json!({"refuse_ms": 600_000}));
    let deadline = Instant::now() + std::time::Duration::from_secs(60);
    while TcpStream::connect(desk.on().address()).is_ok() {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    assert!(!desk.on().network_up());
    let desk = Desk::new();
    desk.switch(json!({"refuse_ms": 1}));
    while desk.on().state.network.changes() < 2 {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    desk.on().set_network(true);
    assert_eq!(outcome(&desk.send(&batch("x1", [event(1)]))), (1, 0, 0));
    assert_eq!(desk.on().switches().refuse_ms, 0);
}

#[test]
fn a_connection_can_be_hung_up_without_a_byte_read() {
    let desk = Desk::new();
    desk.on().set_switches(Switches { hang_up: true, ..Switches::default() });
    assert!(try_send(&mut desk.client(), &batch("x1", [event(1)])).is_err());
    desk.on().set_switches(Switches::default());
    assert_eq!(outcome(&desk.send(&batch("x1", [event(1)]))), (1, 0, 0));
}

#[test]
fn redirect_wrong_json_huge_response_and_latency() {
    let desk = Desk::new();
    desk.switch(json!({"latency_ms": 30, "faults": [
        {"what": {"redirect": {"to": "http://127.0.0.1:1/elsewhere"}}},
        {"what": {"text": {"body": "{\"accepted\":"}}},
        {"what": {"huge": {}}}]}));
    let sent = batch("x1", [event(1)]);
    let begun = Instant::now();
    let redirect = desk.send(&sent);
    assert!(begun.elapsed().as_millis() >= 30);
    assert_eq!((redirect.status, redirect.header("location")), (307, Some("http://127.0.0.1:1/elsewhere")));
    assert_eq!(desk.send(&sent).body, b"{\"accepted\":");
    assert_eq!(desk.send(&sent).body.len(), 10 * 1024 * 1024);
    assert_eq!(desk.total(), 0);
    assert_eq!(outcome(&desk.send(&sent)), (1, 0, 0));
}

#[test]
fn a_slow_drip_arrives_whole_in_the_end() {
    let desk = Desk::new();
    desk.switch(json!({"faults": [{"what": {"drip": {"every_ms": 1}}}]}));
    let begun = Instant::now();
    let reply = desk.send(&batch("x1", [event(1)]));
    assert_eq!(outcome(&reply), (1, 0, 0));
    assert!(begun.elapsed().as_millis() as usize >= reply.body.len());
    assert_eq!(reply.header("connection"), Some("close"));
}

#[test]
fn a_response_that_never_comes_stores_nothing_and_does_not_hold_others() {
    let desk = Desk::new();
    desk.switch(json!({"faults": [{"what": "hang"}]}));
    let text = batch("x1", [event(1)]).to_string();
    let mut stream = TcpStream::connect(desk.on().address()).unwrap();
    let head = format!("POST /v1/batch HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", text.len());
    stream.write_all(format!("{head}{text}").as_bytes()).unwrap();
    while !desk.on().switches().faults.is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(outcome(&desk.send(&batch("x2", [event(2)]))), (1, 0, 0));
    stream.set_read_timeout(Some(std::time::Duration::from_millis(50))).unwrap();
    assert!(stream.read(&mut [0; 1]).is_err());
    assert_eq!(desk.total(), 1);
}

#[test]
fn poison_refuses_the_batch_and_reject_only_the_event() {
    let desk = Desk::new();
    desk.switch(json!({"poison": "\"n\":2}"}));
    assert_eq!(desk.send(&batch("x1", [event(1), event(2)])).status, 400);
    assert_eq!(outcome(&desk.send(&batch("x2", [event(1)]))), (1, 0, 0));
    desk.switch(json!({"reject": "\"n\":2}", "limits": [{"kind": "metric", "retry_after": 60}]}));
    let reply = desk.send(&batch("x3", [event(2), event(3)]));
    assert_eq!(outcome(&reply), (1, 0, 1));
    assert_eq!(body(&reply)["rejected"][0]["code"], "refused");
    assert_eq!(body(&reply)["limits"], json!([{"kind": "metric", "retry_after": 60}]));
}

#[test]
fn switches_show_what_is_left_and_refuse_what_they_do_not_know() {
    let desk = Desk::new();
    desk.switch(json!({"latency_ms": 1, "faults": [{"what": {"status": {"code": 500}}, "times": 3}]}));
    desk.send(&batch("x1", [event(1)]));
    let shown = body(&desk.client().get("/v1/switches").unwrap());
    assert_eq!(shown["faults"][0]["times"], 2);
    let reply = desk.client().post("/v1/switches", r#"{"latency":1}"#).unwrap();
    assert_eq!(reply.status, 400);
    assert!(body(&reply)["error"]["message"].as_str().unwrap().contains("latency"));
    assert_eq!(desk.on().switches().latency_ms, 1);
}
