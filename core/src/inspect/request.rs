//! The requests of an inspector, as JSON. `docs/guide/inspect.md` describes them.

use super::filter::Conditions;
use super::state::State;
use crate::id::EventId;
use crate::kind::{Kind, Lane};
use crate::limits::{LIST_EVENTS, LIST_EVENTS_OF_FILE};
use crate::transport::Fault;
use serde_json::{Map, Value};

/// A request.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    About,
    Version,
    List(Query),
    Show(EventId),
    Why(EventId),
    /// With the checksum of every row.
    Status {
        check: bool,
    },
    Drops,
    Doctor,
    SendNow,
    Mark(String),
    Fault(Fault),
    Requeue(Vec<EventId>),
    Drop(Vec<EventId>),
}

/// What changes something, as spelled in a request.
pub(crate) const TELLS: [&str; 5] = ["send_now", "mark", "fault", "requeue", "drop"];

const ASKS: [&str; 8] = ["about", "version", "list", "show", "why", "status", "drops", "doctor"];

/// Which events to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Query {
    /// A text that the event's JSON contains.
    pub(crate) text: Option<String>,
    /// Conditions on its fields, without those on its state.
    pub(crate) conditions: Conditions,
    /// Conditions on its state.
    pub(crate) states: Conditions,
    /// Only what happened at or after this time, milliseconds since 1970.
    pub(crate) since_ms: Option<i64>,
    /// Only events that were stored after the latest mark.
    pub(crate) since_mark: bool,
    /// Only events stored before this one.
    pub(crate) before: Option<u64>,
    pub(crate) limit: usize,
    /// Only events stored after this one.
    pub(crate) after: Option<u64>,
    /// With the JSON of each event.
    pub(crate) json: bool,
    /// Each event as in the answer to [`Request::Show`].
    pub(crate) show: bool,
}

/// Reads a request, or says what is wrong with it.
pub(crate) fn read(json: &str) -> Result<Request, String> {
    let json: Value = serde_json::from_str(json).map_err(|error| format!("the request is no JSON ({error})"))?;
    let Value::Object(members) = json else { return Err("the request is no JSON object".to_owned()) };
    match (word(&members, "ask")?, word(&members, "tell")?) {
        (Some("about"), None) => Ok(Request::About),
        (Some("version"), None) => Ok(Request::Version),
        (Some("list"), None) => Ok(Request::List(query(&members)?)),
        (Some("show"), None) => Ok(Request::Show(id(&members)?)),
        (Some("why"), None) => Ok(Request::Why(id(&members)?)),
        (Some("status"), None) => Ok(Request::Status { check: switch(&members, "check")? }),
        (Some("drops"), None) => Ok(Request::Drops),
        (Some("doctor"), None) => Ok(Request::Doctor),
        (None, Some("send_now")) => Ok(Request::SendNow),
        (None, Some("mark")) => match word(&members, "text")?.map(str::trim) {
            Some(text) if !text.is_empty() => Ok(Request::Mark(text.to_owned())),
            _ => Err("`text` is missing; give the moment a name, such as `tapped Pay`".to_owned()),
        },
        (None, Some("fault")) => {
            let word = word(&members, "fault")?.unwrap_or_default();
            let fault = Fault::ALL.into_iter().find(|fault| fault.as_str() == word);
            Ok(Request::Fault(fault.ok_or_else(|| unknown("fault", word, &Fault::ALL.map(Fault::as_str)))?))
        }
        (None, Some("requeue")) => Ok(Request::Requeue(ids(&members)?)),
        (None, Some("drop")) => Ok(Request::Drop(ids(&members)?)),
        _ => Err(format!("pass `ask` ({}) or `tell` ({})", ASKS.join(", "), TELLS.join(", "))),
    }
}

fn query(members: &Map<String, Value>) -> Result<Query, String> {
    let empty = Map::new();
    let filter = match members.get("filter") {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(filter)) => filter,
        Some(_) => return Err("`filter` is no object".to_owned()),
    };
    let asked = word(filter, "where")?.unwrap_or_default();
    let mut conditions = Conditions::parse(asked).map_err(|error| format!("`where`: {error}"))?;
    for (name, all) in [
        ("kind", Some(Kind::ALL.map(Kind::as_str).as_slice())),
        ("lane", Some(Lane::ALL.map(Lane::as_str).as_slice())),
        ("state", Some(State::ALL.map(State::as_str).as_slice())),
        ("level", None),
        ("session", None),
        ("install", None),
    ] {
        if let Some(word) = word(filter, name)? {
            if let Some(all) = all.filter(|all| !all.contains(&word)) {
                return Err(unknown(name, word, all));
            }
            // A queue belongs to one installation. A server notes the sender of each event.
            let path: &[&str] = if name == "install" { &["received", name] } else { &[name] };
            conditions.add(path, word);
        }
    }
    let (states, conditions) = conditions.split_state();
    let limit =
        count(members, "limit")?.map_or(LIST_EVENTS, |limit| limit.clamp(1, LIST_EVENTS_OF_FILE as u64) as usize);
    Ok(Query {
        text: word(filter, "text")?.filter(|text| !text.is_empty()).map(str::to_owned),
        conditions,
        states,
        since_ms: count(filter, "since_ms")?.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)),
        since_mark: switch(filter, "since_mark")?,
        before: count(members, "before")?,
        after: count(members, "after")?,
        limit,
        json: switch(members, "json")?,
        show: switch(members, "show")?,
    })
}

fn id(members: &Map<String, Value>) -> Result<EventId, String> {
    let id = word(members, "id")?.unwrap_or_default();
    id.parse().map_err(|error: crate::id::ParseIdError| format!("`id`: {error}"))
}

fn ids(members: &Map<String, Value>) -> Result<Vec<EventId>, String> {
    let Some(Value::Array(ids)) = members.get("ids") else { return Err("`ids` is no list".to_owned()) };
    if ids.len() > LIST_EVENTS {
        return Err(format!("`ids` has {} members; pass at most {LIST_EVENTS}", ids.len()));
    }
    let id = |id: &Value| id.as_str().unwrap_or_default().parse();
    ids.iter().map(id).collect::<Result<_, crate::id::ParseIdError>>().map_err(|error| format!("`ids`: {error}"))
}

/// False if it is missing or null.
fn switch(members: &Map<String, Value>, name: &str) -> Result<bool, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(on)) => Ok(*on),
        Some(_) => Err(format!("`{name}` is neither true nor false")),
    }
}

/// A text, `None` if it is missing or null.
fn word<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` is no text")),
    }
}

fn count(members: &Map<String, Value>, name: &str) -> Result<Option<u64>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| format!("`{name}` is no whole number")),
    }
}

fn unknown(name: &str, word: &str, all: &[&str]) -> String {
    // The word may be anything, also long.
    let word: String = word.chars().take(40).collect();
    format!("`{name}` is `{word}`; use one of {}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_read() {
        let id = "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11";
        let list = r#"{"ask":"list","filter":{"state":"dead","kind":"error","text":"pay","since_mark":true},"before":7,"limit":3}"#;
        let query = Query {
            conditions: Conditions::parse("kind = error").unwrap(),
            states: Conditions::parse("state = dead").unwrap(),
            text: Some("pay".to_owned()),
            since_mark: true,
            before: Some(7),
            limit: 3,
            ..Query::default()
        };
        assert_eq!(read(list), Ok(Request::List(query)));
        let all = Query { limit: LIST_EVENTS, ..Query::default() };
        assert_eq!(read(r#"{"ask":"list","filter":null}"#), Ok(Request::List(all)));
        let most = Query { limit: LIST_EVENTS_OF_FILE, ..Query::default() };
        assert_eq!(read(r#"{"ask":"list","limit":1000000}"#), Ok(Request::List(most)));
        assert_eq!(read(&format!(r#"{{"ask":"show","id":"{id}"}}"#)), Ok(Request::Show(id.parse().unwrap())));
        assert_eq!(read(&format!(r#"{{"ask":"why","id":"{id}"}}"#)), Ok(Request::Why(id.parse().unwrap())));
        assert_eq!(read(r#"{"ask":"about"}"#), Ok(Request::About));
        assert_eq!(read(r#"{"ask":"version"}"#), Ok(Request::Version));
        assert_eq!(read(r#"{"ask":"drops"}"#), Ok(Request::Drops));
        assert_eq!(read(r#"{"ask":"doctor"}"#), Ok(Request::Doctor));
        assert_eq!(read(r#"{"ask":"status"}"#), Ok(Request::Status { check: false }));
        assert_eq!(read(r#"{"ask":"status","check":true}"#), Ok(Request::Status { check: true }));
        for tell in ["requeue", "drop"] {
            let ids = vec![id.parse().unwrap()];
            let wanted = if tell == "drop" { Request::Drop(ids) } else { Request::Requeue(ids) };
            assert_eq!(read(&format!(r#"{{"tell":"{tell}","ids":["{id}"]}}"#)), Ok(wanted));
        }
        assert_eq!(read(r#"{"tell":"send_now"}"#), Ok(Request::SendNow));
        assert_eq!(read(r#"{"tell":"mark","text":" tapped Pay "}"#), Ok(Request::Mark("tapped Pay".to_owned())));
        for fault in Fault::ALL {
            let json = format!(r#"{{"tell":"fault","fault":"{}"}}"#, fault.as_str());
            assert_eq!(read(&json), Ok(Request::Fault(fault)));
        }
    }

    #[test]
    fn a_wrong_request_is_answered_by_a_sentence_that_names_the_member() {
        for (json, part) in [
            ("", "no JSON"),
            ("[]", "no JSON object"),
            ("{}", "pass `ask`"),
            (r#"{"ask":"list","tell":"mark"}"#, "pass `ask`"),
            (r#"{"ask":"everything"}"#, "pass `ask`"),
            (r#"{"ask":7}"#, "`ask` is no text"),
            (r#"{"ask":"show"}"#, "`id`"),
            (r#"{"ask":"show","id":"42"}"#, "`id`"),
            (r#"{"ask":"list","filter":[]}"#, "`filter` is no object"),
            (r#"{"ask":"list","filter":{"kind":"Error"}}"#, "`kind` is `Error`; use one of crash"),
            (r#"{"ask":"list","filter":{"state":"sent"}}"#, "`state` is `sent`; use one of queued, dead"),
            (r#"{"ask":"list","filter":{"since_mark":1}}"#, "`since_mark`"),
            (r#"{"ask":"list","json":"yes"}"#, "`json` is neither true nor false"),
            (r#"{"ask":"list","filter":{"lane":"fast"}}"#, "`lane` is `fast`; use one of crash, critical"),
            (r#"{"ask":"list","filter":{"where":"status >"}}"#, "`where`: the filter cannot be read at character 9"),
            (r#"{"ask":"list","filter":{"since_ms":"1d"}}"#, "`since_ms` is no whole number"),
            (r#"{"ask":"status","check":1}"#, "`check`"),
            (r#"{"tell":"requeue"}"#, "`ids` is no list"),
            (r#"{"tell":"drop","ids":["42"]}"#, "`ids`"),
            (r#"{"ask":"list","before":-1}"#, "`before` is no whole number"),
            (r#"{"ask":"list","limit":"all"}"#, "`limit` is no whole number"),
            (r#"{"tell":"mark","text":"  "}"#, "`text` is missing"),
            (r#"{"tell":"fault","fault":"slower"}"#, "`fault` is `slower`; use one of none, offline, refuse, slow"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(part), "{json}: {error}");
        }
    }
}
