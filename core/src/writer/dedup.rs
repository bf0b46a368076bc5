//! The same error over and over: from the 11th of a fingerprint in a minute on it is counted, not stored.

use crate::event::decode::{Body, Raw};
use crate::event::field::Field;
use crate::kind::Kind;
use crate::limits;
use std::collections::HashMap;

/// Fingerprints watched at once; beyond it those whose minute is over are forgotten.
const FINGERPRINTS: usize = 256;

/// The fingerprints of this run.
#[derive(Default)]
pub(crate) struct Repeats(HashMap<u64, Repeat>);

struct Repeat {
    since_us: i64,
    seen: u32,
    collapsed: u64,
}

impl Repeats {
    /// From the 11th error of a fingerprint in a minute on: `Err`. The next stored one says how many were left out.
    pub(crate) fn allow(&mut self, kind: Kind, body: &Body<'_>) -> Result<u64, ()> {
        if kind != Kind::Error {
            return Ok(0);
        }
        let print = fingerprint(body);
        if self.0.len() >= FINGERPRINTS && !self.0.contains_key(&print) {
            let window = limits::COLLAPSE_WINDOW.as_micros() as i64;
            self.0.retain(|_, repeat| body.mono_us.saturating_sub(repeat.since_us) < window || repeat.collapsed > 0);
        }
        let repeat = self.0.entry(print).or_insert(Repeat { since_us: body.mono_us, seen: 0, collapsed: 0 });
        if body.mono_us.saturating_sub(repeat.since_us) >= limits::COLLAPSE_WINDOW.as_micros() as i64 {
            (repeat.since_us, repeat.seen) = (body.mono_us, 0);
        }
        if repeat.seen >= limits::COLLAPSE_AFTER {
            repeat.collapsed += 1;
            return Err(());
        }
        repeat.seen += 1;
        Ok(std::mem::take(&mut repeat.collapsed))
    }
}

/// The app's own, or type, code and innermost frame.
fn fingerprint(body: &Body<'_>) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    if let Some(own) = body.str(Field::Fingerprint) {
        own.hash(&mut hasher);
        return hasher.finish();
    }
    (body.str(Field::Type), body.str(Field::Code)).hash(&mut hasher);
    if let Some(Raw::List(count, mut reader)) = body.get(Field::Frames)
        && let Some(Raw::Frame(frame)) = (0..count).filter_map(|_| reader.value()).last()
    {
        (frame.function, frame.file, frame.line).hash(&mut hasher);
    } else {
        body.str(Field::Message).hash(&mut hasher);
    }
    hasher.finish()
}
