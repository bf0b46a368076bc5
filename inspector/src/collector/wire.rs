//! The network as a switch: a listener that can be gone, and connections that cut, drip or lose an answer.
//!
//! Faults happen where real ones do, on the bytes of the connection, so a client cannot tell them from a bad
//! network. A network that is down refuses connections as a closed port does: the listener is dropped and bound to
//! the same port again later.

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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

/// Wait before another try to bind the port again after the network came back.
const REBIND_INTERVAL: Duration = Duration::from_millis(10);

/// Longest wait of [`Network::set`] for the listener to follow.
const SWITCH_WAIT: Duration = Duration::from_secs(5);

/// The end of the blank line between head and body.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Turns the network on and off. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Counts changes: even = up, odd = down. A connection lives as long as the number it was opened at.
    changes: watch::Sender<u64>,
    listening: Arc<(Mutex<bool>, Condvar)>,
}

impl Network {
    /// A network that is up.
    pub(crate) fn new() -> Network {
        Network { changes: watch::Sender::new(0), listening: Arc::new((Mutex::new(true), Condvar::new())) }
    }

    /// Turns it up or down without waiting.
    pub(crate) fn turn(&self, up: bool) {
        self.changes.send_if_modified(|changes| {
            let change = is_up(*changes) != up;
            *changes = changes.wrapping_add(u64::from(change));
            change
        });
    }

    /// Turns it up or down and waits until connections are really accepted or refused. Blocks; not for the server's
    /// own thread.
    pub(crate) fn set(&self, up: bool) {
        self.turn(up);
        let (listening, changed) = &*self.listening;
        let guard = listening.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(guard, SWITCH_WAIT, |listening| *listening != up));
    }

    /// Whether it is up.
    pub(crate) fn up(&self) -> bool {
        is_up(*self.changes.borrow())
    }

    /// How often it was turned up or down.
    #[cfg(test)]
    pub(crate) fn turns(&self) -> u64 {
        *self.changes.borrow()
    }

    fn tell(&self, is_listening: bool) {
        let (listening, changed) = &*self.listening;
        *listening.lock().unwrap_or_else(PoisonError::into_inner) = is_listening;
        changed.notify_all();
    }
}

fn is_up(changes: u64) -> bool {
    changes.is_multiple_of(2)
}

/// The listener that [`Network`] switches.
pub(crate) struct Port {
    listener: Option<TcpListener>,
    address: SocketAddr,
    network: Network,
    changes: watch::Receiver<u64>,
    hang_up: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Port {
    /// Takes over a bound listener. `hang_up` says whether a connection is dropped right after it was accepted.
    pub(crate) fn new(
        listener: TcpListener,
        network: Network,
        hang_up: impl Fn() -> bool + Send + Sync + 'static,
    ) -> io::Result<Port> {
        let address = listener.local_addr()?;
        let changes = network.changes.subscribe();
        Ok(Port { listener: Some(listener), address, network, changes, hang_up: Box::new(hang_up) })
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
                self.network.tell(false);
                if self.changes.changed().await.is_err() {
                    // Nobody can turn it up again.
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let listener = match self.listener.take() {
                Some(listener) => listener,
                None => match TcpListener::bind(self.address).await {
                    Ok(listener) => listener,
                    Err(_) => {
                        tokio::time::sleep(REBIND_INTERVAL).await;
                        continue;
                    }
                },
            };
            let listener = self.listener.insert(listener);
            self.network.tell(true);
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
                // The connection ended before it was taken, or too many files are open: wait a little.
                Err(_) => tokio::time::sleep(REBIND_INTERVAL).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// What happens to the bytes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireFault {
    /// The connection ends after this many bytes of the answer, its head included.
    CutAnswer(u64),
    /// The connection ends after this many bytes of the answer's body.
    CutBody(u64),
    /// One byte at a time, with this pause between.
    Drip(Duration),
}

/// Lets the handler of a request choose what happens to its answer on the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<Mutex<Option<WireFault>>>);

impl Line {
    /// From now on this happens to what is written.
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
    /// Bytes of [`HEAD_END`] seen in a row, while the body has not begun.
    head_seen: usize,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    fn new(stream: TcpStream, mut changes: watch::Receiver<u64>, opened_at: u64) -> Wire {
        // Small answers must not wait for each other; a failure only costs time.
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

    /// Bytes of `buffer` up to and with the blank line; the whole of it if the body has not begun in it.
    fn head_in(&mut self, buffer: &[u8]) -> usize {
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
            Some(WireFault::CutAnswer(0)) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            Some(WireFault::CutAnswer(left)) => {
                let part = buffer.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(buffer);
                let written = ready!(Pin::new(&mut self.stream).poll_write(cx, part))?;
                self.line.set(WireFault::CutAnswer(left.saturating_sub(written as u64)));
                Poll::Ready(Ok(written))
            }
            Some(WireFault::CutBody(bytes)) => {
                let head = self.head_in(buffer);
                if self.head_seen == HEAD_END.len() {
                    self.line.set(WireFault::CutAnswer((head as u64).saturating_add(bytes)));
                    return self.poll_write(cx, buffer);
                }
                // The head goes on in the next write. A byte that is not taken now would be counted twice.
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
