//! The lines of the benchmark: a value beside the floor measured in the same run, and what it is held against.

pub mod batch;
pub mod cap;
pub mod crash;
pub mod drain;
pub mod encode;
pub mod encode_sentry;
pub mod engine;
pub mod inspector;
pub mod lease;
pub mod names;
pub mod privacy;
pub mod record;
pub mod rows;

use std::error::Error;
use std::time::Instant;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Scale {
    pub quick: bool,
}

impl Scale {
    /// One of two numbers.
    pub fn of<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// One line.
pub struct Line {
    pub bench: &'static str,
    pub value: f64,
    pub unit: &'static str,
    pub floor: Option<(&'static str, f64)>,
    pub target: f64,
    /// What else a reader wants to know.
    pub note: String,
}

impl Line {
    pub fn new(bench: &'static str, value: f64, unit: &'static str, target: f64) -> Line {
        Line { bench, value, unit, floor: None, target, note: String::new() }
    }

    pub fn floor(mut self, name: &'static str, value: f64) -> Line {
        self.floor = Some((name, value));
        self
    }

    pub fn note(mut self, note: impl Into<String>) -> Line {
        self.note = note.into();
        self
    }

    pub fn holds(&self) -> bool {
        self.value <= self.target
    }

    pub fn text(&self) -> String {
        let floor = self.floor.map_or_else(|| "-".to_owned(), |(name, value)| format!("{name} {}", round(value)));
        format!(
            "{:<30} {:>10} {:<10} | {:<34} | {:>9} | {:<5} {}",
            self.bench,
            round(self.value),
            self.unit,
            floor,
            round(self.target),
            if self.holds() { "yes" } else { "NO" },
            self.note
        )
    }

    pub fn json(&self) -> String {
        let floor = self.floor.map(|(name, value)| serde_json::json!({"name": name, "value": round(value)}));
        serde_json::json!({
            "bench": self.bench, "value": round(self.value), "unit": self.unit, "floor": floor,
            "target": round(self.target), "holds": self.holds(), "note": self.note,
        })
        .to_string()
    }
}

/// Three digits after the point are more than any of these times is good for.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Times in nanoseconds, the cost of reading the clock taken off.
#[derive(Default)]
pub struct Times {
    clock: f64,
    sorted: bool,
    all: Vec<f64>,
}

impl Times {
    pub fn new() -> Times {
        let mut clock = Times::default();
        for _ in 0..20_000 {
            clock.time(|| {});
        }
        Times { clock: clock.quantile(0.5), ..Times::default() }
    }

    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        self.push(began.elapsed().as_nanos() as f64);
        done
    }

    pub fn push(&mut self, ns: f64) {
        self.sorted = false;
        self.all.push((ns - self.clock).max(0.0));
    }

    pub fn append(&mut self, other: Times) {
        self.sorted = false;
        self.all.extend(other.all);
    }

    pub fn quantile(&mut self, share: f64) -> f64 {
        if !self.sorted {
            self.all.sort_by(f64::total_cmp);
            self.sorted = true;
        }
        let place = (self.all.len() as f64 * share) as usize;
        self.all.get(place.min(self.all.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }
}

/// CPU time of this process so far, all threads, in seconds. Other programs on the machine do not count.
pub fn cpu() -> f64 {
    // SAFETY: `rusage` is plain numbers, and the call fills the whole of it.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// A field of `/proc/<...>`, the first number after `name:`.
pub fn proc_number(path: &str, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let word = line.and_then(|line| line.split_whitespace().next()).ok_or_else(|| format!("{path} has no {name}"))?;
    Ok(word.parse()?)
}
