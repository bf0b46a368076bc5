//! What the commands share: exit codes, errors, output and number formatting.

mod error;
mod format;
mod output;

pub(crate) use error::{CliError, Exit};
pub(crate) use format::{bytes, count, millis};
pub(crate) use output::Output;
