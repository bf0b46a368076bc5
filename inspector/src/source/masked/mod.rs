//! A source whose answers have no personal data: the rules of `rezq export` on every answer.

mod list;

use super::{Ask, Inspect, Query, SourceError};
use list::Tested;
use rez_monitor::inspect::{ExportRules, title};
use rez_monitor::limits::LIST_EVENTS_OF_FILE;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Hides what says who the user and the device are in every answer of a source.
pub struct Masked {
    source: Box<dyn Inspect>,
    known: Mutex<Known>,
}

/// Identifiers that were found in the source, and up to which event.
#[derive(Default)]
struct Known {
    identifiers: BTreeSet<String>,
    /// The rules for the first so many identifiers: none is ever removed.
    rules: ExportRules,
    of: usize,
    install: String,
    version: Option<u64>,
    seq: u64,
}

impl std::fmt::Debug for Masked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The identifiers are what it hides.
        f.debug_struct("Masked").finish_non_exhaustive()
    }
}

impl Masked {
    /// Hides personal data in the answers of this source.
    #[must_use]
    pub fn new(source: Box<dyn Inspect>) -> Masked {
        Masked { source, known: Mutex::default() }
    }

    /// An answer of the source, with what is personal hidden.
    fn masked(&self, request: &str) -> Result<Value, SourceError> {
        let mut answer: Value = serde_json::from_str(&self.source.try_inspect(request)?)
            .map_err(|error| SourceError::Answer { request: "request", message: error.to_string() })?;
        let rules = self.rules(&answer)?;
        mask(&rules, &mut answer);
        Ok(answer)
    }

    /// A page of a list with conditions. It can be short, or empty, and still have a next one.
    fn page(&self, mut asked: Map<String, Value>, tested: &Tested) -> Result<Value, SourceError> {
        let (mut found, mut unreadable, mut is_marked) = (Vec::new(), 0_u64, None);
        asked.insert("limit".to_owned(), LIST_EVENTS_OF_FILE.into());
        let mut rounds = list::ROUNDS;
        loop {
            rounds -= 1;
            let mut answer = self.masked(&Value::Object(asked.clone()).to_string())?;
            let Some(Value::Array(events)) = answer.get_mut("events").map(Value::take) else { return Ok(answer) };
            found.extend(events.into_iter().filter(|event| tested.holds(event)));
            unreadable =
                unreadable.saturating_add(answer.get("unreadable").and_then(Value::as_u64).unwrap_or_default());
            if let Some(mark) = answer.get("mark").and_then(Value::as_bool) {
                is_marked = Some(is_marked.unwrap_or_default() || mark);
            }
            let mut before = answer.get("before").and_then(Value::as_u64);
            if found.len() > tested.limit {
                found.truncate(tested.limit);
                before = found.last().and_then(list::seq);
            }
            if before.is_none() || found.len() == tested.limit || rounds == 0 {
                answer = json!({"events": found, "before": before, "unreadable": unreadable});
                if let (Some(mark), Some(members)) = (is_marked, answer.as_object_mut()) {
                    members.insert("mark".to_owned(), mark.into());
                }
                return Ok(answer);
            }
            asked.insert("before".to_owned(), before.into());
        }
    }

    /// The rules for an answer. An identifier of one event is hidden in all of them.
    fn rules(&self, answer: &Value) -> Result<ExportRules, SourceError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.update(Ask(&*self.source))?;
        // The source can have more events by now than when it answered, and the other way round.
        let events = answer.get("events").and_then(Value::as_array).into_iter().flatten();
        let rows = events.filter_map(|event| event.get("json")).chain(answer.get("json"));
        known.identifiers.extend(rows.flat_map(ExportRules::identifiers));
        if known.of != known.identifiers.len() {
            known.of = known.identifiers.len();
            known.rules = ExportRules::new(known.identifiers.iter().cloned());
        }
        Ok(known.rules.clone())
    }
}

impl Known {
    fn update(&mut self, ask: Ask<'_>) -> Result<(), SourceError> {
        let version = ask.version()?;
        if self.version == Some(version) {
            return Ok(());
        }
        let about = ask.raw(&json!({"ask": "about"}))?;
        let install = about.get("install").and_then(Value::as_str).unwrap_or_default();
        if install != self.install {
            // Another queue is in its place: its numbers begin again.
            (self.install, self.seq) = (install.to_owned(), 0);
        }
        self.identifiers.insert(install.to_owned());
        let installs = about.get("installs").and_then(Value::as_array).into_iter().flatten();
        let installs = installs.filter_map(|one| one.get("install")?.as_str());
        self.identifiers.extend(installs.map(str::to_owned));
        // Before the others are read: what is stored meanwhile is read again the next time.
        let newest = ask.list(&Query { limit: 1, ..Query::default() })?.events.first().map_or(0, |event| event.seq);
        let of_users = vec![("where", "user != null".to_owned())];
        ask.each(&Query { filter: of_users, after: Some(self.seq), ..Query::default() }, |event| {
            self.identifiers.extend(ExportRules::identifiers(&event.json));
        })?;
        (self.seq, self.version) = (newest, Some(version));
        Ok(())
    }
}

impl Inspect for Masked {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        let Some(mut asked) = list_of(request) else { return Ok(self.masked(request)?.to_string()) };
        // The title of an event is made again from what is left of it.
        let shows = asked.get("show") == Some(&Value::Bool(true));
        let has_json = asked.insert("json".to_owned(), true.into()) == Some(Value::Bool(true)) || shows;
        let mut answer = match Tested::take(&mut asked) {
            Some(tested) => self.page(asked, &tested)?,
            None => self.masked(&Value::Object(asked).to_string())?,
        };
        if !has_json {
            let events = answer.get_mut("events").and_then(Value::as_array_mut).into_iter().flatten();
            events.filter_map(Value::as_object_mut).for_each(|event| drop(event.remove("json")));
        }
        Ok(answer.to_string())
    }

    /// An error: the bytes of the file are not masked.
    fn snapshot(&self) -> Result<Vec<u8>, SourceError> {
        Err(SourceError::Refused("a masked source gives no copy of its queue; use `rezq export`".to_owned()))
    }

    fn notes(&self) -> Vec<String> {
        self.source.notes().iter().map(|note| without_folders(note)).collect()
    }

    fn is_damaged(&self) -> bool {
        self.source.is_damaged()
    }
}

/// The members of a request for a list.
fn list_of(request: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(request) {
        Ok(Value::Object(asked)) if asked.get("ask").is_some_and(|ask| ask == "list") => Some(asked),
        _ => None,
    }
}

/// A sentence with the names of files, without their folders: those name the person on a desktop.
fn without_folders(note: &str) -> String {
    let words = note.split(' ').map(|word| word.rsplit(['/', '\\']).next().unwrap_or_default());
    words.collect::<Vec<_>>().join(" ")
}

/// Hides the folder of the queue in a status.
fn hide_folder(answer: &mut Value) {
    let folder = answer.get_mut("status").and_then(Value::as_object_mut).and_then(|status| status.remove("folder"));
    let Some(folder) = folder.as_ref().and_then(Value::as_str).filter(|folder| !folder.is_empty()) else { return };
    for line in answer.get_mut("lines").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(text) = line.as_str() {
            *line = text.replace(folder, "[folder]").into();
        }
    }
}

fn mask(rules: &ExportRules, answer: &mut Value) {
    hide_folder(answer);
    let kind = answer.pointer("/event/kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (key, value) in answer.as_object_mut().into_iter().flatten() {
        match (key.as_str(), value) {
            ("events", Value::Array(events)) => events.iter_mut().for_each(|event| match event.get("event") {
                // As in the answer to `show`.
                Some(_) => mask(rules, event),
                None => mask_event(rules, event),
            }),
            ("event", event) => mask_event(rules, event),
            ("json", row) => rules.row(&kind, row),
            (key, value) => rules.value(key, value),
        }
    }
    if let Some(title) = answer.get("json").map(title)
        && let Some(name) = answer.pointer_mut("/event/name")
    {
        *name = title.into();
    }
}

/// Hides it in an event of a list. Its id and its session are random, and are needed to ask on.
fn mask_event(rules: &ExportRules, event: &mut Value) {
    let kind = event.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    for (key, value) in event.as_object_mut().into_iter().flatten() {
        match key.as_str() {
            "id" | "session" => {}
            "json" => rules.row(&kind, value),
            key => rules.value(key, value),
        }
    }
    // The title joins members of the event, and is cut: what was hidden in those may not be found in it.
    if let Some(title) = event.get("json").map(title)
        && let Some(name) = event.get_mut("name")
    {
        *name = title.into();
    }
}

#[cfg(test)]
mod tests {
    use super::super::{App, Folder};
    use super::*;
    use rez_monitor::{Config, Feedback, Monitor, User};
    use std::time::Duration;

    const WAIT: Duration = Duration::from_secs(30);

    #[test]
    fn titles_and_paths_have_no_personal_data_either() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("priya-sharma");
        let config = Config::builder(&folder, "shop", "shop@1").sessions(false).inspector(true);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        let user = User { id: Some("customer-priya-sharma-1742"), ..User::default() };
        monitor.scope(rez_monitor::ScopeChange::User(Some(user)));
        let long = format!("{} customer-priya-sharma-1742", "x".repeat(40));
        let _ = monitor.message(&long, rez_monitor::Level::Info, &[]);
        let _ = monitor.feedback(Feedback { message: "Pay is broken", name: Some("Priya"), email: None, about: None });
        monitor.persist(WAIT).unwrap();
        let sources: [Box<dyn Inspect>; 2] =
            [Box::new(App::new(monitor.clone(), WAIT)), Box::new(Folder::open(&folder).unwrap())];
        for source in sources {
            let plain = source.inspect(r#"{"ask":"list"}"#);
            assert!(plain.contains("Priya") && plain.contains("customer-priya-sha"), "{plain}");
            let masked = Masked::new(source);
            let list = masked.inspect(r#"{"ask":"list"}"#);
            let list: Value = serde_json::from_str(&list).unwrap();
            let ids: Vec<&str> =
                list["events"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
            let whole = masked.inspect(r#"{"ask":"list","show":true}"#);
            let one = masked.inspect(&json!({"ask": "show", "id": ids[0]}).to_string());
            let (whole, one): (Value, Value) =
                (serde_json::from_str(&whole).unwrap(), serde_json::from_str(&one).unwrap());
            assert_eq!(whole["events"][0], one, "the same event in a list");
            let shows = ids.iter().map(|id| masked.inspect(&json!({"ask": "show", "id": id}).to_string()));
            let answers: Vec<String> =
                shows.chain([list.to_string(), whole.to_string(), masked.inspect(r#"{"ask":"status"}"#)]).collect();
            for answer in answers {
                assert!(!answer.to_lowercase().contains("priya"), "{answer}");
            }
            assert_eq!(list["events"][0].get("json"), None, "it was not asked for");
            for limit in [json!(null), json!(1), json!(5_000)] {
                for filter in [json!({"where": "name ~ priya"}), json!({"text": "Priya", "where": null})] {
                    let asked = json!({"ask": "list", "filter": filter, "limit": limit, "show": true});
                    let answer: Value = serde_json::from_str(&masked.inspect(&asked.to_string())).unwrap();
                    assert_eq!(answer, json!({"events": [], "before": null, "unreadable": 0}), "{asked}");
                }
            }
            for wrong in [
                json!({"limit": -1}),
                json!({"filter": {"where": 1}}),
                json!({"filter": {"text": []}}),
                json!({"filter": 7}),
            ] {
                let mut asked = json!({"ask": "list"});
                asked.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
                let answer = masked.inspect(&asked.to_string());
                assert!(answer.starts_with("{\"error\""), "{asked}: {answer}");
            }
        }
        assert_eq!(without_folders("/data/priya/queue.db is damaged"), "queue.db is damaged");
        monitor.close(WAIT);
    }
}
