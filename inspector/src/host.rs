//! A server on a thread of its own with a single-threaded runtime, so that a test or the demo can hold one without
//! being asynchronous itself.

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
    /// Runs what `make` returns on a new thread until [`Host::stop`]; `make` is called inside the runtime.
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
                // An error means that the sender is gone, which is a stop as well.
                let _ = stopped.await;
            });
            // Dropping the runtime drops every connection: a stopped server answers nobody any more.
        })?;
        Ok(Host { stop: Some(stop), thread: Some(thread) })
    }

    /// Waits until the server ends, which it does not by itself: for a program that only serves.
    pub(crate) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    /// Ends the server and waits for its thread.
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

/// Refuses an address that is not loopback: nothing here is made to be reached from outside.
pub(crate) fn loopback(address: SocketAddr) -> Result<SocketAddr, NotLoopback> {
    if address.ip().is_loopback() { Ok(address) } else { Err(NotLoopback(address)) }
}

/// The address would be reachable from other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a loopback address; use 127.0.0.1 or [::1]")]
pub struct NotLoopback(pub SocketAddr);

/// Whether the `Host` header names this machine. A web page that points its own name at 127.0.0.1 does not pass.
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
    fn a_foreign_name_in_the_host_header_is_seen() {
        assert!(names_loopback("127.0.0.1:8080"));
        assert!(names_loopback("localhost"));
        assert!(names_loopback("[::1]:9"));
        assert!(!names_loopback("evil.example:8080"));
        assert!(!names_loopback("localhost.evil.example"));
        assert!(!names_loopback(""));
    }
}
