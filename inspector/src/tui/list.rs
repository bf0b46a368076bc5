//! The list of events: what is asked for, what is shown of it, and the cursor.

use super::fuzzy;
use super::page::window;
use crate::source::{Event, Query};

/// Events that are read first. Each time more are needed, twice as many are read.
const FIRST: usize = 200;

/// The tabs, and the state that each shows.
pub(super) const TABS: [&str; 6] = ["all", "queued", "dead", "dropped", "delivered", "settled"];

/// The list of events.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    /// What was read, newest first.
    events: Vec<Event>,
    /// Indices of the events that the search finds.
    found: Vec<usize>,
    /// Index in `found`.
    pub(super) cursor: usize,
    /// The first row in sight.
    pub(super) top: usize,
    /// Index in [`TABS`].
    pub(super) tab: usize,
    /// The fuzzy search.
    pub(super) search: String,
    /// The conditions.
    pub(super) conditions: String,
    /// At most this many are read; 0 = all.
    limit: usize,
    /// Whether there are older events.
    pub(super) has_more: bool,
    /// Rows with a wrong checksum, which are left out.
    pub(super) unreadable: u64,
    /// Whether the list was read since the query changed.
    pub(super) is_read: bool,
    /// Whether the cursor goes to the oldest event as soon as it is read.
    goes_to_end: bool,
}

impl List {
    pub(super) fn new() -> List {
        List { limit: FIRST, ..List::default() }
    }

    /// What to ask for.
    pub(super) fn query(&self) -> Query {
        let state = TABS.get(self.tab).filter(|_| self.tab > 0).map(|state| ("state", (*state).to_owned()));
        let conditions = Some(&self.conditions).filter(|text| !text.is_empty()).map(|text| ("where", text.clone()));
        Query { filter: state.into_iter().chain(conditions).collect(), limit: self.limit, ..Query::default() }
    }

    /// Begins at the newest event of another query.
    pub(super) fn restart(&mut self) {
        *self = List {
            tab: self.tab,
            search: std::mem::take(&mut self.search),
            conditions: std::mem::take(&mut self.conditions),
            ..List::new()
        };
    }

    /// Takes what was read. The cursor stays at its event; at the newest one it stays at the newest one.
    pub(super) fn set(&mut self, events: Vec<Event>, has_more: bool, unreadable: u64) {
        let at = self.selected().filter(|_| self.cursor > 0).map(|event| event.id.clone());
        (self.events, self.has_more, self.unreadable, self.is_read) = (events, has_more, unreadable, true);
        let place = if at.is_some() { self.cursor } else { 0 };
        self.find(at.as_deref(), place);
        if std::mem::take(&mut self.goes_to_end) {
            self.step(isize::MAX);
        }
    }

    /// Searches for other words.
    pub(super) fn search(&mut self, words: &str) {
        let at = self.selected().map(|event| event.id.clone());
        words.clone_into(&mut self.search);
        self.find(at.as_deref(), 0);
    }

    /// Searches. The cursor goes to this event, or to this place if the event is not found.
    fn find(&mut self, at: Option<&str>, place: usize) {
        let text = |event: &Event| format!("{} {} {} {} {}", event.kind, event.name, event.state, event.lane, event.id);
        let is_found = |event: &Event| self.search.is_empty() || fuzzy::matches(&self.search, &text(event));
        let events = self.events.iter().enumerate();
        self.found = events.filter(|(_, event)| is_found(event)).map(|(index, _)| index).collect();
        let same = at.and_then(|id| self.shown(0).position(|event| event.id == id));
        self.cursor = same.unwrap_or(place).min(self.found.len().saturating_sub(1));
    }

    /// The events that the search finds, from this one on.
    pub(super) fn shown(&self, from: usize) -> impl Iterator<Item = &Event> {
        self.found.iter().skip(from).filter_map(|index| self.events.get(*index))
    }

    /// How many the search finds.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// The event under the cursor.
    pub(super) fn selected(&self) -> Option<&Event> {
        self.shown(self.cursor).next()
    }

    /// Moves the cursor.
    pub(super) fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(self.found.len().saturating_sub(1));
    }

    /// Moves the window to the cursor. True if older events have to be read, which the query then asks for.
    pub(super) fn fit(&mut self, height: usize) -> bool {
        self.top = window(self.top, self.cursor, height);
        let is_near = self.cursor + height >= self.found.len();
        let needs_more = self.is_read && self.has_more && is_near;
        if needs_more {
            self.limit = self.limit.saturating_mul(2);
            self.is_read = false;
        }
        needs_more
    }

    /// Goes to the oldest event. True if it has to be read first.
    pub(super) fn go_to_end(&mut self) -> bool {
        self.step(isize::MAX);
        if self.has_more {
            (self.limit, self.is_read, self.goes_to_end) = (0, false, true);
        }
        self.has_more
    }

    /// Whether a search or conditions leave events out.
    pub(super) fn is_filtered(&self) -> bool {
        !self.search.is_empty() || !self.conditions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn events(seqs: std::ops::Range<u64>) -> Vec<Event> {
        let event = |seq: u64| {
            let event = json!({"seq": seq, "id": format!("id{seq}"), "kind": "error", "name": format!("name{seq}"), "wall_ms": 0,
                "bytes": 1, "state": "queued", "routes": []});
            serde_json::from_value(event).unwrap()
        };
        seqs.rev().map(event).collect()
    }

    fn read(seqs: std::ops::Range<u64>, has_more: bool) -> List {
        let mut list = List::new();
        list.set(events(seqs), has_more, 0);
        list
    }

    #[test]
    fn the_cursor_stays_at_its_event_and_at_the_newest_one_it_follows() {
        let mut list = read(0..5, false);
        list.set(events(0..7), false, 0);
        assert_eq!(list.selected().unwrap().seq, 6);
        list.step(2);
        list.set(events(0..9), false, 0);
        assert_eq!((list.selected().unwrap().seq, list.cursor), (4, 4));
        list.set(events(5..9), false, 0);
        assert_eq!(list.selected().unwrap().seq, 5, "its event is gone: the nearest one");
        list.set(Vec::new(), false, 0);
        assert!(list.selected().is_none());
    }

    #[test]
    fn a_search_shows_what_it_finds_and_keeps_the_event_if_it_is_among_it() {
        let mut list = read(0..30, false);
        list.step(27);
        list.search("name2");
        assert_eq!((list.len(), list.selected().unwrap().seq), (12, 2));
        list.search("nothing");
        assert_eq!((list.len(), list.selected()), (0, None));
        list.search("");
        assert_eq!(list.len(), 30);
    }

    #[test]
    fn more_is_read_near_the_end_and_twice_as_many_each_time() {
        let mut list = read(0..200, true);
        assert!(!list.fit(20));
        list.step(190);
        assert!(list.fit(20) && list.query().limit == 400);
        assert!(!list.fit(20), "it is asked for already");
        list.set(events(0..400), true, 0);
        list.search("name7");
        assert!(list.len() > 20 && !list.fit(20));
        list.search("name399");
        assert!(list.fit(20), "a search goes on until the screen is full");
        list.search("");
        assert!(list.go_to_end() && list.query().limit == 0);
        list.set(events(0..1_000), false, 0);
        assert_eq!(list.selected().unwrap().seq, 0);
    }

    #[test]
    fn tab_and_conditions_are_in_the_query() {
        let mut list = List::new();
        assert!(list.query().filter.is_empty());
        (list.tab, list.conditions) = (2, "status > 1".to_owned());
        list.restart();
        assert_eq!(list.query().filter, [("state", "dead".to_owned()), ("where", "status > 1".to_owned())]);
    }
}
