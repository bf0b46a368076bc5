//! Screen loads, HTTP calls and spans in progress, each behind a number.
//!
//! A face begins a guard with a hot record, keeps its number, and ends it with another record. So a guard needs no object of the
//! library in the face, and works before JNA is loaded.

use super::Submitted;
use super::decode::{Bits, Place, common, head};
use super::reader::Reader;
use crate::engines;
use bumpalo::Bump;
use rez_monitor::{ApiCall, Monitor, Reason, ScreenLoad, Span, SpanStatus, TraceContext, Value};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Guards in progress at once. An app that begins more does not end them.
const MOST: usize = 4_096;

/// Bytes of the answer to a beginning: what a face's array has room for.
const ANSWER_BYTES: usize = 4_096;

enum Guard {
    Screen(ScreenLoad),
    Call(ApiCall),
    Span(Span),
}

#[derive(Default)]
struct Slot {
    generation: u32,
    guard: Option<Guard>,
}

/// The guards by number: a slot and a generation, so that a number that is stale or made up finds none.
#[derive(Default)]
struct Guards {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

static GUARDS: Mutex<Guards> = Mutex::new(Guards { slots: Vec::new(), free: Vec::new() });

fn guards() -> MutexGuard<'static, Guards> {
    GUARDS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Guards {
    /// Takes the guard and gives it a number, which is never 0; leaves it if there are too many.
    fn insert(&mut self, guard: &mut Option<Guard>) -> Option<u64> {
        let at = match self.free.pop() {
            Some(at) => at,
            None if self.slots.len() < MOST => {
                self.slots.push(Slot::default());
                (self.slots.len() - 1) as u32
            }
            None => return None,
        };
        let slot = self.slots.get_mut(at as usize)?;
        slot.generation = slot.generation.wrapping_add(1).max(1);
        slot.guard = guard.take();
        Some(u64::from(at) << 32 | u64::from(slot.generation))
    }

    fn slot(&mut self, number: u64) -> Option<&mut Slot> {
        let slot = self.slots.get_mut((number >> 32) as usize)?;
        (slot.generation == number as u32).then_some(slot)
    }

    fn remove(&mut self, number: u64) -> Option<Guard> {
        let guard = self.slot(number)?.guard.take()?;
        self.free.push((number >> 32) as u32);
        Some(guard)
    }
}

/// Begins what the record says. Returns the number of the guard (`u64`), its trace as in a record, and the trace headers to send as in
/// a record; empty if there is no engine, the record is of another form, or too many guards are in progress.
pub(super) fn begin(handle: u64, record: &[u8]) -> Vec<u8> {
    let begun = engines::with(handle, None, |monitor| {
        let arena = Bump::new();
        begun(monitor, &mut Reader::new(record, &arena))
    });
    let Some((guard, mut answer)) = begun else { return Vec::new() };
    let mut guard = Some(guard);
    let number = guards().insert(&mut guard);
    let (Some(number), Some(place)) = (number, answer.first_chunk_mut()) else {
        engines::guarded((), || drop(guard));
        return Vec::new();
    };
    *place = number.to_le_bytes();
    answer
}

fn begun(monitor: &Monitor, reader: &mut Reader<'_>) -> Option<(Guard, Vec<u8>)> {
    let (call, bits) = head(reader)?;
    match call {
        10 => {
            let name = reader.text()?;
            reader.is_at_end().then_some(())?;
            let screen = monitor.screen(name);
            let answer = answer(screen.context(), |_| ());
            Some((Guard::Screen(screen), answer))
        }
        11 => {
            let (method, url) = (reader.text()?, reader.text()?);
            let call = match parent(reader, bits)? {
                Some(parent) => monitor.api_call_in(&parent, method, url),
                None => monitor.api_call(method, url),
            };
            let answer = answer(call.context(), |out| call.headers(|name, value| out(name, value)));
            Some((Guard::Call(call), answer))
        }
        12 => {
            let (name, op) = (reader.text()?, reader.text()?);
            let span = match parent(reader, bits)? {
                Some(parent) if bits.has(4) => monitor.child_span(&parent, name, op),
                Some(parent) => monitor.span_in(&parent, name, op),
                None => monitor.span(name, op),
            };
            let answer = answer(span.context(), |_| ());
            Some((Guard::Span(span), answer))
        }
        _ => None,
    }
}

fn parent(reader: &mut Reader<'_>, bits: Bits) -> Option<Option<TraceContext>> {
    let parent = reader.trace(bits.has(1))?;
    reader.is_at_end().then_some(parent)
}

/// The bytes of an answer; the first 8 are those of the number.
fn answer(trace: TraceContext, headers: impl FnOnce(&mut dyn FnMut(&str, &str))) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    let id = trace.trace_id();
    for part in [(id >> 64) as u64, id as u64, trace.span_id(), trace.parent().unwrap_or_default()] {
        bytes.extend_from_slice(&part.to_le_bytes());
    }
    bytes.push(trace.sampled().map_or(0, |sampled| 1 + u8::from(sampled)));
    let at = bytes.len();
    bytes.push(0);
    headers(&mut |name, value| {
        let fits = bytes.len() + name.len() + value.len() + 4 <= ANSWER_BYTES;
        if let Some(count) = bytes.get_mut(at).filter(|count| fits && **count < u8::MAX) {
            *count += 1;
            for text in [name, value] {
                bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
        }
    });
    bytes
}

/// Marks a moment of a screen load: 1 the first frame, 2 the full content.
pub(super) fn mark(number: u64, mark: u8) {
    change(number, |guard| match (mark, guard) {
        (1, Guard::Screen(screen)) => screen.initial_display(),
        (2, Guard::Screen(screen)) => screen.full_display(),
        _ => {}
    });
}

/// Sets attributes of a span.
pub(super) fn set(number: u64, record: &[u8]) {
    let arena = Bump::new();
    let mut place: Place<'_> = [("", Value::Null); 16];
    let mut reader = Reader::new(record, &arena);
    let attrs = head(&mut reader)
        .filter(|(call, _)| *call == 14)
        .and_then(|(_, bits)| common(&mut reader, bits, &mut place))
        .map(|common| common.attrs);
    change(number, |guard| {
        if let Guard::Span(span) = guard {
            attrs.into_iter().flatten().for_each(|(name, value)| span.attr(name, *value));
        }
    });
}

fn change(number: u64, change: impl FnOnce(&mut Guard)) {
    let mut guards = guards();
    if let Some(guard) = guards.slot(number).and_then(|slot| slot.guard.as_mut()) {
        engines::guarded((), || change(guard));
    }
}

/// Ends a guard as the record says. A guard that has ended is the answer of a closed engine; a record of another form cancels it.
pub(super) fn end(number: u64, record: &[u8]) -> Submitted {
    let closed = Submitted::Dropped(Reason::StoreUnavailable);
    let Some(guard) = guards().remove(number) else { return closed };
    engines::guarded(closed, || {
        let arena = Bump::new();
        ended(guard, &mut Reader::new(record, &arena)).unwrap_or(Submitted::Malformed)
    })
}

fn ended(guard: Guard, reader: &mut Reader<'_>) -> Option<Submitted> {
    let (call, _) = head(reader)?;
    let (how, status, sent, received, error) =
        (reader.byte()?, reader.u16()?, reader.u64()?, reader.u64()?, reader.text()?);
    (call == 13 && reader.is_at_end()).then_some(())?;
    let outcome = match (how, guard) {
        (0, Guard::Screen(screen)) => screen.finish(),
        (0 | 1, Guard::Call(mut call)) => {
            call.request_bytes(sent);
            if how == 0 { call.finish(status, received) } else { call.fail(error) }
        }
        (0, Guard::Span(mut span)) => {
            span.status(match status {
                1 => SpanStatus::Error,
                2 => SpanStatus::Cancelled,
                _ => SpanStatus::Ok,
            });
            span.finish()
        }
        (2, guard) => {
            drop(guard);
            return Some(Submitted::Noted);
        }
        _ => return None,
    };
    Some(outcome.into())
}
