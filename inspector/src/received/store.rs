//! What the collector writes.

use super::arrival::{Arrival, REZ, Sender};
use super::file::{Db, Sql};
use super::{DEDUPE_MS, LostCount, REPLAY_MS};
use rusqlite::{OptionalExtension, Transaction, params};
use serde_json::Value;

/// Interval between two deletions of old rows, in milliseconds.
const PRUNE_INTERVAL_MS: i64 = 3600 * 1000;

/// A batch of our own protocol with validated events.
pub(crate) struct Batch<'a> {
    pub(crate) sender: Sender,
    pub(crate) install: &'a str,
    pub(crate) epoch: u64,
    pub(crate) ids: &'a str,
    pub(crate) lost: &'a [LostCount],
    pub(crate) arrivals: Vec<Arrival>,
}

/// Whether a response to this key is stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    /// No response is stored.
    Fresh,
    /// A response to the same events is stored.
    Same(String),
    /// A response to other events is stored.
    Clash,
}

impl Db {
    /// Returns the response of the last 24 hours to this key, if any, and counts its repetition.
    pub(crate) fn replay(&mut self, project: &str, key: &str, ids: &str, now_ms: i64) -> Sql<Replay> {
        let found: Option<(i64, Option<String>, Option<String>)> = self
            .connection
            .query_row(
                "SELECT n, ids, answer FROM batch WHERE project = ?1 AND batch_id = ?2 AND received_ms > ?3",
                params![project, key, now_ms.saturating_sub(REPLAY_MS)],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        Ok(match found {
            Some((n, Some(stored), Some(response))) if stored == ids => {
                let transaction = self.connection.transaction()?;
                transaction.execute("UPDATE batch SET replayed = replayed + 1 WHERE n = ?1", [n])?;
                commit(transaction)?;
                Replay::Same(response)
            }
            Some((_, Some(_), Some(_))) => Replay::Clash,
            _ => Replay::Fresh,
        })
    }

    /// Stores a batch and its response in one transaction, and returns the response. `response` formats it from the number of duplicates.
    pub(crate) fn store(&mut self, batch: &Batch<'_>, response: impl FnOnce(usize) -> String) -> Sql<String> {
        let Batch { sender, install, epoch, ids, lost, arrivals } = batch;
        self.prune_sometimes(sender.received_ms)?;
        let transaction = self.connection.transaction()?;
        let duplicate = put(&transaction, sender, arrivals)?;
        {
            let mut lose = transaction.prepare_cached(
                "INSERT INTO lost (project, install, epoch, kind, reason, count, told_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET told_ms = iif(excluded.count > count, excluded.told_ms, told_ms),
                   count = max(count, excluded.count)",
            )?;
            for one in *lost {
                let (epoch, count) = (clamped(*epoch), clamped(one.count));
                lose.execute(params![sender.project, install, epoch, one.kind, one.reason, count, sender.received_ms])?;
            }
        }
        let text = response(duplicate);
        transaction.execute(
            "INSERT OR REPLACE INTO batch (project, batch_id, received_ms, events, duplicate, ids, answer)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                sender.project,
                sender.batch_id,
                sender.received_ms,
                arrivals.len() as i64,
                duplicate as i64,
                ids,
                text,
            ],
        )?;
        commit(transaction)?;
        Ok(text)
    }

    #[cfg(feature = "cli")]
    /// Stores events of another protocol.
    pub(crate) fn store_events(&mut self, sender: &Sender, arrivals: &[Arrival]) -> Sql<()> {
        self.prune_sometimes(sender.received_ms)?;
        let transaction = self.connection.transaction()?;
        put(&transaction, sender, arrivals)?;
        commit(transaction)
    }

    /// Deletes everything that was received.
    pub(crate) fn reset(&mut self) -> Sql<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute_batch("DELETE FROM event; DELETE FROM batch; DELETE FROM lost;")?;
        commit(transaction)
    }

    fn prune_sometimes(&mut self, now_ms: i64) -> Sql<()> {
        if now_ms.saturating_sub(self.pruned_ms) > PRUNE_INTERVAL_MS { self.prune(now_ms) } else { Ok(()) }
    }

    /// Deletes events after the deduplication window, and responses after the replay window.
    pub(super) fn prune(&mut self, now_ms: i64) -> Sql<()> {
        self.pruned_ms = now_ms;
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM event WHERE received_ms < ?1", [now_ms.saturating_sub(DEDUPE_MS)])?;
        transaction.execute(
            "UPDATE batch SET ids = NULL, answer = NULL WHERE received_ms <= ?1 AND ids IS NOT NULL",
            [now_ms.saturating_sub(REPLAY_MS)],
        )?;
        commit(transaction)
    }
}

/// Stores events, each accepted one once. Returns how many were there already.
fn put(transaction: &Transaction<'_>, sender: &Sender, arrivals: &[Arrival]) -> Sql<usize> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO event (key, protocol, project, id, install, seq, kind, ts_ms, time_ms, received_ms, boot, mono_ms, client, batch_id,
           code, field, message, findings, fields, text, once)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
         ON CONFLICT DO NOTHING",
    )?;
    let mut repeat = transaction.prepare_cached(
        "UPDATE event SET repeats = repeats + 1 WHERE protocol = ?1 AND project = ?2 AND once = ?3 AND code IS NULL AND once <> ''",
    )?;
    let mut foreign = transaction.prepare_cached("SELECT 1 FROM event WHERE key = ?1 AND project <> ?2")?;
    let mut duplicate = 0_usize;
    for (place, one) in arrivals.iter().enumerate() {
        let refusal = one.refusal.as_ref();
        // An event without an id of our own protocol is always rejected; one of another protocol counts as new.
        let has_own = one.has_own_key(sender) && !foreign.exists([&one.id, &sender.project])?;
        let key = if has_own { one.id.clone() } else { one.key(sender, place) };
        let is_new = insert.execute(params![
            key,
            sender.protocol,
            sender.project,
            one.id,
            one.install,
            one.seq.and_then(|seq| i64::try_from(seq).ok()),
            one.kind.as_str(),
            one.ts_ms,
            one.time_ms,
            sender.received_ms,
            one.boot,
            one.mono_ms,
            sender.client,
            sender.batch_id,
            refusal.map(|refusal| refusal.code),
            refusal.map(|refusal| refusal.field.as_str()),
            refusal.map(|refusal| refusal.message.as_str()),
            (!one.findings.is_empty()).then(|| Value::from(one.findings.clone()).to_string()),
            one.fields.as_ref().map(|fields| Value::from(fields.clone()).to_string()),
            one.text,
            one.once(),
        ])?;
        if is_new == 0 {
            repeat.execute(params![sender.protocol, sender.project, one.once()])?;
            duplicate = duplicate.saturating_add(1);
        }
    }
    debug_assert!(sender.protocol == REZ || sender.batch_id.is_empty(), "only our own protocol has batches");
    Ok(duplicate)
}

/// Ends a transaction that has changed something.
fn commit(transaction: Transaction<'_>) -> Sql<()> {
    transaction.execute("UPDATE state SET version = version + 1", [])?;
    transaction.commit()
}

/// Converts a count to an integer that SQLite can store.
fn clamped(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
