//! Consent, delivery, status, durations, and what the engine knows about an event.

use crate::attributes::TextPair;
use crate::engines::with;
use crate::events::{AddFrom, Conditions, Consent, Network, Power, Purpose, TraceContext, millis};
use rez_monitor::{Config, ConfigError, EventId, Facts, Hint, Monitor, Settings, Spelling, WaitError};

/// Why a call that waits or configures has failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error, uniffi::Error)]
pub enum CallError {
    /// It has not finished in time. The work continues in the background.
    #[error("{text}")]
    Timeout {
        /// One sentence.
        text: String,
    },
    /// The database cannot be used now; see `status`. Records are kept in the ring.
    #[error("{text}")]
    Unavailable {
        /// One sentence.
        text: String,
    },
    /// The engine is closed.
    #[error("{text}")]
    Closed {
        /// One sentence.
        text: String,
    },
    /// A value is wrong. The text names it and what to use.
    #[error("{text}")]
    Wrong {
        /// One sentence.
        text: String,
    },
}

impl From<WaitError> for CallError {
    fn from(error: WaitError) -> Self {
        let text = error.to_string();
        match error {
            WaitError::Timeout(_) => CallError::Timeout { text },
            WaitError::Closed => CallError::Closed { text },
            _ => CallError::Unavailable { text },
        }
    }
}

impl From<ConfigError> for CallError {
    fn from(error: ConfigError) -> Self {
        CallError::Wrong { text: error.to_string() }
    }
}

pub(crate) fn wrong(error: impl std::fmt::Display) -> CallError {
    CallError::Wrong { text: error.to_string() }
}

pub(crate) fn call<T>(handle: u64, call: impl FnOnce(&Monitor) -> Result<T, CallError>) -> Result<T, CallError> {
    with(handle, Err(WaitError::Closed.into()), call)
}

/// Why rows of a route wait.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Held {
    /// One of the codes of `docs/guide/logger.md`.
    pub code: String,
    /// Until when; `None` = until something happens.
    pub until_ms: Option<i64>,
    /// One sentence.
    pub why: String,
    /// Failed requests in a row.
    pub failures: u32,
}

impl From<rez_monitor::Held> for Held {
    fn from(held: rez_monitor::Held) -> Self {
        Held { code: held.code.as_str().to_owned(), until_ms: held.until_ms, why: held.why, failures: held.failures }
    }
}

/// What `flush` has done for a destination.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Flushed {
    /// Its configured name.
    pub destination: String,
    /// Rows delivered.
    pub delivered: u64,
    /// Rows left.
    pub left: u64,
    /// Why they wait.
    pub held: Option<Held>,
    /// The same in one sentence.
    pub text: String,
}

/// Durations recorded under one name in this run.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Summary {
    /// `screen_<name>_load`, `api_<endpoint>`.
    pub name: String,
    /// The last one, in microseconds.
    pub last: u64,
    /// How many.
    pub count: u64,
    /// Half of them are at most this long.
    pub p50: u64,
    /// 95 of 100 are.
    pub p95: u64,
    /// 99 of 100 are.
    pub p99: u64,
}

/// Stores the user's decision about a purpose.
#[uniffi::export]
pub fn set_consent(handle: u64, purpose: Purpose, consent: Consent) {
    with(handle, (), |monitor| monitor.set_consent(purpose.into(), consent.into()));
}

/// Erases everything recorded so far, and creates a new install id.
#[uniffi::export]
pub fn forget_user(handle: u64) {
    with(handle, (), Monitor::forget_user);
}

/// Passes what the host knows about the network.
#[uniffi::export]
pub fn set_network(handle: u64, network: Network) {
    with(handle, (), |monitor| monitor.hint(Hint::Network(network.into())));
}

/// Passes what the host knows about power.
#[uniffi::export]
pub fn set_power(handle: u64, power: Power) {
    with(handle, (), |monitor| monitor.hint(Hint::Power(power.into())));
}

/// Sets the last known conditions of the device.
#[uniffi::export]
pub fn set_conditions(handle: u64, conditions: Conditions) {
    with(handle, (), |monitor| monitor.conditions(conditions.to_core()));
}

/// Replaces the facts about device, system and app: JSON as in `docs/guide/device.md`.
///
/// # Errors
/// [`CallError::Wrong`] names what is wrong.
#[uniffi::export]
pub fn set_facts(handle: u64, json: String) -> Result<(), CallError> {
    let facts = Facts::from_json(&json)?;
    call(handle, |monitor| Ok(monitor.set_facts(facts)?))
}

/// Sets the release of later events, after an update of the JavaScript bundle.
///
/// # Errors
/// [`CallError::Wrong`] names what is wrong.
#[uniffi::export]
pub fn set_release(handle: u64, release: String, dist: Option<String>) -> Result<(), CallError> {
    call(handle, |monitor| Ok(monitor.set_release(&release, dist.as_deref())?))
}

/// Adds destinations, or replaces those of their names. `settings` is JSON as for `open`, of which only `destinations` is used.
///
/// # Errors
/// [`CallError::Wrong`] names the setting that is wrong.
#[uniffi::export]
pub fn add_destinations(handle: u64, settings: String, from: AddFrom) -> Result<(), CallError> {
    let settings = Settings::from_json(&settings, Spelling::Camel).map_err(wrong)?;
    call(handle, |monitor| monitor.add_destinations(&settings, Spelling::Camel, from.into()).map_err(wrong))
}

/// Removes a destination. Its rows are kept for 7 days in case it is added again.
#[uniffi::export]
pub fn remove_destination(handle: u64, name: String) {
    with(handle, (), |monitor| monitor.remove_destination(&name));
}

/// Pauses a destination, also over restarts: what is recorded meanwhile is never sent there.
///
/// # Errors
/// [`CallError::Wrong`] if the name is invalid, or 64 other destinations are paused.
#[uniffi::export]
pub fn pause_destination(handle: u64, name: String) -> Result<(), CallError> {
    call(handle, |monitor| Ok(monitor.pause_destination(&name)?))
}

/// Ends the pause of a destination.
///
/// # Errors
/// [`CallError::Wrong`] if the name is invalid.
#[uniffi::export]
pub fn resume_destination(handle: u64, name: String) -> Result<(), CallError> {
    call(handle, |monitor| Ok(monitor.resume_destination(&name)?))
}

/// Waits until everything recorded so far is on the disk.
///
/// # Errors
/// [`CallError`] if that takes longer than `wait_ms`, or the database cannot be used.
#[uniffi::export]
pub fn persist(handle: u64, wait_ms: i64) -> Result<(), CallError> {
    call(handle, |monitor| Ok(monitor.persist(millis(wait_ms))?))
}

/// Persists, then sends until nothing is left, a request fails or `wait_ms` ends. Blocks: call it from a thread that may wait.
///
/// # Errors
/// [`CallError`] if persisting takes longer than `wait_ms`, or the database cannot be used.
#[uniffi::export]
pub fn flush(handle: u64, wait_ms: i64) -> Result<Vec<Flushed>, CallError> {
    call(handle, |monitor| {
        let all = monitor.flush(millis(wait_ms))?.into_iter();
        Ok(all
            .map(|one| Flushed {
                text: one.text(),
                destination: one.destination,
                delivered: one.delivered,
                left: one.left,
                held: one.held.map(Into::into),
            })
            .collect())
    })
}

/// Prepares for the system suspending the process. Recording continues into the ring.
#[uniffi::export]
pub fn suspend(handle: u64, wait_ms: i64) {
    with(handle, (), |monitor| monitor.suspend(millis(wait_ms)));
}

/// Continues after [`suspend`].
#[uniffi::export]
pub fn resume(handle: u64) {
    with(handle, (), Monitor::resume);
}

/// The state of the engine as JSON, in the form of `rezq status --json`; empty if the engine is closed.
#[uniffi::export]
#[must_use]
pub fn status_json(handle: u64) -> String {
    with(handle, String::new(), |monitor| monitor.status().to_json())
}

/// The state of the engine in sentences.
#[uniffi::export]
#[must_use]
pub fn status_lines(handle: u64) -> Vec<String> {
    with(handle, Vec::new(), |monitor| monitor.status().lines())
}

/// The support code of the current session, if there is one.
#[uniffi::export]
#[must_use]
pub fn support_code(handle: u64) -> Option<String> {
    with(handle, None, |monitor| monitor.status().support_code)
}

/// What became of an event, as JSON, in the form of `rezq why --json`.
///
/// # Errors
/// [`CallError::Wrong`] if `id` is no id; else as [`persist`].
#[uniffi::export]
pub fn why_json(handle: u64, id: String, wait_ms: i64) -> Result<String, CallError> {
    let id: EventId = id.parse().map_err(wrong)?;
    call(handle, |monitor| Ok(monitor.why(id, millis(wait_ms))?.to_json()))
}

/// Answers a request of a debug screen; both are JSON objects of `docs/guide/inspect.md`.
///
/// # Errors
/// As [`persist`], if nothing is open. What else is wrong is in the answer.
#[uniffi::export]
pub fn inspect(handle: u64, request: String, wait_ms: i64) -> Result<String, CallError> {
    call(handle, |monitor| {
        let answer = crate::endpoint::answer(handle, monitor, &request);
        Ok(answer.unwrap_or_else(|| monitor.inspect(&request, millis(wait_ms))))
    })
}

/// Durations recorded in this run, by name.
#[uniffi::export]
#[must_use]
pub fn metrics(handle: u64) -> Vec<Summary> {
    with(handle, Vec::new(), |monitor| {
        let all = monitor.metrics().into_iter();
        all.map(|one| Summary {
            name: one.name,
            last: one.last,
            count: one.count,
            p50: one.p50,
            p95: one.p95,
            p99: one.p99,
        })
        .collect()
    })
}

/// Clears them.
#[uniffi::export]
pub fn clear_metrics(handle: u64) {
    with(handle, (), Monitor::clear_metrics);
}

/// A span for a caller that measures on its own: inside `parent`, or the root of a new trace. `None` if the engine is closed.
#[uniffi::export]
#[must_use]
pub fn new_trace(handle: u64, parent: Option<TraceContext>) -> Option<TraceContext> {
    let parent = crate::events::trace(&parent);
    with(handle, None, |monitor| {
        let ids = monitor.ids();
        Some(parent.map_or_else(|| ids.root(), |parent| parent.child(&ids)).into())
    })
}

/// 16 bytes from which a face makes ids of traces, spans and events; empty if the engine is closed.
#[uniffi::export]
#[must_use]
pub fn id_seed(handle: u64) -> Vec<u8> {
    with(handle, Vec::new(), |monitor| monitor.ids().seed().to_vec())
}

/// The trace headers of a request to `url`, if its host is an allowed target. `trace` is the span of the call.
#[uniffi::export]
#[must_use]
pub fn trace_headers(handle: u64, trace: TraceContext, url: String) -> Vec<TextPair> {
    let Some(trace) = trace.to_core() else { return Vec::new() };
    with(handle, Vec::new(), |monitor| {
        let mut headers = Vec::new();
        monitor.trace_headers(&trace, &url, |name, value| {
            headers.push(TextPair { name: name.to_owned(), value: value.to_owned() });
        });
        headers
    })
}

/// Reads the `traceparent` header of a server or a deep link; `None` if it is invalid.
#[uniffi::export]
#[must_use]
pub fn from_traceparent(header: String) -> Option<TraceContext> {
    crate::engines::guarded(None, || rez_monitor::TraceContext::from_traceparent(&header).map(Into::into))
}

/// Checks settings without opening an engine; the text says what is wrong.
#[uniffi::export]
#[must_use]
pub fn check_settings(json: String) -> Option<String> {
    let wrong = || match Settings::from_json(&json, Spelling::Camel) {
        Ok(settings) => Config::from_settings(&settings, Spelling::Camel).err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    crate::engines::guarded(Some("the library has failed; report it".to_owned()), wrong)
}
