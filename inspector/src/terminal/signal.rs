//! Signals that ask the program to end. What it has open is then closed: temporary files, a forwarded port, the terminal.

use super::CliError;
use crate::host::Host;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// The exit code after SIGINT, as shells report it.
const INTERRUPTED: i32 = 130;

/// Calls `end` on a thread of its own when a signal asks the program to end; from the return of this function on. The next signal ends
/// the program at once.
pub(crate) fn on_end(end: impl FnOnce() + Send + 'static) -> io::Result<Host> {
    let (say, is_ready) = channel();
    let host = Host::start("rezq-signals", move || async move {
        let mut signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => return drop(say.send(Err(error))),
        };
        let _ = say.send(Ok(()));
        signals.next().await;
        end();
        signals.next().await;
        std::process::exit(INTERRUPTED);
    })?;
    is_ready.recv().unwrap_or(Ok(()))?;
    Ok(host)
}

/// A signal that asks the program to end.
pub(crate) struct EndSignal {
    came: Receiver<()>,
    _host: Host,
}

impl EndSignal {
    /// From here on the signal does not end the program by itself.
    pub(crate) fn new() -> Result<EndSignal, CliError> {
        let (say, came) = channel();
        let host = on_end(move || {
            // Nobody waits for it any more.
            let _ = say.send(());
        });
        Ok(EndSignal { came, _host: host.map_err(|error| CliError::open(error, ""))? })
    }

    /// Blocks until it comes.
    pub(crate) fn wait(&self) {
        let _ = self.came.recv();
    }

    /// Blocks for this time. `true` = it came.
    pub(crate) fn comes_within(&self, time: Duration) -> bool {
        self.came.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }
}

#[cfg(unix)]
use unix::Signals;

#[cfg(unix)]
mod unix {
    use std::io;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Signals {
        interrupt: Signal,
        terminate: Signal,
        hangup: Signal,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Signals> {
            Ok(Signals {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hangup: signal(SignalKind::hangup())?,
            })
        }

        pub(super) async fn next(&mut self) {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
                _ = self.hangup.recv() => {}
            }
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        // An error means that there are no signals.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
