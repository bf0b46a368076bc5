//! The local collector: the server side of the `rez` batch protocol, for development and tests.
//!
//! One process, one SQLite file, loopback only. It responds to a batch after its events are on disk, stores each event
//! once, and can simulate server and network faults.

mod batch;
mod db;
mod gaps;
mod http;
mod read;
mod switches;
#[cfg(test)]
mod tests;
mod wire;

pub use batch::{DEDUPE_MS, LostCount, MAX_AGE_MS, MAX_BYTES, MAX_EVENT_BYTES, MAX_EVENTS, REPLAY_MS, Rejection};
pub use db::{Counts, Filter, LostRow, StoredEvent};
pub use gaps::Gaps;
#[cfg(feature = "cli")]
pub(crate) use gaps::{epoch_of, leaves_a_gap, seq_of};
pub use read::read;
pub use switches::{Fault, KindLimit, Switches, What};

use crate::host::{self, Host, NotLoopback};
use db::Db;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::{Line, Network, Port, Reservation};

/// Returns milliseconds since 1970. Tests inject their own.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Options of a collector.
#[derive(Clone)]
pub struct Options {
    /// Address to listen on: loopback only; port 0 picks a free port.
    pub address: SocketAddr,
    /// The SQLite file. Created if it does not exist.
    pub db: PathBuf,
    /// The write key that clients must send. `None` accepts any key, and requests without one.
    pub key: Option<String>,
    /// The clock.
    pub clock: Clock,
}

impl Options {
    /// Listens on a free port of 127.0.0.1, without a key, with the system clock.
    #[must_use]
    pub fn new(db: impl Into<PathBuf>) -> Options {
        let clock = || jiff::Timestamp::now().as_millisecond();
        Options { address: ([127, 0, 0, 1], 0).into(), db: db.into(), key: None, clock: Arc::new(clock) }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key must not appear in logs.
        f.debug_struct("Options").field("address", &self.address).field("db", &self.db).finish_non_exhaustive()
    }
}

/// Why a collector cannot start or respond.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectorError {
    /// The address is reachable from other machines.
    #[error(transparent)]
    NotLoopback(#[from] NotLoopback),
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {error}; choose another port, or 0 for any free port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// SQLite cannot use the file.
    #[error("cannot use {}: {message}", path.display())]
    Db {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        message: String,
    },
    /// The file exists and was not created by this version of the collector.
    #[error("{} is not a collector file of this version; choose another file", .0.display())]
    NotOurs(PathBuf),
}

/// State that the request handlers share.
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
    /// Opens the file, binds the port and serves on a new thread. When this returns, the port accepts connections.
    pub fn start(options: Options) -> Result<Running, CollectorError> {
        let address = host::loopback(options.address)?;
        let db = Db::open(&options.db, (options.clock)())?;
        let listen = |error| CollectorError::Listen { address, error };
        let reservation = Reservation::bind(address).map_err(listen)?;
        let address = reservation.address();
        let network = Network::new();
        let state = Arc::new(State {
            key: options.key,
            clock: options.clock,
            network: network.clone(),
            db: Mutex::new(db),
            switches: Mutex::default(),
        });
        let shared = state.clone();
        let host = Host::start("rez-collector", move || serve(reservation, shared)).map_err(listen)?;
        state.network.set(true);
        Ok(Running { address, state, host })
    }
}

async fn serve(reservation: Reservation, state: Arc<State>) {
    let hang_up = {
        let state = state.clone();
        move || state.switches().hang_up
    };
    let port = Port::new(reservation, state.network.clone(), hang_up);
    let service = http::router(state).into_make_service_with_connect_info::<Line>();
    // `serve` never returns: the listener handles its own errors.
    let _ = axum::serve(port, service).await;
}

/// A running collector. Dropping it stops it.
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
    /// Returns the address. It does not change when the network is switched.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the batch endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/v1/batch", self.address)
    }

    /// Returns the path of the SQLite file.
    #[must_use]
    pub fn db(&self) -> PathBuf {
        self.state.db().path().to_owned()
    }

    /// Replaces the simulated faults, as `POST /v1/switches` does. `refuse_ms` has no effect here: use
    /// [`Running::set_network`].
    pub fn set_switches(&self, switches: Switches) {
        *self.state.switches() = Switches { refuse_ms: 0, ..switches };
    }

    /// Returns the simulated faults that are still pending.
    #[must_use]
    pub fn switches(&self) -> Switches {
        self.state.switches().clone()
    }

    /// Switches the network. Down: new connections are refused and open ones are reset. Up: the same port listens
    /// again. Blocks until the change is effective.
    pub fn set_network(&self, up: bool) {
        self.state.network.set(up);
    }

    /// Returns true if the network is up.
    #[must_use]
    pub fn network_up(&self) -> bool {
        self.state.network.up()
    }

    /// Returns totals over all stored events.
    pub fn counts(&self) -> Result<Counts, CollectorError> {
        self.read(Db::counts)
    }

    /// Returns the number of events received since the file was created. Cheap enough for a progress bar.
    pub fn arrived(&self) -> Result<u64, CollectorError> {
        self.read(Db::arrived)
    }

    /// Returns missing sequence numbers per device and epoch.
    pub fn gaps(&self) -> Result<Vec<Gaps>, CollectorError> {
        self.read(Db::gaps)
    }

    /// Returns the ids of all stored events, in order of arrival.
    pub fn ids(&self) -> Result<Vec<String>, CollectorError> {
        self.read(Db::ids)
    }

    /// Returns stored events in order of arrival. Empty if `since` names an unknown event.
    pub fn events(&self, filter: &Filter) -> Result<Vec<StoredEvent>, CollectorError> {
        self.read(|db| db.events(filter)).map(Option::unwrap_or_default)
    }

    fn read<T>(&self, query: impl FnOnce(&Db) -> Result<T, rusqlite::Error>) -> Result<T, CollectorError> {
        let db = self.state.db();
        query(&db).map_err(|error| fail(db.path(), &error))
    }

    /// Blocks until the process ends.
    pub fn wait(mut self) {
        self.host.join();
    }

    /// Stops the collector and closes the file. Afterwards the file is complete, without a log beside it.
    pub fn stop(mut self) {
        self.host.stop();
    }
}

fn fail(path: &Path, error: &rusqlite::Error) -> CollectorError {
    CollectorError::Db { path: path.to_owned(), message: error.to_string() }
}
