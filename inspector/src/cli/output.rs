//! Where the program's answers go.

use std::io::{self, Write};

/// Standard output, or a text in tests. Whoever closes the pipe has read enough: that is no error.
pub(crate) struct Output {
    to: Box<dyn Write>,
    #[cfg(test)]
    text: std::rc::Rc<std::cell::RefCell<Vec<u8>>>,
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout() -> Output {
        Output {
            to: Box::new(io::stdout()),
            #[cfg(test)]
            text: std::rc::Rc::default(),
        }
    }

    /// One line, which is out when this returns.
    pub(crate) fn line(&mut self, line: &str) {
        let _ = writeln!(self.to, "{line}").and_then(|()| self.to.flush());
    }
}

#[cfg(test)]
mod capture {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;

    struct Text(Rc<RefCell<Vec<u8>>>);

    impl Write for Text {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Output {
        /// Keeps what is written.
        pub(crate) fn capture() -> Output {
            let text = Rc::<RefCell<Vec<u8>>>::default();
            Output { to: Box::new(Text(text.clone())), text }
        }

        /// What was written.
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.text.borrow().clone()).unwrap()
        }
    }
}
