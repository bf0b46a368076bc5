//! The inspector's page, and the server behind it.
//!
//! The page is one HTML document without a build step and without other files. It asks in the requests of
//! `docs/guide/inspect.md`; [`Server`] passes them to a source. [`saved()`] makes a document that contains the answers and
//! needs no server, [`dev_tools`] the one that asks an app through the developer tools of Expo or Rozenite.

mod access;
mod changes;
mod document;
mod random;
mod routes;
mod saved;
mod state;
#[cfg(test)]
mod tests;

pub use document::dev_tools;
pub use saved::{SaveError, saved};

use crate::host::{self, Host, NotLoopback};
use crate::source::Inspect;
use access::Access;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebError {
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
    /// The system has no random numbers for the token.
    #[error("cannot make a token: {0}")]
    Random(std::io::Error),
}

/// How long the server waits, and how often it asks.
#[derive(Clone, Copy, Debug)]
struct Timing {
    /// The longest wait for an answer of the source.
    answer: Duration,
    /// Between two questions for the version.
    poll: Duration,
    /// The longest response of `/changes` without a change.
    hold: Duration,
}

impl Timing {
    const USUAL: Timing = Timing {
        // Longer than a source waits for servers on `send_now`.
        answer: Duration::from_secs(60),
        poll: Duration::from_millis(250),
        hold: Duration::from_secs(15),
    };
}

/// A running server. Dropping it stops it.
pub struct Server {
    address: SocketAddr,
    url: String,
    host: Host,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL contains the token.
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Serves the page of a source on a loopback address, on a new thread. Port 0 picks a free port. When this returns, the
    /// port accepts connections.
    pub fn start(address: SocketAddr, source: Arc<dyn Inspect>) -> Result<Server, WebError> {
        Server::start_with(address, source, Timing::USUAL)
    }

    fn start_with(address: SocketAddr, source: Arc<dyn Inspect>, timing: Timing) -> Result<Server, WebError> {
        let address = host::loopback(address)?;
        let listen = |error| WebError::Listen { address, error };
        let listener = std::net::TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let token = random::hex().map_err(WebError::Random)?;
        let url = format!("http://{address}/?token={token}");
        let router = routes::router(source, Access::new(address.port(), token), timing);
        let host = Host::start("rez-inspect-web", move || async move {
            if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                // `serve` never returns: the listener handles its own errors.
                let _ = axum::serve(listener, router).await;
            }
        })
        .map_err(listen)?;
        Ok(Server { address, url, host })
    }

    /// Returns the address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of the page, with the token. Whoever knows it can read the source.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops the server. Waits for the answer of the source to a request that has begun.
    pub fn stop(mut self) {
        self.host.stop();
    }
}
