use super::*;
use crate::destination::{Action, Granted, RowOutcome};
use crate::id::EventId;
use crate::reason::Reason;
use crate::row::Run;
use serde_json::{Value, json};
use std::time::Duration;

const KEY_TEXT: &str = "0123456789abcdef0123456789abcdef";

fn pagerduty() -> PagerDuty {
    PagerDuty::builder(KEY_TEXT).build().unwrap()
}

fn row(fields: Value) -> Row {
    Row {
        seq: 1 << 40,
        id: EventId::from_bytes([7; 16]),
        kind: Kind::Alert,
        run: 1,
        wall_ms: 1_795_400_000_123,
        mono_ms: 4_000,
        targets: vec![],
        json: fields.to_string(),
    }
}

fn run() -> Run {
    Run {
        number: 1,
        app: "shop-api".into(),
        release: "shop-api@1".into(),
        environment: Some("production".into()),
        ..Run::default()
    }
}

fn batch<'a>(rows: &'a [Row], runs: &'a [Run]) -> Batch<'a> {
    Batch { batch_id: "b1", install: "i", epoch: 1, rows, runs, lost: &[], granted: Granted::default() }
}

fn sent(of: &PagerDuty, fields: Value) -> (String, Value) {
    let rows = [row(fields)];
    let stamp = Stamp { boot: "boot", wall_ms: 9, mono_ms: 9, attempt: 0, last_status: 0 };
    let request = of.encode(&ROUTES[0], &batch(&rows, &[run()]), &stamp);
    (request.url, serde_json::from_slice(&request.body).unwrap())
}

#[test]
fn a_critical_alert_is_a_trigger_whose_key_is_the_id_of_the_event() {
    let fields = json!({
        "title": "Database Connection Lost", "description": "Unable to connect to MongoDB", "severity": "critical",
        "attrs": {"attempts": 3, "release": "the app's own"}, "collapsed_before": 4,
    });
    let (url, event) = sent(&pagerduty(), fields.clone());
    assert_eq!(url, "https://events.pagerduty.com/v2/enqueue");
    assert_eq!(
        event,
        json!({
            "routing_key": KEY_TEXT, "event_action": "trigger", "dedup_key": "07070707-0707-0707-0707-070707070707",
            "client": "REZ Monitor",
            "payload": {
                "summary": "Database Connection Lost", "source": "shop-api", "severity": "critical",
                "timestamp": "2026-11-23T02:13:20.123Z",
                "custom_details": {
                    "attempts": 3, "release": "the app's own", "description": "Unable to connect to MongoDB",
                    "environment": "production", "collapsed_before": 4,
                },
            },
        })
    );
    let builder = PagerDuty::builder(KEY_TEXT).eu().source("db-1.example.com").component("mongodb");
    let (url, event) = sent(&builder.build().unwrap(), fields);
    assert_eq!(url, "https://events.eu.pagerduty.com/v2/enqueue");
    assert_eq!(
        (&event["payload"]["source"], &event["payload"]["component"]),
        (&json!("db-1.example.com"), &json!("mongodb"))
    );
}

#[test]
fn a_summary_is_never_empty_and_is_cut_with_a_note() {
    for (fields, summary) in [
        (json!({"title": "", "description": "first\nsecond"}), "first".to_owned()),
        (json!({}), "Alert".to_owned()),
        (json!({"title": "é".repeat(2_000)}), "é".repeat(1_024)),
    ] {
        assert_eq!(sent(&pagerduty(), fields.clone()).1["payload"]["summary"], summary);
        assert_eq!(pagerduty().notes(&ROUTES[0], &row(fields)).len(), 1);
    }
}

#[test]
fn only_critical_alerts_are_wanted() {
    for severity in AlertSeverity::ALL {
        let want = pagerduty().wants(&ROUTES[0], &row(json!({"severity": severity.as_str()})));
        assert_eq!(want == Want::Yes, severity == AlertSeverity::Critical, "{severity:?}");
    }
    for kind in Kind::ALL {
        let row = Row { kind, ..row(json!({"severity": "critical"})) };
        assert_eq!(pagerduty().wants(&ROUTES[0], &row) == Want::Yes, kind == Kind::Alert, "{kind:?}");
        assert_eq!(PagerDuty::becomes(kind) == "not sent", kind != Kind::Alert);
    }
    assert_eq!(pagerduty().wants(&ROUTES[0], &row(json!({}))), Want::No);
}

#[test]
fn a_wrong_key_or_address_is_refused_with_a_sentence_and_no_key_is_printed() {
    let refused = |key: &str| PagerDuty::builder(key).build().unwrap_err().to_string();
    assert_eq!(refused(""), "routing key is empty: pass a value");
    for key in
        [&KEY_TEXT[1..], &format!("{KEY_TEXT}\n"), &format!("{}\n", &KEY_TEXT[1..]), "é123456789abcdef0123456789abcde"]
    {
        assert!(refused(key).starts_with("routing key: expected 32 letters and digits"), "{key}");
    }
    let plain = PagerDuty::builder(KEY_TEXT).endpoint("http://events.pagerduty.com").build().unwrap_err();
    assert!(plain.to_string().contains("http is allowed to a loopback address only"), "{plain}");
    let copied = PagerDuty::builder(KEY_TEXT).endpoint("https://relay.example/v2/enqueue/").build().unwrap();
    assert_eq!(copied.url, "https://relay.example/v2/enqueue");
    for text in [format!("{:?}", PagerDuty::builder(KEY_TEXT)), format!("{copied:?}")] {
        assert!(!text.contains(KEY_TEXT), "{text}");
    }
}

fn verdict(status: u16, body: &Value, headers: &[(&str, &str)]) -> Verdict {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let response = Response { status, headers, body: body.to_string().into_bytes(), cut: false };
    pagerduty().verdict(&ROUTES[0], &batch(&[row(json!({}))], &[]), &response)
}

#[test]
fn each_answer_has_its_meaning() {
    let accepted = json!({"status": "success", "message": "Event processed", "dedup_key": "k"});
    assert_eq!(verdict(202, &accepted, &[]), Verdict::of(Action::Settle(vec![RowOutcome::Delivered])));
    assert_eq!(verdict(429, &json!(null), &[]).action, Action::Keep(None));
    let wait = [("retry-after", "60")];
    assert_eq!(verdict(429, &json!(null), &wait).action, Action::Keep(Some(Duration::from_secs(60))));
    for status in [500, 502, 503, 504, 408] {
        assert_eq!(verdict(status, &json!({}), &[]).action, Action::Outage(None), "{status}");
    }
    let invalid =
        |error: &str| json!({"status": "invalid event", "message": "Event object is invalid", "errors": [error]});
    let why = "Event object is invalid: 'payload.summary' is missing or blank".to_owned();
    let refused = verdict(400, &invalid("'payload.summary' is missing or blank"), &[]);
    assert_eq!(refused.action, Action::Settle(vec![RowOutcome::Dead(Reason::Rejected, why.clone())]));
    assert_eq!(refused.note, Some(why));
    for status in [400, 413] {
        let why = format!("status {status}");
        let dead = Action::Settle(vec![RowOutcome::Dead(Reason::Rejected, why)]);
        assert_eq!(verdict(status, &json!("no object"), &[]).action, dead);
    }
    let key = verdict(400, &invalid("Length of 'routing_key' is incorrect (should be 32 characters)"), &[]);
    assert!(matches!(&key.action, Action::Stop(why) if why.contains("routing_key")), "{key:?}");
    for (status, why) in [
        (401, "PagerDuty refuses the routing key (401)"),
        (404, "there is no Events API v2 at this address (404)"),
        (308, "the endpoint redirects"),
    ] {
        assert_eq!(verdict(status, &json!(null), &[]).action, Action::Stop(why.into()));
    }
}
