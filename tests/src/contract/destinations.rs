//! The destinations of the product as the vectors use them: one line each. Whatever checks all destinations (vectors, the user
//! guide's tables) reads this list.

use rez_monitor::Purpose;
use rez_monitor::destination::{Destination, Rez};
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
pub const ALL: &[Entry] = &[Entry { name: "rez", make: rez, accept: accept_rez }];

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
