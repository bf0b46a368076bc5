//! An error, and what belongs to it.

use super::{Conditions, Language, Level, Severity, TraceContext, User};
use crate::attributes::Attr;

/// An error or a crash.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ErrorEvent {
    /// The type: `PaymentError`, `java.lang.IllegalStateException`.
    pub kind: String,
    /// The message.
    pub message: String,
    /// Whether the app handled it. Default: true.
    pub handled: Option<bool>,
    /// Default: medium.
    pub severity: Option<Severity>,
    /// Default: derived from the severity.
    pub level: Option<Level>,
    /// The app's code of the error.
    pub code: Option<String>,
    /// Who caught it: `onerror`, `UncaughtExceptionHandler`.
    pub mechanism: Option<String>,
    /// The parts of the fingerprint. Empty = derived.
    pub fingerprints: Vec<String>,
    /// What its frames were written in.
    pub language: Option<Language>,
    /// The stack as text.
    pub stack: Option<String>,
    /// Stack frames, outermost first; the innermost 50 are kept.
    pub frames: Vec<Frame>,
    /// What caused it, at most 10.
    pub causes: Vec<Cause>,
    /// Whether it is a group of errors, such as `AggregateError`.
    pub group: bool,
    /// The threads at that moment, at most 64.
    pub threads: Vec<ThreadInfo>,
    /// Named contexts: each value is a map.
    pub context: Vec<Attr>,
    /// The app's own attributes.
    pub attrs: Vec<Attr>,
    /// Tags of this error alone.
    pub tags: Vec<Attr>,
    /// The user of this error alone.
    pub user: Option<User>,
    /// The destinations that receive it. Empty = all.
    pub targets: Vec<String>,
    /// The span in which it happened.
    pub trace: Option<TraceContext>,
    /// When it happened. Default: now.
    pub at_ms: Option<i64>,
    /// The conditions at that moment.
    pub conditions: Option<Conditions>,
}

/// A stack frame. What is not known is empty or 0.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct Frame {
    /// The function.
    pub function: String,
    /// The class, package or library.
    pub module: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The address of the instruction.
    pub address: u64,
    /// Whether it is the app's own code.
    pub in_app: bool,
    /// What it was written in, if that differs from the error.
    pub language: Option<Language>,
}

/// An error that caused another one.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Cause {
    /// The type.
    pub kind: String,
    /// The message.
    pub message: String,
    /// Stack frames, outermost first.
    pub frames: Vec<Frame>,
    /// What it caused: 0 the error itself, else the number of an earlier cause, from 1.
    pub parent: u32,
    /// The member that held it: `cause`, `errors[0]`.
    pub source: String,
    /// Whether it is a group of errors.
    pub group: bool,
}

/// A thread that ran at that moment.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct ThreadInfo {
    /// Its number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whether the error happened on it.
    pub crashed: bool,
    /// Whether it is the main thread.
    pub main: bool,
    /// Its stack, outermost frame first.
    pub frames: Vec<Frame>,
}
