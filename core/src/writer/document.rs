//! Records with the items of a batch document: each item becomes a record of its own, which is stamped like any other.

use super::Writer;
use super::batch::Batch;
use super::read::refuse_all;
use crate::batch::item::{self, Call};
use crate::batch::items::{Found, Item, Items, What};
use crate::batch::record;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::kind::{Kind, Purpose};
use crate::level::Level;
use crate::limits::RECORD_BYTES;
use crate::reason::Reason;
use crate::ring::record::{FORMAT, Head};
use crate::timing::measured::Measured;
use std::sync::Arc;
use std::time::Duration;

/// Bit set in the index of a warning, so that it has an id of its own.
const WARNING: u16 = 1 << 15;

/// A record that is being read.
struct Reading<'r> {
    head: &'r Head,
    call: Call<'r>,
    sampled: u32,
    slow_api_us: u64,
    /// Accepted events that are not accounted for yet.
    left: u16,
    index: u16,
    /// Its durations belong to this run and were not counted before.
    measures: bool,
}

impl Reading<'_> {
    /// Takes one of the accepted events. The head of the record is the truth about their number: an item beyond it was not
    /// accepted.
    fn take(&mut self) -> bool {
        let any = self.left > 0;
        self.left -= u16::from(any);
        any
    }

    fn is_sampled_out(&self, kind: Kind) -> bool {
        self.sampled & kind.bit() != 0
    }
}

impl Writer {
    /// Reads one record with items. Every accepted event becomes a row or a count.
    pub(super) fn document(&mut self, head: &Head, bytes: &[u8], batch: &mut Batch) {
        let read = record::Head::read(bytes).filter(|_| head.format == FORMAT);
        let Some((from, items)) = read else {
            return refuse_all(head, None, Reason::Migration, batch);
        };
        let shared = Arc::clone(&self.shared);
        let call = Call {
            wall_ms: from.wall_ms,
            mono_us: from.mono_us,
            slow: [shared.config.slow[0], Duration::from_micros(from.slow_api_us), shared.config.slow[2]],
            headers: &shared.config.recorded_headers,
        };
        let own = self.stamper.key == Some(self.shared.key);
        let mut reading = Reading {
            head,
            call,
            sampled: from.sampled,
            slow_api_us: from.slow_api_us,
            left: head.n,
            index: 0,
            measures: own && head.ticket > self.measured,
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.resize(2 * RECORD_BYTES, 0);
        for found in Items::new(items) {
            match found {
                Found::Item(item) => self.item(&item, &mut reading, &mut scratch, batch),
                Found::Cut { .. } if reading.take() => batch.refuse(None, Reason::Malformed),
                Found::Cut { .. } => {}
            }
        }
        self.scratch = scratch;
        if own {
            self.measured = self.measured.max(head.ticket);
        }
        (0..reading.left).for_each(|_| batch.refuse(None, Reason::Malformed));
    }

    fn item(&mut self, item: &Item<'_>, reading: &mut Reading<'_>, scratch: &mut [u8], batch: &mut Batch) {
        let (room, warning) = scratch.split_at_mut(RECORD_BYTES);
        match item.what {
            What::Event(kind) => self.recorded(kind, item, reading, (room, warning), batch),
            What::Unknown => {
                reading.index = reading.index.wrapping_add(1);
                if reading.take() {
                    batch.refuse(None, Reason::Malformed);
                }
                if item.may_change_user {
                    self.nobody(reading, room, batch);
                }
            }
            // The caller has counted the breadcrumbs that were denied.
            What::Breadcrumb if reading.head.mask & Purpose::Monitoring.bit() == 0 => {}
            What::Breadcrumb => {
                let len = item::breadcrumb(item, &reading.call, room);
                if let Some(body) = decoded(len, room) {
                    self.stamper.crumb(&body, batch);
                }
            }
            What::Scope => {
                let len = item::scope(item, &reading.call, room);
                match decoded(len, room) {
                    Some(body) => self.stamper.scope(&body, batch),
                    None if item.may_change_user => self.nobody(reading, room, batch),
                    None => {}
                }
            }
        }
    }

    /// Ends the user, since a change of the user could not be read.
    fn nobody(&mut self, reading: &Reading<'_>, room: &mut [u8], batch: &mut Batch) {
        let len = item::nobody(&reading.call, room);
        if let Some(body) = decoded(Some(len), room) {
            self.stamper.scope(&body, batch);
        }
    }

    fn recorded(
        &mut self,
        kind: Kind,
        item: &Item<'_>,
        reading: &mut Reading<'_>,
        (room, warning): (&mut [u8], &mut [u8]),
        batch: &mut Batch,
    ) {
        let index = reading.index;
        reading.index = index.wrapping_add(1);
        let wanted = !reading.is_sampled_out(kind);
        if wanted && !reading.take() {
            return;
        }
        let mut warned = None;
        let call = reading.call;
        // As the caller counted it: whatever the decoder finds, an item takes the events that were accepted for it.
        let warns = item.is_slow_call(reading.slow_api_us) && !reading.is_sampled_out(Kind::Message);
        let (metrics, measures) = (&self.shared.metrics, reading.measures && wanted);
        let mut measured = |timing: &Measured<'_>| {
            if measures && !timing.name.is_empty() {
                metrics.record(timing.name, timing.duration_us);
            }
            if timing.warns() && warns {
                warned = Some(timing.warning(|event| event.encode(warning, call.wall_ms, call.mono_us)));
            }
        };
        let config = &self.shared.config;
        let propagates = |url: &str| config.may_carry_headers(url);
        let len = item::event(kind, item, &call, &propagates, &mut measured, room);
        if wanted {
            match decoded(len, room) {
                Some(body) if self.is_below_log_level(kind, &body) => batch.refuse(Some(kind), Reason::LogLevel),
                Some(body) => {
                    let id = self.id_of(reading.head, &body, index);
                    self.event(kind, id, reading.head, &body, batch);
                }
                None => batch.refuse(Some(kind), Reason::Malformed),
            }
        }
        if warns && reading.take() {
            match decoded(warned, warning) {
                Some(body) => {
                    let id = self.id_of(reading.head, &body, index | WARNING);
                    self.event(Kind::Message, id, reading.head, &body, batch);
                }
                None => batch.refuse(Some(Kind::Message), Reason::Malformed),
            }
        }
    }
}

impl Writer {
    /// Whether it is a log entry that a typed call would have refused.
    fn is_below_log_level(&self, kind: Kind, body: &Body<'_>) -> bool {
        let level = || body.str(Field::Level).and_then(Level::parse).unwrap_or_default();
        kind == Kind::Log && level() < self.shared.config.log_level
    }
}

fn decoded(len: Option<usize>, room: &[u8]) -> Option<Body<'_>> {
    Body::decode(room.get(..len?)?)
}
