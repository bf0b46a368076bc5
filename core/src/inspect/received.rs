//! A source that is no queue answers like one: what a server received.

use super::answer::{self, Known, PROTOCOL, Story};
use super::list::{Entry, Found};
use super::request::{self, Query, Request};
use super::{Fate, RouteFate};
use crate::id::EventId;
use crate::inspect::filter::Fields;
use crate::json::with;
use crate::row::Row;
use serde_json::{Value, json};
use std::ops::ControlFlow;

/// JSON of a page after which it ends, also below its limit: an event can have megabytes.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What a server received. A row's `seq` is the order of arrival, and its routes say whether the server took it.
pub trait Received {
    /// Why it cannot be read.
    type Error;

    /// Members of the answer to `about`, without `protocol`.
    ///
    /// # Errors
    /// It cannot be read.
    fn about(&self) -> Result<Value, Self::Error>;

    /// A number that changes when something arrives.
    ///
    /// # Errors
    /// It cannot be read.
    fn version(&self) -> Result<u64, Self::Error>;

    /// Gives the rows that arrived before this one, newest first and one at a time, until `take` breaks.
    ///
    /// # Errors
    /// It cannot be read.
    fn rows(
        &self,
        before: Option<u64>,
        take: &mut dyn FnMut(Row, Vec<RouteFate>) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;

    /// The latest row with this id.
    ///
    /// # Errors
    /// It cannot be read.
    fn row(&self, id: EventId) -> Result<Option<(Row, Vec<RouteFate>)>, Self::Error>;

    /// The answer to `status`.
    ///
    /// # Errors
    /// It cannot be read.
    fn status(&self) -> Result<Value, Self::Error>;

    /// The answer to `drops`.
    ///
    /// # Errors
    /// It cannot be read.
    fn drops(&self) -> Result<Value, Self::Error>;
}

/// Answers a request of the inspect protocol. What is wrong with the request is in the answer.
///
/// # Errors
/// The source cannot be read.
pub fn answer_received<S: Received>(source: &S, request: &str) -> Result<String, S::Error> {
    let answer = match request::read(request) {
        Ok(request) => reply(source, request)?,
        Err(error) => json!({ "error": error }),
    };
    Ok(answer.to_string())
}

fn reply<S: Received>(source: &S, request: Request) -> Result<Value, S::Error> {
    Ok(match request {
        Request::About => with(&source.about()?, "protocol", PROTOCOL),
        Request::Version => json!({"version": source.version()?}),
        Request::List(query) => page(source, query)?,
        Request::Show(id) => match story(source, id)? {
            Some(story) => story.show(&Known::default()),
            None => json!({"error": format!("no event {id} has arrived")}),
        },
        Request::Why(id) => match story(source, id)? {
            Some(story) => story.why(&Known::default()),
            None => {
                let text = "has not arrived";
                json!({"why": text, "lines": [text], "final": false, "known": false})
            }
        },
        Request::Status { .. } => source.status()?,
        Request::Drops => source.drops()?,
        Request::Doctor => json!({"error": "a server has no doctor; `rezq dead SOURCE` shows what it rejected"}),
        Request::SendNow | Request::Mark(_) | Request::Fault(_) | Request::Requeue(_) | Request::Drop(_) => {
            json!({"error": "this is what a server received; only its running app can do that"})
        }
    })
}

fn story<S: Received>(source: &S, id: EventId) -> Result<Option<Story>, S::Error> {
    let story = |(row, routes)| Story { fate: Fate { row: Some(row), routes }, recent: None, pending: None };
    Ok(source.row(id)?.map(story))
}

fn page<S: Received>(source: &S, query: Query) -> Result<Value, S::Error> {
    let mut found = Found::default();
    let (mut bytes, mut last) = (0_usize, None);
    source.rows(query.before, &mut |row, routes| {
        if query.after.is_some_and(|after| row.seq <= after) {
            return ControlFlow::Break(());
        }
        if query.since_mark && super::list::is_mark(&row) {
            found.is_marked = true;
            return ControlFlow::Break(());
        }
        // A row more than the page has shows that there are more.
        if found.entries.len() >= query.limit || bytes >= PAGE_BYTES {
            found.before = last;
            return ControlFlow::Break(());
        }
        last = Some(row.seq);
        if super::list::is_candidate(&row, &query) && query.conditions.hold(&Fields { row: &row, state: None }) {
            let entry = Entry::new(row, routes, true);
            if query.states.hold(&Fields { row: &entry.row, state: Some(entry.state()) }) {
                bytes = bytes.saturating_add(entry.row.json.len());
                found.entries.push(entry);
            }
        }
        ControlFlow::Continue(())
    })?;
    let known = Known::default();
    Ok(answer::page(found, &query, |entry| known.show(entry, None)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::store::RowState;
    use std::cell::Cell;

    /// So many log entries, a mark in the middle; every third was refused.
    struct Arrived {
        rows: u64,
        /// Text that each has besides.
        more: String,
        /// Rows that were read.
        read: Cell<u64>,
    }

    impl Arrived {
        fn new(rows: u64) -> Arrived {
            Arrived { rows, more: String::new(), read: Cell::new(0) }
        }

        fn one(&self, seq: u64) -> (Row, Vec<RouteFate>) {
            let logger = if seq == self.rows / 2 { "rez.mark" } else { "app" };
            let install = if seq.is_multiple_of(2) { "even" } else { "odd" };
            let json = json!({"message": format!("m{seq}"), "logger": logger, "received": {"install": install}, "more": self.more});
            let id = EventId::from_bytes(u128::from(seq).to_be_bytes());
            let row = Row {
                seq,
                id,
                kind: Kind::Log,
                run: 0,
                wall_ms: seq as i64,
                mono_ms: 0,
                targets: Vec::new(),
                json: json.to_string(),
            };
            let dead = RowState::Dead { reason: Some(crate::Reason::Rejected), status: 200, note: "no".to_owned() };
            let state = if seq.is_multiple_of(3) { dead } else { RowState::Delivered { at_ms: 1, status: 200 } };
            (row, vec![RouteFate { route: "rez".to_owned(), state }])
        }
    }

    impl Received for Arrived {
        type Error = std::convert::Infallible;

        fn about(&self) -> Result<Value, Self::Error> {
            Ok(json!({"protocol": 1}))
        }
        fn version(&self) -> Result<u64, Self::Error> {
            Ok(self.rows)
        }
        fn rows(
            &self,
            before: Option<u64>,
            take: &mut dyn FnMut(Row, Vec<RouteFate>) -> ControlFlow<()>,
        ) -> Result<(), Self::Error> {
            let mut older = (1..=self.rows).rev().filter(|seq| before.is_none_or(|before| *seq < before));
            let _ = older.try_for_each(|seq| {
                self.read.set(self.read.get() + 1);
                let (row, routes) = self.one(seq);
                take(row, routes)
            });
            Ok(())
        }
        fn row(&self, id: EventId) -> Result<Option<(Row, Vec<RouteFate>)>, Self::Error> {
            Ok((1..=self.rows).map(|seq| self.one(seq)).find(|(row, _)| row.id == id))
        }
        fn status(&self) -> Result<Value, Self::Error> {
            Ok(json!({}))
        }
        fn drops(&self) -> Result<Value, Self::Error> {
            Ok(json!({}))
        }
    }

    fn ask(source: &Arrived, request: &Value) -> Value {
        let Ok(answer) = answer_received(source, &request.to_string());
        serde_json::from_str(&answer).unwrap()
    }

    #[test]
    fn every_row_is_listed_once_over_several_pages_and_a_filter_reads_all_of_them() {
        let source = Arrived::new(2_500);
        let (mut before, mut seqs) = (Value::Null, Vec::new());
        loop {
            let page = ask(&source, &json!({"ask": "list", "before": before, "limit": 700}));
            seqs.extend(page["events"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()));
            before = page["before"].clone();
            if before.is_null() {
                break;
            }
        }
        assert_eq!(seqs, (1..=2_500).rev().collect::<Vec<_>>());
        let filter = json!({"install": "even", "state": "dead", "where": "message ~ m12*"});
        let page = ask(&source, &json!({"ask": "list", "filter": filter, "json": true}));
        let found: Vec<u64> =
            page["events"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect();
        let wanted = |seq: &u64| seq.is_multiple_of(6) && format!("m{seq}").starts_with("m12");
        assert_eq!(found, (1..=2_500).rev().filter(wanted).collect::<Vec<_>>());
        assert_eq!((&page["before"], &page["events"][0]["install"]), (&Value::Null, &json!("even")));
    }

    #[test]
    fn what_came_after_an_event_is_read_and_nothing_before_it() {
        let source = Arrived::new(2_500);
        let page = ask(&source, &json!({"ask": "list", "after": 2_497, "filter": {"where": "message ~ m*"}}));
        let seqs: Vec<&Value> = page["events"].as_array().unwrap().iter().map(|event| &event["seq"]).collect();
        assert_eq!((seqs, &page["before"]), (vec![&json!(2_500), &json!(2_499), &json!(2_498)], &Value::Null));
        assert_eq!(source.read.get(), 4);
    }

    #[test]
    fn a_page_reads_one_row_more_than_it_has_and_ends_after_4_mib() {
        let source = Arrived { more: "x".repeat(1024 * 1024), ..Arrived::new(10) };
        let page = ask(&source, &json!({"ask": "list", "limit": 1}));
        assert_eq!((&page["before"], source.read.take()), (&json!(10), 2));
        let (mut before, mut pages) = (Value::Null, Vec::new());
        loop {
            let page = ask(&source, &json!({"ask": "list", "before": before, "limit": 100, "json": true}));
            pages.push(page["events"].as_array().unwrap().len());
            before = page["before"].clone();
            if before.is_null() {
                break;
            }
        }
        assert_eq!(pages, [4, 4, 2]);
    }

    #[test]
    fn a_mark_ends_the_pages_and_what_was_refused_says_why() {
        let source = Arrived::new(8);
        let page = ask(&source, &json!({"ask": "list", "filter": {"since_mark": true}}));
        assert_eq!((page["events"].as_array().unwrap().len(), &page["mark"]), (4, &json!(true)));
        let why = ask(&source, &json!({"ask": "why", "id": source.one(3).0.id.to_string()}));
        assert_eq!(why["why"], "rez: dead, rejected, status 200 no");
        let shown = ask(&source, &json!({"ask": "show", "id": source.one(4).0.id.to_string()}));
        assert_eq!((&shown["event"]["state"], &shown["final"]), (&json!("delivered"), &json!(true)));
        let unknown = EventId::from_bytes([9; 16]).to_string();
        assert!(ask(&source, &json!({"ask": "show", "id": unknown}))["error"].as_str().unwrap().contains("arrived"));
        assert_eq!(ask(&source, &json!({"ask": "why", "id": unknown}))["known"], false);
        for request in [json!({"tell": "send_now"}), json!({"ask": "list", "filter": {"kind": "Error"}}), json!([])] {
            assert!(ask(&source, &request)["error"].is_string(), "{request}");
        }
    }
}
