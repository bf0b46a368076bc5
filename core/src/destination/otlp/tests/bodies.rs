//! Bodies of each kind.

use super::*;
use crate::reason::Reason;

const STAMP: &str = r#""session":"5e550000-0000-4000-8000-000000000001","view":{"id":"aaaaaaaa-0000-4000-8000-000000000001","name":"Cart","version":3,"counts":{}},"user":{"id":"u-7","email":"a@b.example","username":"asha","plan":"pro"},"tags":{"ab":"B"},"contexts":{"cart":{"items":2}},"trace":{"trace_id":"000102030405060708090a0b0c0d0e0f","span_id":"1112131415161718"}"#;

fn log(kind: Kind, json_fields: &str) -> Value {
    let body = json(otlp(), OtlpSignal::Logs, &[row(7, kind, 1, json_fields)], &[]);
    let mut all = records(&body, 0);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn span(kind: Kind, json_fields: &str) -> Value {
    let body = json(otlp(), OtlpSignal::Traces, &[row(7, kind, 1, json_fields)], &[]);
    records(&body, 0).remove(0)
}

#[test]
fn a_span_of_the_app_has_its_name_op_parent_and_status() {
    let trace = r#""trace":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","parent":"1111111111111111"}"#;
    for (status, shown) in [
        ("ok", Value::Null),
        ("error", serde_json::json!({"message": "error", "code": 2})),
        ("cancelled", serde_json::json!({"message": "cancelled", "code": 2})),
    ] {
        let fields = format!(r#"{{"name":"parse","op":"task","status":"{status}","duration_us":5000,{trace}}}"#);
        let span = span(Kind::Span, &fields);
        assert_eq!((&span["name"], &span["kind"], &span["status"]), (&"parse".into(), &1.into(), &shown));
        assert_eq!(span["parentSpanId"], "1111111111111111");
        let attributes = span["attributes"].as_array().unwrap();
        assert!(attributes.iter().any(|one| one["key"] == "app.span.op" && one["value"]["stringValue"] == "task"));
    }
}

#[test]
fn each_kind_belongs_to_one_signal() {
    let otlp = otlp().build().unwrap();
    for kind in Kind::ALL {
        let fields = r#"{"op":"set","name":"n","type":"counter","value":1}"#;
        let taken: Vec<&str> = otlp
            .routes()
            .iter()
            .filter(|route| otlp.wants(route, &row(1, kind, 1, fields)) == Want::Yes)
            .map(|route| route.name)
            .collect();
        assert_eq!(taken.len(), 1, "{kind:?}: {taken:?}");
    }
    for unsaid in [r#"{"op":"increment","by":1}"#, r#"{"op":"append"}"#, "{}", "broken"] {
        assert_eq!(otlp.wants(&LOGS, &row(1, Kind::UserProp, 1, unsaid)), Want::No, "{unsaid}");
    }
    assert_eq!(otlp.wants(&METRICS, &row(1, Kind::Metric, 1, r#"{"value":"NaN"}"#)), Want::No);
}

#[test]
fn rows_are_grouped_by_run_and_a_run_is_a_resource() {
    let rows = [
        row(1, Kind::Message, 1, r#"{"message":"a"}"#),
        row(2, Kind::Message, 2, r#"{"message":"b"}"#),
        row(3, Kind::Message, 1, r#"{"message":"c"}"#),
    ];
    let body = json(otlp(), OtlpSignal::Logs, &rows, &[]);
    let texts = |at| records(&body, at).iter().map(|r| r["body"]["stringValue"].clone()).collect::<Vec<_>>();
    assert_eq!((texts(0), texts(1)), (vec!["a".into(), "c".into()], vec!["b".into()]));
    let resource = &body["resourceLogs"][0]["resource"];
    for (key, value) in [
        ("service.name", "shop"),
        ("service.version", "1.1.0+52"),
        ("service.instance.id", "0b0b0b0b-0b0b-0b0b-0b0b-0b0b0b0b0b01"),
        ("deployment.environment.name", "ci"),
        ("os.name", "Android"),
        ("os.version", "15"),
        ("device.model.identifier", "Pixel 9"),
        ("app.build_id", "52"),
        ("app.installation.id", "11111111-2222-4333-8444-555555555555"),
        ("telemetry.sdk.name", "rez-monitor"),
    ] {
        assert_eq!(attribute(resource, key).unwrap(), value, "{key}");
    }
    let second = &body["resourceLogs"][1]["resource"];
    assert_eq!(attribute(second, "service.version").unwrap(), "1.2.0+52");
}

#[test]
fn an_error_is_an_exception_with_its_stack_and_attributes_after_its_breadcrumbs() {
    let fields = format!(
        r#"{{"type":"PaymentError","message":"card declined","level":"error","handled":true,"severity":"high","code":"PAY","mechanism":"generic","fingerprint":"f1","collapsed_before":4,
        "frames":[{{"function":"main","file":"a.kt","line":1}},{{"function":"pay","module":"shop","file":"b.kt","line":7,"column":3,"in_app":true}},{{"function":"native","address":255}}],
        "context":{{"status":402}},"attrs":{{"order_id":"RZ-1","ok":true,"n":3,"x":1.5,"list":[1,null,"z"],"map":{{"k":{{}}}},"session.id":"mine","nothing":null,"":1}},"cut":2,
        "trail":[{{"ts":1795400000001,"type":"http","category":"api","message":"GET /x","level":"info","data":{{"status_code":500}}}},{{"ts":1795400000002,"message":"tap"}}],{STAMP}}}"#
    );
    let body = json(otlp(), OtlpSignal::Logs, &[row(7, Kind::Error, 1, &fields)], &[]);
    let all = records(&body, 0);
    assert_eq!(all.len(), 3);
    let (crumb, record) = (&all[0], &all[2]);
    assert_eq!((&crumb["eventName"], &crumb["severityNumber"]), (&"app.breadcrumb".into(), &5.into()));
    assert_eq!(crumb["timeUnixNano"], "1795400000001000000");
    assert_eq!(attribute(crumb, "app.breadcrumb.category").unwrap(), "api");
    let id = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c07";
    assert_eq!(attribute(crumb, "log.record.uid").unwrap(), &format!("{id}/0"));
    assert_eq!(attribute(crumb, "app.breadcrumb.of").unwrap(), id);

    assert_eq!(record["eventName"], "exception");
    assert_eq!((&record["severityNumber"], &record["severityText"]), (&17.into(), &"ERROR".into()));
    assert_eq!(record["timeUnixNano"], "1795400000007000000");
    assert_eq!(record["body"]["stringValue"], "card declined");
    assert_eq!(record["traceId"], "000102030405060708090a0b0c0d0e0f");
    assert_eq!(record["spanId"], "1112131415161718");
    let stack = "PaymentError: card declined\n    at native (0xff)\n    at shop.pay (b.kt:7:3)\n    at main (a.kt:1)";
    for (key, value) in [
        ("exception.type", "PaymentError"),
        ("exception.message", "card declined"),
        ("exception.stacktrace", stack),
        ("app.error.severity", "high"),
        ("app.error.code", "PAY"),
        ("app.error.mechanism", "generic"),
        ("app.error.fingerprint", "f1"),
        ("log.record.uid", id),
        ("session.id", "5e550000-0000-4000-8000-000000000001"),
        ("app.screen.name", "Cart"),
        ("app.screen.id", "aaaaaaaa-0000-4000-8000-000000000001"),
        ("user.id", "u-7"),
        ("user.email", "a@b.example"),
        ("user.name", "asha"),
        ("order_id", "RZ-1"),
        ("app.attribute.session.id", "mine"),
    ] {
        assert_eq!(attribute(record, key).unwrap_or_else(|| panic!("{key}")), value, "{key}");
    }
    assert_eq!(attribute(record, "app.error.handled").unwrap(), true);
    assert_eq!(attribute(record, "app.error.collapsed_before").unwrap(), "4");
    assert_eq!(attribute(record, "app.cut").unwrap(), "2");
    assert_eq!(attribute(record, "n").unwrap(), "3");
    assert_eq!(attribute(record, "x").unwrap(), 1.5);
    assert_eq!(attribute(record, "list").unwrap()["values"][1], serde_json::json!({}));
    assert_eq!(attribute(record, "app.user").unwrap()["values"][0]["key"], "plan");
    assert_eq!(attribute(record, "app.tags").unwrap()["values"][0]["value"]["stringValue"], "B");
    assert_eq!(attribute(record, "app.context").unwrap()["values"][0]["key"], "status");
    assert!(attribute(record, "nothing").is_none() && attribute(record, "").is_none());

    let without = json(otlp().breadcrumbs(false), OtlpSignal::Logs, &[row(7, Kind::Error, 1, &fields)], &[]);
    assert_eq!(records(&without, 0).len(), 1);
}

#[test]
fn every_other_log_has_its_name_level_and_body() {
    for (kind, fields, event, level, text) in [
        (Kind::Crash, r#"{"type":"SIGSEGV","message":"boom","level":"fatal"}"#, "app.crash", "FATAL", "boom"),
        (Kind::Error, r#"{"message":"x","level":"fatal"}"#, "exception", "FATAL", "x"),
        (Kind::Hang, r#"{"message":"stuck","duration_us":5000000}"#, "app.hang", "ERROR", "stuck"),
        (Kind::AppExit, r#"{"cause":"anr","message":"slow"}"#, "app.exit", "ERROR", "slow"),
        (Kind::Message, r#"{"message":"hi","level":"warning"}"#, "", "WARN", "hi"),
        (Kind::Message, r#"{"message":"hi","level":"debug"}"#, "", "DEBUG", "hi"),
        (Kind::Message, r#"{"message":"hi"}"#, "", "INFO", "hi"),
        (Kind::Feedback, r#"{"message":"nice","name":"A"}"#, "app.feedback", "INFO", "nice"),
        (Kind::Alert, r#"{"title":"down","severity":"critical","description":"d"}"#, "app.alert", "FATAL", "down"),
        (Kind::Alert, r#"{"title":"slow","severity":"warning"}"#, "app.alert", "WARN", "slow"),
        (Kind::Interaction, r#"{"action":"tap","component":"Buy"}"#, "app.widget.click", "INFO", "tap Buy"),
        (Kind::Interaction, r#"{"action":"swipe","component":"List"}"#, "app.interaction", "INFO", "swipe List"),
        (Kind::ScreenView, r#"{"name":"Home","class":"HomeScreen"}"#, "app.screen.view", "INFO", "Home"),
        (Kind::Analytics, r#"{"name":"add_to_cart"}"#, "add_to_cart", "INFO", "add_to_cart"),
        (Kind::UserProp, r#"{"op":"set","name":"plan","value":"pro"}"#, "app.user.set", "INFO", "plan"),
        (Kind::Revenue, r#"{"amount":12.5,"currency":"INR"}"#, "app.revenue", "INFO", "app.revenue"),
        (Kind::Session, r#"{"session":"s","init":true,"status":"ok"}"#, "session.start", "INFO", "session.start"),
        (Kind::Session, r#"{"session":"s","init":false,"status":"exited"}"#, "session.end", "INFO", "session.end"),
    ] {
        let record = log(kind, fields);
        assert_eq!(record["eventName"].as_str().unwrap_or_default(), event, "{kind:?}");
        assert_eq!(record["severityText"], level, "{kind:?}");
        assert_eq!(record["body"]["stringValue"], text, "{kind:?}");
        assert_eq!(attribute(&record, "log.record.uid").unwrap(), "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c07");
        assert!(record.get("traceId").is_none());
    }
    let hang = log(Kind::Hang, r#"{"duration_us":5000000}"#);
    assert_eq!(attribute(&hang, "app.hang.duration").unwrap(), 5.0);
    let revenue = log(Kind::Revenue, r#"{"amount":12,"transaction_id":"T1","items":[{"id":"a"}]}"#);
    assert_eq!(attribute(&revenue, "app.revenue.amount").unwrap(), 12.0);
    assert_eq!(attribute(&revenue, "app.revenue.transaction_id").unwrap(), "T1");
    let item = &attribute(&revenue, "app.revenue.items").unwrap()["values"][0]["kvlistValue"]["values"][0];
    assert_eq!(item["value"]["stringValue"], "a");
    let ended =
        log(Kind::Session, r#"{"session":"s","init":false,"status":"crashed","errors":2,"duration_us":1500000}"#);
    assert_eq!(attribute(&ended, "app.session.status").unwrap(), "crashed");
    assert_eq!(attribute(&ended, "app.session.duration").unwrap(), 1.5);
}

#[test]
fn a_call_is_a_client_span_under_its_template() {
    let fields = r#"{"method":"get","url":"https://api.rezapp.com:8443/products/17","endpoint":"/products/{id}","start_ms":1795400000000,"duration_us":120000,"status":503,"request_bytes":10,"response_bytes":900,"failed":true,"slow":true,"error":"server error","trace":{"trace_id":"000102030405060708090a0b0c0d0e0f","span_id":"1112131415161718","parent":"2122232425262728"}}"#;
    let span = span(Kind::ApiCall, fields);
    assert_eq!((&span["name"], &span["kind"]), (&"GET /products/{id}".into(), &3.into()));
    assert_eq!((&span["spanId"], &span["parentSpanId"]), (&"1112131415161718".into(), &"2122232425262728".into()));
    assert_eq!(span["startTimeUnixNano"], "1795400000000000000");
    assert_eq!(span["endTimeUnixNano"], "1795400000120000000");
    assert_eq!(span["status"], serde_json::json!({"message": "server error", "code": 2}));
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.request.method_original", "get"),
        ("url.full", "https://api.rezapp.com:8443/products/17"),
        ("url.template", "/products/{id}"),
        ("http.response.status_code", "503"),
        ("http.request.body.size", "10"),
        ("http.response.body.size", "900"),
        ("server.address", "api.rezapp.com"),
        ("server.port", "8443"),
        ("error.type", "503"),
    ] {
        assert_eq!(attribute(&span, key).unwrap(), value, "{key}");
    }
}

#[test]
fn a_call_without_a_response_has_an_error_type_and_an_unknown_method_is_other() {
    let lost = span(Kind::ApiCall, r#"{"method":"PURGE","url":"https://a.example/","failed":true,"error":"timeout"}"#);
    assert_eq!(attribute(&lost, "error.type").unwrap(), "timeout");
    assert_eq!(attribute(&lost, "http.request.method").unwrap(), "_OTHER");
    assert_eq!(attribute(&lost, "http.request.method_original").unwrap(), "PURGE");
    assert!(attribute(&lost, "http.response.status_code").is_none());
    let fine = span(Kind::ApiCall, r#"{"method":"POST","status":200}"#);
    assert!(fine.get("status").is_none() && attribute(&fine, "error.type").is_none());
}

#[test]
fn screens_starts_images_and_long_tasks_are_spans() {
    let screen = span(
        Kind::ScreenLoad,
        r#"{"name":"Cart","start_ms":1,"duration_us":3200000,"initial_us":800000,"full_us":3200000,"slow":true,"children":[{"id":"x"}]}"#,
    );
    assert_eq!((&screen["name"], &screen["kind"]), (&"Cart".into(), &1.into()));
    assert_eq!(attribute(&screen, "app.screen.initial_display").unwrap(), 0.8);
    assert_eq!(attribute(&screen, "app.screen.full_display").unwrap(), 3.2);
    assert_eq!(attribute(&screen, "app.slow").unwrap(), true);
    let start = span(Kind::AppStart, r#"{"type":"cold","duration_us":900000}"#);
    assert_eq!((&start["name"], attribute(&start, "app.start.type").unwrap()), (&"app.start".into(), &"cold".into()));
    let image = span(Kind::ImageLoad, r#"{"url":"https://img.example/a.webp","duration_us":1,"response_bytes":5}"#);
    assert_eq!((&image["kind"], attribute(&image, "app.resource.type").unwrap()), (&3.into(), &"image".into()));
    let task = span(Kind::LongTask, r#"{"name":"layout","duration_us":300000}"#);
    assert_eq!((&task["name"], &task["kind"]), (&"layout".into(), &1.into()));
    // Without a start the end is the moment of the call; a clock before 1970 is 1970.
    assert_eq!(task["startTimeUnixNano"], "1795399999707000000");
    let odd = span(Kind::LongTask, r#"{"start_ms":-5,"duration_us":-7}"#);
    assert_eq!((&odd["startTimeUnixNano"], &odd["endTimeUnixNano"]), (&"0".into(), &"0".into()));
    let far = span(Kind::LongTask, r#"{"start_ms":9223372036854775807,"duration_us":9223372036854775807}"#);
    assert_eq!(far["endTimeUnixNano"], u64::MAX.to_string());
}

#[test]
fn counters_are_summed_gauges_are_kept_and_distributions_are_histograms() {
    let metric = |n: u8, fields: &str| row(n, Kind::Metric, 1, fields);
    let rows = [
        metric(1, r#"{"name":"taps","type":"counter","value":2,"attrs":{"screen":"Cart"}}"#),
        metric(2, r#"{"name":"taps","type":"counter","value":3,"attrs":{"screen":"Cart"}}"#),
        metric(3, r#"{"name":"taps","type":"counter","value":5,"attrs":{"screen":"Home"}}"#),
        metric(4, r#"{"name":"taps","type":"counter","value":-1}"#),
        metric(5, r#"{"name":"fps","type":"gauge","value":58.5,"unit":"Hz"}"#),
        metric(6, r#"{"name":"fps","type":"gauge","value":60,"unit":"Hz"}"#),
        metric(7, r#"{"name":"parse","type":"distribution","value":4,"unit":"ms"}"#),
        metric(8, r#"{"name":"parse","type":"distribution","value":5,"unit":"ms"}"#),
        metric(9, r#"{"name":"parse","type":"distribution","value":20000,"unit":"ms"}"#),
        metric(10, r#"{"name":"delta","type":"distribution","value":-3}"#),
        row(11, Kind::Frames, 1, r#"{"name":"Cart","slow_frames":4,"frozen_frames":1,"total_frames":600}"#),
    ];
    let body = json(otlp(), OtlpSignal::Metrics, &rows, &[]);
    let all = records(&body, 0);
    let names: Vec<&str> = all.iter().map(|metric| metric["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["taps", "taps", "fps", "parse", "delta", "app.frames.slow", "app.frames.frozen", "app.frames.total"]
    );
    let taps = &all[0]["sum"];
    assert_eq!((&taps["aggregationTemporality"], &taps["isMonotonic"]), (&1.into(), &true.into()));
    let cart = &taps["dataPoints"][0];
    assert_eq!((&cart["asDouble"], attribute(cart, "screen").unwrap()), (&5.0.into(), &"Cart".into()));
    assert_eq!(cart["startTimeUnixNano"], "1795400000001000000");
    assert_eq!(cart["timeUnixNano"], "1795400000002000000");
    assert_eq!(taps["dataPoints"].as_array().unwrap().len(), 2);
    assert_eq!(all[1]["sum"]["dataPoints"][0]["asDouble"], -1.0);
    assert!(all[1]["sum"].get("isMonotonic").is_none());
    let fps = &all[2];
    assert_eq!((&fps["unit"], fps["gauge"]["dataPoints"].as_array().unwrap().len()), (&"Hz".into(), 2));
    let parse = &all[3]["histogram"]["dataPoints"][0];
    assert_eq!((&parse["count"], &parse["sum"]), (&"3".into(), &20_009.0.into()));
    assert_eq!((&parse["min"], &parse["max"]), (&4.0.into(), &20_000.0.into()));
    let buckets: Vec<&str> = parse["bucketCounts"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    assert_eq!((buckets.len(), buckets[1], buckets[15]), (16, "2", "1"));
    assert_eq!(parse["explicitBounds"].as_array().unwrap().len(), 15);
    let delta = &all[4]["histogram"]["dataPoints"][0];
    assert!(delta.get("sum").is_none());
    assert_eq!(delta["bucketCounts"][0], "1");
    let slow = &all[5]["gauge"]["dataPoints"][0];
    assert_eq!((&slow["asDouble"], attribute(slow, "app.screen.name").unwrap()), (&4.0.into(), &"Cart".into()));
}

#[test]
fn lost_events_are_a_sum_by_reason_even_without_rows() {
    let lost = [
        Lost { reason: Reason::EvictedBytes, kind: Some(Kind::ApiCall), count: 7 },
        Lost { reason: Reason::PowerLoss, kind: None, count: 1 },
    ];
    let body = json(otlp(), OtlpSignal::Metrics, &[], &lost);
    let all = records(&body, 0);
    let sum = &all[0]["sum"];
    assert_eq!((&all[0]["name"], &sum["aggregationTemporality"]), (&"app.queue.dropped".into(), &2.into()));
    let first = &sum["dataPoints"][0];
    assert_eq!(first["asInt"], "7");
    assert_eq!(attribute(first, "app.queue.reason").unwrap(), "evicted_bytes");
    assert_eq!(attribute(&sum["dataPoints"][1], "app.queue.kind").unwrap(), "unknown");
    // The time of the batch's own id.
    assert_eq!(first["timeUnixNano"], "1782614752286000000");
    let resource = &body["resourceMetrics"][0]["resource"];
    assert_eq!(attribute(resource, "service.version").unwrap(), "1.2.0+52");
    // They go once, with the newest run, whichever runs the rows are of.
    let rows = [row(1, Kind::Metric, 1, r#"{"name":"c","type":"counter","value":1}"#)];
    let body = json(otlp(), OtlpSignal::Metrics, &rows, &lost);
    assert_eq!(body.to_string().matches("app.queue.dropped").count(), 1);
}

#[test]
fn a_body_depends_on_the_batch_alone_and_invalid_rows_are_sent_with_what_can_be_read() {
    let otlp = otlp().build().unwrap();
    let rows = [row(1, Kind::Message, 1, "not json"), row(2, Kind::Error, 5, "[1]"), row(3, Kind::Message, 1, "")];
    let runs = [run(1)];
    let first = otlp.encode(&LOGS, &batch(&rows, &runs, &[]), &stamp());
    let later = Stamp { wall_ms: 0, attempt: 7, last_status: 503, ..stamp() };
    assert_eq!(otlp.encode(&LOGS, &batch(&rows, &runs, &[]), &later), first);
    assert_eq!(first.url, "https://otlp.example.com/v1/logs");
    let body = json(super::otlp(), OtlpSignal::Logs, &rows, &[]);
    assert_eq!(records(&body, 0).len() + records(&body, 1).len(), 3);
}
