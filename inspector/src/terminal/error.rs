//! Exit codes, and errors that end a command.

use std::fmt;
use std::process::ExitCode;

/// The exit code of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Success.
    Done = 0,
    /// A lost event, a duplicate, or a balance that does not hold.
    Finding = 1,
    /// The command line is invalid.
    Usage = 2,
    /// A file, folder or port cannot be opened.
    CannotOpen = 3,
    /// The queue is damaged. The readable part was printed.
    Damaged = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// An error that ends a command: what happened, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CliError {
    /// The exit code.
    pub(crate) exit: Exit,
    message: String,
    hint: String,
}

impl CliError {
    /// The command line is invalid.
    pub(crate) fn usage(message: impl fmt::Display, hint: &str) -> CliError {
        CliError { exit: Exit::Usage, message: message.to_string(), hint: hint.to_owned() }
    }

    /// Something cannot be opened or started.
    pub(crate) fn open(message: impl fmt::Display, hint: &str) -> CliError {
        CliError { exit: Exit::CannotOpen, message: message.to_string(), hint: hint.to_owned() }
    }

    /// The command ran and found a fault.
    pub(crate) fn finding(message: impl fmt::Display, hint: &str) -> CliError {
        CliError { exit: Exit::Finding, message: message.to_string(), hint: hint.to_owned() }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\n  {}", self.hint) }
    }
}
