//! What a collector received by any protocol, through the inspect protocol.

use crate::host::parse_loopback;
use crate::received;
use crate::source::{self, Ask, Event, Inspect, Query};
use crate::terminal::CliError;
use rez_monitor::EventId;
use serde_json::Value;
use std::path::Path;

/// Opens a collector: its file, the folder of `rezq demo --keep`, or its address.
pub(crate) fn open(argument: &str, key: Option<&str>) -> Result<Box<dyn Inspect>, CliError> {
    let path = Path::new(argument);
    let source = if !source::is_address(argument) {
        let file = if path.is_dir() { path.join(received::FILE) } else { path.to_owned() };
        source::open(&file.to_string_lossy())?
    } else {
        let host = argument.strip_prefix("http://").unwrap_or_default().trim_end_matches('/');
        let address = match key {
            Some(key) if parse_loopback(host).is_some() => format!("http://{host}/?token={key}"),
            _ => argument.to_owned(),
        };
        source::open(&address)?
    };
    if !Ask(&*source).is_collector()? {
        let hint = "pass the file of `rezq collect`, or its address";
        return Err(CliError::usage(format!("{} is not what a collector received", path.display()), hint));
    }
    Ok(source)
}

/// The events of a protocol, oldest first; without one, those of all protocols but ours.
pub(crate) fn events(ask: Ask<'_>, protocol: Option<&str>, since_ms: Option<i64>) -> Result<Vec<Event>, CliError> {
    let condition = match protocol {
        Some(protocol) => format!("received.protocol = {protocol}"),
        None => "received.protocol != rez".to_owned(),
    };
    let mut events = Vec::new();
    let query = Query { filter: vec![("where", condition)], since_ms, ..Query::default() };
    ask.each(&query, |event| events.push(event))?;
    events.reverse();
    Ok(events)
}

/// The id that the event had when it was sent, if it can be one of ours.
pub(super) fn own_id(event: &Event) -> Option<String> {
    let id = event.json.pointer("/received/id").and_then(Value::as_str)?;
    id.parse::<EventId>().ok().map(|id| id.to_string())
}

/// Why it was rejected.
pub(super) fn rejection(event: &Event) -> Option<String> {
    let message = event.json.pointer("/received/rejected/message")?;
    Some(message.as_str().unwrap_or_default().to_owned())
}
