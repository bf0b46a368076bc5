//! `rezq tui`: the terminal interface.

use super::args::{SourceArg, done};
use crate::source::Inspect;
use crate::terminal::{CliError, Exit};
use crate::tui;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
}

pub(super) fn run(args: &Args) -> Result<Exit, CliError> {
    let source: Arc<dyn Inspect> = args.source.open()?.into();
    // Without the token: others see the screen.
    let name = args.source.source.split("?token=").next().unwrap_or_default();
    tui::run(Arc::clone(&source), name, CliError::from)?;
    Ok(done(&*source))
}
