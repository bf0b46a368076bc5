//! The app that the demo kills.

use super::child::{CRASHED, Line};
use crate::cli::{CliError, Exit};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct AppArgs {
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    collector: String,
    #[arg(long)]
    shop: std::net::SocketAddr,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    visit: u64,
    #[arg(long)]
    recorded: u64,
    #[arg(long)]
    events: u64,
    #[arg(long)]
    crash_at: u64,
    #[arg(long)]
    pause_us: u64,
    #[arg(long)]
    cap_bytes: u64,
}

/// One life of the app.
pub(crate) fn run_app(args: &AppArgs) -> Result<Exit, CliError> {
    let _ = (CRASHED, Line::Closed, args);
    Err(CliError::open("this build has no engine", ""))
}
