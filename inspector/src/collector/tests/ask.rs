//! What was received, through the inspect protocol and the tests by HTTP.

use super::*;
use crate::source::{self, Ask, Inspect, Masked, Query, SourceError};
use std::sync::mpsc::{Receiver, Sender, channel};

struct NoUnknown;

/// A plan: only errors, and at most one.
impl Rules for NoUnknown {
    fn of_event(&self, event: crate::source::Event) -> Vec<Value> {
        let is_bad = event.json["attrs"]["n"] == 2;
        if is_bad { vec![json!({"rule": "schema", "text": format!("{} has n = 2", event.kind)})] } else { Vec::new() }
    }

    fn of_all(&self, ask: Ask<'_>) -> Result<Vec<Value>, SourceError> {
        let n = ask.list(&Query::default())?.events.len();
        Ok(if n > 1 { vec![json!({"rule": "count", "text": format!("{n} events")})] } else { Vec::new() })
    }
}

fn open(desk: &Desk) -> Box<dyn Inspect> {
    source::open(desk.folder.path().join("collector.sqlite").to_str().unwrap()).unwrap()
}

fn of(install: &str, batch_id: &str, events: impl IntoIterator<Item = Value>) -> Value {
    let mut batch = batch(batch_id, events);
    batch["install"] = install.into();
    batch
}

#[test]
fn accepted_repeated_and_rejected_events_are_listed_with_their_sender_and_what_was_sent() {
    let desk = Desk::new();
    let mut bad = event(3);
    bad["kind"] = "Errors".into();
    desk.send(&of("phone-a", "b1", [event(1), event(2), bad, json!("no object")]));
    desk.send(&of("phone-a", "b2", [event(2)]));
    desk.send(&of("phone-b", "b3", [event(4)]));
    let file = open(&desk);
    let remote = source::open(&format!("http://{}", desk.on().address())).unwrap();
    for source in [&*file, &*remote] {
        let ask = Ask(source);
        let list = |filter: Vec<(&'static str, &str)>| {
            let filter = filter.into_iter().map(|(name, text)| (name, text.to_owned())).collect();
            ask.list(&Query { filter, json: true, ..Query::default() }).unwrap().events
        };
        assert!(list(vec![]).windows(2).all(|two| two[0].seq > two[1].seq));
        assert_eq!(list(vec![]).len(), 5);
        let good = list(vec![("state", "delivered"), ("install", "phone-a")]);
        assert_eq!(good.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), [id(2), id(1)]);
        let received = &good[0].json["received"];
        assert_eq!(received["repeats"], 1);
        assert_eq!(
            (&received["seq"], &received["protocol"], &received["client"]),
            (&json!((1_u64 << 40) + 2), &json!("rez"), &json!("x/1"))
        );
        assert_eq!((&good[0].json["attrs"]["n"], good[0].json.get("kind")), (&json!(2), None), "the fields of a queue");
        let dead = list(vec![("state", "dead")]);
        assert_eq!(dead.len(), 2);
        assert_eq!(dead[1].json["received"]["kind"], "Errors");
        assert_eq!(dead[0].json["original"], "no object");
        assert_eq!(dead[1].routes[0].text, "dead, rejected invalid_field kind unknown kind");
        assert_ne!(dead[1].id, id(3), "it can come again and be accepted");
        assert_eq!(list(vec![("where", "received.rejected.field = kind")]).len(), 1);
        assert_eq!(list(vec![("install", "phone-b"), ("kind", "error"), ("text", "\"n\":4")]).len(), 1);
        assert_eq!(list(vec![("session", "s")]).len(), 4);
        let (shown, _) = ask.show(&dead[1].id).unwrap();
        assert!(shown.lines[0].contains("unknown kind"), "{:?}", shown.lines);
        let overview = ask.overview(false).unwrap();
        assert!(overview.holds(), "{overview:?}");
        assert_eq!((overview.rows, overview.routes[0].delivered, overview.routes[0].dead), (5, 3, 2));
        let about = ask.raw(&json!({"ask": "about"})).unwrap();
        assert_eq!((&about["source"], &about["can"]), (&json!("collector"), &json!([])));
        let installs: Vec<_> =
            about["installs"].as_array().unwrap().iter().map(|one| (&one["install"], &one["events"])).collect();
        assert_eq!(installs, [(&json!("phone-b"), &json!(1)), (&json!("phone-a"), &json!(4))]);
        let (drops, _) = ask.drops().unwrap();
        assert_eq!(drops.iter().map(|lost| (lost.reason.as_str(), lost.n)).collect::<Vec<_>>(), [("invalid_field", 2)]);
        assert!(ask.raw(&json!({"tell": "send_now"})).unwrap_err().to_string().contains("only its running app"));
    }
    let masked = Masked::new(file).inspect(r#"{"ask":"list","json":true}"#);
    assert!(!masked.contains("phone-a") && !masked.contains("phone-b"), "{masked}");
}

#[test]
fn the_version_changes_with_each_batch_also_with_one_that_is_repeated() {
    let desk = Desk::new();
    let source = open(&desk);
    let version = || Ask(&*source).version().unwrap();
    let mut seen = vec![version()];
    assert_eq!(version(), seen[0], "nothing came");
    for (step, batch) in [batch("a", [event(1)]), batch("a", [event(1)]), batch("b", [event(1)])].iter().enumerate() {
        desk.send(batch);
        seen.push(version());
        assert!(seen[step + 1] > seen[step], "{seen:?}");
    }
    let list = || Ask(&*source).list(&Query { json: true, ..Query::default() }).unwrap().events;
    assert_eq!(list()[0].json["received"]["repeats"], 2, "one in the repeated batch, one in another");
    let reply = desk.client().post("/test/reset", "").unwrap();
    assert_eq!((reply.status, body(&reply)), (200, json!({"total": 0, "good": 0, "bad": 0})));
    assert!(version() > seen[3] && list().is_empty());
    desk.send(&batch("a", [event(1)]));
    assert!(list()[0].seq > 1, "numbers of deleted events are not given again");
}

#[test]
fn events_are_counted_and_listed_by_http_and_bad_ones_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(NOW));
    let clock: Clock = {
        let now = now.clone();
        Arc::new(move || now.load(Ordering::SeqCst))
    };
    let options = Options { clock, rules: Some(Arc::new(NoUnknown)), ..Options::new(folder.path().join("c.sqlite")) };
    let desk = Desk { running: Some(Collector::start(options).unwrap()), folder, now, key: None };
    let mut bad = event(3);
    bad["seq"] = json!(-1);
    desk.send(&batch("b1", [event(1), event(2), bad]));
    let get = |path: &str| body(&desk.client().get(path).unwrap());
    assert_eq!(
        get("/test/all"),
        json!({"total": 3, "good": 1, "bad": 2, "findings": [{"rule": "count", "text": "3 events"}]})
    );
    assert_eq!(get("/test/good")[0]["id"], id(1));
    let why: Vec<Value> = get("/test/bad").as_array().unwrap().iter().map(|one| one["why"].clone()).collect();
    assert_eq!(
        why,
        [
            json!([{"by": "server", "code": "invalid_field", "field": "seq", "message": "not an integer from 0 to 2^53 - 1"}]),
            json!([{"by": "plan", "rule": "schema", "text": "error has n = 2"}]),
        ]
    );
    assert_eq!(get("/test/bad?where=attrs.n=2").as_array().unwrap().len(), 1);
    assert_eq!(get("/test/good?kind=log"), json!([]));
    assert_eq!(get("/test/bad?limit=1").as_array().unwrap().len(), 1);
    let posted = desk.client().post("/test/good", r#"{"kind": "error", "install": "i1"}"#).unwrap();
    assert_eq!(body(&posted).as_array().unwrap().len(), 1);
    for (path, part) in [
        ("/test/good?name=x", "`name` is no filter"),
        ("/test/good?kind=Error", "`kind` is `Error`"),
        ("/test/good?limit=0", "`limit`"),
        ("/test/good?where=n+%3E", "`where`: the filter cannot be read"),
        ("/test/good?since_ms=soon", "`since_ms`"),
    ] {
        let reply = desk.client().get(path).unwrap();
        let text = body(&reply)["error"]["message"].as_str().unwrap().to_owned();
        assert!(reply.status == 400 && text.contains(part), "{path}: {text}");
    }
    assert_eq!(desk.client().post("/test/good", "[1]").unwrap().status, 400);
    // A link or a picture of another page must not delete anything.
    assert_eq!(desk.client().get("/test/reset").unwrap().status, 405);
    let foreign = desk.client().send("POST", "/test/reset", &[("origin", "https://evil.example")], b"").unwrap();
    assert_eq!((foreign.status, get("/test/all")["total"].as_u64()), (403, Some(3)));
}

/// A plan that answers when it is told to.
struct Slow {
    begun: Mutex<Sender<()>>,
    go_on: Mutex<Receiver<()>>,
}

impl Rules for Slow {
    fn of_event(&self, _: crate::source::Event) -> Vec<Value> {
        Vec::new()
    }

    fn of_all(&self, _: Ask<'_>) -> Result<Vec<Value>, SourceError> {
        self.begun.lock().unwrap().send(()).unwrap();
        let told = self.go_on.lock().unwrap().recv_timeout(std::time::Duration::from_secs(60));
        assert!(told.is_ok(), "the batch was not taken meanwhile");
        Ok(Vec::new())
    }
}

#[test]
fn batches_are_taken_and_events_are_read_while_a_long_read_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let ((begin, begun), (proceed, go_on)) = (channel(), channel());
    let rules: Arc<dyn Rules> = Arc::new(Slow { begun: Mutex::new(begin), go_on: Mutex::new(go_on) });
    let options =
        Options { clock: Arc::new(|| NOW), rules: Some(rules), ..Options::new(folder.path().join("c.sqlite")) };
    let (running, now) = (Some(Collector::start(options).unwrap()), Arc::new(AtomicI64::new(NOW)));
    let desk = Desk { running, folder, now, key: None };
    std::thread::scope(|scope| {
        let all = scope.spawn(|| desk.client().get("/test/all").unwrap());
        begun.recv().unwrap();
        assert_eq!(outcome(&desk.send(&batch("b1", [event(1)]))), (1, 0, 0));
        assert_eq!(body(&desk.client().get("/v1/counts").unwrap())["total"], 1);
        proceed.send(()).unwrap();
        assert_eq!(all.join().unwrap().status, 200);
    });
}

#[test]
fn a_key_is_needed_for_the_inspect_protocol_and_the_tests_too() {
    let desk = Desk::with_key(Some("secret-1"));
    for (method, path) in [("POST", "/inspect"), ("GET", "/test/all"), ("POST", "/test/reset")] {
        assert_eq!(desk.client().send(method, path, &[], br#"{"ask":"about"}"#).unwrap().status, 401, "{path}");
    }
    let with = source::open(&format!("http://{}/?token=secret-1", desk.on().address())).unwrap();
    assert!(Ask(&*with).version().is_ok());
    let without = source::open(&format!("http://{}", desk.on().address())).unwrap();
    let error = Ask(&*without).version().unwrap_err().to_string();
    assert!(error.contains("token") && !error.contains("secret-1"), "{error}");
}

#[test]
fn a_file_of_another_version_says_what_to_do() {
    let desk = Desk::new();
    let path = desk.folder.path().join("collector.sqlite");
    let old = desk.folder.path().join("old.sqlite");
    let Desk { running, folder, .. } = desk;
    running.unwrap().stop();
    std::fs::copy(&path, &old).unwrap();
    rusqlite::Connection::open(&old).unwrap().execute_batch("PRAGMA user_version = 1").unwrap();
    let error = Collector::start(Options::new(&old)).unwrap_err().to_string();
    assert!(error.contains("format 1") && error.contains("move it away"), "{error}");
    let error = source::open(old.to_str().unwrap()).err().unwrap().to_string();
    assert!(error.contains("format 1") && error.contains("move it away"), "{error}");
    drop(folder);
}
