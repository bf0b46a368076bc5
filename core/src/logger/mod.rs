//! What the engine tells a developer: messages to the app's [`Logger`].
//!
//! A message is made on the writer or the delivery thread and put into a bounded queue; a thread of its own calls the
//! logger. So a logger that blocks, panics or calls the monitor delays nothing, and no lock is held during the call. Without
//! a logger there is no thread, no queue and no work.
//!
//! | file | idea |
//! | --- | --- |
//! | `code` | the closed list of what can be logged |
//! | this one | the trait, the rate limit, the thread |

mod code;

pub use code::{LogCode, LogLevel};

use crate::channel::{Receiver, Sender, channel};
use crate::limits::{LOGGER_INTERVAL, LOGGER_QUEUE, LOGGER_SUBJECTS, LOGGER_TEXT_BYTES};
use crate::sys::Clock;
use std::collections::HashMap;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, Mutex, PoisonError};

/// Receives what the engine has to tell a developer. Set it with [`crate::ConfigBuilder::logger`].
///
/// It is called on a thread of its own, one call at a time, never on a thread that records. It may block, for example to
/// write a file: up to 64 messages wait meanwhile, later ones are counted as repetitions. After a panic it is not called
/// again in this run. A record made inside the call is refused as `reentrant`. A logger that owns a clone of the monitor
/// keeps it open until [`crate::Monitor::close`].
///
/// A message contains names from the configuration, spellings, numbers, and the path of the queue. It never contains an
/// event, a key or token, a query string, or a response of a server. What the library cannot say without these is not said.
///
/// ```
/// use rez_monitor::{Config, LogCode, LogLevel};
///
/// let config = Config::builder("queue", "shop", "shop@1.4.0")
///     .logger(|level: LogLevel, code: LogCode, text: &str| println!("{} {}: {text}", level.as_str(), code.as_str()))
///     .build()?;
/// # Ok::<(), rez_monitor::ConfigError>(())
/// ```
pub trait Logger: Send + Sync + 'static {
    /// Takes one message: its severity, what it is about, and one or two sentences of English on one line.
    fn log(&self, level: LogLevel, code: LogCode, text: &str);
}

impl<F: Fn(LogLevel, LogCode, &str) + Send + Sync + 'static> Logger for F {
    fn log(&self, level: LogLevel, code: LogCode, text: &str) {
        self(level, code, text);
    }
}

/// A [`Logger`] that writes a line to the standard error stream: `rez-monitor warning unreachable: ...`.
#[derive(Clone, Copy, Debug, Default)]
pub struct StderrLogger;

impl Logger for StderrLogger {
    fn log(&self, level: LogLevel, code: LogCode, text: &str) {
        // `eprintln!` panics if the stream is closed.
        let _ = writeln!(std::io::stderr(), "rez-monitor {} {}: {text}", level.as_str(), code.as_str());
    }
}

/// The engine's side of the logger. Clones share the rate limit and the thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Option<Arc<Sink>>);

struct Sink {
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    /// `None` after [`Log::close`], and after the logger panicked.
    sender: Option<Sender<(LogCode, String)>>,
    /// By what a message is about: when it was last logged, and how many were not since.
    seen: HashMap<(LogCode, String), Seen>,
}

#[derive(Default)]
struct Seen {
    /// By the monotonic clock, in milliseconds; `None` = never.
    logged_ms: Option<i64>,
    suppressed: u64,
}

impl Log {
    /// Starts the thread that calls the logger. Nothing is logged if the system provides no thread.
    pub(crate) fn start(logger: Arc<dyn Logger>, clock: Clock) -> Log {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new().name("rez-log".into()).spawn(move || run(&*logger, &receiver));
        let state = Mutex::new(State { sender: Some(sender), seen: HashMap::new() });
        Log(thread.is_ok().then(|| Arc::new(Sink { clock, state })))
    }

    /// Whether there is a logger. A message that costs work to find is looked for only then.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Logs `text` and what to do about it, at most once in [`LOGGER_INTERVAL`] per code and `subject` (the name of a
    /// destination or field, or empty).
    pub(crate) fn say(&self, code: LogCode, subject: &str, text: impl FnOnce() -> String) {
        let Some(sink) = &self.0 else { return };
        let now_ms = sink.clock.mono_ms();
        let mut state = sink.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { sender, seen } = &mut *state;
        let Some(sender) = sender else { return };
        let key = (code, subject.to_owned());
        // Subjects that an app makes up must not take memory without limit: further ones share a limit per code.
        let key = if seen.len() < LOGGER_SUBJECTS || seen.contains_key(&key) { key } else { (code, String::new()) };
        let entry = seen.entry(key).or_default();
        let interval = i64::try_from(LOGGER_INTERVAL.as_millis()).unwrap_or(i64::MAX);
        if entry.logged_ms.is_some_and(|last| now_ms.saturating_sub(last) < interval) {
            entry.suppressed = entry.suppressed.saturating_add(1);
            return;
        }
        let repeated = match entry.suppressed {
            0 => String::new(),
            n => format!(" ({n} more were not logged)"),
        };
        let line = one_line(&format!("{}{repeated}. {}", text(), code.advice()));
        match sender.try_send((code, line), LOGGER_QUEUE) {
            Ok(()) => *entry = Seen { logged_ms: Some(now_ms), suppressed: 0 },
            // The logger is slow.
            Err(TrySendError::Full(_)) => entry.suppressed = entry.suppressed.saturating_add(1),
            // The logger has panicked, which ended its thread.
            Err(TrySendError::Disconnected(_)) => state.sender = None,
        }
    }

    /// Lets the thread end after the messages that wait. Later messages are discarded.
    pub(crate) fn close(&self) {
        if let Some(sink) = &self.0 {
            sink.state.lock().unwrap_or_else(PoisonError::into_inner).sender = None;
        }
    }
}

/// The thread that calls the logger.
fn run(logger: &dyn Logger, messages: &Receiver<(LogCode, String)>) {
    crate::own_thread::mark_ours();
    for (code, text) in messages.iter() {
        if catch_unwind(AssertUnwindSafe(|| logger.log(code.level(), code, &text))).is_err() {
            return;
        }
    }
}

/// The text without line breaks and other control characters, cut to [`LOGGER_TEXT_BYTES`].
fn one_line(text: &str) -> String {
    let cut = text.get(..text.floor_char_boundary(LOGGER_TEXT_BYTES)).unwrap_or_default();
    cut.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    const WAIT: Duration = Duration::from_secs(20);

    /// A log whose messages arrive in a channel.
    fn log(clock: &Clock) -> (Log, std::sync::mpsc::Receiver<String>) {
        let (sender, messages) = channel();
        let sender = Mutex::new(sender);
        let logger = move |level: LogLevel, code: LogCode, text: &str| {
            let line = format!("{} {} {text}", level.as_str(), code.as_str());
            let _ = sender.lock().unwrap().send(line);
        };
        (Log::start(Arc::new(logger), clock.clone()), messages)
    }

    #[test]
    fn a_message_is_logged_once_a_minute_per_subject_and_the_next_one_counts_the_others() {
        let clock = Clock::manual(0, 1_000);
        let (log, messages) = log(&clock);
        for _ in 0..5 {
            log.say(LogCode::RingFull, "", || "the ring is full".into());
            log.say(LogCode::RouteStopped, "issues", || "`issues` is stopped".into());
        }
        clock.advance(Duration::from_millis(59_999));
        log.say(LogCode::RingFull, "", || "too early".into());
        clock.advance(Duration::from_millis(1));
        log.say(LogCode::RingFull, "", || "the ring is full".into());
        log.close();
        let all: Vec<String> = messages.iter().collect();
        assert_eq!(all.len(), 3, "{all:#?}");
        assert!(all[0].starts_with("warning ring_full the ring is full. "), "{all:#?}");
        assert!(all[1].starts_with("error route_stopped `issues` is stopped. "), "{all:#?}");
        assert!(all[2].starts_with("warning ring_full the ring is full (5 more were not logged). "));
    }

    #[test]
    fn a_logger_that_blocks_delays_nobody_and_what_does_not_fit_is_counted() {
        let clock = Clock::manual(0, 0);
        let (go, gate) = channel::<()>();
        let (sender, messages) = channel();
        let place: Mutex<(std::sync::mpsc::Receiver<()>, Sender<String>)> = Mutex::new((gate, sender));
        let logger = move |_: LogLevel, _: LogCode, text: &str| {
            let place = place.lock().unwrap();
            let _ = place.0.recv();
            let _ = place.1.send(text.to_owned());
        };
        let log = Log::start(Arc::new(logger), clock.clone());
        // Nothing here waits: the test would not end if a call did.
        for number in 0..500 {
            log.say(LogCode::UnknownTarget, &number.to_string(), || format!("target {number}"));
        }
        drop(go);
        log.close();
        let logged = messages.iter().count();
        assert!((LOGGER_QUEUE..=LOGGER_QUEUE + 1).contains(&logged), "{logged}");
    }

    #[test]
    fn a_logger_that_panics_is_not_called_again() {
        let clock = Clock::manual(0, 0);
        let (sender, calls) = channel();
        let sender = Mutex::new(sender);
        let logger = move |_: LogLevel, _: LogCode, _: &str| {
            sender.lock().unwrap_or_else(PoisonError::into_inner).send(()).unwrap();
            panic!("the logger's own fault");
        };
        let log = Log::start(Arc::new(logger), clock.clone());
        log.say(LogCode::DiskFull, "", || "full".into());
        calls.recv_timeout(WAIT).unwrap();
        // The sender is dropped with the logger, after the panic.
        assert!(calls.recv_timeout(WAIT).is_err());
        clock.advance(Duration::from_secs(3600));
        log.say(LogCode::DiskFull, "", || "full".into());
        assert!(calls.recv().is_err());
    }

    #[test]
    fn a_text_is_one_line_of_bounded_length_and_subjects_take_bounded_memory() {
        let clock = Clock::manual(0, 0);
        let (log, messages) = log(&clock);
        log.say(LogCode::StoreUnavailable, "", || format!("a\r\n\u{1b}[31mb{}", "é".repeat(5_000)));
        let text = messages.recv_timeout(WAIT).unwrap();
        assert!(text.contains("a   [31mbé") && text.len() <= LOGGER_TEXT_BYTES + 64, "{text}");
        for number in 0..10 * LOGGER_SUBJECTS {
            log.say(LogCode::UnknownTarget, &number.to_string(), || "target".into());
        }
        let seen = log.0.as_ref().unwrap().state.lock().unwrap().seen.len();
        assert!(seen <= LOGGER_SUBJECTS + LogCode::ALL.len(), "{seen}");
    }

    #[test]
    fn without_a_logger_no_text_is_made() {
        let log = Log::default();
        log.say(LogCode::DiskFull, "", || panic!("made"));
        assert!(!log.is_on());
    }
}
