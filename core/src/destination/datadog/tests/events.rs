//! What each kind becomes.

use super::*;
use crate::reason::Reason;

/// The event of one row and its view.
fn one(kind: Kind, fields: &str) -> (Value, Value) {
    let mut all = rum(datadog(), &[on(7, kind, VIEW, 3, fields)]);
    assert_eq!(all.len(), 2, "{all:#?}");
    let view = all.remove(1);
    assert_eq!(view["type"], "view");
    (all.remove(0), view)
}

#[test]
fn every_event_has_its_origin() {
    let fields = r#""message":"m","user":{"id":"u-7","email":"a@b.example","username":"asha","plan":"pro"},"tags":{"ab":"B"},"contexts":{"cart":{"n":1}},"attrs":{"order":"RZ-1","tags":"mine","null":null},"context":{"order":"2","x":1}"#;
    let (event, view) = one(Kind::Error, fields);
    for event in [&event, &view] {
        assert_eq!(event["application"]["id"], APPLICATION);
        assert_eq!(event["service"], "Rez App");
        assert_eq!((&event["version"], &event["build_version"]), (&"rezapp@1.4.0+52".into(), &"52".into()));
        assert_eq!(event["ddtags"], "service:rez_app,env:ci,version:rezapp_1.4.0_52,ab:b");
        assert_eq!(event["source"], "android");
        assert_eq!(event["session"], serde_json::json!({"id": SESSION, "type": "user"}));
        assert_eq!(event["view"]["id"], VIEW);
        assert_eq!((&event["view"]["url"], &event["view"]["name"]), (&"screen://My%20cart".into(), &"My cart".into()));
        assert_eq!(event["_dd"]["format_version"], 2);
        assert_eq!(event["os"]["version_major"], "15");
        assert_eq!(event["device"]["model"], "Pixel 9");
        let usr = serde_json::json!({"id": "u-7", "name": "asha", "email": "a@b.example", "plan": "pro",
            "anonymous_id": "11111111-2222-4333-8444-555555555555"});
        assert_eq!(event["usr"], usr);
    }
    let context = serde_json::json!({"tags": {"ab": "B"}, "contexts": {"cart": {"n": 1}}, "order": "RZ-1", "x": 1});
    assert_eq!(event["context"], context);
}

#[test]
fn a_view_is_sent_once_in_its_newest_state_with_the_counts_of_the_whole_screen() {
    let other = "aaaaaaaa-0000-4000-8000-000000000002";
    let rows = [
        on(3, Kind::ApiCall, VIEW, 5, r#""url":"https://a.example/""#),
        on(1, Kind::ScreenLoad, VIEW, 3, r#""name":"My cart""#),
        on(9, Kind::ScreenView, other, 1, r#""name":"Home""#),
        on(2, Kind::ApiCall, VIEW, 4, r#""url":"https://a.example/""#),
    ];
    let all = rum(datadog(), &rows);
    let types: Vec<&str> = all.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["resource", "resource", "view", "view"]);
    let cart = &all[2];
    assert_eq!(cart["_dd"]["document_version"], 5);
    let view = &cart["view"];
    assert_eq!((&view["resource"]["count"], &view["error"]["count"]), (&5.into(), &1.into()));
    assert_eq!((&view["action"]["count"], &view["long_task"]["count"]), (&0.into(), &0.into()));
    assert_eq!(cart["date"], 1_795_399_999_000i64);
    assert_eq!(view["time_spent"], 1_003_000_000);
    assert_eq!(view["loading_time"], 800_000_000);
    assert_eq!(view["frozen_frame"]["count"], 1);
    assert_eq!(cart["context"]["slow_frames"], 4);
    // Another screen was opened after it.
    assert_eq!((&view["is_active"], &all[3]["view"]["is_active"]), (&false.into(), &true.into()));
}

#[test]
fn the_end_of_a_session_and_a_crash_end_the_view() {
    let ended = rum(datadog(), &[on(1, Kind::Session, VIEW, 9, r#""init":false,"status":"exited""#)]);
    assert_eq!((ended.len(), &ended[0]["view"]["is_active"]), (1, &false.into()));
    let (error, view) = one(Kind::Crash, r#""type":"SIGSEGV","message":"boom""#);
    assert_eq!((&error["error"]["is_crash"], &view["view"]["crash"]["count"]), (&true.into(), &1.into()));
    assert_eq!(view["view"]["is_active"], false);
}

#[test]
fn events_before_the_first_screen_belong_to_the_launch_view() {
    let rows = [row(4, Kind::Error, r#"{"message":"a"}"#), row(5, Kind::ApiCall, r#"{"url":"https://a.example/"}"#)];
    let all = rum(datadog(), &rows);
    let run = run();
    assert_eq!(all.len(), 3);
    for event in &all {
        assert_eq!((&event["view"]["id"], &event["session"]["id"]), (&run.id.clone().into(), &run.id.clone().into()));
        assert_eq!(event["view"]["url"], "screen://ApplicationLaunch");
    }
    let view = &all[2]["view"];
    assert_eq!((&view["error"]["count"], &view["resource"]["count"]), (&1.into(), &1.into()));
    assert_eq!(view["time_spent"], 10_005_000_000i64);
    assert_eq!(all[2]["_dd"]["document_version"], (1i64 << 40) + 5);
}

#[test]
fn errors_of_all_four_kinds_have_a_category() {
    let (error, _) = one(
        Kind::Error,
        r#""type":"PaymentError","message":"declined","handled":true,"severity":"high","code":"PAY","fingerprint":"f","frames":[{"function":"pay","file":"a.kt","line":3}],"trail":[{"ts":1,"message":"tap"}]"#,
    );
    let said = &error["error"];
    assert_eq!((&said["message"], &said["type"]), (&"declined".into(), &"PaymentError".into()));
    assert_eq!((&said["source"], &said["handling"]), (&"source".into(), &"handled".into()));
    assert_eq!((&said["is_crash"], &said["category"]), (&false.into(), &"Exception".into()));
    assert_eq!((&said["fingerprint"], &said["source_type"]), (&"f".into(), &"android".into()));
    assert_eq!(said["stack"], "PaymentError: declined\n    at pay (a.kt:3)");
    assert_eq!(said["id"], "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c07");
    assert_eq!((&error["context"]["code"], &error["context"]["severity"]), (&"PAY".into(), &"high".into()));
    assert_eq!(error["context"]["breadcrumbs"][0]["message"], "tap");
    let (hang, _) = one(Kind::Hang, r#""message":"stuck","duration_us":5000000"#);
    assert_eq!((&hang["error"]["category"], &hang["freeze"]["duration"]), (&"ANR".into(), &5_000_000_000i64.into()));
    for (cause, category, crash) in [
        ("anr", "ANR", false),
        ("low_memory", "Memory Warning", false),
        ("watchdog", "Watchdog Termination", false),
        ("native_crash", "Exception", true),
        ("user", "Exception", false),
    ] {
        let (exit, _) = one(Kind::AppExit, &format!(r#""cause":"{cause}""#));
        let said = (&exit["error"]["category"], &exit["error"]["is_crash"], &exit["error"]["message"]);
        assert_eq!(said, (&category.into(), &crash.into(), &cause.into()));
    }
}

#[test]
fn api_calls_and_images_are_resources_in_nanoseconds_with_their_trace() {
    let (call, _) = one(
        Kind::ApiCall,
        r#""method":"post","url":"https://api.example/pay","endpoint":"/pay","status":503,"start_ms":1795399999500,"duration_us":250000,"request_bytes":10,"response_bytes":99,"failed":true,"trace":{"trace_id":"000102030405060708090a0b0c0d0e0f","span_id":"00000000000000ff","parent":"0000000000000010"}"#,
    );
    let said = &call["resource"];
    assert_eq!((&said["type"], &said["method"]), (&"native".into(), &"POST".into()));
    assert_eq!((&said["status_code"], &said["duration"]), (&503.into(), &250_000_000.into()));
    assert_eq!((&said["size"], &said["request"]["decoded_body_size"]), (&99.into(), &10.into()));
    assert_eq!(call["date"], 1_795_399_999_500i64);
    let internal = &call["_dd"];
    assert_eq!(internal["trace_id"], "000102030405060708090a0b0c0d0e0f");
    assert_eq!((&internal["span_id"], &internal["parent_span_id"]), (&"255".into(), &"16".into()));
    assert_eq!((&call["context"]["endpoint"], &call["context"]["failed"]), (&"/pay".into(), &true.into()));
    let (image, _) = one(Kind::ImageLoad, r#""url":"https://img.example/a.webp","duration_us":-1"#);
    assert_eq!((&image["resource"]["type"], &image["resource"]["duration"]), (&"image".into(), &0.into()));
    let (odd, _) = one(Kind::ApiCall, r#""method":"PURGE","status":0"#);
    assert!(odd["resource"].get("method").is_none() && odd["resource"].get("status_code").is_none());
}

#[test]
fn actions_have_the_vendors_types_and_purchases_their_amount() {
    for (action, word) in [
        ("tap", "tap"),
        ("press", "tap"),
        ("click", "click"),
        ("swipe", "swipe"),
        ("back", "back"),
        ("pinch", "custom"),
    ] {
        let (event, _) = one(Kind::Interaction, &format!(r#""action":"{action}","component":"PayButton""#));
        assert_eq!((&event["action"]["type"], &event["action"]["target"]["name"]), (&word.into(), &"PayButton".into()));
        assert_eq!(event["context"]["action"], action);
    }
    let (bought, _) =
        one(Kind::Revenue, r#""amount":12.5,"currency":"INR","transaction_id":"T1","items":[{"id":"a"}]"#);
    let context =
        serde_json::json!({"revenue": 12.5, "currency": "INR", "transaction_id": "T1", "items": [{"id": "a"}]});
    assert_eq!((&bought["context"], &bought["action"]["type"]), (&context, &"custom".into()));
    let (event, _) = one(Kind::Analytics, r#""name":"add_to_cart","attrs":{"id":7}"#);
    assert_eq!((&event["action"]["target"]["name"], &event["context"]["id"]), (&"add_to_cart".into(), &7.into()));
}

#[test]
fn user_input_is_masked_unless_the_app_switches_it_off() {
    let row = on(
        1,
        Kind::Interaction,
        VIEW,
        1,
        r#""action":"input","component":"my pin is 1234","attrs":{"value":"1234","n":4}"#,
    );
    let masked = &rum(datadog(), std::slice::from_ref(&row))[0];
    assert!(!masked.to_string().contains("1234"), "{masked}");
    assert_eq!(masked["context"]["n"], 4);
    assert!(rum(datadog().mask_user_input(false), &[row])[0].to_string().contains("my pin is 1234"));
}

#[test]
fn app_starts_and_durations_are_vitals_and_long_tasks_are_tasks() {
    let (start, _) = one(Kind::AppStart, r#""type":"cold","duration_us":900000"#);
    let vital = &start["vital"];
    assert_eq!((&vital["name"], &vital["duration"]), (&"app.start".into(), &900_000_000.into()));
    assert_eq!((&vital["type"], &start["context"]["type"]), (&"duration".into(), &"cold".into()));
    let (metric, _) = one(Kind::Metric, r#""name":"parse","type":"distribution","unit":"ms","value":1.5"#);
    assert_eq!((&metric["vital"]["name"], &metric["vital"]["duration"]), (&"parse".into(), &1_500_000.into()));
    for (us, frozen) in [(700_000, false), (700_001, true)] {
        let (task, _) = one(Kind::LongTask, &format!(r#""name":"layout","duration_us":{us}"#));
        assert_eq!(task["long_task"]["is_frozen_frame"], frozen);
        assert_eq!(task["long_task"]["duration"], us * 1_000);
    }
}

#[test]
fn a_span_is_a_duration_and_a_root_also_the_steps_of_an_operation() {
    let fields = r#""name":"check out!","op":"task","status":"error","start_ms":1795400000000,"duration_us":250500,"attrs":{"n":1}"#;
    let trace = |parent: &str| {
        format!(
            r#"{fields},"trace":{{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"{parent}}}"#
        )
    };
    let all = rum(datadog(), &[on(7, Kind::Span, VIEW, 3, &trace(""))]);
    assert_eq!(all.len(), 4, "{all:#?}");
    let (duration, start, end) = (&all[0], &all[1], &all[2]);
    let vital = &duration["vital"];
    assert_eq!((&vital["type"], &vital["name"]), (&"duration".into(), &"check_out_".into()));
    assert_eq!(vital["duration"], 250_500_000);
    let context = serde_json::json!({"op": "task", "status": "error", "n": 1});
    for (event, date) in [(duration, 1_795_400_000_000i64), (start, 1_795_400_000_000), (end, 1_795_400_000_250)] {
        assert_eq!((&event["date"], &event["context"]), (&date.into(), &context));
    }
    let steps = [start, end].map(|event| event["vital"]["step_type"].as_str().unwrap().to_owned());
    assert_eq!(steps, ["start", "end"]);
    assert_eq!((&start["vital"]["failure_reason"], &end["vital"]["failure_reason"]), (&Value::Null, &"error".into()));
    assert_eq!(start["vital"]["operation_key"], end["vital"]["operation_key"]);
    let ids: std::collections::BTreeSet<_> = all[..3].iter().map(|event| event["vital"]["id"].as_str()).collect();
    assert_eq!(ids.len(), 3);
    let child = rum(datadog(), &[on(7, Kind::Span, VIEW, 3, &trace(r#","parent":"1111111111111111""#))]);
    assert_eq!(child.len(), 2, "{child:#?}");
}

#[test]
fn logs_have_the_vendors_statuses_and_carry_the_session() {
    for (kind, fields, status, message) in [
        (Kind::Message, r#""message":"hi","level":"debug""#, "debug", "hi"),
        (Kind::Message, r#""message":"hi","level":"warning""#, "warn", "hi"),
        (Kind::Message, r#""message":"hi","level":"fatal""#, "critical", "hi"),
        (Kind::Message, r#""message":"hi""#, "info", "hi"),
        (Kind::Feedback, r#""message":"nice","email":"a@b.example""#, "info", "nice"),
        (Kind::Alert, r#""title":"down","severity":"critical","description":"d""#, "critical", "down"),
        (Kind::Alert, r#""title":"slow","severity":"warning""#, "warn", "slow"),
        (Kind::Metric, r#""name":"taps","type":"counter","value":2"#, "info", "taps"),
        (Kind::Error, r#""message":"x""#, "error", "x"),
        (Kind::Crash, r#""type":"SIGSEGV""#, "critical", "SIGSEGV"),
    ] {
        let log = logs(datadog(), &[on(7, kind, VIEW, 3, fields)], &[]).remove(0);
        assert_eq!((&log["status"], &log["message"]), (&status.into(), &message.into()), "{kind:?}");
        assert_eq!((&log["session_id"], &log["view"]["id"]), (&SESSION.into(), &VIEW.into()));
        assert_eq!(log["date"], "2026-11-23T02:13:20.007Z");
        assert_eq!(log["context"]["event_id"], "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c07");
        assert_eq!(log.get("error").is_some(), matches!(kind, Kind::Error | Kind::Crash));
    }
    let metric = logs(datadog(), &[on(7, Kind::Metric, VIEW, 3, r#""name":"taps","type":"counter","value":2"#)], &[]);
    assert_eq!((&metric[0]["context"]["metric"], &metric[0]["context"]["value"]), (&"taps".into(), &2.into()));
}

#[test]
fn lost_events_are_one_warning_even_without_rows() {
    let lost = [
        Lost { reason: Reason::EvictedBytes, kind: Some(Kind::ApiCall), count: 7 },
        Lost { reason: Reason::PowerLoss, kind: None, count: 1 },
    ];
    let all = logs(datadog(), &[], &lost);
    assert_eq!((all.len(), &all[0]["status"]), (1, &"warn".into()));
    assert_eq!(all[0]["message"], "8 events were not delivered since the queue began");
    assert_eq!(all[0]["lost"], serde_json::json!({"epoch": 2, "evicted_bytes.api_call": 7, "power_loss.unknown": 1}));
    assert_eq!(all[0]["date"], "2026-06-28T02:45:52.286Z");
    assert_eq!(logs(datadog(), &[row(1, Kind::Message, "{}")], &lost).len(), 2);
    assert_eq!(logs(datadog(), &[], &[]).len(), 0);
}

#[test]
fn invalid_rows_are_sent_with_the_fields_that_can_be_read() {
    for json in ["", "no json", "[1]", r#"{"view":7,"session":"x","start_ms":-5}"#, r#"{"view":{"id":"x"}}"#] {
        for kind in Kind::ALL {
            let all = rum(datadog(), &[row(1, kind, json)]);
            assert!(all.iter().all(|event| event["date"].as_i64().unwrap() >= 0), "{kind:?} {json}");
            assert_eq!(logs(datadog(), &[row(1, kind, json)], &[]).len(), 1);
        }
    }
}
