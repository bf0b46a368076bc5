//! Finding the events a server refuses, by halving.
//!
//! The batch stays in flight as a whole while its parts are sent as requests of their own; what each row came to is
//! noted here and settled at the end in one transaction. All of it is part of the route's persisted state, so a
//! restart goes on with the part that was under way, under the same id.

use crate::destination::{RowOutcome, stable_hash};
use crate::reason::Reason;

/// Why the batch is halved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// The request as such was refused (4xx).
    Refused,
    /// It got 5xx again and again, while another request of the route got 2xx.
    Outage,
    /// The same suspicion, not yet confirmed: one event alone is tried, and only if it gets 2xx the rest is halved.
    Trial,
}

/// One part of the batch, as its own request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Part {
    /// First row.
    pub(crate) from: usize,
    /// Behind the last row.
    pub(crate) to: usize,
    /// How often the server refused its batch id.
    #[serde(default)]
    pub(crate) salt: u32,
}

impl Part {
    /// Batch id of its request: made from the id of the batch in flight, so that the same part bears the same id after
    /// a restart without anything being stored for it.
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

/// What is known of one row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    /// Nothing yet.
    Open,
    /// Delivered.
    Delivered,
    /// Refused alone, with this status; `after` = acceptances before it.
    Alone { status: u16, note: String, after: u32 },
    /// Dropped under this reason.
    Dropped(String),
    /// The server's own refusal of this row.
    Dead(String, String),
    /// To be queued again.
    Keep,
}

impl End {
    /// Refused when it was sent alone.
    pub(crate) fn is_alone(&self) -> bool {
        matches!(self, End::Alone { .. })
    }
}

/// A batch being halved.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Bisect {
    /// The batch in flight it is about.
    pub(crate) batch: String,
    /// Why.
    pub(crate) cause: Cause,
    /// Parts still to be sent; the last is next.
    pub(crate) parts: Vec<Part>,
    /// Per row.
    pub(crate) ends: Vec<End>,
    /// Requests of which at least one event was taken.
    pub(crate) accepted: u32,
}

impl Bisect {
    /// Both halves of a refused batch of two or more rows; a single row is refused alone already.
    pub(crate) fn new(batch: &str, rows: usize) -> Bisect {
        let mut bisect = Bisect::empty(batch, rows, Cause::Refused);
        bisect.halve(0, rows);
        bisect
    }

    /// A trial with the last row; the rest waits for its result.
    pub(crate) fn trial(batch: &str, rows: usize) -> Bisect {
        let mut bisect = Bisect::empty(batch, rows, Cause::Trial);
        let last = rows.saturating_sub(1);
        bisect.halve(0, last);
        bisect.push(last, rows);
        bisect
    }

    fn empty(batch: &str, rows: usize, cause: Cause) -> Bisect {
        Bisect { batch: batch.to_owned(), cause, parts: Vec::new(), ends: vec![End::Open; rows], accepted: 0 }
    }

    fn push(&mut self, from: usize, to: usize) {
        if from < to {
            self.parts.push(Part { from, to, salt: 0 });
        }
    }

    fn halve(&mut self, from: usize, to: usize) {
        let middle = from + to.saturating_sub(from) / 2;
        self.push(middle, to);
        self.push(from, middle);
    }

    /// Whether it is about this batch and fits it.
    pub(crate) fn fits(&self, batch: &str, rows: usize) -> bool {
        let inside = |part: &Part| part.from < part.to && part.to <= rows;
        self.batch == batch && self.ends.len() == rows && !self.parts.is_empty() && self.parts.iter().all(inside)
    }

    /// The part to send next.
    pub(crate) fn current(&mut self) -> Option<&mut Part> {
        self.parts.last_mut()
    }

    /// The server answered for each row of the current part.
    pub(crate) fn answered(&mut self, outcomes: Vec<RowOutcome>) {
        let Some(part) = self.parts.pop() else { return };
        if outcomes.contains(&RowOutcome::Delivered) {
            self.accepted = self.accepted.saturating_add(1);
            if self.cause == Cause::Trial {
                self.cause = Cause::Outage;
            }
        }
        let ends = self.ends.iter_mut().skip(part.from).take(part.to - part.from);
        for (end, outcome) in ends.zip(outcomes) {
            *end = match outcome {
                RowOutcome::Delivered => End::Delivered,
                RowOutcome::Dropped(reason) => End::Dropped(reason.as_str().to_owned()),
                RowOutcome::Dead(reason, note) => End::Dead(reason.as_str().to_owned(), note),
                RowOutcome::Keep => End::Keep,
            };
        }
    }

    /// The current part was refused: it is halved, or its only row is noted.
    pub(crate) fn refused(&mut self, status: u16, note: &str) {
        let Some(part) = self.parts.pop() else { return };
        if part.to - part.from > 1 {
            self.halve(part.from, part.to);
        } else if let Some(end) = self.ends.get_mut(part.from) {
            *end = End::Alone { status, note: note.to_owned(), after: self.accepted };
        }
    }

    /// Whether a row refused alone is proven guilty: another event of the same bisect was accepted. Where the refusal
    /// was a 5xx, it must have been accepted later, or the server merely went down in between.
    pub(crate) fn guilty(&self, after: u32) -> bool {
        match self.cause {
            Cause::Refused => self.accepted > 0,
            Cause::Outage | Cause::Trial => self.accepted > after,
        }
    }
}

/// A reason read back from the state; one this build does not know becomes `rejected`.
pub(crate) fn reason(text: &str) -> Reason {
    Reason::parse(text).unwrap_or(Reason::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Plays a server that refuses requests with a bad row in them.
    fn play(mut bisect: Bisect, bad: &[usize]) -> (Bisect, u32) {
        let mut requests = 0;
        while let Some(part) = bisect.current().cloned() {
            requests += 1;
            if (part.from..part.to).any(|row| bad.contains(&row)) {
                bisect.refused(400, "no");
            } else {
                bisect.answered(vec![RowOutcome::Delivered; part.to - part.from]);
            }
        }
        (bisect, requests)
    }

    #[test]
    fn one_bad_row_in_five_hundred_costs_fewer_requests_than_an_hour_has() {
        for bad in [0, 1, 249, 250, 499] {
            let (bisect, requests) = play(Bisect::new("b", 500), &[bad]);
            assert!(requests <= crate::limits::BISECT_REQUESTS_PER_HOUR, "{requests}");
            assert!(matches!(bisect.ends[bad], End::Alone { status: 400, .. }));
            assert_eq!(bisect.ends.iter().filter(|end| **end == End::Delivered).count(), 499);
            assert!(bisect.guilty(0));
        }
    }

    #[test]
    fn a_single_row_refused_by_5xx_is_guilty_only_if_another_was_accepted_after_it() {
        let mut bisect = Bisect::trial("b", 3);
        assert_eq!(bisect.current().map(|part| (part.from, part.to)), Some((2, 3)));
        bisect.answered(vec![RowOutcome::Delivered]);
        assert_eq!(bisect.cause, Cause::Outage);
        bisect.refused(500, "");
        let End::Alone { after, .. } = bisect.ends[0] else { panic!("{:?}", bisect.ends) };
        assert!(!bisect.guilty(after));
        bisect.answered(vec![RowOutcome::Delivered]);
        assert!(bisect.guilty(after));
    }

    proptest! {
        #[test]
        fn exactly_the_bad_rows_are_found(rows in 1usize..200, bad in proptest::collection::vec(0usize..200, 0..6)) {
            let (bisect, _) = play(Bisect::new("b", rows), &bad);
            for (row, end) in bisect.ends.iter().enumerate() {
                prop_assert_eq!(matches!(end, End::Alone { .. }), bad.contains(&row));
            }
        }
    }
}
