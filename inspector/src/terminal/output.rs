//! Standard output of a command.

use std::borrow::Cow;
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

    /// Writes one line, or several, and flushes. Texts of apps and servers are in them: see [`printable`].
    pub(crate) fn line(&mut self, line: &str) {
        let _ = writeln!(self.writer, "{}", printable(line)).and_then(|()| self.writer.flush());
    }
}

/// The text without control characters but line ends and tabs, and without changes of direction: a terminal would obey them.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_direction = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_harmful = |c: char| is_direction(c) || (c.is_control() && !matches!(c, '\n' | '\t'));
    if text.contains(is_harmful) { text.replace(is_harmful, "\u{fffd}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_control_character_of_an_event() {
        assert_eq!(printable("a\u{1b}]0;title\u{7}b\r\n\tc\u{9b}"), "a\u{fffd}]0;title\u{fffd}b\u{fffd}\n\tc\u{fffd}");
        assert!(matches!(printable("plain ü ✓"), Cow::Borrowed(_)));
    }
}
