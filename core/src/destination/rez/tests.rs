use super::*;
use crate::destination::Granted;
use crate::id::EventId;
use crate::row::Lost;
use crate::transport::UrlError;

fn run(number: i64, boot: &str) -> Run {
    Run {
        number,
        id: format!("run-{number}"),
        boot: boot.into(),
        app: "shop".into(),
        release: format!("1.{number}"),
        os: "Linux".into(),
        dist: Some("7\"".into()),
        ..Run::default()
    }
}

fn row(n: u8, run: i64, json: &str) -> Row {
    Row {
        seq: 1 << 40 | u64::from(n),
        id: EventId::from_bytes([n; 16]),
        kind: Kind::Error,
        run,
        wall_ms: 1_795_400_000_123,
        mono_ms: 4_000 + i64::from(n),
        targets: vec![],
        json: json.into(),
    }
}

fn batch<'a>(rows: &'a [Row], runs: &'a [Run], lost: &'a [Lost]) -> Batch<'a> {
    Batch { batch_id: "b1", install: "i1", epoch: 1, rows, runs, lost, granted: Granted::default() }
}

fn rez() -> Rez {
    Rez::builder("https://in.example.com", "wk_1").build().unwrap()
}

fn route() -> &'static RouteSpec {
    &ROUTES[0]
}

fn stamp(boot: &str) -> Stamp<'_> {
    Stamp { boot, wall_ms: 1_795_400_001_000, mono_ms: 9_000, attempt: 0, last_status: 0 }
}

#[test]
fn the_body_follows_the_contract_and_contains_the_fields_of_the_rows() {
    let runs = [run(1, "boot-a"), run(2, "boot-b")];
    let rows = [row(1, 1, r#"{"message":"a\"b"}"#), row(2, 2, " { } "), row(3, 2, "[1]"), row(4, 9, r#"{"x":1}"#)];
    let lost = [
        Lost { reason: Reason::Sampled, kind: Some(Kind::ApiCall), count: 2 },
        Lost { reason: Reason::PowerLoss, kind: None, count: 3 },
    ];
    let request = rez().encode(route(), &batch(&rows, &runs, &lost), &stamp("boot-b"));
    assert_eq!(request.url, "https://in.example.com/v1/batch");
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "v": 1, "batch_id": "b1", "install": "i1", "epoch": 1, "boot": "boot-b",
            "sdk": {"name": "rez-monitor", "version": env!("CARGO_PKG_VERSION")},
            "resource": {"run": "run-2", "app": "shop", "release": "1.2", "os": "Linux", "dist": "7\""},
            "lost": [{"reason": "sampled", "kind": "api_call", "count": 2},
                     {"reason": "power_loss", "kind": "unknown", "count": 3}],
            "events": [
                {"id": "01010101-0101-0101-0101-010101010101", "seq": 1_099_511_627_777_u64,
                 "ts": "2026-11-23T02:13:20.123Z", "kind": "error", "boot": "boot-a", "mono_ms": 4001,
                 "resource": {"run": "run-1", "app": "shop", "release": "1.1", "os": "Linux", "dist": "7\""},
                 "message": "a\"b"},
                {"id": "02020202-0202-0202-0202-020202020202", "seq": 1_099_511_627_778_u64,
                 "ts": "2026-11-23T02:13:20.123Z", "kind": "error", "boot": "boot-b", "mono_ms": 4002},
                {"id": "03030303-0303-0303-0303-030303030303", "seq": 1_099_511_627_779_u64,
                 "ts": "2026-11-23T02:13:20.123Z", "kind": "error", "boot": "boot-b", "mono_ms": 4003},
                {"id": "04040404-0404-0404-0404-040404040404", "seq": 1_099_511_627_780_u64,
                 "ts": "2026-11-23T02:13:20.123Z", "kind": "error", "x": 1},
            ],
        })
    );
}

#[test]
fn a_repeated_request_differs_in_headers_only_and_another_boots_clock_is_left_out() {
    let runs = [run(1, "boot-a")];
    let rows = [row(1, 1, "{}")];
    let batch = batch(&rows, &runs, &[]);
    let first = rez().encode(route(), &batch, &stamp("boot-a"));
    let again = rez().encode(route(), &batch, &Stamp { wall_ms: 5, attempt: 3, ..stamp("boot-z") });
    assert_eq!(first.body, again.body);
    let header = |request: &Request, name: &str| {
        request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    assert_eq!(header(&first, "X-Rez-Mono").as_deref(), Some("9000"));
    assert_eq!(header(&first, "X-Rez-Sent-At").as_deref(), Some("2026-11-23T02:13:21.000Z"));
    assert_eq!(header(&first, "Authorization").as_deref(), Some("Bearer wk_1"));
    assert_eq!(header(&first, "Idempotency-Key").as_deref(), Some("b1"));
    assert_eq!(header(&again, "X-Rez-Mono"), None);
    assert_eq!(header(&again, "X-Rez-Sent-At").as_deref(), Some("1970-01-01T00:00:00.005Z"));
}

#[test]
fn a_batch_without_events_reports_lost_events_and_their_origin() {
    let runs = [run(1, "boot-a")];
    let lost = [Lost { reason: Reason::RingFull, kind: Some(Kind::Metric), count: 9 }];
    let request = rez().encode(route(), &batch(&[], &runs, &lost), &stamp("boot-a"));
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["events"], serde_json::json!([]));
    assert_eq!(body["lost"][0]["count"], 9);
    assert_eq!(body["resource"]["app"], "shop");
    let response = Response { status: 200, body: br#"{"batch_id":"b1","accepted":0}"#.to_vec(), ..Response::default() };
    assert_eq!(rez().verdict(route(), &batch(&[], &runs, &lost), &response).action, Action::Settle(vec![]));
}

#[test]
fn a_time_outside_the_calendar_becomes_the_nearest_one_inside() {
    for wall_ms in [i64::MIN, i64::MAX] {
        assert!(rfc3339(wall_ms).ends_with('Z'));
    }
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
}

#[test]
fn every_status_has_its_verdict() {
    let runs = [run(1, "boot-a")];
    let rows = [row(1, 1, "{}"), row(2, 1, "{}")];
    let batch = batch(&rows, &runs, &[]);
    let verdict = |status: u16, headers: &[(&str, &str)], body: &str| {
        let headers = headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        rez().verdict(route(), &batch, &Response { status, headers, body: body.into(), cut: false })
    };
    let settled = |body: &str| verdict(200, &[], body).action;
    use RowOutcome::Delivered;
    assert_eq!(settled(r#"{"batch_id":"b1","accepted":2}"#), Action::Settle(vec![Delivered, Delivered]));
    assert_eq!(settled(r#"{"accepted":1,"duplicate":1}"#), Action::Settle(vec![Delivered, Delivered]));
    assert_eq!(
        settled(
            r#"{"accepted":1,"rejected":[{"index":1,"id":"02020202-0202-0202-0202-020202020202","code":"invalid_field","field":"ts","message":"bad"}]}"#
        ),
        Action::Settle(vec![Delivered, RowOutcome::Dead(Reason::Rejected, "invalid_field: ts: bad".into())])
    );
    for (what, body) in [
        ("no body", ""),
        ("text", "OK"),
        ("a number", "1"),
        ("a list", "[]"),
        ("an empty object", "{}"),
        ("too few", r#"{"accepted":1}"#),
        ("too many", r#"{"accepted":3}"#),
        ("an overflow", r#"{"accepted":18446744073709551615,"duplicate":3}"#),
        ("a negative number", r#"{"accepted":-2}"#),
        ("a strange index", r#"{"accepted":1,"rejected":[{"index":7}]}"#),
        ("a strange id", r#"{"accepted":1,"rejected":[{"index":0,"id":"x"}]}"#),
        ("one index twice", r#"{"accepted":0,"rejected":[{"index":0},{"index":0}]}"#),
        ("another batch", r#"{"batch_id":"b2","accepted":2}"#),
        ("half a response", r#"{"batch_id":"b1","accep"#),
    ] {
        assert!(matches!(settled(body), Action::Ambiguous(_)), "{what}");
    }
    let cut = Response { status: 200, body: br#"{"accepted":2}"#.to_vec(), cut: true, ..Response::default() };
    assert!(matches!(rez().verdict(route(), &batch, &cut).action, Action::Ambiguous(_)));

    let wait = |seconds| Some(Duration::from_secs(seconds));
    for status in [300, 301, 302, 307, 308, 399, 401, 403, 404, 405, 410] {
        assert!(matches!(verdict(status, &[], "").action, Action::Stop(_)), "{status}");
    }
    for status in [400, 402, 406, 407, 409, 411, 412, 413, 414, 418, 431, 451, 499] {
        assert_eq!(verdict(status, &[], "").action, Action::Split, "{status}");
    }
    assert_eq!(verdict(429, &[], "").action, Action::Keep(None));
    assert_eq!(verdict(429, &[("retry-after", "7")], "").action, Action::Keep(wait(7)));
    for status in [408, 425, 500, 502, 503, 504, 507, 599] {
        assert_eq!(verdict(status, &[], "").action, Action::Outage(None), "{status}");
        assert_eq!(verdict(status, &[("Retry-After", "90000")], "").action, Action::Outage(wait(86_400)), "{status}");
    }
    for status in [0, 100, 199, 600, u16::MAX] {
        assert!(matches!(verdict(status, &[], "").action, Action::Ambiguous(_)), "{status}");
    }
    assert_eq!(verdict(415, &[], "").action, Action::Uncompressed);
    assert_eq!(verdict(422, &[], "").action, Action::NewBatchId);
    let dated = [("date", "Mon, 23 Nov 2026 02:00:00 GMT"), ("retry-after", "Mon, 23 Nov 2026 02:01:00 GMT")];
    assert_eq!(verdict(503, &dated, "").action, Action::Outage(wait(60)));
}

#[test]
fn caps_and_limits_are_read_from_any_response_and_bounded() {
    let response = |status, body: &str| Response { status, body: body.into(), ..Response::default() };
    let verdict = |response: &Response| rez().verdict(route(), &batch(&[], &[], &[]), response);
    let caps = verdict(&response(413, r#"{"max_bytes":1000,"max_events":10}"#)).caps;
    assert_eq!(caps, Some(Caps { max_bytes: Some(1000), max_events: Some(10) }));
    assert_eq!(verdict(&response(400, r#"{"max_bytes":1000}"#)).caps, None);
    let limits = verdict(&response(
        429,
        r#"{"limits":[{"kind":"metric","retry_after":60},{"retry_after":1e300},{"kind":"novel","retry_after":5},{"kind":"error","retry_after":-1},{"kind":"frames","retry_after":999999}]}"#,
    ))
    .limits;
    assert_eq!(
        limits,
        [
            Limit { kinds: vec![Kind::Metric], wait: Duration::from_secs(60) },
            Limit { kinds: vec![Kind::Frames], wait: Duration::from_secs(86_400) },
        ]
    );
}

#[test]
fn the_teams_own_backend_gets_both_purposes_by_default() {
    assert_eq!(rez().purposes(), Purpose::ALL);
    let monitoring = Rez::builder("https://x", "k").purposes(&[Purpose::Monitoring]).build().unwrap();
    assert_eq!(monitoring.purposes(), [Purpose::Monitoring]);
}

#[test]
fn an_invalid_setting_is_an_error_that_names_it() {
    let error = |endpoint: &str, key: &str| Rez::builder(endpoint, key).build().unwrap_err();
    assert_eq!(error("https://", "k"), DestinationError::Endpoint(UrlError::NoHost));
    assert_eq!(error("ftp://x", "k"), DestinationError::Endpoint(UrlError::Scheme("ftp".into())));
    assert_eq!(error("https://x", ""), DestinationError::Empty { part: "write key" });
    assert_eq!(error("https://x", "ab\nc"), DestinationError::NotAHeader { part: "write key", at: 2 });
    let none = Rez::builder("https://x", "k").purposes(&[]).build().unwrap_err();
    assert_eq!(none, DestinationError::NoPurpose);
    assert!(!format!("{:?}", rez()).contains("wk_1"));
    assert!(!error("https://x", "secret key").to_string().contains("secret"));
}

#[test]
fn the_path_is_appended_once_and_the_hash_follows_address_and_key() {
    let url = |endpoint: &str| Rez::builder(endpoint, "k").build().unwrap().url().to_owned();
    assert_eq!(url("https://x.example/"), "https://x.example/v1/batch");
    assert_eq!(url("https://x.example/in"), "https://x.example/in/v1/batch");
    assert_eq!(url("https://x.example/v1/batch/"), "https://x.example/v1/batch");
    let hash = |endpoint: &str, key: &str| Rez::builder(endpoint, key).build().unwrap().key_hash();
    assert_eq!(hash("https://x", "k"), hash("https://x/v1/batch", "k"));
    assert_ne!(hash("https://x", "k"), hash("https://x", "l"));
    assert_ne!(hash("https://x", "k"), hash("https://y", "k"));
}

#[test]
fn five_hundred_rows_of_maximum_size_stay_below_the_endpoints_limit() {
    let runs = [run(1, "0b0b0b0b-0b0b-0b0b-0b0b-0b0b0b0b0b0b")];
    let fill = "x".repeat(ROWS_BYTES / limits::BATCH_MAX_EVENTS - 8);
    let rows: Vec<Row> =
        (0..limits::BATCH_MAX_EVENTS).map(|n| row(n as u8, 1, &format!(r#"{{"m":"{fill}"}}"#))).collect();
    let request = rez().encode(route(), &batch(&rows, &runs, &[]), &stamp("b"));
    assert!(request.body.len() <= limits::BATCH_MAX_BYTES, "{}", request.body.len());
}
