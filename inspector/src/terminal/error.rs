//! How the program ends.

use std::fmt;
use std::process::ExitCode;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Nothing found.
    Done = 0,
    /// A loss, a double, a balance that does not hold.
    Finding = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Something cannot be opened.
    CannotOpen = 3,
    /// Damaged, but what could be read was shown.
    Damaged = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// An end before the work was done: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CliError {
    /// The exit code.
    pub(crate) exit: Exit,
    what: String,
    fix: String,
}

impl CliError {
    /// The command line is wrong.
    pub(crate) fn usage(what: impl fmt::Display, fix: &str) -> CliError {
        CliError { exit: Exit::Usage, what: what.to_string(), fix: fix.to_owned() }
    }

    /// Something cannot be opened or started.
    pub(crate) fn open(what: impl fmt::Display, fix: &str) -> CliError {
        CliError { exit: Exit::CannotOpen, what: what.to_string(), fix: fix.to_owned() }
    }

    /// The work was done as far as possible and something is wrong.
    pub(crate) fn finding(what: impl fmt::Display, fix: &str) -> CliError {
        CliError { exit: Exit::Finding, what: what.to_string(), fix: fix.to_owned() }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.fix.is_empty() { Ok(()) } else { write!(f, "\n  {}", self.fix) }
    }
}
