//! All events of a query, page by page, so that a large queue is not in memory at once.

use super::{Ask, Event, Query, SourceError};
use rez_monitor::limits::LIST_EVENTS_OF_FILE;

impl Ask<'_> {
    /// Passes every event of a query to `take`, newest first, with its JSON. Returns how many rows have a wrong checksum.
    ///
    /// # Errors
    /// The source cannot be read, or refuses.
    pub fn each(&self, query: &Query, mut take: impl FnMut(Event)) -> Result<u64, SourceError> {
        let mut next = Query { json: true, limit: LIST_EVENTS_OF_FILE, ..query.clone() };
        let mut unreadable: u64 = 0;
        loop {
            let page = self.list(&next)?;
            unreadable = unreadable.saturating_add(page.unreadable);
            page.events.into_iter().for_each(&mut take);
            if page.before.is_none() {
                return Ok(unreadable);
            }
            next.before = page.before;
        }
    }
}
