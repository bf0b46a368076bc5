//! The requests of a debug screen, as JSON. `docs/guide/inspect.md` describes them.

use crate::id::EventId;
use crate::kind::Kind;
use crate::limits::LIST_EVENTS;
use crate::transport::Fault;
use serde_json::{Map, Value};

/// A request.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    List(Query),
    Show(EventId),
    Why(EventId),
    Status,
    SendNow,
    Mark(String),
    Fault(Fault),
}

/// Which events to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Query {
    pub(super) kind: Option<Kind>,
    pub(super) state: Option<State>,
    /// A text that the event's JSON contains.
    pub(super) text: Option<String>,
    /// Only events that were stored after the latest mark.
    pub(super) since_mark: bool,
    /// Only events stored before this one.
    pub(super) before: Option<u64>,
    pub(super) limit: usize,
}

/// The state of an event over all routes: the first of these that applies to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Queued,
    Dead,
    Dropped,
    Delivered,
    /// No destination takes it, or nothing is known of it any more.
    Settled,
}

impl State {
    const ALL: [State; 5] = [State::Queued, State::Dead, State::Dropped, State::Delivered, State::Settled];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Dead => "dead",
            State::Dropped => "dropped",
            State::Delivered => "delivered",
            State::Settled => "settled",
        }
    }
}

/// Reads a request, or says what is wrong with it.
pub(super) fn read(json: &str) -> Result<Request, String> {
    let json: Value = serde_json::from_str(json).map_err(|error| format!("the request is no JSON ({error})"))?;
    let Value::Object(members) = json else { return Err("the request is no JSON object".to_owned()) };
    match (word(&members, "ask")?, word(&members, "tell")?) {
        (Some("list"), None) => Ok(Request::List(query(&members)?)),
        (Some("show"), None) => Ok(Request::Show(id(&members)?)),
        (Some("why"), None) => Ok(Request::Why(id(&members)?)),
        (Some("status"), None) => Ok(Request::Status),
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
        _ => Err("pass `ask` (`list`, `show`, `why` or `status`) or `tell` (`send_now`, `mark` or `fault`)".to_owned()),
    }
}

fn query(members: &Map<String, Value>) -> Result<Query, String> {
    let empty = Map::new();
    let filter = match members.get("filter") {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(filter)) => filter,
        Some(_) => return Err("`filter` is no object".to_owned()),
    };
    let kind = word(filter, "kind")?
        .map(|word| Kind::parse(word).ok_or_else(|| unknown("kind", word, &Kind::ALL.map(Kind::as_str))));
    let state = word(filter, "state")?.map(|word| {
        let state = State::ALL.into_iter().find(|state| state.as_str() == word);
        state.ok_or_else(|| unknown("state", word, &State::ALL.map(State::as_str)))
    });
    let since_mark = match filter.get("since_mark") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(since_mark)) => *since_mark,
        Some(_) => return Err("`since_mark` is neither true nor false".to_owned()),
    };
    let limit = count(members, "limit")?.map_or(LIST_EVENTS, |limit| limit.clamp(1, LIST_EVENTS as u64) as usize);
    Ok(Query {
        kind: kind.transpose()?,
        state: state.transpose()?,
        text: word(filter, "text")?.filter(|text| !text.is_empty()).map(str::to_owned),
        since_mark,
        before: count(members, "before")?,
        limit,
    })
}

fn id(members: &Map<String, Value>) -> Result<EventId, String> {
    let id = word(members, "id")?.unwrap_or_default();
    id.parse().map_err(|error: crate::id::ParseIdError| format!("`id`: {error}"))
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
            kind: Some(Kind::Error),
            state: Some(State::Dead),
            text: Some("pay".to_owned()),
            since_mark: true,
            before: Some(7),
            limit: 3,
        };
        assert_eq!(read(list), Ok(Request::List(query)));
        let all = Query { limit: LIST_EVENTS, ..Query::default() };
        assert_eq!(read(r#"{"ask":"list","filter":null,"limit":1000000}"#), Ok(Request::List(all)));
        assert_eq!(read(&format!(r#"{{"ask":"show","id":"{id}"}}"#)), Ok(Request::Show(id.parse().unwrap())));
        assert_eq!(read(&format!(r#"{{"ask":"why","id":"{id}"}}"#)), Ok(Request::Why(id.parse().unwrap())));
        assert_eq!(read(r#"{"ask":"status"}"#), Ok(Request::Status));
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
