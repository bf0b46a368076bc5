//! Recording a batch document: the caller finds its items, copies them into the ring and counts what is refused.

use super::{BUFFER_BYTES, Buffer, Durability, Inner, Monitor};
use crate::batch::items::{Document, Found, Item, Items, What};
use crate::batch::{CHUNK_EVENTS, CHUNK_TRAILS, VERSION, item, record as form};
use crate::event::field::Field;
use crate::kind::{Kind, Lane, Purpose};
use crate::limits::{RECORD_BYTES, RING_BYTES};
use crate::reason::Reason;
use crate::ring::{Admission, Append, record};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Bytes of items in one ring record.
const ITEMS_BYTES: usize = RECORD_BYTES - form::HEAD;

/// Items that become one ring record, and what is known of them.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    start: usize,
    end: usize,
    /// Events by kind, without those that are sampled out.
    events: [u16; Kind::SLOTS],
    unknown: u16,
    /// Events that are sampled out, by kind.
    sampled: [u16; Kind::SLOTS],
    crumbs: u16,
    scope: bool,
    /// All events.
    n: u16,
    trails: u16,
    lane: u8,
    purposes: u8,
}

impl Chunk {
    fn new(start: usize) -> Chunk {
        Chunk {
            start,
            end: start,
            events: [0; Kind::SLOTS],
            unknown: 0,
            sampled: [0; Kind::SLOTS],
            crumbs: 0,
            scope: false,
            n: 0,
            trails: 0,
            lane: Lane::Bulk.number(),
            purposes: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether an item with this many events still fits.
    fn takes(&self, item: &Item<'_>, events: u16) -> bool {
        let end = item.start + item.text.len();
        self.is_empty()
            || (end - self.start <= ITEMS_BYTES
                && self.n + events <= CHUNK_EVENTS
                && self.trails + u16::from(has_trail(item.what)) <= CHUNK_TRAILS)
    }

    fn add(&mut self, item: &Item<'_>, slow_api_us: u64, sampled_out: u32) {
        if self.is_empty() {
            self.start = item.start;
        }
        self.end = item.start + item.text.len();
        match item.what {
            What::Event(kind) => {
                self.event(kind, sampled_out);
                if item.is_slow_call(slow_api_us) {
                    self.event(Kind::Message, sampled_out);
                }
                self.trails += u16::from(has_trail(item.what));
            }
            What::Unknown => {
                self.unknown += 1;
                self.n += 1;
                self.purposes |= Purpose::ALL_BITS;
            }
            What::Breadcrumb => {
                self.crumbs += 1;
                self.purposes |= Purpose::Monitoring.bit();
            }
            What::Scope => self.scope = true,
        }
    }

    fn event(&mut self, kind: Kind, sampled_out: u32) {
        let out = sampled_out & kind.bit() != 0;
        let counts = if out { &mut self.sampled } else { &mut self.events };
        if let Some(count) = counts.get_mut(kind as usize) {
            *count += 1;
        }
        if !out {
            self.n += 1;
            self.lane = self.lane.min(kind.lane().number());
            self.purposes |= kind.purpose_bits();
        }
    }
}

/// Whether it counts as an event: also one that cannot be read, or that the document cuts.
fn is_event(found: &Found<'_>) -> bool {
    !matches!(found, Found::Item(Item { what: What::Breadcrumb | What::Scope, .. }))
}

fn has_trail(what: What) -> bool {
    matches!(what, What::Event(Kind::Crash | Kind::Error | Kind::Hang | Kind::AppExit))
}

impl Monitor {
    /// Records a batch: one JSON document of events, breadcrumbs and scope changes, in their order. `docs/guide/batch.md`
    /// describes it.
    ///
    /// `true`: what consent and sampling allow is in the ring and survives the process being killed. It is decoded on the writer
    /// thread, where an item that is malformed costs only itself. `false`: at least one event was refused; each is counted under
    /// its reason, and what could be accepted was. Scope changes are refused only if one is longer than 32,736 bytes. Do not record the
    /// document again. In a forked child nothing is recorded or counted.
    ///
    /// Costs one pass over the document and a copy of it: no heap allocation, no system call. A document of more than 32 KiB,
    /// 128 events, or 4 events with a breadcrumb trail (errors, crashes, hangs, exits) takes several ring records; a single item
    /// of more than 32,736 bytes is refused as `too_large`. Thread-safe.
    ///
    /// ```no_run
    /// # fn example(monitor: &rez_monitor::Monitor) {
    /// let recorded = monitor.record_batch(
    ///     r#"{"v":1,"items":[{"scope":"tag","name":"plan","value":"gold"},{"kind":"analytics","name":"add_to_cart"}]}"#,
    /// );
    /// # let _ = recorded;
    /// # }
    /// ```
    #[must_use = "refused events are counted, not recorded"]
    pub fn record_batch(&self, json: &str) -> bool {
        let inner = &*self.0;
        let refused = inner.refused_here();
        if refused == Some(Reason::Forked) {
            return false;
        }
        let Some(document) = Document::open(json) else {
            inner.shared.ring.refuse(Reason::Malformed, None, 1);
            return false;
        };
        let refused = refused.or_else(|| (document.least_version > VERSION).then_some(Reason::Migration));
        inner.record_items(document.items, refused)
    }

    /// Records a batch whose last event ends the process: [`Monitor::record_batch`] for what stands before that event, then
    /// [`Monitor::fatal`] for the event, whatever its kind, as a crash. Waits for the disk at most `wait`, and never longer
    /// than 500 ms. What stands behind the event is not recorded. If the last event cannot be read, no other one takes its place:
    /// it counts as `malformed`.
    pub fn record_fatal(&self, json: &str, wait: Duration) -> Durability {
        let inner = &*self.0;
        let refused = inner.refused_here();
        if refused == Some(Reason::Forked) {
            return Durability::Dropped(Reason::Forked);
        }
        let document = Document::open(json);
        let is_newer = document.is_some_and(|document| document.least_version > VERSION);
        let refused = refused.or(is_newer.then_some(Reason::Migration));
        let items = document.map_or("", |document| document.items);
        let last = Items::new(items).filter(is_event).last();
        let fatal = match (last, refused) {
            (Some(Found::Item(item)), None) if item.what != What::Unknown => item,
            _ => {
                // Counts the last event too, if there is one.
                let _ = inner.record_items(items, refused);
                let reason = refused.unwrap_or(Reason::Malformed);
                if last.is_none() {
                    inner.shared.ring.refuse_crash(reason, Kind::Crash);
                }
                return Durability::Dropped(reason);
            }
        };
        // What is refused is counted.
        let _ = inner.record_items(items.get(..fatal.start).unwrap_or_default(), None);
        let (wall_ms, mono_us) = inner.shared.clock.now();
        let call = item::Call {
            wall_ms,
            mono_us,
            slow: inner.shared.config.slow,
            headers: &inner.shared.config.recorded_headers,
        };
        let encode = |buffer: &mut [u8]| item::event(Kind::Crash, &fatal, &call, &|_| false, &mut |_| {}, buffer);
        inner.fatal(wall_ms, encode, wait)
    }
}

impl Inner {
    /// Appends items in as few records as possible, or refuses all of them for this reason.
    fn record_items(&self, items: &str, refused: Option<Reason>) -> bool {
        let slow_api_us = u64::try_from(self.shared.config.slow[1].as_micros()).unwrap_or(u64::MAX);
        let sampled_out = self.sampled_out.load(Ordering::Relaxed);
        let mut all = true;
        let mut chunk = Chunk::new(0);
        let flush = |chunk: &Chunk| match refused {
            _ if chunk.is_empty() => true,
            Some(reason) => {
                self.refuse_chunk(chunk, reason);
                self.count(&chunk.sampled, reason);
                false
            }
            None => self.append_chunk(items, chunk, sampled_out, slow_api_us),
        };
        let nobody = || {
            if refused.is_none() {
                self.append_scope(|encoder| encoder.text_field(Field::Change, "user"));
            }
        };
        for found in Items::new(items) {
            let item = match found {
                Found::Item(item) => item,
                Found::Cut { may_change_user } => {
                    self.shared.ring.refuse(refused.unwrap_or(Reason::Malformed), None, 1);
                    let _ = flush(&chunk);
                    if may_change_user {
                        nobody();
                    }
                    return false;
                }
            };
            if item.text.len() > ITEMS_BYTES {
                let kind = if let What::Event(kind) = item.what { Some(kind) } else { None };
                self.shared.ring.refuse(refused.unwrap_or(Reason::TooLarge), kind, 1);
                all = false;
                all &= flush(&chunk);
                if item.may_change_user {
                    nobody();
                }
                chunk = Chunk::new(item.start);
                continue;
            }
            if !chunk.takes(&item, item.events(slow_api_us)) {
                all &= flush(&chunk);
                chunk = Chunk::new(item.start);
            }
            chunk.add(&item, slow_api_us, sampled_out);
        }
        flush(&chunk) && all
    }

    fn append_chunk(&self, items: &str, chunk: &Chunk, sampled: u32, slow_api_us: u64) -> bool {
        self.count(&chunk.sampled, Reason::Sampled);
        let (wall_ms, mono_us) = self.shared.clock.now();
        let head = form::Head { wall_ms, mono_us, sampled, slow_api_us }.bytes();
        let items = items.get(chunk.start..chunk.end).unwrap_or_default();
        let mut buffer = Buffer::new();
        let buffer: &mut [u8; BUFFER_BYTES] = buffer.bytes();
        let len = copy(buffer, &head, items);
        let append = Append {
            kind: record::BATCH,
            lane: chunk.lane,
            n: chunk.n,
            admission: Lane::from_number(chunk.lane).map_or(Admission::Bulk, Admission::of_lane),
            purposes: chunk.purposes,
            body: &[],
        };
        if chunk.n == 0 && chunk.crumbs == 0 {
            // Sampled-out events need no record.
            return !chunk.scope || self.append_scope_items(&head, items);
        }
        match self.shared.ring.append_buffer(&append, buffer, len) {
            Ok(appended) => {
                if chunk.crumbs > 0 && appended.allowed & Purpose::Monitoring.bit() == 0 {
                    self.shared.ring.refuse(Reason::Consent, None, chunk.crumbs.into());
                }
                self.shared.wake_after_append(chunk.lane <= 1 || appended.used > RING_BYTES / 2);
                true
            }
            Err(reason) => {
                self.refuse_chunk(chunk, reason);
                if chunk.scope {
                    self.append_scope_items(&head, items);
                }
                false
            }
        }
    }

    /// Appends the scope changes of a chunk alone. Without space they are held like every scope change: no later event is
    /// stored under the wrong user.
    #[cold]
    fn append_scope_items(&self, head: &[u8; form::HEAD], items: &str) -> bool {
        let mut buffer = [0u8; RECORD_BYTES];
        let mut len = copy(&mut buffer, head, "");
        for found in Items::new(items) {
            let Found::Item(item) = found else { continue };
            if item.what != What::Scope {
                continue;
            }
            // Between two items only, so that they need no more room than they had in the document.
            let comma = usize::from(len > form::HEAD);
            if let Some(room) = buffer.get_mut(len..len + comma + item.text.len()) {
                room[..comma].fill(b',');
                room[comma..].copy_from_slice(item.text.as_bytes());
                len += room.len();
            }
        }
        self.shared.ring.append_or_hold(&Append {
            kind: record::BATCH,
            lane: 0,
            n: 0,
            admission: Admission::Always,
            purposes: 0,
            body: buffer.get(..len).unwrap_or_default(),
        });
        self.shared.wake_after_append(false);
        true
    }

    fn refuse_chunk(&self, chunk: &Chunk, reason: Reason) {
        self.count(&chunk.events, reason);
        let others = u64::from(chunk.unknown) + u64::from(chunk.crumbs);
        if others > 0 {
            self.shared.ring.refuse(reason, None, others);
        }
    }

    fn count(&self, counts: &[u16; Kind::SLOTS], reason: Reason) {
        for kind in Kind::ALL {
            let count = counts.get(kind as usize).copied().unwrap_or(0);
            if count > 0 {
                self.shared.ring.refuse(reason, Some(kind), count.into());
            }
        }
    }
}

/// Copies head and items to the front of the buffer and returns their length.
fn copy(buffer: &mut [u8], head: &[u8; form::HEAD], items: &str) -> usize {
    let len = form::HEAD + items.len();
    if let Some(room) = buffer.get_mut(..len) {
        let (front, rest) = room.split_at_mut(form::HEAD);
        front.copy_from_slice(head);
        rest.copy_from_slice(items.as_bytes());
        return len;
    }
    0
}
