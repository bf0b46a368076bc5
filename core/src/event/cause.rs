//! The causes of an error and the threads that ran when it happened.

use super::error::Frame;

/// An exception that led to an error, or one of a group of exceptions.
///
/// An error and its causes form a tree: index 0 is the error itself, index `n` is the n-th cause. A cause names the
/// exception that it belongs to with [`Cause::parent`]. At most 10 causes are kept.
///
/// ```
/// use rez_monitor::{Cause, ErrorEvent};
///
/// let causes = [Cause::new("SocketTimeoutException", "timeout after 10 s"), Cause::new("ErrnoException", "ETIMEDOUT").parent(1)];
/// let error = ErrorEvent::new("PaymentError", "the payment failed").causes(&causes);
/// # let _ = error;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause<'a> {
    pub(crate) kind: &'a str,
    pub(crate) message: &'a str,
    pub(crate) frames: &'a [Frame<'a>],
    pub(crate) parent: usize,
    pub(crate) source: &'a str,
    pub(crate) group: bool,
}

impl<'a> Cause<'a> {
    /// A cause of this type (class name) with this message. It belongs to the error itself.
    #[must_use]
    pub fn new(kind: &'a str, message: &'a str) -> Cause<'a> {
        Cause { kind, message, frames: &[], parent: 0, source: "cause", group: false }
    }

    /// Sets its stack, outermost frame first. Only the innermost 30 frames are kept.
    #[must_use]
    pub fn frames(mut self, frames: &'a [Frame<'a>]) -> Self {
        self.frames = frames;
        self
    }

    /// Sets the index of the exception that it belongs to: 0 is the error itself (default), `n` is the n-th cause. An
    /// index that is not smaller than its own, as of a cause that is its own cause, becomes 0 and counts as cut.
    #[must_use]
    pub fn parent(mut self, index: usize) -> Self {
        self.parent = index;
        self
    }

    /// Sets the member of the parent in which it was found: `cause` (default), `errors[1]`, `suppressed[0]`.
    #[must_use]
    pub fn source(mut self, source: &'a str) -> Self {
        self.source = source;
        self
    }

    /// Sets whether it is a group of exceptions itself, such as an `AggregateError`.
    #[must_use]
    pub fn group(mut self, group: bool) -> Self {
        self.group = group;
        self
    }
}

/// A thread at the time of an error or a hang.
///
/// At most 64 threads are kept, with the innermost 30 frames of each, as far as the event has room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thread<'a> {
    /// The id that the system gave it.
    pub id: u64,
    /// Its name; empty if it has none.
    pub name: &'a str,
    /// Whether the error happened on it. Its stack is that of the error and need not be repeated here.
    pub crashed: bool,
    /// Whether it is the main thread.
    pub main: bool,
    /// Its stack, outermost frame first.
    pub frames: &'a [Frame<'a>],
}
