//! Lines of standard input, until it ends or a signal asks the program to end: the source is then closed, and removes its copy.

use super::rpc::{Line, next_line};
use crate::host::Host;
use crate::terminal::on_end;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

/// `None` = the end.
type Next = io::Result<Option<Line>>;

pub(super) struct Input {
    lines: Receiver<Next>,
    /// Asks for the next line, so that not more than one is in memory.
    ask: SyncSender<()>,
    _signals: Host,
}

impl Input {
    /// Reads on a thread of its own: nothing else ends the wait for a line. The thread ends with the program.
    pub(super) fn start() -> io::Result<Input> {
        let (say, lines) = channel();
        let (ask, asked) = sync_channel(1);
        let end = say.clone();
        let signals = on_end(move || drop(end.send(Ok(None))))?;
        let read = move || {
            let mut input = io::stdin().lock();
            while asked.recv().is_ok() {
                if say.send(next_line(&mut input)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("rezq-input".to_owned()).spawn(read)?;
        Ok(Input { lines, ask, _signals: signals })
    }

    /// Waits for the next line.
    pub(super) fn next(&self) -> Next {
        // Neither fails: the thread waits for one question after each answer, and does not end before this value does.
        let _ = self.ask.try_send(());
        self.lines.recv().unwrap_or(Ok(None))
    }
}
