//! How the run before this one ended.

use crate::id::EventId;

/// How a run of the app ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunEnd {
    /// By `close`.
    Closed,
    /// By a crash.
    Crashed,
    /// In the background, without a crash: the system ends such processes all the time.
    Exited,
    /// In the foreground, without a crash: by the system, most often for want of memory, or by the user.
    Abnormal,
    /// Without a crash. Whether the app was in the foreground is not known, the device was restarted, or the app was updated.
    #[default]
    Unknown,
}

impl RunEnd {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RunEnd::Closed => "closed",
            RunEnd::Crashed => "crashed",
            RunEnd::Exited => "exited",
            RunEnd::Abnormal => "abnormal",
            RunEnd::Unknown => "unknown",
        }
    }
}

/// The run before this one, from [`Monitor::last_run`](crate::Monitor::last_run).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LastRun {
    /// How it ended.
    pub ended: RunEnd,
    /// Its crash, if it had one.
    pub crash: Option<LastCrash>,
}

impl LastRun {
    /// Whether it crashed.
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.ended == RunEnd::Crashed
    }
}

/// A crash of the run before.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LastCrash {
    /// Id of its event.
    pub id: EventId,
    /// Its type: `SIGSEGV`, `TypeError`, `java.lang.IllegalStateException`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What reported it: `signal`, `exit_report`, or the name that the app gave.
    pub mechanism: Option<String>,
    /// When it happened, in milliseconds since 1970.
    pub at_ms: i64,
    /// Milliseconds from the start of its run; `None` if the clocks do not tell.
    pub since_start_ms: Option<i64>,
    /// The support code of its session: the user can read it to your support.
    pub support_code: Option<String>,
}
