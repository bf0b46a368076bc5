//! What follows lost records of the ring belongs to nobody.

use super::Writer;
use super::batch::Batch;
use super::scope_keys::{PREVIOUS, SESSION};
use crate::event::decode::Body;
use crate::ring::nobody;
use crate::ring::record::{self, Head};
use serde_json::Value;

impl Writer {
    /// One record behind that with the ticket `before`. Tickets have no gaps but before a run, so records between the two are lost.
    pub(super) fn record_after(&mut self, before: u64, head: &Head, bytes: &[u8], batch: &mut Batch) {
        if head.kind != record::RUN && head.ticket != before.saturating_add(1) {
            self.forget_who(head.ticket, batch);
        }
        self.record(head, bytes, batch);
    }

    /// Records before that with this ticket are lost, and another user or session may have begun in them: what follows belongs to
    /// nobody rather than to somebody else.
    pub(super) fn forget_who(&mut self, ticket: u64, batch: &mut Batch) {
        // In place of the time, so that a fold that is repeated creates the same anonymous id.
        let nobody = nobody(0, ticket.cast_signed());
        if let Some(body) = Body::decode(&nobody) {
            self.stamper.scope(&body, batch);
        }
        if !self.stamper.has_session() {
            return;
        }
        let release = self.stamper.run.as_ref().map(|run| run.release.clone());
        // If the end of the session is not among the lost records, it comes; else the next run records it.
        let unfinished = self.stamper.take_unfinished(release.as_deref(), None);
        self.stamper.keep(SESSION, None, batch);
        self.stamper.keep(PREVIOUS, Some(Value::Array(unfinished).to_string()), batch);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::busy;
    use crate::inspect::{Filter, Reader};
    use crate::ring::layout;
    use crate::{Config, Consent, Level, Monitor, Purpose, ScopeChange, User};
    use std::time::Duration;

    const WAIT: Duration = Duration::from_secs(60);

    /// Records for two users while the writer is busy, damages this text in the ring, and returns the rows of the messages.
    fn rows_after_damage(damaged: &[u8]) -> Vec<serde_json::Value> {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::builder(folder.path(), "shop", "shop@1")
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        monitor.scope(ScopeChange::Foreground(true));
        monitor.persist(WAIT).unwrap();
        let go = busy(&monitor);
        for user in ["user-a", "user-b"] {
            monitor.scope(ScopeChange::User(Some(User { id: Some(user), ..User::default() })));
            let _ = monitor.message(&format!("hello of {user}"), Level::Info, &[]);
            let _ = monitor.message(&format!("bye of {user}"), Level::Info, &[]);
        }
        let map = monitor.0.shared.ring.map();
        let mut bytes = vec![0; layout::FILE_BYTES];
        layout::read(&map, 0, &mut bytes);
        let at = bytes.windows(damaged.len()).position(|text| text == damaged).unwrap();
        layout::write(&map, at, b"X");
        drop(go);
        monitor.persist(WAIT).unwrap();
        monitor.close(WAIT);
        let reader = Reader::open(folder.path()).unwrap();
        assert!(reader.balance().unwrap().holds(), "{:?}", reader.balance());
        let mut rows = reader.list(&Filter::default()).unwrap();
        rows.sort_by_key(|listed| listed.row.seq);
        let json = rows.iter().map(|listed| serde_json::from_str(&listed.row.json).unwrap());
        json.filter(|row: &serde_json::Value| row["message"].is_string()).collect()
    }

    #[test]
    fn what_follows_a_lost_change_of_the_user_belongs_to_nobody() {
        let rows = rows_after_damage(b"user-b");
        let users: Vec<_> = rows.iter().map(|row| row["user"]["id"].as_str()).collect();
        assert_eq!(users, [Some("user-a"), Some("user-a"), None, None]);
        assert!(rows[1]["session"].is_string() && rows[2]["session"].is_null(), "{rows:?}");
    }

    #[test]
    fn a_user_that_is_set_after_a_lost_record_is_the_user_of_what_follows() {
        let rows = rows_after_damage(b"bye of user-a");
        let users: Vec<_> = rows.iter().map(|row| row["user"]["id"].as_str()).collect();
        assert_eq!(users, [Some("user-a"), Some("user-b"), Some("user-b")]);
    }
}
