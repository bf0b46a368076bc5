//! The members in which two events differ.

use crate::source::Event;
use rez_monitor::inspect;
use serde_json::{Map, Value};

/// Members that the protocol adds to the fields of a row.
const FRAME: [&str; 7] = ["id", "seq", "ts", "kind", "boot", "mono_ms", "resource"];

/// Members of one event that are told.
const MEMBERS: usize = 20;

/// A member that is not the same on both sides. `None` = the side does not have it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) path: String,
    pub(super) device: Option<Value>,
    pub(super) server: Option<Value>,
}

/// The members in which the event of the server differs.
pub(super) fn differing(event: &Event, server: &Value, is_masked: bool) -> Vec<Member> {
    let mut found = Vec::new();
    let empty = Map::new();
    let sent = server.as_object().unwrap_or(&empty);
    let mut frame = Map::new();
    frame.insert("seq".to_owned(), event.seq.into());
    frame.insert("ts".to_owned(), inspect::time(event.wall_ms).into());
    frame.insert("kind".to_owned(), event.kind.as_str().into());
    for (name, value) in &frame {
        compare(name, Some(value), sent.get(name), &mut found);
    }
    if !is_masked {
        let fields = event.json.as_object().unwrap_or(&empty);
        let rest = sent.iter().filter(|(name, _)| !FRAME.contains(&name.as_str()));
        objects("", fields, &rest.map(|(name, value)| (name.clone(), value.clone())).collect(), &mut found);
    }
    found.truncate(MEMBERS);
    found
}

fn objects(path: &str, device: &Map<String, Value>, server: &Map<String, Value>, found: &mut Vec<Member>) {
    let more = server.keys().filter(|name| !device.contains_key(*name));
    for name in device.keys().chain(more) {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        compare(&path, device.get(name), server.get(name), found);
    }
}

fn compare(path: &str, device: Option<&Value>, server: Option<&Value>, found: &mut Vec<Member>) {
    match (device, server) {
        (Some(Value::Object(device)), Some(Value::Object(server))) => objects(path, device, server, found),
        (device, server) if device == server => {}
        (device, server) => {
            found.push(Member { path: path.to_owned(), device: device.cloned(), server: server.cloned() });
        }
    }
}
