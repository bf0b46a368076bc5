//! The sentences with which the engine answers: why something waits, what happened to an event, what is wrong.
//!
//! [`crate::Monitor::status`], `flush` and `why`, the logger and `rezq` use these functions, so that the same question gets
//! the same sentence everywhere. `phrases` has the parts that the engine's modules use themselves. The text of a sentence may change between versions; codes and numbers are for programs.

use crate::delivery::{DestinationNote, Flushed, Held, RouteStatus, stored_held};
use crate::json::with;
use crate::metrics::Summary;
use crate::monitor::{Refused, Status};
use crate::phrases::{ERASURE_BLOCKED, HeldCode, events, number, time};
use crate::store::{Fate, PLACEHOLDER, RouteFate, RouteView, RowState};
use crate::writer::shared::StoreState;
use serde::Serialize;

/// Serialises a closed list as its spelling.
macro_rules! as_spelling {
    ($($name:ty)*) => {
        $(impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        })*
    };
}

as_spelling! { HeldCode crate::Kind crate::Reason crate::LogCode crate::LogLevel }

/// A duration: `950 us`, `12.3 ms`, `4.56 s`.
fn duration(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} us"),
        1_000..1_000_000 => format!("{:.1} ms", us as f64 / 1e3),
        _ => format!("{:.2} s", us as f64 / 1e6),
    }
}

/// `, after 3 failures in a row`; empty for none.
fn failures(n: u32) -> String {
    match n {
        0 => String::new(),
        1 => ", after 1 failure".to_owned(),
        n => format!(", after {n} failures in a row"),
    }
}

/// How many rows wait for a route, and whether they only wait for more.
#[must_use]
pub fn waiting(n: u64, is_held: bool) -> String {
    match n {
        0 => "nothing waiting".to_owned(),
        n if is_held => format!("{} waiting", number(n)),
        n => format!("{} waiting for the next batch", number(n)),
    }
}

/// The HTTP status of a response.
fn status(status: u16) -> String {
    if status == 0 { "no response".to_owned() } else { format!("status {status}") }
}

impl Held {
    /// Why it waits, until when, and after how many failures.
    #[must_use]
    pub fn text(&self) -> String {
        let next = match self.code {
            HeldCode::Stopped | HeldCode::RefusesEverything => "next probe",
            HeldCode::Parked | HeldCode::Batch | HeldCode::Spacing => "until",
            _ => "next attempt",
        };
        let until = self.until_ms.map(|ms| format!("; {next} {}", time(ms))).unwrap_or_default();
        format!("{}{until}{}", self.why, failures(self.failures))
    }
}

impl StoreState {
    /// What it means.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            StoreState::Opening => "the queue is being opened".to_owned(),
            StoreState::Ready => "the queue is open".to_owned(),
            StoreState::Unavailable(why) => format!("the queue cannot be used now: {why}"),
        }
    }
}

impl RouteStatus {
    /// What waits on the route, and why.
    #[must_use]
    pub fn text(&self) -> String {
        let n = self.waiting.iter().fold(0_u64, |sum, lane| sum.saturating_add(*lane));
        let held = match &self.held {
            Some(held) if n > 0 || self.stopped => format!("; {}", held.text()),
            _ if self.in_flight => "; a request is in flight".to_owned(),
            _ => String::new(),
        };
        format!("{}: {}{held}", self.route, waiting(n, !held.is_empty()))
    }
}

impl RouteView {
    /// Why the route waits. The times are those of the clock that stored them.
    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        let dormant = self.dormant_since_ms.map(|since| {
            let held = Held::new(HeldCode::Dormant, None, "");
            Held { why: format!("{} since {}", held.why, time(since)), ..held }
        });
        dormant.into_iter().chain(self.state.as_deref().map(stored_held).unwrap_or_default()).collect()
    }

    /// Why the route waits, one sentence each; empty if it does not.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.held().iter().map(Held::text).collect();
        if let Some((batch, attempt)) = &self.batch {
            lines.push(format!("batch {batch} is in flight, attempt {}", attempt.saturating_add(1)));
        }
        lines
    }

    /// The last request and its response.
    #[must_use]
    pub fn last_text(&self) -> Option<String> {
        let (at, code, note) = self.last.as_ref()?;
        Some([format!("{} {}", time(*at), status(*code)), note.clone()].join(" ").trim_end().to_owned())
    }
}

impl RowState {
    /// Where the row is on the route.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            RowState::Queued => "queued".to_owned(),
            RowState::Parked { until_ms: None } => "parked".to_owned(),
            RowState::Parked { until_ms: Some(until) } => format!("parked until {}", time(*until)),
            RowState::InFlight { batch_id, attempt, .. } => {
                format!("in flight, batch {batch_id}, attempt {}", attempt.saturating_add(1))
            }
            RowState::Dead { reason, status: code, note } => {
                let reason = reason.map_or("unknown", |reason| reason.as_str());
                let answered = if *code == 0 { String::new() } else { format!(", {}", status(*code)) };
                [format!("dead, {reason}{answered}"), note.clone()].join(" ").trim_end().to_owned()
            }
            RowState::Delivered { at_ms, .. } => format!("delivered {}", time(*at_ms)),
            RowState::Dropped { reason, .. } => format!("dropped, {reason}"),
            RowState::Paused => "never sent there: the destination was paused when it was recorded".to_owned(),
            RowState::Passed => "passed".to_owned(),
        }
    }
}

impl RouteFate {
    /// What happened to the event on this route.
    #[must_use]
    pub fn text(&self) -> String {
        let route = if self.route == PLACEHOLDER { "no destination yet" } else { &self.route };
        format!("{route}: {}", self.state.text())
    }
}

impl Fate {
    /// What happened to the event, in one sentence.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.routes.as_slice(), &self.row) {
            ([], None) => {
                "not known: not recorded here, still in the ring, or settled more than 100 requests ago".to_owned()
            }
            ([], Some(_)) => "stored; no destination takes it yet".to_owned(),
            (routes, _) => routes.iter().map(RouteFate::text).collect::<Vec<_>>().join("; "),
        }
    }
}

impl Flushed {
    /// What was sent to the destination, what is left, and why.
    #[must_use]
    pub fn text(&self) -> String {
        let left = match (self.left, &self.held) {
            (0, _) => "nothing left".to_owned(),
            (n, None) => format!("{} left", number(n)),
            (n, Some(held)) => format!("{} left: {}", number(n), held.text()),
        };
        format!("{}: {} delivered, {left}", self.destination, number(self.delivered))
    }
}

impl Summary {
    /// The name with its number of values, the last one and the quantiles.
    #[must_use]
    pub fn text(&self) -> String {
        let [last, p50, p95, p99] = [self.last, self.p50, self.p95, self.p99].map(duration);
        let times = if self.count == 1 { "time" } else { "times" };
        format!("{}: {} {times}, last {last}, p50 {p50}, p95 {p95}, p99 {p99}", self.name, number(self.count))
    }
}

impl DestinationNote {
    /// What the destination changes.
    #[must_use]
    pub fn text(&self) -> String {
        format!("destination `{}`, `{}`: {}", self.destination, self.field, self.what)
    }
}

/// `refused at the call (not part of the balance): consent 2, ring_full 1`.
#[must_use]
pub fn refused<'a>(reasons: impl IntoIterator<Item = (&'a str, u64)>) -> String {
    let reasons: Vec<_> = reasons.into_iter().map(|(reason, n)| format!("{reason} {}", number(n))).collect();
    format!("refused at the call (not part of the balance): {}", reasons.join(", "))
}

impl Status {
    /// The whole status: queue, counts, a line per route, and everything that is wrong.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} ({})", self.store.text(), self.folder)];
        let waiting = self.accepted.saturating_sub(self.folded);
        let stored = if waiting == 0 { String::new() } else { format!(", {} still in the ring", number(waiting)) };
        lines.push(format!("{} accepted{stored}", events(self.accepted)));
        if !self.refused.is_empty() {
            let mut sums = std::collections::BTreeMap::<&str, u64>::new();
            for Refused { reason, count, .. } in &self.refused {
                let sum = sums.entry(reason.as_str()).or_default();
                *sum = sum.saturating_add(*count);
            }
            lines.push(refused(sums));
        }
        lines.extend(self.support_code.iter().map(|code| format!("support code of this session: {code}")));
        lines.extend(self.test_mode.then(|| "test mode: each event is sent at once".to_owned()));
        lines.extend(self.routes.iter().map(RouteStatus::text));
        lines.extend(self.notes.iter().map(DestinationNote::text));
        if self.erasure_blocked {
            lines.push(ERASURE_BLOCKED.to_owned());
        }
        lines
    }

    /// The status as JSON, with its [`Status::lines`] as the member `lines`.
    #[must_use]
    pub fn to_json(&self) -> String {
        with(self, "lines", self.lines()).to_string()
    }
}

impl Fate {
    /// The fate as JSON, with its [`Fate::text`] as the member `text`.
    #[must_use]
    pub fn to_json(&self) -> String {
        with(self, "text", self.text()).to_string()
    }
}

impl Flushed {
    /// The result as JSON, with its [`Flushed::text`] as the member `text`.
    #[must_use]
    pub fn to_json(&self) -> String {
        with(self, "text", self.text()).to_string()
    }
}

impl Summary {
    /// The summary as JSON, with its [`Summary::text`] as the member `text`.
    #[must_use]
    pub fn to_json(&self) -> String {
        with(self, "text", self.text()).to_string()
    }
}

/// An event in a few words: its type and message, or its name. At most 60 characters, none of them a control character.
#[must_use]
pub fn title(event: &serde_json::Value) -> String {
    const CHARS: usize = 60;
    const MEMBERS: [&str; 11] =
        ["title", "type", "message", "method", "endpoint", "url", "name", "action", "component", "cause", "status"];
    let text = |key: &str| event.get(key).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty());
    let words: Vec<&str> = MEMBERS.into_iter().filter_map(text).take(2).collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(CHARS).collect()
}

#[cfg(test)]
mod tests;
