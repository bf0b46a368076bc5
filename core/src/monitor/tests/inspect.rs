//! What a debug screen asks.

use super::{WAIT, config};
use crate::destination::Rez;
use crate::transport::{Completion, Request, Response, Sent, Transport};
use crate::{Consent, ErrorEvent, Level, Monitor, Purpose};
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;

/// The batch in a request.
pub(super) fn body_of(request: &Request) -> Value {
    let mut body = String::new();
    flate2::read::GzDecoder::new(&request.body[..]).read_to_string(&mut body).unwrap();
    serde_json::from_str(&body).unwrap()
}

/// Accepts everything.
pub(super) struct Accepts;

impl Transport for Accepts {
    fn send(&self, request: Request, done: Completion) {
        let sent = body_of(&request);
        let accepted = sent["events"].as_array().map_or(0, Vec::len);
        let answer = json!({"batch_id": sent["batch_id"], "accepted": accepted}).to_string();
        done.finish(Sent::Response(Response { status: 200, body: answer.into_bytes(), ..Response::default() }));
    }
}

pub(super) fn open(folder: &Path) -> Monitor {
    let team = Rez::builder("https://in.example.com", "key").purposes(&Purpose::ALL).build().unwrap();
    Monitor::open(config(folder).inspector(true).transport(Accepts).destination("team", team).build().unwrap()).unwrap()
}

pub(super) fn ask(monitor: &Monitor, request: Value) -> Value {
    let answer: Value = serde_json::from_str(&monitor.inspect(&request.to_string(), WAIT)).unwrap();
    assert!(answer.is_object(), "{answer}");
    answer
}

pub(super) fn names(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect()
}

/// Keeps every event in the queue.
pub(super) fn hold(monitor: &Monitor) {
    assert_eq!(ask(monitor, json!({"tell": "fault", "fault": "offline"})), json!({"fault": "offline"}));
}

#[test]
fn an_event_is_followed_from_the_queue_to_its_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    hold(&monitor);
    let id = monitor.track("tapped_pay", &[("amount", 7.into())]).id().unwrap().to_string();
    let listed = ask(&monitor, json!({"ask": "list"}));
    assert_eq!(names(&listed), ["tapped_pay"]);
    let event = &listed["events"][0];
    assert_eq!((&event["id"], &event["kind"], &event["state"]), (&json!(id), &json!("analytics"), &json!("queued")));
    let flushed = ask(&monitor, json!({"tell": "send_now"}));
    // Right after the start, the destination was not declared yet.
    assert_eq!(ask(&monitor, json!({"ask": "list"}))["events"][0]["routes"][0]["route"], "team/rez.batch");
    assert_eq!((&flushed["destinations"][0]["delivered"], &flushed["destinations"][0]["left"]), (&json!(0), &json!(1)));
    assert!(
        flushed["destinations"][0]["text"].as_str().unwrap().contains("the fault switch `offline` is on"),
        "{flushed}"
    );
    assert_eq!(ask(&monitor, json!({"ask": "why", "id": id}))["final"], false);

    ask(&monitor, json!({"tell": "fault", "fault": "none"}));
    monitor.hint(crate::Hint::Network(crate::Network::Online));
    // The wait after a failure is ignored once in 5 s, which the request above has used.
    let shown = loop {
        ask(&monitor, json!({"tell": "send_now"}));
        let shown = ask(&monitor, json!({"ask": "show", "id": id}));
        if shown["event"]["state"] == "delivered" {
            break shown;
        }
    };
    assert_eq!((&shown["json"]["attrs"]["amount"], &shown["json"]["name"]), (&json!(7), &json!("tapped_pay")));
    assert_eq!(shown["run"]["release"], "shop@1");
    assert!(shown["why"].as_str().unwrap().starts_with("team/rez.batch: delivered "), "{shown}");
    assert!(shown["wall_ms"].is_i64() && shown["mono_ms"].is_i64());
    let why = ask(&monitor, json!({"ask": "why", "id": id}));
    assert_eq!((&why["why"], &why["final"]), (&shown["why"], &json!(true)));
    assert_eq!(names(&ask(&monitor, json!({"ask": "list", "filter": {"state": "delivered"}}))), ["tapped_pay"]);
    assert!(names(&ask(&monitor, json!({"ask": "list", "filter": {"state": "queued"}}))).is_empty());
    let status = ask(&monitor, json!({"ask": "status"}));
    assert!(status["lines"].as_array().unwrap().len() >= 2);
    let route = &status["status"]["routes"][0];
    assert_eq!((&route["delivered"], &route["dropped"], &status["fault"]), (&json!(1), &json!({}), &json!("none")));
    monitor.close(WAIT);
}

#[test]
fn a_list_is_filtered_and_paged_without_a_gap_or_a_repetition() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    // Some are delivered and only in memory, some are still in the file.
    let expected: Vec<String> = (0..1_500).map(|n| format!("event_{n}")).collect();
    for (n, name) in expected.iter().enumerate() {
        assert!(monitor.track(name, &[]).id().is_some());
        if n == 900 {
            ask(&monitor, json!({"tell": "send_now"}));
            hold(&monitor);
        }
        if n % 100 == 0 {
            monitor.persist(WAIT).unwrap();
        }
    }
    let (mut seen, mut before) = (Vec::new(), Value::Null);
    loop {
        let page = ask(&monitor, json!({"ask": "list", "before": before, "limit": 70}));
        seen.extend(names(&page).into_iter().map(str::to_owned));
        before = page["before"].clone();
        if before.is_null() {
            break;
        }
    }
    seen.reverse();
    // The memory holds the last 1,000 events.
    assert!(seen.len() >= 1_000, "{}", seen.len());
    assert_eq!(seen, expected[expected.len() - seen.len()..]);
    let newest = ask(&monitor, json!({"ask": "list", "limit": 3}));
    let newer = ask(&monitor, json!({"ask": "list", "after": newest["events"][2]["seq"]}));
    assert_eq!((names(&newer), &newer["before"]), (vec!["event_1499", "event_1498"], &Value::Null));
    let found = ask(&monitor, json!({"ask": "list", "filter": {"text": "event_1499", "kind": "analytics"}}));
    assert_eq!(names(&found), ["event_1499"]);
    assert!(names(&ask(&monitor, json!({"ask": "list", "filter": {"kind": "crash"}}))).is_empty());
    monitor.close(WAIT);
}

#[test]
fn a_state_that_no_recent_event_has_is_searched_further_back_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let first = monitor.track("delivered", &[]).id().unwrap();
    while ask(&monitor, json!({"ask": "why", "id": first.to_string()}))["final"] != true {
        ask(&monitor, json!({"tell": "send_now"}));
    }
    hold(&monitor);
    for n in 0..990 {
        assert!(monitor.track("waits", &[("n", n.into())]).id().is_some());
    }
    // Held by a fault: 990 rows in the file, more than one request examines at once.
    let (mut pages, mut before, mut found) = (0, Value::Null, Vec::new());
    loop {
        let page = ask(&monitor, json!({"ask": "list", "filter": {"state": "delivered"}, "before": before}));
        found.extend(names(&page).into_iter().map(str::to_owned));
        pages += 1;
        before = page["before"].clone();
        if before.is_null() {
            break;
        }
    }
    assert_eq!(found, ["delivered"]);
    assert!(pages <= 2, "{pages}");
    monitor.close(WAIT);
}

#[test]
fn a_list_since_the_mark_has_the_mark_left_out_and_everything_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let since = || json!({"ask": "list", "filter": {"since_mark": true}});
    let _ = monitor.track("before", &[]);
    assert_eq!(names(&ask(&monitor, since())), ["before"], "without a mark, all");
    let mark = ask(&monitor, json!({"tell": "mark", "text": "tapped Pay"}));
    let _ = monitor.track("after", &[]);
    assert_eq!(names(&ask(&monitor, since())), ["after"]);
    let shown = ask(&monitor, json!({"ask": "show", "id": mark["id"]}));
    assert_eq!((&shown["json"]["message"], &shown["json"]["logger"]), (&json!("tapped Pay"), &json!("rez.mark")));
    // Also after both were delivered.
    while ask(&monitor, json!({"ask": "show", "id": mark["id"]}))["event"]["state"] != "delivered" {
        ask(&monitor, json!({"tell": "send_now"}));
    }
    assert_eq!(names(&ask(&monitor, since())), ["after"]);
    monitor.close(WAIT);
}

#[test]
fn a_server_that_refuses_is_named_in_why() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    ask(&monitor, json!({"tell": "fault", "fault": "refuse"}));
    assert!(monitor.error(ErrorEvent::new("PaymentError", "declined")).id().is_some());
    let sent = ask(&monitor, json!({"tell": "send_now"}));
    let text = sent["destinations"][0]["text"].as_str().unwrap();
    assert!(text.contains("1 left: ") && text.contains("next attempt"), "{text}");
    let status = ask(&monitor, json!({"ask": "status"}))["lines"].to_string();
    assert!(status.contains("1 waiting"), "{status}");
    let listed = ask(&monitor, json!({"ask": "list", "filter": {"kind": "error"}}));
    assert_eq!(
        (&listed["events"][0]["name"], &listed["events"][0]["level"]),
        (&json!("PaymentError declined"), &json!("error"))
    );
    monitor.close(WAIT);
}

#[test]
fn what_is_erased_is_no_longer_shown() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let id = monitor.track("secret", &[]).id().unwrap().to_string();
    assert_eq!(names(&ask(&monitor, json!({"ask": "list"}))), ["secret"]);
    ask(&monitor, json!({"tell": "send_now"}));
    monitor.forget_user();
    let later = monitor.track("later", &[]).id().unwrap().to_string();
    assert_eq!(names(&ask(&monitor, json!({"ask": "list"}))), ["later"]);
    assert!(ask(&monitor, json!({"ask": "show", "id": id}))["json"].is_null());
    monitor.set_consent(Purpose::Analytics, Consent::Denied);
    monitor.persist(WAIT).unwrap();
    while !ask(&monitor, json!({"ask": "show", "id": later}))["json"].is_null() {
        monitor.persist(WAIT).unwrap();
    }
    monitor.close(WAIT);
}

#[test]
fn without_inspection_every_answer_says_how_to_switch_it_on_and_nothing_is_kept_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    for (debug, inspector) in [(false, None), (true, Some(false))] {
        let config = config(folder.path()).debug(debug).transport(Accepts);
        let config = inspector.into_iter().fold(config, crate::ConfigBuilder::inspector);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        let id = monitor.message("hello", Level::Info, &[]).id().unwrap();
        monitor.persist(WAIT).unwrap();
        let answer = ask(&monitor, json!({"ask": "list"}));
        assert!(answer["error"].as_str().unwrap().contains("set `inspector` to true"), "{answer}");
        assert!(monitor.0.shared.recent.get(id).is_none());
        monitor.close(WAIT);
    }
}

#[test]
fn a_wrong_request_and_an_unknown_event_are_answered_by_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    for request in ["", "null", "{}", "\u{0}", r#"{"ask":"list","limit":{}}"#, &"[".repeat(100_000)] {
        let answer: Value = serde_json::from_str(&monitor.inspect(request, WAIT)).unwrap();
        assert!(answer["error"].is_string(), "{answer}");
    }
    let id = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11";
    assert!(ask(&monitor, json!({"ask": "show", "id": id}))["error"].as_str().unwrap().starts_with("not known"));
    assert_eq!(ask(&monitor, json!({"ask": "why", "id": id}))["final"], false);
    let other = monitor.clone();
    monitor.close(WAIT);
    assert!(ask(&other, json!({"ask": "list"}))["error"].is_string());
    assert!(
        ask(&other, json!({"tell": "mark", "text": "late"}))["error"].as_str().unwrap().contains("store_unavailable")
    );
}

#[test]
fn a_rare_text_is_searched_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    hold(&monitor);
    let _ = monitor.track("needle", &[]);
    for n in 0..2_500 {
        assert!(monitor.track("hay", &[("n", n.into())]).id().is_some());
        if n % 500 == 0 {
            monitor.persist(WAIT).unwrap();
        }
    }
    let (mut pages, mut before, mut found) = (0, Value::Null, Vec::new());
    loop {
        let page = ask(&monitor, json!({"ask": "list", "filter": {"text": "needle"}, "before": before}));
        found.extend(names(&page).into_iter().map(str::to_owned));
        pages += 1;
        before = page["before"].clone();
        if before.is_null() {
            break;
        }
    }
    assert_eq!(found, ["needle"]);
    assert!(pages >= 3, "one request examines 1,000 rows at most: {pages}");
    monitor.close(WAIT);
}

#[test]
fn an_attribute_named_logger_is_no_mark_and_a_mark_that_a_hook_drops_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let _ = monitor.log(Level::Info, "looks like a mark", &[("logger", "rez.mark".into())]);
    let listed = ask(&monitor, json!({"ask": "list", "filter": {"since_mark": true}}));
    assert_eq!(names(&listed), ["looks like a mark"]);
    monitor.close(WAIT);
    let config = config(folder.path()).inspector(true).transport(Accepts);
    let config = config.before_send(|kind, _| kind != crate::Kind::Log);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let answer = ask(&monitor, json!({"tell": "mark", "text": "tapped Pay"}));
    assert!(answer["error"].as_str().unwrap().contains("before_send"), "{answer}");
    monitor.close(WAIT);
}

#[test]
fn while_suspended_what_is_erased_leaves_the_memory_and_an_answer_does_not_wait() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let id = monitor.track("secret", &[]).id().unwrap();
    monitor.persist(WAIT).unwrap();
    monitor.suspend(WAIT);
    let answer = ask(&monitor, json!({"ask": "list"}));
    assert!(answer["error"].as_str().unwrap().contains("cannot be used now"), "{answer}");
    assert!(monitor.0.shared.recent.get(id).is_some());
    monitor.forget_user();
    assert!(monitor.0.shared.recent.get(id).is_none());
    let other = monitor.clone();
    monitor.resume();
    let later = monitor.track("later", &[]).id().unwrap();
    monitor.persist(WAIT).unwrap();
    monitor.close(WAIT);
    assert!(other.0.shared.recent.get(later).is_none());
    assert!(ask(&other, json!({"ask": "list"}))["error"].as_str().unwrap().contains("closed"));
}
