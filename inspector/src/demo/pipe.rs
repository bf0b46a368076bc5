//! The pipe on which the demo app acknowledges events.

use super::child::Line;
use crate::terminal::Exit;
use std::io::{self, BufWriter, Stdout, Write};

/// Number of lines after which output is flushed.
const CHUNK: u32 = 16;

/// The pipe to the demo. If the demo is gone, the app exits.
pub(super) struct Pipe {
    writer: BufWriter<Stdout>,
    unflushed: u32,
    recorded: u64,
}

impl Pipe {
    /// Writes to standard output. `recorded` is the number of events that earlier runs acknowledged.
    pub(super) fn new(recorded: u64) -> Pipe {
        Pipe { writer: BufWriter::new(io::stdout()), unflushed: 0, recorded }
    }

    /// Returns the number of events acknowledged so far, in all runs.
    pub(super) fn recorded(&self) -> u64 {
        self.recorded
    }

    /// Writes a line. Acknowledgements are buffered; other lines are flushed at once.
    pub(super) fn write(&mut self, line: &Line) {
        self.recorded = self.recorded.saturating_add(u64::from(matches!(line, Line::Recorded(..))));
        self.unflushed = self.unflushed.saturating_add(1);
        let mut written = writeln!(self.writer, "{line}");
        if self.unflushed >= CHUNK || !matches!(line, Line::Recorded(..)) {
            self.unflushed = 0;
            written = written.and_then(|()| self.writer.flush());
        }
        if written.is_err() {
            std::process::exit(i32::from(Exit::CannotOpen as u8));
        }
    }
}
