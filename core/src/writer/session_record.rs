//! Records that the monitor and the writer append: changes of the scope, and the ends of sessions and runs. The monitor appends those
//! of its own run, the writer those of earlier runs.

use super::shared::Shared;
use crate::event::Event;
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::kind::Kind;
use crate::limits;
use crate::reason::Reason;
use crate::ring::{Admission, Append};

/// The message of an exit that nothing explains.
const ABNORMAL: &str =
    "the process ended in the foreground and nothing tells why; most often the system wants its memory";

/// Appends a change of the scope.
pub(crate) fn append_scope(shared: &Shared, write: impl FnOnce(&mut Encoder<'_>)) {
    let mut buffer = [0u8; limits::RECORD_BYTES];
    let mut encoder = Encoder::new(&mut buffer, shared.clock.wall_ms(), shared.clock.mono_us());
    write(&mut encoder);
    let len = encoder.finish();
    shared.ring.append_scope(buffer.get(..len).unwrap_or_default());
    shared.wake_after_append(false);
}

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
    let _ = append(shared, &event);
}

/// Appends the event of a run that ended in the foreground, and nothing tells why.
pub(crate) fn append_exit(shared: &Shared, run: &str, seen_ms: i64) {
    let event = Event::app_exit("abnormal", ABNORMAL).with(Field::EndedRun, run).with(Field::ExitMs, seen_ms);
    let _ = append(shared, &event);
}

/// Appends an event that no rate of sampling leaves out. A refusal is counted.
pub(crate) fn append(shared: &Shared, event: &Event<'_>) -> Result<(), Reason> {
    let kind = event.kind();
    let mut buffer = [0u8; limits::RECORD_BYTES];
    let len = event.encode(&mut buffer, shared.clock.wall_ms(), shared.clock.mono_us());
    let append = Append {
        kind: kind as u8,
        lane: kind.lane() as u8,
        n: 1,
        admission: Admission::Critical,
        purposes: kind.purpose_bits(),
        body: buffer.get(..len).unwrap_or_default(),
    };
    match shared.ring.append(&append) {
        Ok(_) => {
            shared.wake_after_append(true);
            Ok(())
        }
        Err(reason) => {
            shared.ring.refuse(reason, Some(kind), 1);
            Err(reason)
        }
    }
}
