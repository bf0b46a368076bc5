//! The desk collector: the server side of the batch protocol for a desk, a test or a build server.
//!
//! One process, one SQLite file, loopback only. It answers a batch after its events are on disk, takes each event
//! once however often it arrives, and can be told to behave as badly as a real network does.

mod batch;
mod db;
mod gaps;
mod http;
mod switches;
#[cfg(test)]
mod tests;
mod wire;

pub use batch::{DEDUPE_MS, LostCount, MAX_AGE_MS, MAX_BYTES, MAX_EVENT_BYTES, MAX_EVENTS, REPLAY_MS, Rejection};
pub use db::{Counts, Filter, LostRow, StoredEvent};
pub use gaps::Gaps;
pub use switches::{Fault, KindLimit, Switches, What};

use crate::host::{self, Host, NotLoopback};
use db::Db;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::{Line, Network, Port};

/// Milliseconds since 1970; tests bring their own.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How a collector runs.
#[derive(Clone)]
pub struct Options {
    /// Where it listens; loopback only, port 0 = any free one.
    pub address: SocketAddr,
    /// Its file; made if it is not there.
    pub db: PathBuf,
    /// The write key it demands; none = any key or none is taken.
    pub key: Option<String>,
    /// The clock.
    pub clock: Clock,
}

impl Options {
    /// Any free port of 127.0.0.1, no key, the system's clock.
    #[must_use]
    pub fn new(db: impl Into<PathBuf>) -> Options {
        let clock = || jiff::Timestamp::now().as_millisecond();
        Options { address: ([127, 0, 0, 1], 0).into(), db: db.into(), key: None, clock: Arc::new(clock) }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key stays out of logs.
        f.debug_struct("Options").field("address", &self.address).field("db", &self.db).finish_non_exhaustive()
    }
}

/// Why the collector does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectorError {
    /// It would be reachable from outside.
    #[error(transparent)]
    NotLoopback(#[from] NotLoopback),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {error}; choose another port, or 0 for any free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file cannot be used.
    #[error("cannot use {}: {message}", path.display())]
    Db {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        message: String,
    },
    /// The file belongs to something else.
    #[error("{} is not a file of the collector (or of another version of it); name another file", .0.display())]
    NotOurs(PathBuf),
}

/// What the handlers share.
pub(crate) struct State {
    key: Option<String>,
    clock: Clock,
    network: Network,
    db: Mutex<Db>,
    switches: Mutex<Switches>,
}

impl State {
    fn db(&self) -> MutexGuard<'_, Db> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switches(&self) -> MutexGuard<'_, Switches> {
        self.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts collectors.
#[derive(Debug)]
pub struct Collector;

impl Collector {
    /// Opens the file, binds the port and serves on a thread of its own. When this returns, requests are answered.
    pub fn start(options: Options) -> Result<Running, CollectorError> {
        let address = host::loopback(options.address)?;
        let db = Db::open(&options.db, (options.clock)())?;
        let listen = |error| CollectorError::Listen { address, error };
        let listener = std::net::TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let network = Network::new();
        let state = Arc::new(State {
            key: options.key,
            clock: options.clock,
            network: network.clone(),
            db: Mutex::new(db),
            switches: Mutex::default(),
        });
        let shared = state.clone();
        let host = Host::start("rez-collector", move || serve(listener, shared)).map_err(listen)?;
        Ok(Running { address, state, host })
    }
}

async fn serve(listener: std::net::TcpListener, state: Arc<State>) {
    let hang_up = {
        let state = state.clone();
        move || state.switches().hang_up
    };
    let port = tokio::net::TcpListener::from_std(listener)
        .and_then(|listener| Port::new(listener, state.network.clone(), hang_up));
    if let Ok(port) = port {
        let service = http::router(state).into_make_service_with_connect_info::<Line>();
        // `serve` on a listener that handles its own errors never returns.
        let _ = axum::serve(port, service).await;
    }
}

/// A collector that runs. Dropping it stops it.
pub struct Running {
    address: SocketAddr,
    state: Arc<State>,
    host: Host,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Running {
    /// Where it listens. Stays the same while the network is down and after.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the batch protocol.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/v1/batch", self.address)
    }

    /// Its file.
    #[must_use]
    pub fn db(&self) -> PathBuf {
        self.state.db().path().to_owned()
    }

    /// Replaces the switches, the same as `POST /v1/switches`, except that `refuse_ms` has no effect: see
    /// [`Running::set_network`].
    pub fn set_switches(&self, switches: Switches) {
        *self.state.switches() = Switches { refuse_ms: 0, ..switches };
    }

    /// The switches as they are, with what is left of the faults.
    #[must_use]
    pub fn switches(&self) -> Switches {
        self.state.switches().clone()
    }

    /// Down: the port is closed, so connections are refused, and those that stand are reset. Up: the same port again.
    /// Returns when it is so.
    pub fn set_network(&self, up: bool) {
        self.state.network.set(up);
    }

    /// Whether the network is up.
    #[must_use]
    pub fn network_up(&self) -> bool {
        self.state.network.up()
    }

    /// Numbers over everything stored.
    pub fn counts(&self) -> Result<Counts, CollectorError> {
        self.ask(Db::counts)
    }

    /// How many events have arrived since the file was made; cheap enough for a progress bar.
    pub fn arrived(&self) -> Result<u64, CollectorError> {
        self.ask(Db::arrived)
    }

    /// Missing numbers per device and epoch.
    pub fn gaps(&self) -> Result<Vec<Gaps>, CollectorError> {
        self.ask(Db::gaps)
    }

    /// Ids of all stored events in order of arrival.
    pub fn ids(&self) -> Result<Vec<String>, CollectorError> {
        self.ask(Db::ids)
    }

    /// Stored events in order of arrival; none if `since` names an event that is not here.
    pub fn events(&self, filter: &Filter) -> Result<Vec<StoredEvent>, CollectorError> {
        self.ask(|db| db.events(filter)).map(Option::unwrap_or_default)
    }

    fn ask<T>(&self, question: impl FnOnce(&Db) -> Result<T, rusqlite::Error>) -> Result<T, CollectorError> {
        let db = self.state.db();
        question(&db).map_err(|error| fail(db.path(), &error))
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        self.host.join();
    }

    /// Stops it and closes its file. The file is complete then: no other file belongs to it.
    pub fn stop(mut self) {
        self.host.stop();
    }
}

fn fail(path: &Path, error: &rusqlite::Error) -> CollectorError {
    CollectorError::Db { path: path.to_owned(), message: error.to_string() }
}
