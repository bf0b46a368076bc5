//! The answers about a queue, as JSON. `docs/guide/inspect.md` describes them.
//!
//! A running app and a folder that `rezq` reads answer with these functions, so that all faces show the same.

use super::list::{Entry, Found};
use super::request::Query;
use super::{Fate, Overview, RouteFate, RouteView, refused, time};
use crate::json::with;
use crate::privacy;
use crate::row::{Row, Run};
use crate::store::{LostOnDay, Result, View};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Version of requests and answers.
pub(super) const PROTOCOL: u32 = 1;

const MS_PER_DAY: i64 = 24 * 3600 * 1000;

/// Which source answers, and what it can do.
pub(crate) fn about(view: View<'_>, source: &str, can: &[&str]) -> Result<Value> {
    let install = view.install();
    let app = view.runs()?.pop().map(|run| run.release);
    Ok(json!({"protocol": PROTOCOL, "source": source, "app": app, "install": install, "can": can}))
}

/// A page of a list. `show` answers for an event if the query asks for all about it.
pub(crate) fn page(mut found: Found, query: &Query, mut show: impl FnMut(Entry) -> Value) -> Value {
    let entries = std::mem::take(&mut found.entries).into_iter();
    let events: Vec<Value> = entries
        .map(|entry| match (query.show, query.json) {
            (true, _) => show(entry),
            (false, true) => with(&event(&entry), "json", entry.json),
            (false, false) => event(&entry),
        })
        .collect();
    let page = json!({"events": events, "before": found.before, "unreadable": found.damaged});
    if query.since_mark { with(&page, "mark", found.is_marked) } else { page }
}

/// An event of a list.
pub(crate) fn event(entry: &Entry) -> Value {
    let Entry { row, json, routes, .. } = entry;
    let routes: Vec<Value> = routes.iter().map(|route| with(route, "text", route.state.text())).collect();
    let mut event = Map::new();
    event.insert("seq".to_owned(), row.seq.into());
    event.insert("id".to_owned(), row.id.to_string().into());
    event.insert("kind".to_owned(), row.kind.as_str().into());
    event.insert("lane".to_owned(), row.kind.lane().as_str().into());
    event.insert("name".to_owned(), super::title(json).into());
    for member in ["level", "session"] {
        if let Some(value) = json.get(member) {
            event.insert(member.to_owned(), value.clone());
        }
    }
    if let Some(install) = json.pointer("/received/install") {
        event.insert("install".to_owned(), install.clone());
    }
    event.insert("wall_ms".to_owned(), row.wall_ms.into());
    event.insert("bytes".to_owned(), row.json.len().into());
    event.insert("state".to_owned(), entry.state().as_str().into());
    event.insert("routes".to_owned(), routes.into());
    Value::Object(event)
}

/// What became of an event.
pub(crate) struct Story {
    pub(crate) fate: Fate,
    /// Its row, if it was stored lately. The file may no longer have it.
    pub(crate) recent: Option<Row>,
    /// What all events of its kind wait for: a decision of the user.
    pub(crate) pending: Option<String>,
}

/// What is known of a queue besides its events.
#[derive(Default)]
pub(crate) struct Known {
    /// Details of each route.
    pub(crate) routes: Vec<RouteView>,
    pub(crate) runs: Vec<Run>,
    /// What a running app knows of a route that its file does not say: why it waits.
    pub(crate) waits: BTreeMap<String, String>,
}

impl Known {
    /// What the file says.
    pub(crate) fn of(view: View<'_>) -> Result<Known> {
        Ok(Known { routes: view.routes()?, runs: view.runs()?, waits: BTreeMap::new() })
    }

    /// Everything about an event of a list.
    pub(crate) fn show(&self, entry: Entry, pending: Option<String>) -> Value {
        let Entry { row, routes, is_stored, .. } = entry;
        let (row, recent) = if is_stored { (Some(row), None) } else { (None, Some(row)) };
        Story { fate: Fate { row, routes }, recent, pending }.show(self)
    }
}

impl Story {
    /// One sentence for each route.
    fn lines(&self, known: &Known) -> Vec<String> {
        if self.fate.routes.is_empty() {
            return vec![self.fate.text()];
        }
        let line = |route: &RouteFate| {
            let mut sentence = route.text();
            if route.state.is_waiting() {
                self.reasons(&route.route, known).iter().for_each(|reason| sentence.push_str(&format!("; {reason}")));
            }
            sentence
        };
        self.fate.routes.iter().map(line).collect()
    }

    fn reasons(&self, route: &str, known: &Known) -> Vec<String> {
        if let Some(pending) = &self.pending {
            return vec![pending.clone()];
        }
        let view = known.routes.iter().find(|view| view.route == route);
        let stored = || view.into_iter().flat_map(RouteView::held).map(|held| held.text()).collect();
        let mut reasons: Vec<String> = known.waits.get(route).map_or_else(stored, |why| vec![why.clone()]);
        if let Some(last) = view.and_then(RouteView::last_text).filter(|_| !reasons.is_empty()) {
            reasons.push(format!("last request {last}"));
        }
        reasons
    }

    /// Whether nothing will happen to it any more.
    fn is_final(&self) -> bool {
        let fate = &self.fate;
        let waits = fate.routes.iter().any(|route| route.state.is_waiting());
        // Stored once, and neither in the file nor in a receipt any more: evicted, too old, or settled long ago.
        let is_gone = fate.row.is_none() && self.recent.is_some();
        !waits && (!fate.routes.is_empty() || is_gone)
    }

    /// What became of it.
    pub(crate) fn why(&self, known: &Known) -> Value {
        let fate = &self.fate;
        let lines = self.lines(known);
        let is_known = fate.row.is_some() || self.recent.is_some() || !fate.routes.is_empty();
        json!({"why": lines.join("; "), "lines": lines, "final": self.is_final(), "known": is_known})
    }

    /// Everything about it.
    pub(crate) fn show(mut self, known: &Known) -> Value {
        let (lines, is_final, is_stored) = (self.lines(known), self.is_final(), self.fate.row.is_some());
        let why = lines.join("; ");
        let Some(row) = self.fate.row.take().or(self.recent) else { return json!({"error": why}) };
        let run = known.runs.iter().find(|run| run.number == row.run);
        let entry = Entry::new(row, self.fate.routes, is_stored);
        let (wall_ms, mono_ms, crc) = (entry.row.wall_ms, entry.row.mono_ms, crate::store::crc_of(&entry.row));
        let mut masked = Vec::new();
        find_markers(&entry.json, &mut String::new(), &mut masked);
        let (event, json) = (event(&entry), entry.json);
        json!({"event": event, "json": json, "wall_ms": wall_ms, "mono_ms": mono_ms, "crc": format!("{crc:08x}"), "masked": masked,
            "why": why, "lines": lines, "final": is_final, "run": run})
    }
}

/// The places of a value in which a privacy rule or a limit left its marker.
fn find_markers(value: &Value, path: &mut String, found: &mut Vec<Value>) {
    let mut inside = |name: &str, value: &Value| {
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        find_markers(value, path, found);
        path.truncate(length);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| inside(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(place, value)| inside(&place.to_string(), value)),
        Value::String(text) => {
            found.extend(privacy::markers_in(text).map(|marker| json!({"path": path, "what": marker})));
        }
        _ => {}
    }
}

/// The balance of a queue. `waits`: what a running app knows of a route that its file does not say; `unreadable`: rows with a wrong
/// checksum, if they were counted.
pub(crate) fn balance(
    overview: &Overview,
    waits: &BTreeMap<String, String>,
    cap: Option<u64>,
    unreadable: Option<u64>,
) -> Value {
    let kinds: Vec<Value> = overview.balance.kinds.iter().map(|kind| with(kind, "holds", kind.holds())).collect();
    let routes = overview.balance.routes.iter().map(|route| {
        let view = overview.routes.iter().find(|view| view.route == route.route);
        let stored = || view.map(RouteView::lines).unwrap_or_default();
        let waits = waits.get(&route.route).map_or_else(stored, |why| vec![why.clone()]);
        let line = with(route, "holds", route.holds());
        let line = with(&line, "waits", waits);
        with(&line, "last", view.and_then(|view| view.last_text()))
    });
    json!({
        "install": overview.install, "epoch": overview.balance.epoch, "numbered": overview.balance.numbered, "rows": overview.rows,
        "lanes": overview.lanes, "bytes": overview.bytes, "cap": cap, "oldest_ms": overview.oldest_ms,
        "kinds": kinds, "routes": routes.collect::<Vec<_>>(), "refused": refusals(&overview.refused), "unreadable": unreadable,
        "holds": overview.balance.holds(),
    })
}

/// The lines about a queue whose app does not answer.
pub(crate) fn lines(overview: &Overview) -> Vec<String> {
    let mut lines = Vec::new();
    for (route, view) in overview.balance.routes.iter().zip(&overview.routes) {
        let held = view.lines();
        let waiting = super::waiting(route.queued.saturating_add(route.in_flight), !held.is_empty());
        lines.push(format!("{}: {}", route.route, [vec![waiting], held].concat().join("; ")));
    }
    let sums = refusals(&overview.refused);
    if !sums.is_empty() {
        lines.push(refused(sums.iter().map(|(reason, n)| (reason.as_str(), *n))));
    }
    lines
}

/// By reason.
fn refusals(refused: &[(String, String, u64)]) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (reason, _, n) in refused {
        let sum: &mut u64 = sums.entry(reason.clone()).or_default();
        *sum = sum.saturating_add(*n);
    }
    sums
}

/// The counts of lost events, with what each reason means.
pub(crate) fn drops(view: View<'_>) -> Result<Value> {
    let line = |lost: LostOnDay| {
        let LostOnDay { day, route, kind, reason, n } = lost;
        // A reason of a newer version has no sentence here.
        let text = crate::Reason::parse(&reason).map(crate::Reason::meaning);
        let day = time(day.saturating_mul(MS_PER_DAY)).chars().take(10).collect::<String>();
        json!({"day": day, "route": route, "kind": kind, "reason": reason, "n": n, "text": text})
    };
    let drops: Vec<Value> = view.drops()?.into_iter().map(line).collect();
    Ok(json!({"drops": drops, "refused": refusals(&view.refused()?)}))
}
