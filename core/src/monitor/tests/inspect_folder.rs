//! A folder answers what its app answers.

use super::inspect::{Accepts, ask, body_of, hold, names, open};
use super::{WAIT, config};
use crate::destination::Rez;
use crate::inspect::{RECENT_FILE, Reader};
use crate::transport::{Completion, Request, Response, Sent, Transport};
use crate::{ErrorEvent, Level, Monitor, Purpose};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn ask_folder(folder: &Path, request: &Value) -> Value {
    let answer = Reader::open(folder).unwrap().inspect(&request.to_string()).unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// Sends nothing.
struct Unreachable;

impl Transport for Unreachable {
    fn send(&self, _: Request, done: Completion) {
        done.finish(Sent::NotSent("no network".into()));
    }
}

/// Everything that both are asked. What only an app knows is left out.
fn both(monitor: &Monitor, folder: &Path, requests: &[Value]) -> Vec<(Value, Value)> {
    let pair = |request: &Value| {
        let (mut app, mut file) = (ask(monitor, request.clone()), ask_folder(folder, request));
        for answer in [&mut app, &mut file] {
            for member in ["source", "can", "lines", "status", "fault", "native_crashes"] {
                answer.as_object_mut().unwrap().remove(member);
            }
            if let Some(balance) = answer["balance"].as_object_mut() {
                balance.remove("cap");
                // The app says why a route waits in more words.
                balance["routes"].as_array_mut().unwrap().iter_mut().for_each(|route| route["waits"] = Value::Null);
            }
        }
        (app, file)
    };
    requests.iter().map(pair).collect()
}

#[test]
fn a_folder_answers_what_its_app_answers() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let delivered = monitor.track("delivered", &[("price", 7.into())]).id().unwrap().to_string();
    let mail = monitor.error(ErrorEvent::new("Oops", "mail to ada@example.com failed")).id().unwrap().to_string();
    ask(&monitor, json!({"tell": "send_now"}));
    // Without an attempt to send, the file stays the same.
    monitor.hint(crate::Hint::Network(crate::Network::Offline));
    ask(&monitor, json!({"tell": "mark", "text": "tapped Pay"}));
    let queued = monitor.error(ErrorEvent::new("Late", "queued")).id().unwrap().to_string();
    for n in 0..300 {
        let _ = monitor.track("item", &[("n", n.into())]);
    }
    monitor.persist(WAIT).unwrap();
    let unknown = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11";
    let requests = [
        json!({"ask": "about"}),
        json!({"ask": "list"}),
        json!({"ask": "list", "json": true, "limit": 3}),
        json!({"ask": "list", "filter": {"since_mark": true, "kind": "error"}}),
        json!({"ask": "list", "filter": {"state": "delivered"}}),
        json!({"ask": "list", "filter": {"where": "attrs.n >= 290, state = queued"}}),
        json!({"ask": "list", "filter": {"lane": "critical", "level": "error"}}),
        json!({"ask": "list", "filter": {"where": "n >="}}),
        json!({"ask": "show", "id": delivered}),
        json!({"ask": "show", "id": mail}),
        json!({"ask": "show", "id": unknown}),
        json!({"ask": "why", "id": delivered}),
        json!({"ask": "why", "id": unknown}),
        json!({"ask": "status", "check": true}),
        json!({"ask": "drops"}),
        json!({"ask": "nothing"}),
    ];
    for ((app, file), request) in both(&monitor, folder.path(), &requests).into_iter().zip(&requests) {
        assert_eq!(app, file, "{request}");
    }
    // The app says more about why something waits.
    let why = json!({"ask": "why", "id": queued});
    let (app, file) = (ask(&monitor, why.clone()), ask_folder(folder.path(), &why));
    assert_eq!(file["why"], "team/rez.batch: queued");
    assert!(app["why"].as_str().unwrap().starts_with("team/rez.batch: queued; the host reports no network"), "{app}");
    let list = |filter: Value| ask_folder(folder.path(), &json!({"ask": "list", "filter": filter}));
    assert_eq!(names(&list(json!({"where": "attrs.n >= 298"}))), ["item", "item"]);
    assert_eq!(names(&list(json!({"state": "delivered"}))), ["Oops mail to [email] failed", "delivered"]);
    assert_eq!(names(&list(json!({"since_mark": true, "kind": "error"}))), ["Late queued"]);
    let shown = ask_folder(folder.path(), &json!({"ask": "show", "id": mail}));
    assert_eq!(shown["masked"], json!([{"path": "message", "what": "[email]"}]));
    let balance = &ask_folder(folder.path(), &json!({"ask": "status", "check": true}))["balance"];
    assert_eq!((&balance["holds"], &balance["unreadable"]), (&json!(true), &json!(0)));
    for tell in [json!({"tell": "send_now"}), json!({"tell": "drop", "ids": []})] {
        assert!(ask_folder(folder.path(), &tell)["error"].as_str().unwrap().contains("running app"));
    }
    // Without the app the answers stay.
    let before = list(json!({"state": "delivered"}));
    monitor.close(WAIT);
    assert_eq!(list(json!({"state": "delivered"})), before);
    // The next run, which reaches no server, has them too, and a run without inspection deletes the file.
    let team = Rez::builder("https://in.example.com", "key").purposes(&Purpose::ALL).build().unwrap();
    let config_of_run = config(folder.path()).inspector(true).transport(Unreachable).destination("team", team);
    let monitor = Monitor::open(config_of_run.build().unwrap()).unwrap();
    monitor.persist(WAIT).unwrap();
    assert_eq!(ask(&monitor, json!({"ask": "list", "filter": {"state": "delivered"}})), before);
    monitor.close(WAIT);
    assert!(folder.path().join(RECENT_FILE).exists());
    let monitor = Monitor::open(config(folder.path()).inspector(false).transport(Accepts).build().unwrap()).unwrap();
    monitor.persist(WAIT).unwrap();
    assert!(!folder.path().join(RECENT_FILE).exists());
    monitor.close(WAIT);
}

#[test]
fn what_waits_for_consent_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let team = Rez::builder("https://in.example.com", "key").purposes(&Purpose::ALL).build().unwrap();
    let config = config(folder.path()).inspector(true).transport(Accepts).destination("team", team);
    let config = config.consent(Purpose::Analytics, crate::Consent::Pending);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let id = monitor.track("early", &[]).id().unwrap().to_string();
    ask(&monitor, json!({"tell": "send_now"}));
    let why = ask(&monitor, json!({"ask": "why", "id": id}));
    let wanted = "; waits for the user's consent: `analytics` is not granted";
    assert!(why["why"].as_str().unwrap().ends_with(wanted) && why["final"] == false, "{why}");
    monitor.set_consent(Purpose::Analytics, crate::Consent::Granted);
    while ask(&monitor, json!({"ask": "why", "id": id}))["final"] != true {
        ask(&monitor, json!({"tell": "send_now"}));
    }
    monitor.close(WAIT);
}

#[test]
fn what_is_forgotten_is_in_no_file_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let monitor = open(folder.path());
    let _ = monitor.track("secret-of-the-user", &[]);
    ask(&monitor, json!({"tell": "send_now"}));
    let holds = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.filter(|bytes| bytes.windows(18).any(|window| window == b"secret-of-the-user")).count()
    };
    assert!(holds() >= 1);
    monitor.forget_user();
    monitor.persist(WAIT).unwrap();
    assert_eq!(holds(), 0);
    let later = monitor.track("later", &[]).id().unwrap().to_string();
    monitor.persist(WAIT).unwrap();
    assert!(ask_folder(folder.path(), &json!({"ask": "show", "id": later}))["event"].is_object());
    monitor.close(WAIT);
}

/// Refuses every event until it is told to accept.
struct Refuses(Arc<AtomicBool>);

impl Transport for Refuses {
    fn send(&self, request: Request, done: Completion) {
        if self.0.load(Ordering::SeqCst) {
            return Accepts.send(request, done);
        }
        let sent = body_of(&request);
        let refused = |(index, event): (usize, &Value)| json!({"index": index, "id": event["id"], "code": "invalid"});
        let rejected: Vec<Value> = sent["events"].as_array().unwrap().iter().enumerate().map(refused).collect();
        let answer = json!({"batch_id": sent["batch_id"], "accepted": 0, "rejected": rejected}).to_string();
        done.finish(Sent::Response(Response { status: 200, body: answer.into_bytes(), ..Response::default() }));
    }
}

#[test]
fn a_dead_letter_is_sent_again_and_an_event_is_deleted_when_a_tester_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let accepts = Arc::new(AtomicBool::new(false));
    let team = Rez::builder("https://in.example.com", "key").purposes(&Purpose::ALL).build().unwrap();
    let transport = Refuses(Arc::clone(&accepts));
    let config = config(folder.path()).inspector(true).transport(transport).destination("team", team);
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let id = monitor.message("refused", Level::Info, &[]).id().unwrap().to_string();
    let state = || ask(&monitor, json!({"ask": "show", "id": id}))["event"]["state"].clone();
    while state() != "dead" {
        ask(&monitor, json!({"tell": "send_now"}));
    }
    accepts.store(true, Ordering::SeqCst);
    assert_eq!(ask(&monitor, json!({"tell": "requeue", "ids": [id]})), json!({"requeued": 1}));
    assert_eq!(ask(&monitor, json!({"tell": "requeue", "ids": [id]})), json!({"requeued": 0}));
    while state() != "delivered" {
        ask(&monitor, json!({"tell": "send_now"}));
    }
    hold(&monitor);
    let id = monitor.message("unwanted", Level::Info, &[]).id().unwrap().to_string();
    monitor.persist(WAIT).unwrap();
    assert_eq!(ask(&monitor, json!({"tell": "drop", "ids": [id]})), json!({"dropped": 1}));
    let why = ask(&monitor, json!({"ask": "why", "id": id}));
    assert!(why["why"].as_str().unwrap().contains("cleared_by_user"), "{why}");
    assert_eq!((&why["known"], &why["final"]), (&json!(true), &json!(true)));
    assert_eq!(ask(&monitor, json!({"ask": "show", "id": id})), json!({"error": why["why"]}), "its content is gone");
    let drops = ask(&monitor, json!({"ask": "drops"}));
    let line = &drops["drops"][0];
    assert_eq!(
        (&line["reason"], &line["route"], &line["n"]),
        (&json!("cleared_by_user"), &json!("team/rez.batch"), &json!(1))
    );
    assert_eq!(line["text"], "Erased at the user's request.");
    assert!(line["day"].as_str().unwrap().len() == 10);
    assert_eq!(ask(&monitor, json!({"ask": "status"}))["balance"]["holds"], true);
    monitor.close(WAIT);
}
