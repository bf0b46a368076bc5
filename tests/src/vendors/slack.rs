//! Slack's rules for the message of an incoming webhook, from its reference of message attachments.

use super::{Problems, Vendor, json};
use crate::vendor_server::{ReceivedRequest, Response};
use serde_json::Value;

/// Members of an attachment.
const MEMBERS: [&str; 7] = ["color", "fallback", "fields", "footer", "text", "title", "ts"];

/// The only entities that Slack reads.
const ENTITIES: [&str; 3] = ["&amp;", "&lt;", "&gt;"];

/// A webhook.
pub struct SlackRules {
    /// Its path.
    pub path: String,
}

impl Vendor for SlackRules {
    fn route(&self, _request: &ReceivedRequest) -> &'static str {
        "slack.webhook"
    }

    /// The key is the fallback: Slack itself has none.
    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        let body = json(request)?;
        let mut problems = Problems::default();
        problems
            .unless(request.path == self.path && request.query.is_empty(), || format!("no_service: {}", request.path));
        let content_type = request.headers.get("content-type").map(String::as_str);
        problems.unless(content_type == Some("application/json"), || format!("content type {content_type:?}"));
        problems.unless(!request.compressed, || "a compressed body".into());
        let chars = String::from_utf8_lossy(&request.body).chars().count();
        problems.unless(chars <= 60_000, || format!("{chars} characters"));
        problems.unless(body.as_object().is_some_and(|body| body.len() == 1), || "members beside attachments".into());
        let none = Vec::new();
        let attachments = body["attachments"].as_array().unwrap_or(&none);
        problems.unless(attachments.len() == 1, || format!("{} attachments", attachments.len()));
        let keys = attachments.iter().map(|one| attachment(one, &mut problems)).collect();
        problems.or(keys)
    }

    fn respond(&self, _request: &ReceivedRequest, _events: usize) -> Response {
        Response { status: 200, headers: vec![("Content-Type", "text/html".into())], body: "ok".into() }
    }
}

fn attachment(one: &Value, problems: &mut Problems) -> String {
    let odd: Vec<_> =
        one.as_object().into_iter().flatten().filter(|(key, _)| !MEMBERS.contains(&key.as_str())).collect();
    problems.unless(odd.is_empty(), || format!("unknown members {odd:?}"));
    for name in ["fallback", "title", "text", "footer"] {
        text(&one[name], name, problems);
    }
    for name in ["fallback", "title"] {
        problems.unless(one[name].as_str().is_some_and(|text| !text.trim().is_empty()), || format!("no_text: {name}"));
        problems.unless(!one[name].as_str().unwrap_or_default().contains('\n'), || format!("{name} of two lines"));
    }
    problems.unless(one["footer"].as_str().unwrap_or_default().chars().count() <= 300, || "a footer above 300".into());
    let color = one["color"].as_str().unwrap_or_default();
    let hex = color.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    problems.unless(hex, || format!("color {color}"));
    // Seconds: a number of milliseconds is a date in the year 58,000.
    problems
        .unless(one["ts"].as_i64().is_some_and(|ts| (0..10_000_000_000).contains(&ts)), || format!("ts {}", one["ts"]));
    for field in one["fields"].as_array().into_iter().flatten() {
        text(&field["title"], "title of a field", problems);
        text(&field["value"], "value of a field", problems);
        let members = field.as_object().map_or(0, serde_json::Map::len);
        problems.unless(field["short"].is_boolean() && members == 3, || format!("field {field}"));
    }
    problems.unless(one["fields"].is_array(), || "fields are no list".into());
    one["fallback"].as_str().unwrap_or_default().to_owned()
}

/// A text without markup of Slack's and without control characters.
fn text(value: &Value, what: &str, problems: &mut Problems) {
    let Some(text) = value.as_str() else { return problems.unless(false, || format!("{what} is {value}, not a text")) };
    problems.unless(!text.contains(['<', '>']), || format!("{what} has a `<` or `>`: {text}"));
    let bare = text.match_indices('&').find(|(at, _)| !ENTITIES.iter().any(|entity| text[*at..].starts_with(entity)));
    problems.unless(bare.is_none(), || format!("{what} has a bare `&`: {text}"));
    let control = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    problems.unless(control.is_none(), || format!("{what} has {control:?}"));
}
