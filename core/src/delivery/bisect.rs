//! Finds the events that a server refuses, by bisecting the batch.
//!
//! The batch stays in flight as a whole while its parts are sent as requests of their own. The result of each row is
//! kept here and settled at the end in one transaction. A bisect is part of the route's persisted state: after a
//! restart it continues with the same part under the same id.

use crate::destination::{RowOutcome, stable_hash};
use crate::limits;
use crate::reason::Reason;
use crate::store::RowEnd;

/// Why the batch is bisected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// The request as such was refused (4xx).
    Refused,
    /// It got 5xx repeatedly, while another request of the route got 2xx.
    Outage,
    /// It got 5xx repeatedly: one event is tried alone, and the rest is bisected only if that gets 2xx.
    Trial,
    /// It got no response that can be understood, too often and for too long.
    Unclear,
}

/// One part of the batch, as its own request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Part {
    /// Index of the first row.
    pub(crate) from: usize,
    /// Index behind the last row.
    pub(crate) to: usize,
    /// How often the server refused its batch id.
    #[serde(default)]
    pub(crate) salt: u32,
    /// How often it was sent without a response.
    #[serde(default)]
    lost: u32,
}

impl Part {
    /// The batch id of its request, derived from the id of the batch in flight: the same part has the same id after a
    /// restart.
    pub(crate) fn id(&self, batch: &str) -> String {
        let hash = stable_hash(&[batch, &format!("{}-{}-{}", self.from, self.to, self.salt)]);
        let mut bytes = uuid::Uuid::try_parse(batch).unwrap_or_default().into_bytes();
        for (byte, new) in bytes.iter_mut().skip(8).zip(hash.to_be_bytes()) {
            *byte = new;
        }
        if let Some(byte) = bytes.get_mut(8) {
            *byte = (*byte & 0x3f) | 0x80;
        }
        uuid::Uuid::from_bytes(bytes).hyphenated().to_string()
    }
}

/// What is known about one row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowResult {
    /// Nothing yet.
    Open,
    /// Delivered.
    Delivered,
    /// Refused when it was sent alone, with this status (0 = no response), after `after` accepted requests.
    Alone { status: u16, note: String, after: u32 },
    /// Dropped under this reason.
    Dropped(String),
    /// The server rejected this row by name: reason and message.
    Dead(String, String),
    /// To be queued again.
    Keep,
}

/// A batch that is being bisected.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Bisect {
    /// Id of the batch in flight.
    pub(crate) batch: String,
    /// Why.
    pub(crate) cause: Cause,
    /// Parts still to be sent; the last one is next.
    pub(crate) parts: Vec<Part>,
    /// Per row.
    #[serde(rename = "ends")]
    pub(crate) results: Vec<RowResult>,
    /// Requests of which at least one event was accepted.
    pub(crate) accepted: u32,
}

impl Bisect {
    /// Both halves of a batch. A batch of one row has been refused alone already.
    pub(crate) fn new(batch: &str, rows: usize, cause: Cause) -> Bisect {
        let mut bisect = Bisect::empty(batch, rows, cause);
        if rows > 1 {
            bisect.halve(0, rows);
        } else {
            bisect.push(0, rows);
        }
        bisect
    }

    /// A trial with one row; the rest waits for its result. The row is another one each time, as it may be poison
    /// itself.
    pub(crate) fn trial(batch: &str, rows: usize, random: u64) -> Bisect {
        let mut bisect = Bisect::empty(batch, rows, Cause::Trial);
        let row = usize::try_from(random % (rows.max(1) as u64)).unwrap_or(0);
        bisect.push(row + 1, rows);
        bisect.push(0, row);
        bisect.push(row, row + 1);
        bisect
    }

    fn empty(batch: &str, rows: usize, cause: Cause) -> Bisect {
        Bisect { batch: batch.to_owned(), cause, parts: Vec::new(), results: vec![RowResult::Open; rows], accepted: 0 }
    }

    fn push(&mut self, from: usize, to: usize) {
        if from < to {
            self.parts.push(Part { from, to, salt: 0, lost: 0 });
        }
    }

    fn halve(&mut self, from: usize, to: usize) {
        let middle = from + to.saturating_sub(from) / 2;
        self.push(middle, to);
        self.push(from, middle);
        if self.cause == Cause::Unclear {
            // The largest parts first: whether anything is accepted at all is known before the requests are used up.
            let new = self.parts.len().min(2);
            self.parts.rotate_right(new);
        }
    }

    /// Whether it is about this batch.
    pub(crate) fn fits(&self, batch: &str, rows: usize) -> bool {
        let inside = |part: &Part| part.from < part.to && part.to <= rows;
        self.batch == batch && self.results.len() == rows && !self.parts.is_empty() && self.parts.iter().all(inside)
    }

    /// Whether the result of some row is known already, so that the batch must stay as it is. Before that, a bisect can
    /// begin anew with other rows.
    pub(crate) fn has_results(&self) -> bool {
        self.results.iter().any(|result| !matches!(result, RowResult::Open | RowResult::Alone { .. }))
    }

    /// The ends of the rows whose result is known; the others are queued again.
    pub(crate) fn known(&self) -> Vec<RowEnd> {
        let known = |result: &RowResult| match result {
            RowResult::Delivered => RowEnd::Delivered,
            RowResult::Dropped(text) => RowEnd::Dropped(reason(text)),
            RowResult::Dead(text, note) => RowEnd::Dead { reason: reason(text), status: 200, note: note.clone() },
            RowResult::Open | RowResult::Alone { .. } | RowResult::Keep => RowEnd::Keep,
        };
        self.results.iter().map(known).collect()
    }

    /// The part to send next.
    pub(crate) fn current(&mut self) -> Option<&mut Part> {
        self.parts.last_mut()
    }

    /// The server named an outcome for each row of the current part.
    pub(crate) fn settle_part(&mut self, outcomes: Vec<RowOutcome>) {
        let Some(part) = self.parts.pop() else { return };
        if outcomes.contains(&RowOutcome::Delivered) {
            self.accepted = self.accepted.saturating_add(1);
            if self.cause == Cause::Trial {
                self.cause = Cause::Outage;
            }
        }
        let results = self.results.iter_mut().skip(part.from).take(part.to - part.from);
        for (result, outcome) in results.zip(outcomes) {
            *result = match outcome {
                RowOutcome::Delivered => RowResult::Delivered,
                RowOutcome::Dropped(reason) => RowResult::Dropped(reason.as_str().to_owned()),
                RowOutcome::Dead(reason, note) => RowResult::Dead(reason.as_str().to_owned(), note),
                RowOutcome::Keep => RowResult::Keep,
            };
        }
    }

    /// The current part was refused: it is halved, or its only row is marked.
    pub(crate) fn refused(&mut self, status: u16, note: &str) {
        let Some(part) = self.parts.pop() else { return };
        if part.to - part.from > 1 {
            self.halve(part.from, part.to);
        } else if let Some(result) = self.results.get_mut(part.from) {
            *result = RowResult::Alone { status, note: note.to_owned(), after: self.accepted };
        }
    }

    /// The current part got no response. `true` if that happened so often that its events are to blame.
    pub(crate) fn lost_too_often(&mut self) -> bool {
        let Some(part) = self.parts.last_mut() else { return false };
        part.lost = part.lost.saturating_add(1);
        part.lost >= limits::LOST_BEFORE_REFUSED
    }

    /// Whether a row refused alone is proven to be poison: another event of the same bisect was accepted. After a 5xx
    /// or no response, it must have been accepted later; otherwise the server may have gone down in between.
    pub(crate) fn is_poison(&self, status: u16, after: u32) -> bool {
        match self.cause {
            Cause::Refused => self.accepted > 0,
            Cause::Unclear if status != 0 => self.accepted > 0,
            Cause::Unclear | Cause::Outage | Cause::Trial => self.accepted > after,
        }
    }
}

/// A reason read from the persisted state; one that this build does not know becomes `rejected`.
pub(crate) fn reason(text: &str) -> Reason {
    Reason::parse(text).unwrap_or(Reason::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Simulates a server that refuses requests that contain a bad row.
    fn play(mut bisect: Bisect, bad: &[usize]) -> (Bisect, u32) {
        let mut requests = 0;
        while let Some(part) = bisect.current().cloned() {
            requests += 1;
            if (part.from..part.to).any(|row| bad.contains(&row)) {
                bisect.refused(400, "no");
            } else {
                bisect.settle_part(vec![RowOutcome::Delivered; part.to - part.from]);
            }
        }
        (bisect, requests)
    }

    #[test]
    fn one_bad_row_in_five_hundred_costs_fewer_requests_than_an_hour_has() {
        for bad in [0, 1, 249, 250, 499] {
            for cause in [Cause::Refused, Cause::Unclear] {
                let (bisect, requests) = play(Bisect::new("b", 500, cause), &[bad]);
                assert!(requests <= limits::BISECT_REQUESTS_PER_HOUR, "{requests}");
                assert!(matches!(bisect.results[bad], RowResult::Alone { status: 400, .. }));
                assert_eq!(bisect.results.iter().filter(|result| **result == RowResult::Delivered).count(), 499);
                assert!(bisect.is_poison(400, 0));
            }
        }
    }

    #[test]
    fn a_row_that_got_5xx_alone_is_poison_only_if_another_was_accepted_after_it() {
        let mut bisect = Bisect::trial("b", 3, 5);
        assert_eq!(bisect.current().map(|part| (part.from, part.to)), Some((2, 3)));
        bisect.settle_part(vec![RowOutcome::Delivered]);
        assert_eq!(bisect.cause, Cause::Outage);
        bisect.refused(500, "");
        bisect.refused(500, "");
        let RowResult::Alone { status, after, .. } = bisect.results[0] else { panic!("{:?}", bisect.results) };
        assert!(!bisect.is_poison(status, after));
        bisect.settle_part(vec![RowOutcome::Delivered]);
        assert!(bisect.is_poison(status, after));
    }

    proptest! {
        #[test]
        fn exactly_the_bad_rows_are_found(rows in 1usize..200, bad in proptest::collection::vec(0usize..200, 0..6)) {
            for cause in [Cause::Refused, Cause::Unclear] {
                let (bisect, _) = play(Bisect::new("b", rows, cause), &bad);
                for (row, result) in bisect.results.iter().enumerate() {
                    prop_assert_eq!(matches!(result, RowResult::Alone { .. }), bad.contains(&row));
                }
            }
        }
    }
}
