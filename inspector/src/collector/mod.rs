//! The local collector: a server for the `rez` batch protocol and for what vendors' libraries send, for development and tests.
//!
//! One process, one SQLite file, loopback only. It responds to a batch after its events are on disk, stores each event
//! once, and can simulate server and network faults.
//!
//! | file | idea |
//! | --- | --- |
//! | `http`, `access` | paths, who may use them |
//! | `reading` | reads of the file, beside the batches |
//! | `body`, `response` | bodies within limits, the forms of a response |
//! | `rez`, `batch` | our own protocol |
//! | `vendor` | what vendors' libraries send |
//! | `rules`, `assertions` | a tracking plan, and tests by HTTP |
//! | `switches`, `faults`, `wire` | simulated faults |

mod access;
mod assertions;
mod batch;
mod body;
mod faults;
mod http;
mod reading;
mod response;
mod rez;
mod rules;
mod switches;
#[cfg(test)]
mod tests;
#[cfg(feature = "cli")]
mod vendor;
mod wire;

pub use crate::received::{Counts, DEDUPE_MS, Filter, Gaps, LostCount, LostRow, REPLAY_MS, ReceivedError, StoredEvent};
pub use batch::{MAX_AGE_MS, MAX_BYTES, MAX_EVENT_BYTES, MAX_EVENTS, Rejection};
pub use rules::Rules;
pub use switches::{Fault, KindLimit, Switches, What};

use crate::host::{self, Host, NotLoopback};
use crate::received::{Db, SqlError, failed};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;
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
    /// The tracking plan that arriving events are checked against.
    pub rules: Option<Arc<dyn Rules>>,
    /// The clock.
    pub clock: Clock,
}

impl Options {
    /// Listens on a free port of 127.0.0.1, without a key, with the system clock.
    #[must_use]
    pub fn new(db: impl Into<PathBuf>) -> Options {
        let clock = || jiff::Timestamp::now().as_millisecond();
        Options { address: ([127, 0, 0, 1], 0).into(), db: db.into(), key: None, rules: None, clock: Arc::new(clock) }
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
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] ReceivedError),
}

/// State that the request handlers share.
pub(crate) struct State {
    key: Option<String>,
    rules: Option<Arc<dyn Rules>>,
    clock: Clock,
    network: Network,
    path: PathBuf,
    readers: Arc<Semaphore>,
    db: Mutex<Db>,
    switches: Mutex<Switches>,
}

impl State {
    fn db(&self) -> MutexGuard<'_, Db> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a client with this key may send and read.
    fn admits(&self, key: Option<&str>) -> bool {
        self.key.as_deref().is_none_or(|wanted| key == Some(wanted))
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
            rules: options.rules,
            clock: options.clock,
            network: network.clone(),
            path: options.db,
            readers: Arc::new(Semaphore::new(reading::READERS)),
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
        self.state.path.clone()
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

    /// Returns the number of accepted events of our own protocol that are stored. Reads an index only: 5 ms at 100,000 events.
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

    fn read<T>(&self, query: impl FnOnce(&Db) -> Result<T, SqlError>) -> Result<T, CollectorError> {
        // Not the connection that stores batches: they do not wait for a long query.
        let db = Db::read(&self.state.path)?;
        query(&db).map_err(|error| failed(db.path(), &error).into())
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
