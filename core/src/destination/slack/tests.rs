use super::*;
use crate::destination::{Action, Granted, RowOutcome};
use crate::id::EventId;
use crate::reason::Reason;
use crate::row::Run;
use serde_json::{Value, json};
use std::time::Duration;

const URL: &str = "https://hooks.slack.com/services/T0/B0/s3cret";

fn slack() -> Slack {
    Slack::builder(URL).build().unwrap()
}

fn row(fields: Value) -> Row {
    Row {
        seq: 1 << 40,
        id: EventId::from_bytes([7; 16]),
        kind: Kind::Alert,
        run: 1,
        wall_ms: 1_795_400_000_999,
        mono_ms: 4_000,
        targets: vec![],
        json: fields.to_string(),
    }
}

fn batch<'a>(rows: &'a [Row], runs: &'a [Run]) -> Batch<'a> {
    Batch { batch_id: "b1", install: "i", epoch: 1, rows, runs, lost: &[], granted: Granted::default() }
}

/// The attachment of an alert, and what was changed.
fn sent(fields: Value) -> (Value, Vec<String>) {
    let rows = [row(fields)];
    let stamp = Stamp { boot: "boot", wall_ms: 9, mono_ms: 9, attempt: 0, last_status: 0 };
    let request = slack().encode(&ROUTES[0], &batch(&rows, &[]), &stamp);
    assert_eq!(request.url, URL);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["attachments"].as_array().map(Vec::len), Some(1));
    let notes = slack().notes(&ROUTES[0], &rows[0]);
    (body["attachments"][0].clone(), notes.into_iter().map(|note| format!("{}: {}", note.field, note.what)).collect())
}

#[test]
fn an_alert_is_the_attachment_of_the_guide() {
    let (attachment, notes) = sent(json!({
        "title": "Database Connection Lost", "description": "Unable to connect to MongoDB", "severity": "critical",
        "attrs": {"attempts": 3, "lastError": "Connection timeout"}, "collapsed_before": 4,
    }));
    let field = |title: &str, value: &str| json!({"title": title, "value": value, "short": true});
    assert_eq!(
        attachment,
        json!({
            "fallback": "critical: Database Connection Lost", "color": "#d32f2f", "title": "Database Connection Lost",
            "text": "Unable to connect to MongoDB", "footer": "REZ API Monitoring", "ts": 1_795_400_000,
            "fields": [field("attempts", "3"), field("lastError", "Connection timeout"), field("collapsed before", "4")],
        })
    );
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn each_severity_has_the_colour_of_the_guide_and_an_unknown_one_that_of_an_error() {
    for (severity, color) in
        [("info", "#36a64f"), ("warning", "#ff9800"), ("error", "#f44336"), ("critical", "#d32f2f"), ("bad", "#f44336")]
    {
        assert_eq!(sent(json!({"title": "t", "severity": severity})).0["color"], color);
    }
}

#[test]
fn details_keep_their_order_and_values_that_are_no_text_are_json() {
    let row = r#"{"title":"t","attrs":{"z":true,"a":null,"m\"n":[1,{"b":"c"}],"e":""}}"#;
    let rows = [Row { json: row.into(), ..self::row(Value::Null) }];
    let message = message::of(&rows[0], "", &mut Notes::default());
    let fields: Vec<_> = message["attachments"][0]["fields"].as_array().unwrap().iter().collect();
    let shown: Vec<_> = fields.iter().map(|field| (field["title"].as_str(), field["value"].as_str())).collect();
    let expected = [("z", "true"), ("a", "null"), ("m\"n", r#"[1,{"b":"c"}]"#), ("e", "")];
    assert_eq!(shown, expected.map(|(title, value)| (Some(title), Some(value))));
}

#[test]
fn no_text_can_notify_a_channel_and_control_characters_are_left_out() {
    let hostile = "<!channel> & <https://evil.example|ok>\u{0}\u{1b}[31m";
    let (attachment, _) = sent(json!({"title": hostile, "description": hostile, "attrs": {hostile: hostile}}));
    let text = attachment.to_string();
    assert!(!text.contains('<') && !text.contains('>') && !text.contains("\\u00"), "{text}");
    assert!(attachment["text"].as_str().unwrap().starts_with("&lt;!channel&gt; &amp; &lt;https:"), "{text}");
}

#[test]
fn an_alert_without_a_title_has_the_first_line_of_its_description() {
    for (fields, title) in [
        (json!({"title": "", "description": "\n  first\tline \nsecond"}), "first line"),
        (json!({"title": " \n\u{7}", "description": ""}), "Alert"),
        (json!({}), "Alert"),
        (json!({"title": "two\r\nlines"}), "two lines"),
    ] {
        let (attachment, notes) = sent(fields);
        assert_eq!(attachment["title"], title);
        assert_eq!(notes.len(), 1, "{notes:?}");
    }
}

#[test]
fn what_is_too_long_or_too_many_is_cut_with_a_note() {
    let many: serde_json::Map<String, Value> =
        (0..128).map(|n| (format!("k{n:03}{}", "é".repeat(300)), json!("v".repeat(2_000)))).collect();
    let text = "é".repeat(9_000);
    let (attachment, notes) = sent(json!({"title": text, "description": text, "attrs": many, "collapsed_before": 1}));
    let chars = |name: &str| attachment[name].as_str().unwrap().chars().count();
    assert_eq!((chars("title"), chars("text")), (1_024, 8_000));
    assert_eq!(attachment["fields"].as_array().unwrap().len(), message::FIELDS + 1);
    assert!(attachment.to_string().chars().count() < 40_000);
    assert!(notes.contains(&"title: cut to 1024 characters".to_owned()));
    assert!(notes.contains(&"description: cut to 8000 characters".to_owned()));
    assert_eq!(notes.iter().filter(|note| note.contains("left out: a message has at most 24 fields")).count(), 104);
    let long = Slack::builder(URL).footer("f".repeat(400)).build().unwrap();
    let body = message::of(&row(json!({})), &long.footer, &mut Notes::default());
    assert_eq!(body["attachments"][0]["footer"].as_str().map(str::len), Some(300));
}

#[test]
fn only_alerts_are_wanted() {
    for kind in Kind::ALL {
        let want = slack().wants(&ROUTES[0], &Row { kind, ..row(json!({"severity": "critical"})) });
        assert_eq!(want == Want::Yes, kind == Kind::Alert, "{kind:?}");
        assert_eq!(Slack::becomes(kind) == "not sent", kind != Kind::Alert);
    }
}

#[test]
fn a_url_that_is_no_webhook_is_refused_with_a_sentence_and_none_is_printed() {
    let refused = |url: &str| Slack::builder(url).build().unwrap_err().to_string();
    for (url, why) in [
        ("", "webhook URL is empty"),
        ("http://hooks.slack.com/services/T0/B0/s3cret", "http is allowed to a loopback address only"),
        ("https://hooks.slack.com", "it ends after the host"),
        ("https://hooks.slack.com/", "it ends after the host"),
        ("https://hooks.slack.com/triggers/T0/1/s3cret", "it starts a workflow"),
        ("https://hooks.slack.com/workflows/T0/1/s3cret", "it starts a workflow"),
        ("https://hooks.slack.com/services/T0/B0/s3cret\n", "the character at position 45"),
        ("https://me:pw@hooks.slack.com/services/T0", "a user name or password"),
        ("hooks.slack.com/services/T0/B0/s3cret", "scheme missing"),
        ("ftp://hooks.slack.com/services/T0", "scheme `ftp` is not supported"),
    ] {
        let error = refused(url);
        assert!(error.contains(why) && !error.contains("s3cret"), "{url}: {error}");
    }
    for url in ["http://127.0.0.1:9/services/T0", "https://hooks.slack-gov.com/services/T0", "https://relay.example/a/"]
    {
        assert!(Slack::builder(url).build().is_ok(), "{url}");
    }
    for text in [format!("{:?}", Slack::builder(URL)), format!("{:?}", slack())] {
        assert!(!text.contains("s3cret") && !text.contains("services"), "{text}");
    }
    assert_ne!(
        slack().key_hash(),
        Slack::builder("https://hooks.slack.com/services/T0/B0/b").build().unwrap().key_hash()
    );
}

fn verdict(status: u16, body: &str, headers: &[(&str, &str)]) -> Verdict {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let response = Response { status, headers, body: body.into(), cut: false };
    slack().verdict(&ROUTES[0], &batch(&[row(json!({}))], &[]), &response)
}

#[test]
fn each_answer_has_its_meaning() {
    let delivered = Action::Settle(vec![RowOutcome::Delivered]);
    assert_eq!(verdict(200, "ok", &[]), Verdict::of(delivered.clone()));
    assert_eq!(verdict(200, "", &[]).action, delivered);
    let page = |status, body: &str| Response {
        status,
        headers: vec![("content-type".into(), "text/html".into())],
        body: body.into(),
        cut: false,
    };
    for (status, body, own) in
        [(200, "ok", true), (200, "ok\n", true), (200, "<html>ok</html>", false), (302, "ok", false)]
    {
        assert_eq!(slack().recognizes(&page(status, body)), own, "{status} {body}");
    }
    assert_eq!(
        verdict(429, "rate_limited", &[("retry-after", "30")]).action,
        Action::Keep(Some(Duration::from_secs(30)))
    );
    assert_eq!(verdict(500, "rollup_error", &[]).action, Action::Outage(None));
    assert_eq!(verdict(503, "", &[("retry-after", "5")]).action, Action::Outage(Some(Duration::from_secs(5))));
    for status in [408, 500, 502, 504] {
        assert_eq!(verdict(status, "<html>", &[]).action, Action::Ambiguous(format!("status {status}")));
    }
    for (status, word) in [(400, "invalid_payload"), (400, "no_text"), (400, "too_many_attachments"), (413, "")] {
        let Action::Settle(outcomes) = verdict(status, word, &[]).action else { panic!("{status} {word}") };
        let why = if word.is_empty() { format!("status {status}") } else { word.to_owned() };
        assert_eq!(outcomes, [RowOutcome::Dead(Reason::Rejected, why)]);
    }
    for (status, word) in [
        (400, "invalid_token"),
        (400, "user_not_found"),
        (403, "action_prohibited"),
        (403, "invalid_token"),
        (404, "no_service"),
        (404, "channel_not_found"),
        (410, "channel_is_archived"),
    ] {
        let Verdict { action: Action::Stop(why), note, .. } = verdict(status, word, &[]) else { panic!("{word}") };
        assert_eq!((why, note), (format!("Slack refuses the webhook: {word} ({status})"), Some(word.to_owned())));
    }
    for (status, why) in [
        (403, "Slack refuses the webhook (403)"),
        (404, "there is no webhook at this address (404)"),
        (410, "there is no webhook at this address (410)"),
        (301, "the endpoint redirects to https://other.example/"),
    ] {
        let headers = [("location", "https://other.example/services/s3cret")];
        assert_eq!(verdict(status, "<html>Not here</html>", &headers), Verdict::of(Action::Stop(why.into())));
    }
}
