//! The destinations of the product as the vectors use them: one line each. Whatever checks all destinations (vectors, the user
//! guide's tables) reads this list.

use rez_monitor::Purpose;
use rez_monitor::destination::{Datadog, Destination, Otlp, OtlpEncoding, Rez};
use rez_monitor::transport::{Answer, Request};
use serde_json::{Value, json};
use std::sync::Arc;

/// One destination.
pub struct Entry {
    /// Its name in vectors, and the name of its page in the user guide.
    pub name: &'static str,
    /// Makes it, with the vector's options for it (`null` where it has none).
    pub make: fn(&Value) -> Arc<dyn Destination>,
    /// What the vendor answers when all is well.
    pub accept: fn(&Request) -> Answer,
}

/// All of them.
pub const ALL: &[Entry] = &[
    Entry { name: "datadog", make: datadog, accept: accept_datadog },
    Entry { name: "otlp", make: otlp, accept: accept_otlp },
    Entry { name: "rez", make: rez, accept: accept_rez },
];

/// The entry of this name.
#[must_use]
pub fn entry(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// An answer with a JSON body.
#[must_use]
pub fn answer(status: u16, body: &Value) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer { status, headers, body: body.to_string().into_bytes(), cut: false }
}

fn rez(_: &Value) -> Arc<dyn Destination> {
    let rez = Rez::builder("https://in.example.com", "write-key").purposes(&Purpose::ALL).build();
    Arc::new(rez.expect("a good configuration"))
}

fn accept_rez(request: &Request) -> Answer {
    let body: Value = serde_json::from_slice(&super::wire::plain(request)).unwrap_or_default();
    let events = body["events"].as_array().map_or(0, Vec::len);
    answer(200, &json!({"batch_id": body["batch_id"], "accepted": events}))
}

/// What an option turns on, off, or is a number for.
fn option<T>(options: &Value, name: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    options.get(name).map(|value| read(value).expect("an option of the right form"))
}

fn both_if_analytics(options: &Value) -> &'static [Purpose] {
    if option(options, "analytics", Value::as_bool) == Some(true) { &Purpose::ALL } else { &[Purpose::Monitoring] }
}

fn datadog(options: &Value) -> Arc<dyn Destination> {
    let mut datadog = Datadog::builder("0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11", "pub-token")
        .purposes(both_if_analytics(options))
        .forward_errors_to_logs(option(options, "forward_errors_to_logs", Value::as_bool).unwrap_or(false))
        .mask_user_input(option(options, "mask_user_input", Value::as_bool).unwrap_or(true))
        .track_resources(option(options, "track_resources", Value::as_bool).unwrap_or(true));
    if let Some(rate) = option(options, "session_sample_rate", Value::as_f64) {
        datadog = datadog.session_sample_rate(rate);
    }
    Arc::new(datadog.build().expect("a good configuration"))
}

fn accept_datadog(_: &Request) -> Answer {
    answer(202, &json!({}))
}

fn otlp(options: &Value) -> Arc<dyn Destination> {
    let json = option(options, "json", Value::as_bool) == Some(true);
    let otlp = Otlp::builder("https://otlp.example.com")
        .header("api-key", "secret")
        .purposes(both_if_analytics(options))
        .breadcrumbs(option(options, "breadcrumbs", Value::as_bool).unwrap_or(true))
        .encoding(if json { OtlpEncoding::Json } else { OtlpEncoding::Protobuf });
    Arc::new(otlp.build().expect("a good configuration"))
}

fn accept_otlp(_: &Request) -> Answer {
    answer(200, &json!({"partialSuccess": {}}))
}
