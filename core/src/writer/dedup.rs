//! Collapses repetitions: from the 11th error of a fingerprint, or message of a text, within a minute on, events are
//! counted and not stored.

use crate::event::decode::{Body, Raw};
use crate::event::field::Field;
use crate::kind::Kind;
use crate::limits;
use crate::timing::template::template_behind;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The part of a fingerprint that stands for what an error without one has. Sentry's spelling.
const DEFAULT_FINGERPRINT: &str = "{{ default }}";

/// Fingerprints tracked at once. Memory stays flat however many different errors and messages an app records.
const FINGERPRINTS: usize = 1024;

/// The fingerprints seen in this run.
#[derive(Default)]
pub(crate) struct Dedup(HashMap<u64, Seen>);

struct Seen {
    since_us: i64,
    stored: u32,
    collapsed: u64,
}

impl Seen {
    fn is_over(&self, now_us: i64) -> bool {
        now_us.saturating_sub(self.since_us) >= limits::COLLAPSE_WINDOW.as_micros() as i64
    }
}

impl Dedup {
    /// Decides whether an event is stored: `Ok` with the number of its repetitions that were collapsed before it, or `Err`
    /// if it is collapsed itself.
    pub(crate) fn admit(&mut self, kind: Kind, body: &Body<'_>) -> Result<u64, ()> {
        let fingerprint = match kind {
            Kind::Error => error_fingerprint(body),
            Kind::Message => message_fingerprint(body),
            _ => return Ok(0),
        };
        if self.0.len() >= FINGERPRINTS && !self.0.contains_key(&fingerprint) {
            self.shrink(body.mono_us);
        }
        let seen = self.0.entry(fingerprint).or_insert(Seen { since_us: body.mono_us, stored: 0, collapsed: 0 });
        if seen.is_over(body.mono_us) {
            (seen.since_us, seen.stored) = (body.mono_us, 0);
        }
        if seen.stored >= limits::COLLAPSE_AFTER {
            seen.collapsed += 1;
            return Err(());
        }
        seen.stored += 1;
        Ok(std::mem::take(&mut seen.collapsed))
    }

    /// Removes at least half of the fingerprints, so that the cost per event is constant: those that repeat least first.
    /// The events of a removed fingerprint stay counted in the ledger; only its `collapsed_before` is lost.
    fn shrink(&mut self, now_us: i64) {
        let steps: [&dyn Fn(&Seen) -> bool; 3] = [
            &|seen| !seen.is_over(now_us) || seen.collapsed > 0,
            &|seen| seen.stored >= limits::COLLAPSE_AFTER && !seen.is_over(now_us),
            &|_| false,
        ];
        for keep in steps {
            self.0.retain(|_, seen| keep(seen));
            if self.0.len() <= FINGERPRINTS / 2 {
                return;
            }
        }
    }
}

/// The app's own fingerprint, or type, code and innermost frame.
fn error_fingerprint(body: &Body<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    Kind::Error.as_str().hash(&mut hasher);
    let parts = match body.get(Field::Fingerprint) {
        Some(Raw::Str(own)) => vec![own],
        Some(Raw::List(count, mut reader)) => (0..count).map_while(|_| reader.value()?.str()).collect(),
        _ => vec![DEFAULT_FINGERPRINT],
    };
    for part in parts {
        match part {
            DEFAULT_FINGERPRINT => default_fingerprint(body, &mut hasher),
            part => part.hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// Type, code and innermost frame, or the message of an error without a stack.
fn default_fingerprint(body: &Body<'_>, mut hasher: &mut DefaultHasher) {
    (body.str(Field::Type), body.str(Field::Code)).hash(&mut hasher);
    if let Some(Raw::List(count, mut reader)) = body.get(Field::Frames)
        && let Some(Raw::Frame(frame)) = (0..count).filter_map(|_| reader.value()).last()
    {
        (frame.function, frame.file, frame.line).hash(&mut hasher);
    } else {
        body.str(Field::Message).hash(&mut hasher);
    }
}

/// Level and text. A URL or path inside the text counts by its endpoint: `GET /orders/17 failed` and `GET /orders/18 failed`
/// are one message.
fn message_fingerprint(body: &Body<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (Kind::Message.as_str(), body.str(Field::Level)).hash(&mut hasher);
    let mut endpoint = [0u8; limits::NAME_BYTES];
    for word in body.str(Field::Message).unwrap_or_default().split_whitespace() {
        if word.contains('/') {
            template_behind("", word, &mut endpoint).hash(&mut hasher);
        } else {
            word.hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorEvent, Event, Level};

    fn admit(dedup: &mut Dedup, text: &str, level: Level, at_us: i64) -> Result<u64, ()> {
        let mut buffer = [0u8; 1024];
        let len = Event::message(text, level).encode(&mut buffer, 0, at_us);
        dedup.admit(Kind::Message, &Body::decode(&buffer[..len]).unwrap())
    }

    #[test]
    fn messages_of_one_text_are_one_whatever_ids_their_paths_hold_and_other_texts_and_levels_are_not() {
        let mut dedup = Dedup::default();
        let text = |n: i64| format!("GET https://api.example.com/orders/{n}?page={n} failed");
        for n in 0..10 {
            assert_eq!(admit(&mut dedup, &text(n), Level::Warning, n), Ok(0));
        }
        assert_eq!(admit(&mut dedup, &text(10), Level::Warning, 10), Err(()));
        assert_eq!(admit(&mut dedup, &text(11), Level::Error, 10), Ok(0));
        assert_eq!(admit(&mut dedup, "GET https://api.example.com/carts/7 failed", Level::Warning, 10), Ok(0));
        for n in 0..100 {
            assert_eq!(admit(&mut dedup, &format!("order {n} failed"), Level::Warning, 10), Ok(0), "no path");
        }
        let minute = limits::COLLAPSE_WINDOW.as_micros() as i64;
        assert_eq!(admit(&mut dedup, &text(12), Level::Warning, minute), Ok(1));
        assert_eq!(admit(&mut dedup, &text(13), Level::Warning, minute), Ok(0), "a collapsed message is counted once");
    }

    #[test]
    fn errors_with_another_code_are_other_errors() {
        let mut dedup = Dedup::default();
        let mut admit = |code: &str| {
            let mut buffer = [0u8; 1024];
            let event = ErrorEvent::new("HttpError", "request failed").code(code).into_event(Kind::Error);
            let len = event.encode(&mut buffer, 0, 0);
            dedup.admit(Kind::Error, &Body::decode(&buffer[..len]).unwrap())
        };
        for _ in 0..limits::COLLAPSE_AFTER {
            assert_eq!(admit("503"), Ok(0));
        }
        assert_eq!(admit("503"), Err(()));
        assert_eq!(admit("404"), Ok(0));
    }

    #[test]
    fn two_hundred_thousand_different_messages_take_the_memory_of_a_thousand() {
        let mut dedup = Dedup::default();
        let text = |n: u32| format!("message {n}");
        for n in 0..200_000 {
            assert_eq!(admit(&mut dedup, &text(n), Level::Info, 0), Ok(0));
        }
        assert!(dedup.0.len() <= FINGERPRINTS);
        for n in 0..20_000 {
            (0..12).for_each(|_| _ = admit(&mut dedup, &text(n), Level::Info, 0));
        }
        assert!(dedup.0.len() <= FINGERPRINTS, "collapsed ones are bounded too");
    }
}
