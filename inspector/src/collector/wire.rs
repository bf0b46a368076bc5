//! A simulated network: a listener that can be switched off, and connections that truncate, delay or lose a response.
//!
//! The faults act on the bytes of the connection, so that a client cannot tell them from a real network fault. While
//! the network is down, the port refuses connections. A second socket stays bound to it, so that no other program on
//! this machine gets the port in the meantime.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

/// Delay before the next attempt to bind the port or to accept a connection.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// Limit of the wait in [`Network::set`].
const SWITCH_WAIT: Duration = Duration::from_secs(60);

/// Pending connections that the system queues.
const BACKLOG: u32 = 1024;

/// The end of the response head.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Switches the network on and off. Clones share one switch.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Number of changes: even is up, odd is down. A connection is valid until the next change.
    changes: watch::Sender<u64>,
    listening: Arc<(Mutex<bool>, Condvar)>,
}

impl Network {
    /// Returns a network that is up. The port starts to listen with the first [`Port::accept`].
    pub(crate) fn new() -> Network {
        Network { changes: watch::Sender::new(0), listening: Arc::new((Mutex::new(false), Condvar::new())) }
    }

    /// Switches the network without waiting.
    pub(crate) fn turn(&self, up: bool) {
        self.changes.send_if_modified(|changes| {
            let change = is_up(*changes) != up;
            *changes = changes.wrapping_add(u64::from(change));
            change
        });
    }

    /// Switches the network, and waits until connections are accepted or refused. Blocks: must not be called on the
    /// server's thread.
    pub(crate) fn set(&self, up: bool) {
        self.turn(up);
        let (listening, changed) = &*self.listening;
        let guard = listening.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(guard, SWITCH_WAIT, |listening| *listening != up));
    }

    /// Returns true if the network is up.
    pub(crate) fn up(&self) -> bool {
        is_up(*self.changes.borrow())
    }

    /// Returns the number of changes.
    #[cfg(test)]
    pub(crate) fn changes(&self) -> u64 {
        *self.changes.borrow()
    }

    fn set_listening(&self, is_listening: bool) {
        let (listening, changed) = &*self.listening;
        *listening.lock().unwrap_or_else(PoisonError::into_inner) = is_listening;
        changed.notify_all();
    }
}

fn is_up(changes: u64) -> bool {
    changes.is_multiple_of(2)
}

/// A bound port that does not listen. It refuses connections.
pub(crate) struct Reservation {
    // Held so that the port stays bound.
    _socket: TcpSocket,
    address: SocketAddr,
}

impl Reservation {
    /// Binds a port; port 0 picks a free one. Fails if another socket uses it.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Reservation> {
        if address.port() != 0 {
            // The shared socket below does not conflict with the socket of another collector; this one does.
            drop(std::net::TcpListener::bind(address)?);
        }
        let socket = shared_socket(address)?;
        socket.bind(address)?;
        let address = socket.local_addr()?;
        Ok(Reservation { _socket: socket, address })
    }

    /// Returns the address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    fn listen(&self) -> io::Result<TcpListener> {
        let socket = shared_socket(self.address)?;
        socket.bind(self.address)?;
        socket.listen(BACKLOG)
    }
}

/// Returns a socket that can be bound to the same port as the reservation.
fn shared_socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    #[cfg(not(unix))]
    socket.set_reuseaddr(true)?;
    Ok(socket)
}

/// The listener that [`Network`] switches.
pub(crate) struct Port {
    reservation: Reservation,
    listener: Option<TcpListener>,
    network: Network,
    changes: watch::Receiver<u64>,
    hang_up: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Port {
    /// Listens on a reserved port while `network` is up. While `hang_up` returns true, a connection is closed right
    /// after it is accepted.
    pub(crate) fn new(
        reservation: Reservation,
        network: Network,
        hang_up: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Port {
        let changes = network.changes.subscribe();
        Port { reservation, listener: None, network, changes, hang_up: Box::new(hang_up) }
    }
}

impl Listener for Port {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            let now = *self.changes.borrow_and_update();
            if !is_up(now) {
                self.listener = None;
                self.network.set_listening(false);
                if self.changes.changed().await.is_err() {
                    // The switch is gone, so the network stays down.
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let listener = match self.listener.take() {
                Some(listener) => listener,
                None => match self.reservation.listen() {
                    Ok(listener) => listener,
                    Err(_) => {
                        tokio::time::sleep(RETRY_INTERVAL).await;
                        continue;
                    }
                },
            };
            let listener = self.listener.insert(listener);
            self.network.set_listening(true);
            let accepted = tokio::select! {
                accepted = TcpListener::accept(listener) => accepted,
                _ = self.changes.changed() => continue,
            };
            match accepted {
                Ok((stream, peer)) => {
                    if !(self.hang_up)() {
                        return (Wire::new(stream, self.changes.clone(), now), peer);
                    }
                }
                // The connection was closed before it was accepted, or too many files are open.
                Err(_) => tokio::time::sleep(RETRY_INTERVAL).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.reservation.address)
    }
}

/// A fault of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireFault {
    /// Close after this many bytes of the response, including its head.
    CutResponse(u64),
    /// Close after this many bytes of the response body.
    CutBody(u64),
    /// Send one byte at a time, with this delay in between.
    Drip(Duration),
}

/// Lets a request handler set the fault of its connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<Mutex<Option<WireFault>>>);

impl Line {
    /// Sets the fault for all further writes.
    pub(crate) fn set(&self, fault: WireFault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    fn get(&self) -> Option<WireFault> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, Port>> for Line {
    fn connect_info(stream: IncomingStream<'_, Port>) -> Line {
        stream.io().line.clone()
    }
}

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    line: Line,
    down: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_down: bool,
    /// Bytes of [`HEAD_END`] matched so far.
    head_seen: usize,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    fn new(stream: TcpStream, mut changes: watch::Receiver<u64>, opened_at: u64) -> Wire {
        // Only affects latency, so an error is ignored.
        let _ = stream.set_nodelay(true);
        let down = Box::pin(async move {
            let _ = changes.wait_for(|now| *now != opened_at).await;
        });
        Wire { stream, line: Line::default(), down, is_down: false, head_seen: 0, pause: None }
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.is_down {
            self.is_down = self.down.as_mut().poll(cx).is_ready();
        }
        if self.is_down { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }

    /// Returns the number of bytes of `buffer` that belong to the response head.
    fn head_len(&mut self, buffer: &[u8]) -> usize {
        for (at, byte) in buffer.iter().enumerate() {
            if self.head_seen == HEAD_END.len() {
                return at;
            }
            self.head_seen = if HEAD_END.get(self.head_seen) == Some(byte) {
                self.head_seen.saturating_add(1)
            } else {
                usize::from(*byte == b'\r')
            };
        }
        buffer.len()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        match self.line.get() {
            None => Pin::new(&mut self.stream).poll_write(cx, buffer),
            Some(WireFault::CutResponse(0)) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            Some(WireFault::CutResponse(left)) => {
                let part = buffer.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(buffer);
                let written = ready!(Pin::new(&mut self.stream).poll_write(cx, part))?;
                self.line.set(WireFault::CutResponse(left.saturating_sub(written as u64)));
                Poll::Ready(Ok(written))
            }
            Some(WireFault::CutBody(bytes)) => {
                let head = self.head_len(buffer);
                if self.head_seen == HEAD_END.len() {
                    self.line.set(WireFault::CutResponse((head as u64).saturating_add(bytes)));
                    return self.poll_write(cx, buffer);
                }
                // All bytes are head. They must be written now: a byte that is offered again would be matched twice.
                let mut rest = buffer;
                while !rest.is_empty() {
                    match self.stream.try_write(rest) {
                        Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                }
                Poll::Ready(Ok(buffer.len()))
            }
            Some(WireFault::Drip(every)) => {
                if let Some(pause) = &mut self.pause {
                    ready!(pause.as_mut().poll(cx));
                }
                let part = buffer.get(..1).unwrap_or(buffer);
                let written = ready!(Pin::new(&mut self.stream).poll_write(cx, part))?;
                self.pause = Some(Box::pin(tokio::time::sleep_until(Instant::now() + every)));
                Poll::Ready(Ok(written))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
