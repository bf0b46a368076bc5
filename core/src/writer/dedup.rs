//! Collapses repetitions: within a window only the first events of a fingerprint are stored, and further ones are counted. Errors of one
//! fingerprint and messages of one text: ten in a minute. Alerts of one title and severity: one in the configured window, which a
//! restart does not end (see [`super::alert_windows`]).

use crate::event::decode::{Body, Raw};
use crate::event::field::Field;
use crate::hash::stable_hash;
use crate::kind::Kind;
use crate::limits;
use crate::timing::template::template_behind;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// The part of a fingerprint that stands for what an error without one has. Sentry's spelling.
const DEFAULT_FINGERPRINT: &str = "{{ default }}";

/// Fingerprints tracked at once. Memory stays flat however many different errors and messages an app records.
const FINGERPRINTS: usize = 1024;

/// The fingerprints seen in this run, and those of alerts from before.
pub(crate) struct Dedup {
    pub(super) seen: HashMap<u64, Seen>,
    /// The window of alerts; zero = they never collapse.
    pub(super) alert_window: Duration,
    /// The windows of alerts that an earlier run opened, until the first alert of this one.
    pub(super) earlier: Vec<OpenWindow>,
    /// Both clocks at the last alert: wall clock in milliseconds, monotonic clock in microseconds.
    pub(super) last_alert: (i64, i64),
    /// An alert came after the windows were stored.
    pub(super) windows_changed: bool,
}

/// What was seen of a fingerprint in its window.
pub(super) struct Seen {
    pub(super) kind: Kind,
    pub(super) since_us: i64,
    pub(super) window_us: i64,
    /// How many more of it are stored in this window.
    pub(super) left: u32,
    pub(super) collapsed: u64,
}

impl Seen {
    pub(super) fn is_over(&self, now_us: i64) -> bool {
        now_us.saturating_sub(self.since_us) >= self.window_us
    }
}

/// The window of an alert as it is stored: its fingerprint, when it began in milliseconds since 1970, and how many alerts were
/// collapsed in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenWindow(pub(super) u64, pub(super) i64, pub(super) u64);

/// When events of a fingerprint collapse.
struct Rule {
    fingerprint: u64,
    window: Duration,
    /// Stored in each window.
    most: u32,
}

impl Dedup {
    pub(crate) fn new(alert_window: Duration, earlier: Vec<OpenWindow>) -> Dedup {
        Dedup { seen: HashMap::new(), alert_window, earlier, last_alert: (0, 0), windows_changed: false }
    }

    /// Decides whether an event is stored: `Ok` with the number of its repetitions that were collapsed before it, or `Err`
    /// if it is collapsed itself.
    pub(crate) fn admit(&mut self, kind: Kind, body: &Body<'_>) -> Result<u64, ()> {
        let Some(Rule { fingerprint, window, most }) = self.rule(kind, body) else { return Ok(0) };
        if kind == Kind::Alert {
            self.continue_windows(body);
        }
        if self.seen.len() >= FINGERPRINTS && !self.seen.contains_key(&fingerprint) {
            self.shrink(body.mono_us);
        }
        let window_us = i64::try_from(window.as_micros()).unwrap_or(i64::MAX);
        let new = Seen { kind, since_us: body.mono_us, window_us, left: most, collapsed: 0 };
        let seen = self.seen.entry(fingerprint).or_insert(new);
        if seen.is_over(body.mono_us) {
            (seen.since_us, seen.window_us, seen.left) = (body.mono_us, window_us, most);
        }
        if seen.left == 0 {
            seen.collapsed += 1;
            return Err(());
        }
        seen.left -= 1;
        Ok(std::mem::take(&mut seen.collapsed))
    }

    /// Continues the windows of an earlier run by the clocks of this alert. A window that seems to begin later begins now: the wall
    /// clock was set back.
    fn continue_windows(&mut self, alert: &Body<'_>) {
        self.last_alert = (alert.wall_ms, alert.mono_us);
        self.windows_changed = true;
        let window_us = i64::try_from(self.alert_window.as_micros()).unwrap_or(i64::MAX);
        for OpenWindow(fingerprint, since_ms, collapsed) in std::mem::take(&mut self.earlier) {
            let age_us = alert.wall_ms.saturating_sub(since_ms).max(0).saturating_mul(1_000);
            let since_us = alert.mono_us.saturating_sub(age_us);
            self.seen.insert(fingerprint, Seen { kind: Kind::Alert, since_us, window_us, left: 0, collapsed });
        }
    }

    fn rule(&self, kind: Kind, body: &Body<'_>) -> Option<Rule> {
        let often = |fingerprint| Rule { fingerprint, window: limits::COLLAPSE_WINDOW, most: limits::COLLAPSE_AFTER };
        match kind {
            Kind::Error => Some(often(error_fingerprint(body))),
            Kind::Message => Some(often(message_fingerprint(body))),
            Kind::Alert if !self.alert_window.is_zero() => {
                Some(Rule { fingerprint: alert_fingerprint(body), window: self.alert_window, most: 1 })
            }
            _ => None,
        }
    }

    /// Removes at least half of the fingerprints, so that the cost per event is constant: those that repeat least first.
    /// The events of a removed fingerprint stay counted in the ledger; only its `collapsed_before` is lost.
    fn shrink(&mut self, now_us: i64) {
        let steps: [&dyn Fn(&Seen) -> bool; 3] = [
            &|seen| !seen.is_over(now_us) || seen.collapsed > 0,
            &|seen| seen.left == 0 && !seen.is_over(now_us),
            &|_| false,
        ];
        for keep in steps {
            self.seen.retain(|_, seen| keep(seen));
            if self.seen.len() <= FINGERPRINTS / 2 {
                return;
            }
        }
    }
}

impl Default for Dedup {
    fn default() -> Dedup {
        Dedup::new(limits::ALERT_WINDOW, Vec::new())
    }
}

/// Title and severity. The same in every build, because the next process compares with it.
fn alert_fingerprint(body: &Body<'_>) -> u64 {
    let text = |field| body.str(field).unwrap_or_default();
    stable_hash(&[Kind::Alert.as_str(), text(Field::Severity), text(Field::Title)])
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
        assert!(dedup.seen.len() <= FINGERPRINTS);
        for n in 0..20_000 {
            (0..12).for_each(|_| _ = admit(&mut dedup, &text(n), Level::Info, 0));
        }
        assert!(dedup.seen.len() <= FINGERPRINTS, "collapsed ones are bounded too");
    }
}
