//! Mixpanel's rules for `/import` and `/engage`.

use super::{Problems, Vendor, json, parameter};
use crate::vendor_server::{ReceivedRequest, Response};
use serde_json::{Map, Value};

/// Operations on a profile that can be repeated without changing it again.
const REPEATABLE: [&str; 6] = ["$set", "$set_once", "$unset", "$union", "$remove", "$delete"];

/// Ids that Mixpanel treats as a mistake of the app.
const NOBODY: &[&str] =
    &["", "0", "-1", "anon", "anonymous", "false", "n/a", "na", "nil", "none", "null", "true", "undefined", "unknown"];

const YEAR_1971_MS: i64 = 31_536_000_000;

/// A server of Mixpanel for one project.
pub struct MixpanelRules {
    /// The project token.
    pub token: String,
    /// The server's clock, in milliseconds since 1970. It rejects events that are more than an hour in the future.
    pub now_ms: i64,
}

impl MixpanelRules {
    fn import(&self, request: &ReceivedRequest, problems: &mut Problems) -> Vec<String> {
        let basic = format!("Basic {}", base64(&format!("{}:", self.token)));
        problems.unless(request.headers.get("authorization") == Some(&basic), || "not this project's token".into());
        problems.unless(parameter(request, "strict") == Some("1"), || "strict=1 is missing".into());
        let Ok(Value::Array(events)) = json(request) else {
            problems.unless(false, || "the body is no list".into());
            return Vec::new();
        };
        problems.unless(events.len() <= 2_000, || format!("{} events", events.len()));
        problems.unless(request.body.len() <= 10_000_000, || format!("{} bytes", request.body.len()));
        events.iter().enumerate().map(|(at, event)| self.event(at, event, problems)).collect()
    }

    fn event(&self, at: usize, event: &Value, problems: &mut Problems) -> String {
        let empty = Map::new();
        let properties = event["properties"].as_object().unwrap_or(&empty);
        let name = event["event"].as_str().unwrap_or_default();
        problems.unless(!name.is_empty(), || format!("event {at} has no name"));
        problems.unless(!name.starts_with('$'), || format!("event {at}: `{name}` is Mixpanel's own"));
        problems.unless(event.as_object().is_some_and(|event| event.len() == 2), || format!("event {at}: odd members"));
        problems.unless(properties.len() < 255, || format!("event {at}: {} properties", properties.len()));
        problems.unless(event.to_string().len() < 1_000_000, || format!("event {at} is too large"));
        let text = |name: &str| properties.get(name).and_then(Value::as_str).unwrap_or_default();
        let time = properties.get("time").and_then(Value::as_i64).unwrap_or_default();
        problems.unless(time > YEAR_1971_MS, || format!("event {at}: time {time} is before 1971, or in seconds"));
        problems.unless(time <= self.now_ms + 3_600_000, || format!("event {at}: time {time} is in the future"));
        who(text("distinct_id"), at, problems);
        let user = text("$user_id");
        let expected = if user.is_empty() { format!("$device:{}", text("$device_id")) } else { user.to_owned() };
        problems.unless(text("distinct_id") == expected, || format!("event {at}: distinct_id is not {expected}"));
        let id = text("$insert_id").to_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        problems.unless(!id.is_empty() && id.len() <= 36 && id.chars().all(plain), || {
            format!("event {at}: $insert_id `{id}`")
        });
        problems.unless(properties.get("ip") == Some(&0.into()), || format!("event {at}: ip is not 0"));
        properties.iter().for_each(|(key, value)| within(value, 0, &format!("event {at}: {key}"), problems));
        id
    }

    fn engage(&self, request: &ReceivedRequest, problems: &mut Problems) -> (&'static str, Vec<String>) {
        problems.unless(parameter(request, "ip") == Some("0"), || "ip=0 is missing".into());
        problems.unless(parameter(request, "verbose") == Some("1"), || "verbose=1 is missing".into());
        problems.unless(!request.compressed, || "engage takes no compressed body".into());
        let Ok(Value::Array(updates)) = json(request) else {
            problems.unless(false, || "the body is no list".into());
            return ("mixpanel.add", Vec::new());
        };
        problems.unless(updates.len() <= 2_000, || format!("{} updates", updates.len()));
        let set = updates.iter().any(|update| REPEATABLE.iter().any(|operation| update.get(*operation).is_some()));
        let keys = updates.iter().enumerate().map(|(at, update)| self.update(at, update, set, problems)).collect();
        (if set { "mixpanel.set" } else { "mixpanel.add" }, keys)
    }

    fn update(&self, at: usize, update: &Value, set: bool, problems: &mut Problems) -> String {
        problems.unless(update["$token"] == self.token.as_str(), || format!("update {at}: wrong token"));
        problems.unless(update["$ip"] == "0", || format!("update {at}: $ip is not 0"));
        who(update["$distinct_id"].as_str().unwrap_or_default(), at, problems);
        problems.unless(update.to_string().len() < 1_000_000, || format!("update {at} is too large"));
        let operations: Vec<&String> = update.as_object().into_iter().flat_map(|all| all.keys()).collect();
        let operations: Vec<&str> = operations
            .into_iter()
            .map(String::as_str)
            .filter(|key| REPEATABLE.contains(key) || matches!(*key, "$add" | "$append"))
            .collect();
        problems.unless(operations.len() == 1, || format!("update {at}: operations {operations:?}"));
        let operation = operations.first().copied().unwrap_or_default();
        let repeatable = REPEATABLE.contains(&operation);
        problems.unless(set == repeatable, || format!("update {at}: {operation} beside what must not be repeated"));
        match (operation, &update[operation]) {
            ("$unset", Value::Array(names)) => {
                problems.unless(names.iter().all(Value::is_string), || format!("update {at}: $unset of {names:?}"));
                return format!("$unset {names:?}");
            }
            ("$delete", _) => return "$delete".into(),
            ("$union", Value::Object(lists)) => {
                let lists = lists.values().all(Value::is_array);
                problems.unless(lists, || format!("update {at}: $union takes lists"));
            }
            _ => {}
        }
        let change = update[operation].as_object();
        problems
            .unless(change.is_some_and(|change| change.len() == 1), || format!("update {at} changes not one thing"));
        let Some((key, value)) = change.and_then(|change| change.iter().next()) else { return String::new() };
        problems.unless(operation != "$add" || value.is_number(), || format!("update {at}: $add of {value}"));
        within(value, 0, &format!("update {at}: {key}"), problems);
        if key == "$transactions" {
            let time = value["$time"].as_str().unwrap_or_default();
            problems.unless(time.len() == 19 && value["$amount"].is_number(), || format!("update {at}: {value}"));
            return format!("{} {}", value["transaction_id"], value["serial"]);
        }
        format!("{operation} {key}")
    }
}

impl Vendor for MixpanelRules {
    fn route(&self, request: &ReceivedRequest) -> &'static str {
        match request.path.as_str() {
            "/import" => "mixpanel.import",
            _ => self.engage(request, &mut Problems::default()).0,
        }
    }

    fn read(&self, request: &ReceivedRequest) -> Result<Vec<String>, Vec<String>> {
        let mut problems = Problems::default();
        let content = request.headers.get("content-type").map(String::as_str);
        problems.unless(content == Some("application/json"), || format!("content type {content:?}"));
        let keys = match request.path.as_str() {
            "/import" => self.import(request, &mut problems),
            "/engage" => self.engage(request, &mut problems).1,
            path => {
                problems.unless(false, || format!("no such path {path}"));
                Vec::new()
            }
        };
        problems.or(keys)
    }

    fn respond(&self, request: &ReceivedRequest, events: usize) -> Response {
        match request.path.as_str() {
            "/import" => {
                Response::json(200, format!(r#"{{"code":200,"num_records_imported":{events},"status":"OK"}}"#))
            }
            _ => Response::json(200, r#"{"error":null,"status":1}"#),
        }
    }
}

fn who(id: &str, at: usize, problems: &mut Problems) {
    let nobody = NOBODY.contains(&id.to_ascii_lowercase().as_str());
    problems.unless(!nobody && id.chars().count() <= 264, || format!("{at}: distinct id `{id}`"));
}

fn within(value: &Value, depth: usize, what: &str, problems: &mut Problems) {
    match value {
        Value::String(text) => {
            // The distinct id of a device consists of a prefix and a full id.
            let most = if what.ends_with("distinct_id") { 264 } else { 255 };
            problems.unless(text.chars().count() <= most, || format!("{what} is too long"));
        }
        Value::Array(list) => {
            problems.unless(list.len() < 255 && depth < 3, || format!("{what}: a list too long or too deep"));
            list.iter().for_each(|value| within(value, depth + 1, what, problems));
        }
        Value::Object(map) => {
            problems.unless(map.len() < 255 && depth < 3, || format!("{what}: an object too large or too deep"));
            map.values().for_each(|value| within(value, depth + 1, what, problems));
        }
        _ => {}
    }
}

/// Written here because the library must not check itself.
fn base64(text: &str) -> String {
    let digits: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let bits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
    let mut out: String = (0..bits.len())
        .step_by(6)
        .map(|at| format!("{:0<6}", &bits[at..bits.len().min(at + 6)]))
        .map(|six| digits[usize::from_str_radix(&six, 2).expect("six digits")])
        .collect();
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}
