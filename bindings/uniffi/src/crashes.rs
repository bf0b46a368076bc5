//! How earlier runs of the app ended, and crashes on purpose.

use crate::attributes::{Arena, Attr};
use crate::control::{CallError, call, wrong};
use crate::engines::with;
use crate::events::{ExitReason, millis};
use rez_monitor::TestCrash;

/// Why an earlier process of the app ended, as the system remembers it.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ExitReport {
    /// Id of the process; 0 = not known.
    pub pid: u32,
    /// When it ended.
    pub at_ms: i64,
    /// Why.
    pub reason: ExitReason,
    /// The words of the system.
    pub description: String,
    /// What else the system knows.
    pub attrs: Vec<Attr>,
}

/// How a run of the app ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum RunEnd {
    /// By `close`.
    Closed,
    /// By a crash.
    Crashed,
    /// In the background, without a crash.
    Exited,
    /// In the foreground, without a crash.
    Abnormal,
    /// Without a crash; where is not known.
    Unknown,
}

impl From<rez_monitor::RunEnd> for RunEnd {
    fn from(ended: rez_monitor::RunEnd) -> Self {
        match ended {
            rez_monitor::RunEnd::Closed => RunEnd::Closed,
            rez_monitor::RunEnd::Crashed => RunEnd::Crashed,
            rez_monitor::RunEnd::Exited => RunEnd::Exited,
            rez_monitor::RunEnd::Abnormal => RunEnd::Abnormal,
            _ => RunEnd::Unknown,
        }
    }
}

/// A crash of the run before.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct LastCrash {
    /// Id of its event.
    pub id: String,
    /// Its type: `SIGSEGV`, `TypeError`.
    pub kind: String,
    /// What reported it.
    pub mechanism: Option<String>,
    /// When it happened.
    pub at_ms: i64,
    /// Milliseconds from the start of its run; `None` if that is not known.
    pub since_start_ms: Option<i64>,
    /// The support code of its session.
    pub support_code: Option<String>,
}

impl From<rez_monitor::LastCrash> for LastCrash {
    fn from(crash: rez_monitor::LastCrash) -> Self {
        LastCrash {
            id: crash.id.to_string(),
            kind: crash.kind,
            mechanism: crash.mechanism,
            at_ms: crash.at_ms,
            since_start_ms: crash.since_start_ms,
            support_code: crash.support_code,
        }
    }
}

/// The run before this one.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct LastRun {
    /// How it ended.
    pub ended: RunEnd,
    /// Its crash, if it had one.
    pub crash: Option<LastCrash>,
}

/// Tells the engine why earlier processes of the app ended: all of them in one call, the oldest first, once per start. An empty list: the
/// system knows of none. Returns whether all of them are recorded; they are durable after `persist`. Told twice, an exit counts once.
#[uniffi::export]
pub fn report_exits(handle: u64, exits: Vec<ExitReport>) -> bool {
    let arena = Arena::default();
    let all: Vec<rez_monitor::ExitReport<'_>> = exits
        .iter()
        .map(|exit| {
            rez_monitor::ExitReport::new(exit.pid, exit.at_ms, exit.reason.into())
                .description(&exit.description)
                .attrs(arena.attrs(&exit.attrs))
        })
        .collect();
    with(handle, false, |monitor| monitor.report_exits(&all))
}

/// How the run before this one ended. Waits at most `wait_ms` until the queue was read. `None`: there was none.
///
/// # Errors
/// As [`persist`](crate::control::persist).
#[uniffi::export]
pub fn last_run(handle: u64, wait_ms: i64) -> Result<Option<LastRun>, CallError> {
    call(handle, |monitor| {
        let last = monitor.last_run(millis(wait_ms))?;
        Ok(last.map(|run| LastRun { ended: run.ended.into(), crash: run.crash.map(Into::into) }))
    })
}

/// Ends the process by a crash of native code: `fault`, `abort` or `panic`. Needs the setting `inspector`.
///
/// # Errors
/// [`CallError::Wrong`] if the kind is unknown or inspection is off. If it returns, nothing has happened.
#[uniffi::export]
pub fn test_crash(handle: u64, kind: String) -> Result<(), CallError> {
    let kind = TestCrash::parse(&kind)
        .ok_or_else(|| wrong("testCrash: the kind is an unknown word; use fault, abort or panic"))?;
    call(handle, |monitor| monitor.test_crash(kind).map(|_| ()).map_err(wrong))
}

/// Whether a debug screen may ask.
///
/// # Errors
/// [`CallError::Wrong`] if inspection is off.
#[uniffi::export]
pub fn check_inspects(handle: u64) -> Result<(), CallError> {
    call(handle, |monitor| monitor.check_inspects().map_err(wrong))
}
