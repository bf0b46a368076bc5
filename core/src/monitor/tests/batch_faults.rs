//! Items of a batch that are wrong in a way that must not widen who gets them, change their time or lose others.

use super::batch::{doc, lost, manual, result};
use super::*;
use crate::{Durability, Reason, Value};
use serde_json::json;

const TRACE: &str = r#"{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"}"#;

#[test]
fn an_event_goes_to_the_destinations_it_names_or_to_none_and_never_to_more() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let long = "x".repeat(8_192);
    let tags = json!({"a": long, "b": long, "c": long, "d": long, "e": long});
    for (name, targets) in [
        ("one", json!("ga4")),
        ("list", json!(["ga4"])),
        ("mixed", json!([7, "ga4", null])),
        ("all", json!([])),
        ("also all", Json::Null),
    ] {
        assert!(monitor.record_batch(&doc(&[json!({"kind": "analytics", "name": name, "targets": targets})])));
    }
    // Each takes a record of its own.
    let full = json!({"kind": "analytics", "name": "full", "targets": ["ga4"], "tags": tags}).to_string();
    let full = full.replace(&long, &"x".repeat(6_500));
    assert!(monitor.record_batch(&format!(r#"{{"items":[{full}]}}"#)));
    let tags: Vec<_> = ["a", "b", "c", "d", "e"].map(|key| (key, Value::Str(&long))).to_vec();
    let _ = monitor.record(Event::analytics("typed").targets(&["ga4"]).tags(&tags));
    for wrong in [json!(7), json!([7]), json!({"ga4": true}), json!(true), json!([[]])] {
        assert!(monitor.record_batch(&doc(&[json!({"kind": "analytics", "name": "wrong", "targets": wrong})])));
    }
    monitor.persist(WAIT).unwrap();
    let targets: Vec<_> = Reader::open(folder.path())
        .unwrap()
        .list(&Filter::default())
        .unwrap()
        .into_iter()
        .map(|one| {
            let json: Json = serde_json::from_str(&one.row.json).unwrap();
            (json["name"].as_str().unwrap().to_owned(), one.row.targets.join(","), json["cut"].as_i64().unwrap_or(0))
        })
        .collect();
    let found = |name: &str| targets.iter().find(|(found, ..)| found == name).map(|(_, to, cut)| (to.as_str(), *cut));
    assert_eq!(found("one"), Some(("ga4", 0)));
    assert_eq!(found("list"), Some(("ga4", 0)));
    assert_eq!(found("mixed"), Some(("ga4", 2)));
    assert_eq!(found("all"), Some(("", 0)));
    assert_eq!(found("also all"), Some(("", 0)));
    assert_eq!(found("full").map(|(to, _)| to), Some("ga4"));
    assert!(matches!(found("typed"), Some(("ga4", 1..))), "{:?}", found("typed"));
    let (_, losses) = result(monitor, folder.path());
    assert_eq!(losses, [lost("malformed", "analytics", 5)]);
}

#[test]
fn an_id_that_no_rule_reads_is_a_uuid_or_ignored_and_a_currency_obeys_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let view = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11";
    let trace: Json = serde_json::from_str(TRACE).unwrap();
    assert!(monitor.record_batch(&doc(&[
        json!({"kind": "feedback", "message": "x", "about": "call 9876543210"}),
        json!({"kind": "feedback", "message": "y", "about": view}),
        json!({"scope": "screen", "name": "Home", "view": view, "trace": trace}),
        json!({"scope": "screen", "name": "Cart", "view": "priya@example.com", "trace": trace}),
        json!({"kind": "screen_load", "name": "Home", "duration_us": 5, "view": "priya@example.com"}),
        json!({"kind": "revenue", "amount": 1, "currency": "priya@example.com"}),
        json!({"kind": "revenue", "amount": 1, "currency": "INR"}),
    ])));
    let (rows, losses) = result(monitor, folder.path());
    let text = format!("{rows:?}");
    assert!(!text.contains("9876543210") && !text.contains("priya"), "{text}");
    let feedback = only(rows.clone(), "feedback");
    assert_eq!((&feedback[0]["about"], &feedback[0]["cut"]), (&Json::Null, &json!(1)));
    assert_eq!((&feedback[1]["about"], &feedback[1]["cut"]), (&json!(view), &Json::Null));
    let screen = &only(rows.clone(), "screen_load")[0];
    assert_eq!((&screen["view"]["name"], &screen["view"]["id"]), (&json!("Home"), &json!(view)));
    assert_eq!(only(rows, "revenue")[1]["currency"], "INR");
    assert_eq!(losses, []);
}

#[test]
fn half_a_secret_at_the_cut_of_a_large_breadcrumb_or_warning_does_not_survive() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let secrets = ["priya.sharma@example.com", "4111 1111 1111 1111", "AKIA2BCDEFGHIJKLMNOP"];
    let mut items = Vec::new();
    for secret in secrets {
        // Wherever the cut falls inside the secret.
        for before in (300 - secret.len()..300).step_by(3) {
            let message = format!("{} {secret} {}", "w".repeat(before), "tail ".repeat(200));
            items.push(json!({"breadcrumb": {"message": message}}));
        }
    }
    items.truncate(90);
    items.push(json!({"kind": "error", "type": "E", "message": "m"}));
    for item in &items {
        assert!(monitor.record_batch(&doc(std::slice::from_ref(item))));
    }
    for before in 150..260 {
        let endpoint = format!("/{} priya.sharma@example.com", "a ".repeat(before / 2));
        let call = Timing::api_call("GET", "https://a.example/b", Duration::from_secs(9)).endpoint(&endpoint);
        let _ = monitor.timing(call);
    }
    let (rows, _) = result(monitor, folder.path());
    let text = serde_json::to_string(&rows).unwrap();
    for half in ["sharma@", "4111 1", "AKIA2"] {
        assert!(!text.contains(half), "{half}: {}", &text[text.find(half).unwrap_or(0).saturating_sub(60)..][..120]);
    }
}

#[test]
fn of_a_fatal_batch_whose_last_event_cannot_be_read_no_other_event_becomes_the_crash_and_none_is_lost() {
    let error = r#"{"kind":"error","type":"E","message":"handled"}"#;
    for (last, least, reason, rows_expected, losses_expected) in [
        (r#",{"kind":"js_crash"}]}"#, 1, Reason::Malformed, vec!["error"], vec![lost("malformed", "unknown", 1)]),
        (
            r#",{"kind":"crash","message":"cut of"#,
            1,
            Reason::Malformed,
            vec!["error"],
            vec![lost("gate malformed", "unknown", 1)],
        ),
        (r#",{"kind":"crash","message":"m"}]}"#, 9, Reason::Migration, vec![], {
            vec![lost("gate migration", "crash", 1), lost("gate migration", "error", 1)]
        }),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (monitor, _) = manual(folder.path());
        let document = format!(r#"{{"min":{least},"items":[{error}{last}"#);
        assert_eq!(monitor.record_fatal(&document, WAIT), Durability::Dropped(reason), "{last}");
        let (rows, losses) = result(monitor, folder.path());
        assert_eq!(rows.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), rows_expected, "{last}");
        assert_eq!(losses, losses_expected, "{last}");
    }
}

#[test]
fn a_time_that_is_not_believed_does_not_move_a_call_to_another_session() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(1_795_400_000_000, 1_000);
    let config = config(folder.path()).sessions(true).trace_targets(["a.example"]).clock(clock.clone());
    let monitor = Monitor::open(config.build().unwrap()).unwrap();
    let trace: Json = serde_json::from_str(TRACE).unwrap();
    let call = |start: Json| {
        let item = json!({"kind": "api_call", "url": "https://a.example/b", "duration_us": 5_000, "start_ms": start, "trace": trace});
        assert!(monitor.record_batch(&doc(&[item])));
    };
    clock.advance(Duration::from_secs(60));
    call(json!(0));
    call(json!(4_102_444_800_000_i64));
    call(Json::Null);
    monitor.scope(ScopeChange::NewSession);
    clock.advance(Duration::from_millis(1));
    // It began in the first session, as its headers said.
    call(Json::Null);
    let rows = rows(monitor, folder.path());
    let sessions: Vec<_> = only(rows, "api_call").into_iter().map(|row| row["session"].clone()).collect();
    assert!(sessions[0].is_string(), "{sessions:?}");
    assert!(sessions.iter().all(|session| *session == sessions[0]), "{sessions:?}");
}

#[test]
fn a_scope_change_that_fills_a_record_is_in_effect() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let short = json!({"scope": "tag", "name": "plan", "value": "gold", "pad": ""}).to_string();
    for pad in 32_727 - short.len()..=32_736 - short.len() {
        let name = format!("n{pad}");
        let item = json!({"scope": "tag", "name": name, "value": "gold", "pad": "p".repeat(pad - name.len() + 4)});
        assert!(item.to_string().len() <= 32_736);
        assert!(monitor.record_batch(&doc(&[item])));
    }
    let _ = monitor.track("after", &[]);
    let rows = rows(monitor, folder.path());
    assert_eq!(rows[0].1["tags"].as_object().unwrap().len(), 10);
}

#[test]
fn a_row_has_one_number_of_cuts() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let long = "\u{1}".repeat(6_000);
    let attrs = [("a", Value::Str(&long)), ("b", Value::Str(&long)), ("nan", f64::NAN.into())];
    let context = [("c", Value::Map(&attrs))];
    let _ = monitor.error(ErrorEvent::new("E", &long).context(&context).attrs(&attrs));
    monitor.persist(WAIT).unwrap();
    let listed = Reader::open(folder.path()).unwrap().list(&Filter::default()).unwrap();
    let json = &listed[0].row.json;
    assert_eq!(json.matches("\"cut\":").count(), 1, "{}", json.len());
    let row: Json = serde_json::from_str(json).unwrap();
    assert!(row["cut"].as_i64().unwrap() >= 3, "{}", row["cut"]);
    monitor.close(WAIT);
}

#[test]
fn a_slow_call_without_a_url_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    assert!(monitor.record_batch(&doc(&[json!({"kind": "api_call", "duration_us": 9_000_000})])));
    let (rows, losses) = result(monitor, folder.path());
    assert_eq!((rows.len(), losses), (0, vec![lost("malformed", "api_call", 1)]));
}

#[test]
fn what_a_batch_was_accepted_with_is_what_it_is_read_with_whatever_the_next_run_is_configured_to() {
    for (first, second) in [(5_000, 1_000), (1_000, 5_000)] {
        let folder = tempfile::tempdir().unwrap();
        let slow = |ms| config(folder.path()).slow_api(Duration::from_millis(ms)).build().unwrap();
        let monitor = Monitor::open(slow(first)).unwrap();
        monitor.suspend(WAIT);
        let items: Vec<Json> = (0..10)
            .flat_map(|n| {
                let call = json!({"kind": "api_call", "url": "https://a.example/x", "duration_us": 3_000_000});
                [call, json!({"kind": "revenue", "amount": n})]
            })
            .collect();
        assert!(monitor.record_batch(&doc(&items)));
        // As if killed: the records stay in the ring.
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(folder.path().join("ring.bin"), copy.path().join("ring.bin")).unwrap();
        let next = config(copy.path()).slow_api(Duration::from_millis(second)).build().unwrap();
        let next = Monitor::open(next).unwrap();
        next.persist(WAIT).unwrap();
        let (rows, losses) = result(next, copy.path());
        let count = |kind: &str| rows.iter().filter(|(found, _)| found == kind).count();
        let warnings = if first == 1_000 { 10 } else { 0 };
        assert_eq!((count("api_call"), count("revenue"), count("message")), (10, 10, warnings), "{first}");
        assert_eq!(losses, [], "{first}");
        monitor.close(WAIT);
    }
}

#[test]
fn a_call_with_an_escaped_name_takes_no_place_of_another_event() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let call =
        r#"{"kind":"api_call","\u0075rl":"https://a.example/x","duration_us":6000000},{"kind":"revenue","amount":5}"#;
    assert!(monitor.record_batch(&format!(r#"{{"items":[{call}]}}"#)));
    let (rows, losses) = result(monitor, folder.path());
    assert_eq!(rows.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["api_call", "revenue"]);
    assert_eq!(losses, []);
}

#[test]
fn after_a_change_of_the_user_that_cannot_be_read_no_event_is_stored_under_the_user_before_it() {
    let big = format!(r#"{{"scope":"user","id":"u-2","extra":{{"k":"{}"}}}}"#, "x".repeat(40_000));
    for change in [
        r#"{"scope":"user","id":"u-2","extra":{"score":NaN}}"#,
        r#"{"scope":"user","id":u2}"#,
        r#"{"scope":"user","username":"a\x"}"#,
        r#"{"scope":"user",}"#,
        r#"{"scope":"us\u0065r","id":NaN}"#,
        r#"{"kind":null,"scope":"user"}"#,
        &big,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (monitor, _) = manual(folder.path());
        monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), ..User::default() })));
        let _ = monitor.record_batch(&format!(r#"{{"items":[{change},{{"kind":"analytics","name":"a"}}]}}"#));
        let rows = only(rows(monitor, folder.path()), "analytics");
        assert_eq!((rows.len(), &rows[0]["user"]["id"]), (1, &Json::Null), "{}", &change[..change.len().min(80)]);
    }
    for harmless in [r#"{"scope":"user","id":"u-2","targets":[7]}"#, r#"{"kind":null,"scope":"user","id":"u-2"}"#] {
        let folder = tempfile::tempdir().unwrap();
        let (monitor, _) = manual(folder.path());
        let _ = monitor.record_batch(&format!(r#"{{"items":[{harmless},{{"kind":"analytics","name":"a"}}]}}"#));
        assert_eq!(only(rows(monitor, folder.path()), "analytics")[0]["user"]["id"], "u-2", "{harmless}");
    }
    // A document that ends within the change: the events of the next one.
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    monitor.scope(ScopeChange::User(Some(User { id: Some("u-1"), ..User::default() })));
    assert!(!monitor.record_batch(r#"{"items":[{"kind":"analytics","name":"before"},{"scope":"user","id":"u-"#));
    let _ = monitor.track("after", &[]);
    let rows = only(rows(monitor, folder.path()), "analytics");
    assert_eq!((&rows[0]["user"]["id"], &rows[1]["user"]["id"]), (&json!("u-1"), &Json::Null));
}

#[test]
fn the_warning_of_a_slow_call_goes_where_the_call_goes() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    let call = json!({"kind": "api_call", "url": "https://a.example/x", "duration_us": 6_000_000, "targets": ["team"]});
    assert!(monitor.record_batch(&doc(&[call])));
    let timing = Timing::api_call("GET", "https://a.example/y", Duration::from_secs(6));
    let _ = monitor.timing(timing.targets(&["team"]));
    monitor.persist(WAIT).unwrap();
    let listed = Reader::open(folder.path()).unwrap().list(&Filter::default()).unwrap();
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|one| one.row.targets == ["team"]));
    monitor.close(WAIT);
}

#[test]
fn a_version_is_a_number_in_any_form_and_what_is_none_refuses_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let (monitor, _) = manual(folder.path());
    for (min, accepted) in
        [("1", true), ("1.0", true), ("\"1\"", true), ("null", true), ("2", false), ("\"x\"", false), ("1.5", false)]
    {
        let document = format!(r#"{{"min":{min},"items":[{{"kind":"hang","duration_us":" 12 "}}]}}"#);
        assert_eq!(monitor.record_batch(&document), accepted, "{min}");
    }
    assert_eq!(result(monitor, folder.path()).0.len(), 4);
}
