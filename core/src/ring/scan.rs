//! Reads the records: for the writer's fold and for a start after a crash.

use super::layout;
use super::record::{self, HEAD, Head, PAD};
use crate::limits::RECORD_BYTES;
use crate::sys::map::Map;

/// Reads records from a position on, in ticket order.
pub(crate) struct Scan<'m> {
    map: &'m Map,
    generation: u64,
    region: u64,
    /// Position of the next record.
    pub(crate) at: u64,
    /// Ticket of the last record seen.
    pub(crate) ticket: u64,
    /// Running total after the last record seen.
    pub(crate) total: u64,
    /// Accepted events that cannot be read: gaps in the running totals.
    pub(crate) lost: u64,
    /// Records end at or before this position.
    end: u64,
}

impl<'m> Scan<'m> {
    /// Starts at position `from` and stops at `end` at the latest. Skips records up to `ticket`; `total` is the running
    /// total after that one.
    pub(crate) fn new(map: &'m Map, region: usize, from: u64, end: u64, ticket: u64, total: u64) -> Scan<'m> {
        let generation = layout::get(map, layout::Word::Generation);
        Scan { map, generation, region: region as u64, at: from & !7, ticket, total, lost: 0, end }
    }

    /// Reads records of this generation instead of the header's, which may be damaged.
    pub(crate) fn of(self, generation: u64) -> Scan<'m> {
        Scan { generation, ..self }
    }

    /// Reads the next record and its body; `None` where the chain of records ends.
    pub(crate) fn next(&mut self, body: &mut Vec<u8>) -> Option<Head> {
        while self.at < self.end {
            let offset = self.at % self.region;
            let len = self.len_at(offset);
            if len == 0 {
                return None;
            }
            if len == PAD {
                self.at += self.region - offset;
                continue;
            }
            let head = self.read_at(offset, len, body)?;
            self.at += record::size(body.len()) as u64;
            if head.ticket > self.ticket {
                self.take(&head);
                return Some(head);
            }
        }
        None
    }

    /// Searches for the next valid record with a larger ticket after a damaged one, in steps of 8 bytes through the
    /// whole region. Counts the events between as lost.
    pub(crate) fn resync(&mut self, body: &mut Vec<u8>) -> Option<Head> {
        let limit = (self.at + self.region).min(self.end);
        let mut best: Option<(Head, u64)> = None;
        let mut at = self.at + 8;
        while at < limit {
            let offset = at % self.region;
            let len = self.len_at(offset);
            if (HEAD..=HEAD + RECORD_BYTES).contains(&(len as usize))
                && self.ticket_at(offset) > self.ticket
                && let Some(head) = self.read_at(offset, len, body)
                && head.ticket > self.ticket
                && best.is_none_or(|(other, _)| head.ticket < other.ticket)
            {
                best = Some((head, at));
            }
            at += 8;
        }
        let (head, at) = best?;
        let offset = at % self.region;
        self.read_at(offset, self.len_at(offset), body)?;
        self.at = at + record::size(body.len()) as u64;
        self.take(&head);
        Some(head)
    }

    fn take(&mut self, head: &Head) {
        let before = head.total.saturating_sub(u64::from(head.n));
        self.lost += before.saturating_sub(self.total);
        // May decrease: after a power failure the database may be ahead of the ring. Gaps count from here on.
        self.total = head.total;
        self.ticket = head.ticket;
    }

    fn len_at(&self, offset: u64) -> u32 {
        let mut len = [0; 4];
        layout::read(self.map, layout::REGION + offset as usize, &mut len);
        u32::from_le_bytes(len)
    }

    fn ticket_at(&self, offset: u64) -> u64 {
        let mut ticket = [0; 8];
        layout::read(self.map, layout::REGION + offset as usize + 8, &mut ticket);
        u64::from_le_bytes(ticket)
    }

    fn read_at(&self, offset: u64, len: u32, body: &mut Vec<u8>) -> Option<Head> {
        let len_bytes = len as usize;
        if !(HEAD..=HEAD + RECORD_BYTES).contains(&len_bytes) || offset as usize + len_bytes > self.region as usize {
            return None;
        }
        let start = layout::REGION + offset as usize;
        let mut front = [0u8; HEAD];
        layout::read(self.map, start, &mut front);
        body.resize(len_bytes - HEAD, 0);
        layout::read(self.map, start + HEAD, body);
        let crc = u32::from_le_bytes([front[4], front[5], front[6], front[7]]);
        let head_bytes: &[u8; HEAD - 8] = front.last_chunk()?;
        (record::crc(record::body_crc(self.generation, body), len, head_bytes) == crc)
            .then(|| Head::from_bytes(head_bytes))
    }
}
