//! Where the program's answers go.

use std::io::{self, Write};

/// Standard output. Whoever closes the pipe has read enough: that is no error.
pub(crate) struct Output {
    to: Box<dyn Write>,
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout() -> Output {
        Output { to: Box::new(io::stdout()) }
    }

    /// Nowhere.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Output {
        Output { to: Box::new(io::sink()) }
    }

    /// One line, which is out when this returns.
    pub(crate) fn line(&mut self, line: &str) {
        let _ = writeln!(self.to, "{line}").and_then(|()| self.to.flush());
    }
}
