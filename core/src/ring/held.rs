//! Records that found no space and must not be lost: changes of scope and run. They wait in memory, in order, and nothing else
//! is accepted before them.

use super::record::{self, BATCH, RUN_CHANGE, SCOPE};
use super::{Append, Ring, State, Sum, scope_append};
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::kind::Purpose;
use crate::reason::Reason;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

/// Bytes of records that wait. A loop of scope changes while nothing is stored must not take the memory of the app.
const MOST_BYTES: usize = 1024 * 1024;

/// The start of a change of the user behind the two clocks and the number of the field: a text of four bytes.
const USER: &[u8] = b"\x06\x04\x00user";

/// The records, oldest first.
#[derive(Debug, Default)]
pub(super) struct Held {
    records: VecDeque<(u8, Vec<u8>)>,
    bytes: usize,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds a record, and returns how many others were given up for it: the oldest changes that do not concern the user. A change of
    /// the user is only given up for a later one, or if such changes alone are too many: then what follows belongs to nobody.
    pub(super) fn push(&mut self, kind: u8, body: &[u8]) -> u64 {
        let before = self.records.len();
        let mut dropped = 0;
        if self.bytes + body.len() > MOST_BYTES {
            if is_user(kind, body) {
                self.retain(|kind, body| !is_user(kind, body));
            }
            if kind == RUN_CHANGE {
                // It has all of the run.
                self.retain(|kind, _| kind != RUN_CHANGE);
            }
            // A quarter at once, so that a loop of changes does not search all of them each time.
            let mut surplus = (self.bytes + body.len()).saturating_sub(MOST_BYTES / 4 * 3);
            self.retain(|kind, body| {
                let goes = surplus > 0 && !concerns_user(kind, body);
                surplus = surplus.saturating_sub(if goes { body.len() } else { 0 });
                !goes
            });
            dropped = before - self.records.len();
            if self.bytes + body.len() > MOST_BYTES {
                self.retain(|kind, _| !matches!(kind, SCOPE | BATCH));
                dropped = before - self.records.len();
                self.add(SCOPE, nobody(clock(body, 0), clock(body, 8)));
            }
        }
        self.add(kind, body.to_vec());
        dropped as u64
    }

    fn add(&mut self, kind: u8, body: Vec<u8>) {
        self.bytes += body.len();
        self.records.push_back((kind, body));
    }

    fn retain(&mut self, mut keeps: impl FnMut(u8, &[u8]) -> bool) {
        self.records.retain(|(kind, body)| keeps(*kind, body));
        self.bytes = self.records.iter().map(|(_, body)| body.len()).sum();
    }

    /// Takes the oldest record.
    pub(super) fn pop(&mut self) -> Option<(u8, Vec<u8>)> {
        let (kind, body) = self.records.pop_front()?;
        self.bytes -= body.len();
        Some((kind, body))
    }

    /// Puts a record back that still found no space.
    pub(super) fn put_back(&mut self, kind: u8, body: Vec<u8>) {
        self.bytes += body.len();
        self.records.push_front((kind, body));
    }
}

impl Ring {
    /// Whether held records wait for space. Takes no lock: a thread that crashed may hold that of the appends.
    pub(crate) fn has_held(&self) -> bool {
        self.anchor.has_held()
    }

    /// Appends held records after space was freed, without waiting for the next append.
    pub(crate) fn place_held(&self) {
        let mut state = self.lock();
        if !state.held.is_empty() {
            // Records that still find no space wait for the next call.
            let _ = self.append_held(&mut state);
        }
    }

    #[cold]
    pub(super) fn append_held(&self, state: &mut State) -> Result<(), Reason> {
        let generation = self.generation.load(Ordering::Relaxed);
        while let Some((kind, body)) = state.held.pop() {
            let append = Append { kind, ..scope_append(&body) };
            let placed = self.place(state, &append, Sum::Begun(record::body_crc(generation, &body)), Purpose::ALL_BITS);
            if let Err(reason) = placed {
                state.held.put_back(kind, body);
                return Err(reason);
            }
        }
        self.anchor.holding.store(false, Ordering::Release);
        Ok(())
    }
}

/// The change of the scope after which there is no user.
pub(crate) fn nobody(wall_ms: i64, mono_us: i64) -> Vec<u8> {
    let mut body = vec![0; 64];
    let mut encoder = Encoder::new(&mut body, wall_ms, mono_us);
    encoder.text_field(Field::Change, "user");
    let len = encoder.finish();
    body.truncate(len);
    body
}

/// One of the two clocks at the front of every body.
fn clock(body: &[u8], at: usize) -> i64 {
    let bytes = body.get(at..).and_then(|bytes| bytes.first_chunk());
    bytes.map_or(0, |bytes| i64::from_le_bytes(*bytes))
}

fn is_user(kind: u8, body: &[u8]) -> bool {
    kind == SCOPE && body.get(17..17 + USER.len()) == Some(USER)
}

/// Whether dropping it could leave later events under another user, or another run or release.
fn concerns_user(kind: u8, body: &[u8]) -> bool {
    match kind {
        SCOPE => is_user(kind, body),
        BATCH => body.windows(4).any(|bytes| bytes == b"user"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As every scope change is encoded.
    fn change(name: &str) -> Vec<u8> {
        let mut body = vec![0; 200];
        let mut encoder = crate::event::encode::Encoder::new(&mut body, 1_795_400_000_000, 1_000);
        encoder.field(crate::event::field::Field::Change, name.into());
        let len = encoder.finish();
        body.truncate(len);
        body
    }

    #[test]
    fn held_records_are_bounded_and_the_last_user_and_the_run_stay() {
        let mut held = Held::default();
        let mut dropped = held.push(super::super::record::RUN, b"run");
        for n in 0..100_000_u32 {
            dropped += held.push(SCOPE, &change("flag"));
            if n % 1_000 == 0 {
                let mut user = change("user");
                user.extend_from_slice(&n.to_le_bytes());
                dropped += held.push(SCOPE, &user);
            }
        }
        assert!(held.bytes <= MOST_BYTES && dropped > 0, "{} {dropped}", held.bytes);
        let mut records = Vec::new();
        while let Some(record) = held.pop() {
            records.push(record);
        }
        assert_eq!((held.bytes, records[0].0), (0, super::super::record::RUN));
        let users: Vec<_> = records.iter().filter(|(kind, body)| is_user(*kind, body)).collect();
        assert!(users.last().unwrap().1.ends_with(&99_000_u32.to_le_bytes()));
        assert_eq!(dropped as usize + records.len(), 100_101);
    }

    #[test]
    fn held_changes_of_batches_are_bounded_and_the_user_that_is_given_up_is_nobody() {
        let mut held = Held::default();
        let mut dropped = held.push(super::super::record::RUN, b"run");
        for n in 0..100_000_u32 {
            let mut body = vec![0; 32];
            body.extend_from_slice(format!("{{\"scope\":\"user\",\"id\":\"{n}\"}}").as_bytes());
            dropped += held.push(BATCH, &body);
            assert!(held.bytes <= MOST_BYTES, "{}", held.bytes);
        }
        let mut records = Vec::new();
        while let Some(record) = held.pop() {
            records.push(record);
        }
        assert_eq!(records[0].0, super::super::record::RUN);
        let (kind, nobody) = &records[1];
        let body = crate::event::decode::Body::decode(nobody).unwrap();
        let field = crate::event::field::Field::Name;
        assert_eq!((is_user(*kind, nobody), body.str(field)), (true, None), "before those that came later");
        assert!(records.last().unwrap().1.ends_with(b"\"id\":\"99999\"}"));
        let left = records.iter().filter(|(kind, _)| *kind == BATCH).count();
        assert!((100_000..100_010).contains(&(dropped as usize + left)), "{dropped} {left}");
    }

    #[test]
    fn held_changes_of_the_run_are_bounded_since_the_last_one_has_all_of_it() {
        let mut held = Held::default();
        held.push(super::super::record::RUN, b"run");
        for n in 0..1_000_u32 {
            let mut body = vec![0; 16 * 1024];
            body.extend_from_slice(&n.to_le_bytes());
            held.push(super::super::record::RUN_CHANGE, &body);
            assert!(held.bytes <= MOST_BYTES, "{}", held.bytes);
        }
        assert_eq!(held.records[0].0, super::super::record::RUN);
        assert!(held.records.back().unwrap().1.ends_with(&999_u32.to_le_bytes()));
    }
}
