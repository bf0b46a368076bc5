//! Standard output of a command.

use std::io::{self, Write};

/// Writes lines and ignores write errors: a reader that closes the pipe has read enough.
pub(crate) struct Output {
    writer: Box<dyn Write>,
}

impl Output {
    /// Writes to standard output.
    pub(crate) fn stdout() -> Output {
        Output { writer: Box::new(io::stdout()) }
    }

    /// Discards everything.
    #[cfg(test)]
    pub(crate) fn discard() -> Output {
        Output { writer: Box::new(io::sink()) }
    }

    /// Writes one line and flushes it.
    pub(crate) fn line(&mut self, line: &str) {
        let _ = writeln!(self.writer, "{line}").and_then(|()| self.writer.flush());
    }
}
