//! Command-line arguments of the demo app.

use super::target::Target;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct AppArgs {
    /// Folder of the queue
    #[arg(long)]
    pub(super) folder: PathBuf,
    /// Base URL of the collector
    #[arg(long)]
    pub(super) collector: String,
    /// Address of the shop
    #[arg(long)]
    pub(super) shop: SocketAddr,
    #[arg(long)]
    pub(super) seed: u64,
    /// Number of the first visit
    #[arg(long)]
    pub(super) visit: u64,
    /// Events recorded by earlier runs
    #[arg(long)]
    pub(super) recorded: u64,
    /// Events to record in all runs
    #[arg(long)]
    pub(super) events: u64,
    /// Crash in the first visit after this many events
    #[arg(long)]
    pub(super) crash_at: u64,
    /// Pause between two visits in microseconds
    #[arg(long)]
    pub(super) pause_us: u64,
    /// Size cap of the queue in bytes
    #[arg(long)]
    pub(super) cap_bytes: u64,
    /// Destinations beside the collector
    #[arg(long = "destination")]
    pub(super) destinations: Vec<Target>,
}
