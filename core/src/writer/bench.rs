//! Access for the benchmark program: what the writer does with one record of a batch, without the ring and the store.

use super::Writer;
use super::batch::{Batch, Op};
use super::shared::{Role, Shared};
use crate::batch::record;
use crate::config::Config;
use crate::id::IdKey;
use crate::kind::Purpose;
use crate::ring::record::{BATCH, FORMAT, Head};
use crate::ring::{Found, Ring};
use std::path::Path;
use std::sync::Arc;

const WALL_MS: i64 = 1_795_000_000_000;

/// A writer that decodes and stamps, and stores nothing.
pub(crate) struct Decoding {
    writer: Writer,
    ticket: u64,
    body: Vec<u8>,
}

impl Decoding {
    /// `None` if the system has no memory for a ring or the configuration is invalid.
    pub(crate) fn new(folder: &Path) -> Option<Decoding> {
        let config = Config::builder(folder, "bench", "bench@1").build().ok()?;
        let key = IdKey::from_bytes([7; 16]);
        let ring = Ring::in_memory(1).ok()?;
        let shared = Shared::new(ring, config, folder.into(), "boot".into(), key, Found::default(), None, Role::App);
        let reported = super::report::Reported::new(&shared);
        let mut writer = Writer::new(Arc::new(shared), reported);
        writer.stamper.key = Some(key);
        Some(Decoding { writer, ticket: 0, body: Vec::new() })
    }

    /// Prepares the record of these items. Each is a minute later than the one before, so that nothing collapses.
    pub(crate) fn prepare(&mut self, items: &str) {
        self.ticket += 1;
        let later = self.ticket as i64 * 61_000;
        let head =
            record::Head { wall_ms: WALL_MS + later, mono_us: later * 1_000, sampled: 0, slow_api_us: 5_000_000 };
        self.body.clear();
        self.body.extend_from_slice(&head.bytes());
        self.body.extend_from_slice(items.as_bytes());
    }

    /// Decodes and stamps the record; returns the number of rows.
    pub(crate) fn decode(&mut self, events: u16) -> usize {
        let head = Head {
            ticket: self.ticket,
            total: 0,
            kind: BATCH,
            format: FORMAT,
            n: events,
            lane: 1,
            mask: Purpose::ALL_BITS,
        };
        let mut batch = Batch::default();
        self.writer.document(&head, &self.body, &mut batch);
        batch.ops.iter().filter(|op| matches!(op, Op::Row { .. })).count()
    }
}
