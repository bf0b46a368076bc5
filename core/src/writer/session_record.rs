//! The records of sessions. The monitor appends those of its own session, the writer those of sessions that earlier runs did
//! not end.

use super::shared::Shared;
use crate::event::Event;
use crate::event::field::Field;
use crate::kind::Kind;
use crate::ring::{Admission, Append};

/// Appends the event that ends a session.
pub(crate) fn append_end(shared: &Shared, id: &str, started_ms: i64, status: &str, end_ms: i64) {
    let duration_us = end_ms.saturating_sub(started_ms).max(0).saturating_mul(1_000);
    append_session(shared, id, started_ms, status, false, duration_us);
}

/// Appends a session event.
pub(crate) fn append_session(shared: &Shared, id: &str, started_ms: i64, status: &str, init: bool, duration_us: i64) {
    let event = Event::new(Kind::Session)
        .with(Field::Session, id)
        .with(Field::Status, status)
        .with(Field::Init, init)
        .with(Field::StartedMs, started_ms)
        .with(Field::DurationUs, duration_us);
    let mut buffer = [0u8; 1024];
    let len = event.encode(&mut buffer, shared.clock.wall_ms(), shared.clock.mono_us());
    let append = Append {
        kind: Kind::Session as u8,
        lane: Kind::Session.lane() as u8,
        n: 1,
        admission: Admission::Critical,
        purposes: Kind::Session.purpose_bits(),
        body: buffer.get(..len).unwrap_or_default(),
    };
    match shared.ring.append(&append) {
        Ok(_) => shared.wake_after_append(true),
        Err(reason) => shared.ring.refuse(reason, Some(Kind::Session), 1),
    }
}
