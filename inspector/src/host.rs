//! Runs a server on its own thread with a single-threaded runtime, for callers that are not asynchronous.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A running server thread. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Host {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Host {
    /// Runs the future of `make` on a new thread until [`Host::stop`]. `make` is called inside the runtime.
    pub(crate) fn start<F, Fut>(name: &str, make: F) -> io::Result<Host>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(async move {
                tokio::spawn(make());
                // An error means that the sender was dropped, which also stops the server.
                let _ = stopped.await;
            });
            // Dropping the runtime closes every connection.
        })?;
        Ok(Host { stop: Some(stop), thread: Some(thread) })
    }

    /// Blocks until the server thread ends. It does not end by itself.
    pub(crate) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// Stops the server and joins its thread.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        self.join();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Rejects an address that is not loopback.
pub(crate) fn loopback(address: SocketAddr) -> Result<SocketAddr, NotLoopback> {
    if address.ip().is_loopback() { Ok(address) } else { Err(NotLoopback(address)) }
}

/// Reads `HOST:PORT` of this machine: `localhost`, or a loopback address.
pub(crate) fn parse_loopback(text: &str) -> Option<SocketAddr> {
    let address = text.replacen("localhost", "127.0.0.1", 1).parse().ok()?;
    loopback(address).ok()
}

/// The address is reachable from other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a loopback address; use 127.0.0.1 or [::1]")]
pub struct NotLoopback(pub SocketAddr);

/// Returns true if the `Host` header names this machine. Prevents DNS rebinding: a web page whose name resolves to
/// 127.0.0.1 is rejected.
pub(crate) fn names_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, _)) => inside,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_accepted() {
        assert!(loopback(([127, 0, 0, 1], 0).into()).is_ok());
        assert!(loopback("[::1]:0".parse().unwrap()).is_ok());
        assert!(loopback(([0, 0, 0, 0], 0).into()).is_err());
        assert!(loopback(([192, 168, 1, 2], 80).into()).is_err());
    }

    #[test]
    fn an_address_is_read_if_it_is_on_this_machine() {
        for text in ["127.0.0.1:80", "localhost:7345", "[::1]:9"] {
            assert!(parse_loopback(text).is_some(), "{text}");
        }
        for text in ["127.0.0.1", "192.168.0.7:80", "a.example:80", "127.0.0.1:99999", ""] {
            assert_eq!(parse_loopback(text), None, "{text}");
        }
    }

    #[test]
    fn a_foreign_name_in_the_host_header_is_detected() {
        assert!(names_loopback("127.0.0.1:8080"));
        assert!(names_loopback("localhost"));
        assert!(names_loopback("[::1]:9"));
        assert!(!names_loopback("evil.example:8080"));
        assert!(!names_loopback("localhost.evil.example"));
        assert!(!names_loopback(""));
    }
}
