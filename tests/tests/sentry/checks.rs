//! Validates envelopes: framing and limits with our own rules, items with the crate `sentry-types`, events with the JSON
//! schema of the vendor if it is available, and other items with our own schemas.

use jsonschema::Validator;
use sentry_types::protocol::v7::Envelope;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Maximum size in bytes of a header line, an event, and a client report.
const HEADER_BYTES: usize = 8 * 1024;
const EVENT_BYTES: usize = 1024 * 1024;
const REPORT_BYTES: usize = 4 * 1024;

/// Maximum number of entries of an item, and of sessions in an envelope.
const ENTRIES: usize = 100;

/// An item: its header and its payload.
pub type Item = (Value, Vec<u8>);

/// See the module's documentation.
pub struct Checker {
    vendor: Option<Validator>,
    feedback: Validator,
    spans: Validator,
}

fn schema(path: &Path) -> Validator {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    jsonschema::draft7::new(&json).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the folder of the vendor's schema, beside the checkout.
fn vendors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/peers/sentry/event.schema.json")
}

/// Parses header and items of an envelope. Checks lengths, the line feed after each item, and that nothing follows.
pub fn items(body: &[u8]) -> Result<(Value, Vec<Item>), String> {
    let mut rest = body;
    let header = line(&mut rest, "envelope header")?;
    let mut items = Vec::new();
    while !rest.is_empty() {
        let head = line(&mut rest, "item header")?;
        let length = head["length"].as_u64().and_then(|n| usize::try_from(n).ok()).ok_or("item header: no length")?;
        let payload = rest.get(..length).ok_or("payload: shorter than its length")?.to_vec();
        if rest.get(length) != Some(&b'\n') {
            return Err("payload: no line feed where its length ends".into());
        }
        rest = &rest[length + 1..];
        items.push((head, payload));
    }
    Ok((header, items))
}

/// Parses one line of JSON.
fn line(rest: &mut &[u8], what: &str) -> Result<Value, String> {
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| format!("{what}: the line does not end"))?;
    if end > HEADER_BYTES {
        return Err(format!("{what}: {end} bytes are too long for a header"));
    }
    let (line, after) = rest.split_at(end);
    *rest = &after[1..];
    serde_json::from_slice(line).map_err(|error| format!("{what}: {error}"))
}

/// Returns an envelope with these items.
pub fn envelope(header: &Value, items: &[Item]) -> Vec<u8> {
    let mut body = format!("{header}\n").into_bytes();
    for (head, payload) in items {
        body.extend(head.to_string().into_bytes());
        body.push(b'\n');
        body.extend(payload);
        body.push(b'\n');
    }
    body
}

impl Checker {
    pub fn new() -> Checker {
        let own = |name: &str| schema(&rez_monitor_tests::contract::folder().join("schema").join(name));
        Checker {
            vendor: vendors().is_file().then(|| schema(&vendors())),
            feedback: own("sentry-feedback.schema.json"),
            spans: own("sentry-spans.schema.json"),
        }
    }

    pub fn has_vendors_schema(&self) -> bool {
        self.vendor.is_some()
    }

    /// Returns all faults of a body.
    pub fn problems(&self, body: &[u8]) -> Vec<String> {
        let (header, items) = match items(body) {
            Ok(found) => found,
            Err(error) => return vec![error],
        };
        let mut problems = Vec::new();
        rules(&header, &items, &mut problems);
        // Items that the crate does not support are validated with our own schemas.
        let (feedback, known): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|(head, _)| head["type"] == "feedback");
        if !known.is_empty() {
            let translated: Vec<Item> = known.iter().map(for_the_crate).collect();
            match Envelope::from_slice(&envelope(&header, &translated)) {
                Ok(read) if read.items().count() == known.len() => {}
                Ok(read) => problems.push(format!("sentry-types: {} of {} items", read.items().count(), known.len())),
                Err(error) => problems.push(format!("sentry-types: {error:?}")),
            }
        }
        for (_, payload) in &feedback {
            against(&self.feedback, "feedback", &parse(payload), &mut problems);
        }
        for (head, payload) in &known {
            let mut event = parse(payload);
            if head["type"] == "transaction" {
                let mut spans = serde_json::Map::new();
                for name in ["start_timestamp", "spans", "measurements"] {
                    spans.extend(event.as_object_mut().and_then(|event| event.remove_entry(name)));
                }
                against(&self.spans, "spans", &Value::Object(spans), &mut problems);
            }
            if (head["type"] == "event" || head["type"] == "transaction")
                && let Some(vendor) = &self.vendor
            {
                against(vendor, "vendor", &event, &mut problems);
            }
        }
        problems
    }
}

/// Documented reasons that the crate does not support yet. `rules` checks reports against the whole list.
const NEWER_REASONS: [&str; 5] = ["backpressure", "cache_overflow", "ignored", "insufficient_data", "invalid"];

fn for_the_crate(item: &Item) -> Item {
    let (head, payload) = item;
    let mut report = parse(payload);
    if let Some(images) = report.pointer_mut("/debug_meta/images").and_then(Value::as_array_mut) {
        // The crate does not support source maps and ELF images; the schema of the vendor does.
        images.retain(|image| ["apple", "symbolic", "proguard", "wasm"].iter().any(|kind| image["type"] == *kind));
    } else if head["type"] != "client_report" {
        return item.clone();
    }
    for line in report.get_mut("discarded_events").and_then(Value::as_array_mut).into_iter().flatten() {
        if NEWER_REASONS.iter().any(|reason| line["reason"] == *reason) {
            line["reason"] = json!("send_error");
        }
    }
    let bytes = report.to_string().into_bytes();
    let mut head = head.clone();
    head["length"] = json!(bytes.len());
    (head, bytes)
}

fn parse(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or(Value::Null)
}

fn against(schema: &Validator, name: &str, value: &Value, problems: &mut Vec<String>) {
    problems.extend(schema.iter_errors(value).map(|error| format!("{name} schema: {} {error}", error.instance_path())));
}

/// Checks an id: this number of lower-case hex digits, not all zero.
fn hex(id: &Value, digits: usize) -> bool {
    let fine = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    id.as_str().is_some_and(|id| id.len() == digits && id.bytes().all(fine) && id.bytes().any(|byte| byte != b'0'))
}

/// Checks the documented rules for an envelope as a whole.
fn rules(header: &Value, items: &[Item], problems: &mut Vec<String>) {
    let mut wrong = |what: String| problems.push(format!("rules: {what}"));
    if header["sent_at"].as_str().is_none_or(|time| time.len() != 24 || !time.ends_with('Z')) {
        wrong(format!("sent_at is {}", header["sent_at"]));
    }
    let of = |kind: &str| items.iter().filter(|(head, _)| head["type"] == kind).collect::<Vec<_>>();
    let single: Vec<&Item> = ["event", "transaction", "feedback"].into_iter().flat_map(of).collect();
    if single.len() > 1 {
        wrong(format!("{} events, transactions and feedbacks in one envelope", single.len()));
    }
    for (head, payload) in &single {
        let event = parse(payload);
        let id = event["event_id"].as_str().unwrap_or_default();
        if id.len() != 32 || header["event_id"] != id {
            wrong(format!("the envelope is about {}, its {} about {id}", header["event_id"], head["type"]));
        }
        if payload.len() > EVENT_BYTES {
            wrong(format!("an event of {} bytes", payload.len()));
        }
        let id = |name: &str, digits| hex(&event["contexts"]["trace"][name], digits);
        if head["type"] == "transaction" && !(id("trace_id", 32) && id("span_id", 16)) {
            wrong(format!("a transaction of trace {}", event["contexts"]["trace"]));
        }
        if !event["message"].is_null() {
            wrong("a message at the top level".into());
        }
        let tags = event["tags"].as_object().into_iter().flatten();
        for (name, value) in tags {
            let fine = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
            let text = value.as_str().unwrap_or("\n");
            if !name.chars().all(fine) || name.len() > 200 || text.chars().count() > 200 || text.contains('\n') {
                wrong(format!("tag {name}: {value}"));
            }
        }
        if event["environment"].as_str().is_some_and(|name| name.contains([' ', '/', '\n']) || name.len() > 64) {
            wrong(format!("environment {}", event["environment"]));
        }
    }
    if of("session").len() > ENTRIES {
        wrong(format!("{} sessions", of("session").len()));
    }
    for (_, payload) in of("session") {
        if parse(payload)["attrs"]["release"].as_str().is_none_or(str::is_empty) {
            wrong("a session without a release".into());
        }
    }
    for kind in ["log", "trace_metric"] {
        let found = of(kind);
        if found.len() > 1 {
            wrong(format!("{} items of type {kind}", found.len()));
        }
        for (head, payload) in found {
            let entries = parse(payload)["items"].as_array().cloned().unwrap_or_default();
            let count = entries.len();
            if entries.iter().any(|entry| !hex(&entry["trace_id"], 32)) {
                wrong(format!("{kind}: an entry without a trace"));
            }
            let content = format!("application/vnd.sentry.items.{}+json", kind.replace('_', "-"));
            if count == 0 || count > ENTRIES || head["item_count"] != count || head["content_type"] != content.as_str()
            {
                wrong(format!("{kind}: {count} entries, header {head}"));
            }
        }
    }
    for (_, payload) in of("client_report") {
        let report = parse(payload);
        let known = "queue_overflow cache_overflow ratelimit_backoff network_error sample_rate before_send event_processor send_error internal_sdk_error insufficient_data backpressure buffer_overflow ignored invalid";
        let lines = report["discarded_events"].as_array().cloned().unwrap_or_default();
        let bad =
            |line: &Value| !known.split(' ').any(|reason| line["reason"] == reason) || line["quantity"] == json!(0);
        if payload.len() > REPORT_BYTES || lines.is_empty() || lines.iter().any(bad) {
            wrong(format!("client report {report}"));
        }
    }
}
