//! The answers of a queue that is read from its folder.

use super::answer::{self, Known, Story};
use super::list::{self, Found};
use super::recent::Recent;
use super::request::{self, Query, Request};
use super::{Reader, StoreError};
use crate::id::EventId;
use crate::store::{CHUNK, Result, View};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Reader {
    /// Answers a request about the queue of this folder, as [`crate::Monitor::inspect`] does in the app. Requests and answers are JSON objects,
    /// described in `docs/guide/inspect.md`. A request that changes something is answered with an error: only the app does that.
    ///
    /// # Errors
    /// The queue cannot be read. What is wrong with the request is in the answer.
    ///
    /// ```
    /// # use rez_monitor::{Config, Monitor, inspect::Reader};
    /// # use std::time::Duration;
    /// # let folder = std::env::temp_dir().join(format!("rez-reader-{}", std::process::id()));
    /// # let monitor = Monitor::open(Config::builder(&folder, "shop", "shop@1").sessions(false).build()?)?;
    /// # monitor.persist(Duration::from_secs(5))?;
    /// let answer = Reader::open(&folder)?.inspect(r#"{"ask": "list"}"#)?;
    /// assert_eq!(answer, r#"{"before":null,"events":[],"unreadable":0}"#);
    /// # monitor.close(Duration::from_secs(5));
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inspect(&self, request: &str) -> std::result::Result<String, StoreError> {
        let answer = match request::read(request) {
            Ok(request) => self.reply(request)?,
            Err(error) => json!({ "error": error }),
        };
        Ok(answer.to_string())
    }

    fn reply(&self, request: Request) -> Result<Value> {
        // Before the snapshot of the queue: read after it, the file could lack a row that is delivered in between.
        let recent = match request {
            Request::List(_) | Request::Show(_) | Request::Why(_) => Recent::read(self.folder()),
            _ => Recent::default(),
        };
        match request {
            Request::About => self.view(|view| answer::about(view, "file", &[])),
            Request::Version => Ok(json!({"version": self.version()?})),
            Request::List(query) => self.page(&recent, query),
            Request::Show(id) => self.view(|view| Ok(story(view, &recent, id)?.show(&Known::of(view)?))),
            Request::Why(id) => self.view(|view| Ok(story(view, &recent, id)?.why(&Known::of(view)?))),
            Request::Status { check } => {
                let overview = self.overview()?;
                let unreadable = if check { Some(self.damaged()?) } else { None };
                let balance = answer::balance(&overview, &BTreeMap::new(), None, unreadable);
                Ok(json!({"lines": answer::lines(&overview), "live": self.live(), "balance": balance}))
            }
            Request::Drops => self.view(answer::drops),
            // Its parts besides the rows are files, which a reader of the queue does not know.
            Request::Doctor => Ok(json!({"error": "this is the file of a queue; `rezq doctor` examines it"})),
            Request::SendNow | Request::Mark(_) | Request::Fault(_) | Request::Requeue(_) | Request::Drop(_) => {
                Ok(json!({"error": "this is the file of a queue; only its running app can do that"}))
            }
        }
    }

    /// A page of a list. Between two parts of the queue the app can restart its log.
    fn page(&self, recent: &Recent, mut query: Query) -> Result<Value> {
        let mut found = Found::default();
        loop {
            found.add(self.view(|view| list::chunk(view, recent, &query, CHUNK))?, query.limit);
            query.before = found.before;
            if found.entries.len() >= query.limit || query.before.is_none() {
                let known = if query.show { self.view(Known::of)? } else { Known::default() };
                return Ok(answer::page(found, &query, |entry| known.show(entry, None)));
            }
        }
    }
}

fn story(view: View<'_>, recent: &Recent, id: EventId) -> Result<Story> {
    Ok(Story { fate: view.fate(id)?, recent: recent.get(id), pending: None })
}
