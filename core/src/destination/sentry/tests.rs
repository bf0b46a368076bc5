use super::*;
use crate::destination::{Action, Granted, RowOutcome};
use crate::id::IdKey;
use crate::reason::Reason;
use crate::row::{Lost, Run};
use serde_json::{Value, json};

const DSN: &str = "https://0123abcd@o1.ingest.sentry.io/42";
const WALL: i64 = 1_795_400_000_000;

fn sentry() -> Sentry {
    Sentry::builder(DSN).build().unwrap()
}

fn row(number: u64, kind: Kind, json: &str) -> Row {
    let id = IdKey::from_bytes([1; 16]).id(WALL, number, 0);
    Row { seq: number, id, kind, run: 1, wall_ms: WALL, mono_ms: 5_000, targets: vec![], json: json.into() }
}

fn run(os: &str) -> Run {
    Run {
        number: 1,
        id: "run-1".into(),
        app: "shop".into(),
        release: "shop@1.4.0+77 verbatim/with\\everything".into(),
        environment: Some("pre production/eu".into()),
        os: os.into(),
        ..Run::default()
    }
}

fn encode(sentry: &Sentry, rows: &[Row], lost: &[Lost], run: &Run) -> Request {
    let batch = Batch {
        batch_id: "b",
        install: "install-1",
        epoch: 1,
        rows,
        runs: std::slice::from_ref(run),
        lost,
        granted: Granted { monitoring: true, analytics: true },
    };
    let stamp = Stamp { boot: "boot", wall_ms: WALL + 5_000, mono_ms: 10_000, attempt: 0, last_status: 0 };
    sentry.encode(&ROUTES[0], &batch, &stamp)
}

/// Lines of a body; lengths are checked against the payloads.
fn lines(request: &Request) -> Vec<Value> {
    let text = std::str::from_utf8(&request.body).unwrap();
    let raw: Vec<&str> = text.lines().collect();
    for pair in raw[1..].chunks(2) {
        let header: Value = serde_json::from_str(pair[0]).unwrap();
        assert_eq!(header["length"], pair[1].len(), "{header}");
    }
    raw.into_iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn payload(kind: Kind, json: &str, os: &str) -> Value {
    lines(&encode(&sentry(), &[row(1, kind, json)], &[], &run(os))).pop().unwrap()
}

#[test]
fn an_invalid_setting_is_an_error_that_names_it() {
    for (dsn, words) in [
        ("ftp://k@host/1", "DSN: scheme `ftp`"),
        ("https://host.example/1", "DSN: key missing"),
        ("https://k@host.example/", "DSN: project missing"),
        ("https://k@host.example/1\n", "DSN: the character at position 24"),
        ("https://k@/1", "DSN: host missing"),
    ] {
        let error = Sentry::builder(dsn).build().unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    for rate in [-0.1, 1.1, f64::NAN] {
        let error = Sentry::builder(DSN).traces_sample_rate(rate).build().unwrap_err().to_string();
        assert!(error.contains("traces_sample_rate"), "{error}");
    }
    let shown = format!("{:?} {:?}", sentry(), Sentry::builder(DSN));
    assert!(!shown.contains("0123abcd"), "{shown}");
    assert_ne!(
        sentry().key_hash(),
        Sentry::builder("https://other@o1.ingest.sentry.io/42").build().unwrap().key_hash()
    );
}

#[test]
fn a_request_has_key_content_type_and_client() {
    let request = encode(&sentry(), &[row(1, Kind::Error, "{}")], &[], &run("Linux"));
    assert_eq!(request.url, "https://o1.ingest.sentry.io/api/42/envelope/");
    let header = |name: &str| request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(header("Content-Type"), Some("application/x-sentry-envelope"));
    assert!(header("X-Sentry-Auth").unwrap().ends_with("sentry_key=0123abcd"));
    assert!(header("X-Sentry-Auth").unwrap().starts_with("Sentry sentry_version=7, sentry_client=rez.monitor/"));
}

#[test]
fn a_release_and_an_environment_that_sentry_does_not_accept_are_repaired_everywhere() {
    let event = payload(Kind::Error, "{}", "Android 15");
    assert_eq!(event["release"], "shop@1.4.0+77 verbatim-with-everything");
    assert_eq!(event["environment"], "pre-production-eu");
    let fields: Vec<String> = sentry().run_notes(&run("Android 15")).into_iter().map(|note| note.field).collect();
    assert_eq!(fields, ["release", "environment"]);
    // Ingestion drops a session whose release it does not accept.
    let session = payload(Kind::Session, r#"{"session":"s","init":true}"#, "Android 15");
    assert_eq!(session["attrs"]["release"], event["release"]);
    let ended_later = payload(Kind::Session, r#"{"session":"s","release":"shop@1/0"}"#, "Android 15");
    assert_eq!(ended_later["attrs"]["release"], "shop@1-0");
    let transaction = encode(&sentry(), &[row(1, Kind::ScreenLoad, "{}")], &[], &run("Android 15"));
    assert_eq!(lines(&transaction)[0]["trace"]["release"], event["release"]);
    assert_eq!(event["contexts"]["os"], json!({"name": "Android", "version": "15"}));
    assert_eq!(event["user"], json!({"id": "install-1"}));
}

#[test]
fn the_platform_follows_from_stack_frames_and_operating_system() {
    let script = r#"{"frames":[{"function":"f","file":"app:///index.android.bundle","in_app":true}]}"#;
    for (json, os, platform) in [
        ("{}", "Android 15", "java"),
        ("{}", "iOS 18.1", "cocoa"),
        ("{}", "linux", "native"),
        ("{}", "", "native"),
        (script, "Android 15", "javascript"),
        (r#"{"frames":[{"module":"libapp.so","address":4096,"in_app":true}]}"#, "Android 15", "native"),
        (r#"{"frames":[{"function":"f","file":"Main.kt","in_app":true}]}"#, "Android 15", "java"),
    ] {
        assert_eq!(payload(Kind::Error, json, os)["platform"], platform, "{json} on {os}");
    }
}

#[test]
fn the_images_of_a_native_crash_are_sent_beside_those_of_the_app() {
    let own = r#"{"type":"elf","image_addr":"0x2000","image_size":8192,"code_id":"ab","debug_id":"b-2"}"#;
    let json = format!(
        r#"{{"type":"SIGSEGV","frames":[{{"module":"libapp.so","address":9000,"in_app":true}}],"debug_images":{{"libapp.so":{own}}},
        "contexts":{{"debug_images":{{"libapp.so":{{"debug_id":"old"}},"libother.so":{{"debug_id":"c-3"}}}}}}}}"#
    );
    let event = payload(Kind::Crash, &json, "Android 15");
    let images = event["debug_meta"]["images"].as_array().unwrap();
    let ids: Vec<_> = images.iter().map(|image| (image["code_file"].as_str(), image["debug_id"].as_str())).collect();
    assert_eq!(ids, [(Some("libapp.so"), Some("b-2")), (Some("libother.so"), Some("c-3"))]);
    assert_eq!(
        (&images[0]["type"], &images[0]["image_addr"], &images[0]["code_id"]),
        (&json!("elf"), &json!("0x2000"), &json!("ab"))
    );
}

#[test]
fn debug_ids_are_sent_as_images_and_not_as_contexts() {
    let json = r#"{"contexts":{"debug_ids":{"app:///main.bundle":"85314830-023f-4cf1-a267-535f4e37bb17"},
        "debug_images":{"libapp.so":{"type":"elf","debug_id":"a-1","image_addr":"0x1000","image_size":4096},
        "mapping":{"type":"proguard","uuid":"85314830-023f-4cf1-a267-535f4e37bb18"}},"shop":{"a":1}}}"#;
    let event = payload(Kind::Error, json, "Android");
    let images = json!([
        {"type": "sourcemap", "debug_id": "85314830-023f-4cf1-a267-535f4e37bb17", "code_file": "app:///main.bundle"},
        {"type": "elf", "debug_id": "a-1", "image_addr": "0x1000", "image_size": 4096, "code_file": "libapp.so"},
        {"type": "proguard", "uuid": "85314830-023f-4cf1-a267-535f4e37bb18", "code_file": "mapping"},
    ]);
    assert_eq!(event["debug_meta"]["images"], images);
    assert_eq!(event["contexts"]["shop"], json!({"a": 1}));
    assert_eq!(event["contexts"].get("debug_ids").or(event["contexts"].get("debug_images")), None);
}

#[test]
fn a_context_of_the_app_with_a_reserved_name_appears_once() {
    let json = r#"{"code":"E1","severity":"low","context":{"code":"other","n":1},"trace":{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"},
        "contexts":{"os":{"name":"Mine"},"trace":{"trace_id":"x"},"rez":{"a":1},"error":{"lost":true},"plain":5}}"#;
    let request = encode(&sentry(), &[row(1, Kind::Error, json)], &[], &run("Android 15"));
    let text = String::from_utf8(request.body.clone()).unwrap();
    for name in ["\"os\":{", "\"trace\":{", "\"rez\":{", "\"error\":{"] {
        assert_eq!(text.matches(name).count(), 1, "{name}");
    }
    let event = lines(&request).pop().unwrap();
    assert_eq!(event["contexts"]["os"], json!({"name": "Mine"}));
    assert_eq!(event["contexts"]["trace"]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(event["contexts"]["error"], json!({"code": "E1", "severity": "low", "n": 1}));
}

#[test]
fn tags_are_brought_into_the_form_that_sentry_accepts() {
    let json =
        r#"{"tags":{"plain.ok":"v","with space":"1","with_space":"2","₹":"rupee","empty":"","lines":"a\nb\\n"}}"#;
    let tags = payload(Kind::Message, json, "Android")["tags"].clone();
    assert_eq!(tags, json!({"plain.ok": "v", "with_space": "1", "_": "rupee", "lines": "a b\\n"}));
}

#[test]
fn breadcrumbs_keep_their_order_even_if_a_hook_has_reordered_their_members() {
    let json = r#"{"trail":[{"ts":1795400000123,"category":"a","message":"x, \"ts\":1"},{"category":"b","ts":1795400000124},{"ts":1795400061000},{"ts":-1,"category":"c"},{"ts":1.5}]}"#;
    let crumbs = payload(Kind::Error, json, "Android")["breadcrumbs"]["values"].clone();
    let expected = json!([
        {"timestamp": "2026-11-23T02:13:20.123Z", "category": "a", "message": "x, \"ts\":1"},
        {"timestamp": "2026-11-23T02:13:20.124Z", "category": "b"},
        {"timestamp": "2026-11-23T02:14:21.000Z"},
        {"timestamp": "1969-12-31T23:59:59.999Z", "category": "c"},
        {"ts": 1.5},
    ]);
    assert_eq!(crumbs, expected);
}

#[test]
fn a_call_is_a_transaction_if_it_is_slow_or_failed_or_part_of_a_trace_beyond_the_app() {
    let wants = |kind, json| sentry().wants(&ROUTES[0], &row(1, kind, json));
    for (json, want) in [
        (r#"{"failed":false}"#, Want::No),
        (r#"{"failed":true}"#, Want::Yes),
        (r#"{"slow":true,"failed":false}"#, Want::Yes),
        (r#"{"failed":true,"child_of":"v"}"#, Want::No),
        (r#"{"trace":{"trace_id":"1","propagated":true},"child_of":"v"}"#, Want::No),
        (r#"{"trace":{"trace_id":"1","propagated":true}}"#, Want::Yes),
        (r#"{"trace":{"trace_id":"1","parent":"2"}}"#, Want::Yes),
        (r#"{"trace":{"trace_id":"1"}}"#, Want::No),
        (r#"{"url":"\"failed\":true"}"#, Want::No),
        (r#"{"attrs":{"failed":true}}"#, Want::No),
        ("broken", Want::No),
    ] {
        assert_eq!(wants(Kind::ApiCall, json), want, "{json}");
    }
    for kind in Kind::ALL {
        let expected = match kind {
            Kind::Crash | Kind::Error | Kind::Hang | Kind::AppExit | Kind::Message | Kind::Session => Want::Yes,
            Kind::ScreenLoad
            | Kind::AppStart
            | Kind::Metric
            | Kind::Feedback
            | Kind::Span
            | Kind::Log
            | Kind::Alert => Want::Yes,
            _ => Want::No,
        };
        assert_eq!(wants(kind, "{}"), expected, "{kind:?}");
    }
    assert_eq!(wants(Kind::Span, r#"{"child_of":"00f067aa0ba902b7"}"#), Want::No);
}

#[test]
fn a_trace_that_a_server_has_decided_follows_the_server() {
    for (rate, sampled) in [(0.0, true), (1.0, false)] {
        let sentry = Sentry::builder(DSN).traces_sample_rate(rate).build().unwrap();
        let json = format!(r#"{{"slow":true,"trace":{{"trace_id":"1","sampled":{sampled}}}}}"#);
        for kind in [Kind::ApiCall, Kind::Span, Kind::ScreenLoad] {
            let want = if sampled { Want::Yes } else { Want::No };
            assert_eq!(sentry.wants(&ROUTES[0], &row(1, kind, &json)), want, "{kind:?} {rate}");
        }
    }
}

#[test]
fn traces_are_sampled_as_a_whole_at_the_configured_rate() {
    let sampled = |rate: f64| {
        let sentry = Sentry::builder(DSN).traces_sample_rate(rate).build().unwrap();
        let key = IdKey::from_bytes([9; 16]);
        let wanted = |n: u64| {
            let trace = format!("{:016x}{:016x}", key.bits(1, n), key.bits(2, n));
            let json = format!(r#"{{"trace":{{"trace_id":"{trace}","span_id":"b7ad6b7169203331"}}}}"#);
            // Both transactions of a trace, or neither.
            let both = [Kind::ScreenLoad, Kind::AppStart].map(|kind| sentry.wants(&ROUTES[0], &row(n, kind, &json)));
            assert_eq!(both[0], both[1]);
            both[0] == Want::Yes
        };
        let without = (0..2_000).filter(|n| sentry.wants(&ROUTES[0], &row(*n, Kind::ScreenLoad, "{}")) == Want::Yes);
        ((0..2_000).filter(|n| wanted(*n)).count(), without.count())
    };
    assert_eq!(sampled(0.0), (0, 0));
    assert_eq!(sampled(1.0), (2_000, 2_000));
    let (by_trace, by_id) = sampled(0.25);
    assert!((400..600).contains(&by_trace) && (400..600).contains(&by_id), "{by_trace} {by_id}");
    let sentry = Sentry::builder(DSN).traces_sample_rate(0.0).build().unwrap();
    assert_eq!(sentry.wants(&ROUTES[0], &row(1, Kind::Error, "{}")), Want::Yes);
}

#[test]
fn an_envelope_contains_one_event_and_sessions_or_items_of_one_type() {
    let fits = |first, taken, next| sentry().fits(&ROUTES[0], &row(1, first, "{}"), taken, &row(2, next, "{}"));
    for (first, taken, next, expected) in [
        (Kind::Crash, 1, Kind::Session, true),
        (Kind::Crash, 100, Kind::Session, false),
        (Kind::Crash, 1, Kind::Error, false),
        (Kind::Error, 1, Kind::Feedback, false),
        (Kind::ScreenLoad, 1, Kind::Session, true),
        (Kind::ScreenLoad, 1, Kind::Error, false),
        (Kind::Session, 1, Kind::Error, false),
        (Kind::Session, 99, Kind::Session, true),
        (Kind::Session, 100, Kind::Session, false),
        (Kind::Metric, 99, Kind::Metric, true),
        (Kind::Metric, 1, Kind::Session, false),
        (Kind::Feedback, 1, Kind::Feedback, false),
    ] {
        assert_eq!(fits(first, taken, next), expected, "{first:?} {taken} {next:?}");
    }
    let logs = Sentry::builder(DSN).messages_as_logs(true).analytics_as_logs(true).build().unwrap();
    let both = [
        row(1, Kind::Message, r#"{"message":"m","level":"warning","attrs":{"a":1,"b":1.5,"c":true,"d":[1],"e":null}}"#),
        row(2, Kind::Analytics, r#"{"name":"n"}"#),
    ];
    assert!(logs.fits(&ROUTES[0], &both[0], 1, &both[1]));
    assert_eq!(logs.purposes(), Purpose::ALL);
    let body = lines(&encode(&logs, &both, &[], &run("Android")));
    assert_eq!(body[1]["item_count"], 2);
    assert_eq!(body[1]["content_type"], "application/vnd.sentry.items.log+json");
    let items = body[2]["items"].clone();
    assert_eq!((&items[0]["level"], &items[0]["body"], &items[1]["body"]), (&json!("warn"), &json!("m"), &json!("n")));
    let attributes = &items[0]["attributes"];
    for (name, value, kind) in [
        ("a", json!(1), "integer"),
        ("b", json!(1.5), "double"),
        ("c", json!(true), "boolean"),
        ("d", json!("[1]"), "string"),
    ] {
        assert_eq!(attributes[name], json!({"value": value, "type": kind}));
    }
    assert_eq!(attributes.get("e"), None);
    assert_eq!(attributes["sentry.release"]["value"], "shop@1.4.0+77 verbatim-with-everything");
}

#[test]
fn lost_events_are_reported_by_reason_and_category_unless_sentry_would_not_get_them() {
    let lost = |reason, kind, count| Lost { reason, kind, count };
    let told = [
        lost(Reason::RingFull, Some(Kind::Error), 3),
        lost(Reason::RingFull, Some(Kind::Crash), 1),
        lost(Reason::Sampled, Some(Kind::ScreenLoad), 2),
        lost(Reason::PowerLoss, None, 5),
        lost(Reason::Rejected, Some(Kind::Metric), 0),
        lost(Reason::RateLimited, Some(Kind::Error), 9),
        lost(Reason::Sampled, Some(Kind::Analytics), 9),
    ];
    let body = lines(&encode(&sentry(), &[], &told, &run("Android")));
    assert_eq!(body[0].get("event_id"), None);
    assert_eq!(body[1]["type"], "client_report");
    let expected = json!([
        {"reason": "internal_sdk_error", "category": "default", "quantity": 5},
        {"reason": "buffer_overflow", "category": "error", "quantity": 4},
        {"reason": "sample_rate", "category": "span", "quantity": 2},
        {"reason": "sample_rate", "category": "transaction", "quantity": 2},
    ]);
    assert_eq!(body[2]["discarded_events"], expected);
    assert!(encode(&sentry(), &[], &told[4..], &run("Android")).body.is_empty());
    let all: Vec<Lost> = Reason::ALL
        .into_iter()
        .flat_map(|reason| Kind::ALL.map(|kind| lost(reason, Some(kind), u64::MAX / 64)))
        .collect();
    let report = encode(&sentry(), &[], &all, &run("Android"));
    assert!(report.body.len() < 4_096 + 200 && lines(&report).len() == 3, "{}", report.body.len());
}

#[test]
fn a_row_that_is_not_an_object_is_sent_as_a_valid_event() {
    for broken in ["", "null", "[]", "{", "{\"message\":", "{\"contexts\":5,\"tags\":[],\"user\":\"x\",\"trail\":{}}"] {
        for kind in Kind::ALL.into_iter().filter(|kind| kinds::shape(*kind, Switches::default()) != Shape::Never) {
            let body = lines(&encode(&sentry(), &[row(1, kind, broken)], &[], &run("Android")));
            assert_eq!(body.len(), 3, "{kind:?} {broken}");
        }
    }
}

#[test]
fn a_response_is_read_for_the_rows_of_its_request() {
    let rows = [row(1, Kind::Crash, "{}"), row(2, Kind::Session, "{}"), row(3, Kind::ScreenLoad, "{}")];
    let run = run("Android");
    let batch = Batch {
        batch_id: "b",
        install: "i",
        epoch: 1,
        rows: &rows,
        runs: std::slice::from_ref(&run),
        lost: &[],
        granted: Granted::default(),
    };
    let verdict = |status| sentry().verdict(&ROUTES[0], &batch, &Response { status, ..Response::default() });
    let dropped = |reason| vec![RowOutcome::Dropped(reason); 3];
    assert_eq!(verdict(429).action, Action::Settle(dropped(Reason::RateLimited)));
    assert_eq!(verdict(413).action, Action::Settle(dropped(Reason::Rejected)));
    let kept = vec![RowOutcome::Keep, RowOutcome::Keep, RowOutcome::Dropped(Reason::Rejected)];
    for status in [408, 425, 500, 502, 503, 504, 599] {
        assert_eq!(verdict(status).action, Action::Settle(kept.clone()), "{status}");
        assert!(verdict(status).back_off.is_some());
    }
    assert!(verdict(429).back_off.is_none());
}

proptest::proptest! {
    #[test]
    fn no_row_makes_the_encoder_panic_or_write_two_lines(json in "\\PC{0,60}", number in 0usize..19) {
        let kind = Kind::ALL[number];
        let request = encode(&sentry(), &[row(1, kind, &json), row(2, kind, "{}")], &[], &run("Android"));
        let text = String::from_utf8(request.body).unwrap();
        proptest::prop_assert!(text.is_empty() || text.ends_with('\n'));
    }
}

#[test]
fn the_name_of_an_attribute_of_a_child_span_is_escaped_once() {
    let json = r#"{"name":"Cart","duration_us":9,"children":[{"id":"019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11","kind":"span","name":"n","op":"o","start_us":1,"duration_us":2,"attrs":{"a\"b":1}}]}"#;
    let transaction = payload(Kind::ScreenLoad, json, "Android 15");
    assert_eq!(transaction["spans"][0]["data"], json!({"a\"b": 1}), "{transaction}");
}
