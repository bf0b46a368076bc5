//! What the commands share: exit codes, errors, output, numbers and tables.

mod error;
mod format;
mod output;
mod signal;
mod table;

pub(crate) use error::{CliError, Exit};
pub(crate) use format::{bytes, count, millis, rows, unreadable};
pub(crate) use output::{Output, printable};
pub(crate) use signal::{EndSignal, on_end};
pub(crate) use table::{lines, table};
