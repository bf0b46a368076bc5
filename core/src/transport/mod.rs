//! How bytes leave the device.
//!
//! A transport moves one request and reports what became of it. It never retries, follows no redirect and keeps no
//! cookie: the delivery alone decides. It also cannot hold the delivery up: `send` returns at once and the delivery
//! enforces the time limits itself, so a transport that hangs costs only its own route.

#[cfg(feature = "transport-reqwest")]
mod reqwest;
mod retry_after;
mod url;

#[cfg(feature = "transport-reqwest")]
pub use self::reqwest::Reqwest;
pub use self::url::{Endpoint, UrlError};

use std::sync::Arc;
use std::time::Duration;

/// One HTTP request, ready to be sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Absolute URL; `https`, or `http` to a loopback address.
    pub url: String,
    /// Header names and values, each at most once.
    pub headers: Vec<(String, String)>,
    /// The body; always sent by POST.
    pub body: Vec<u8>,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`crate::limits::ANSWER_BYTES`] of it.
    pub body: Vec<u8>,
    /// The body was longer than that, or ended before its announced length.
    pub cut: bool,
}

impl Answer {
    /// The value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How long the server asked to be left alone: `Retry-After` in seconds, or as a date relative to the answer's
    /// own `Date`, so that the device's clock does not matter. At most [`crate::limits::RETRY_AFTER`]; `None` where
    /// there is no such header, it cannot be read, or a date has no `Date` to stand against.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after::read(self.header("retry-after")?, self.header("date"))
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The server answered.
    Answer(Answer),
    /// Not one byte of the request left: it is certain that the server saw nothing.
    NotSent(String),
    /// It may or may not have arrived.
    Ambiguous(String),
}

/// Moves requests. Called on the delivery's thread; must return at once.
///
/// Duties of an implementation: POST exactly `request.headers` and `request.body`; follow no redirect, keep no
/// cookie, never send a request twice; give up connecting after [`crate::limits::CONNECT_TIMEOUT`]; read at most
/// [`crate::limits::ANSWER_BYTES`] of the answer. The delivery waits [`crate::limits::REQUEST_TIMEOUT`] in all and
/// then treats the request as [`Sent::Ambiguous`]; an answer after that is ignored.
pub trait Transport: Send + Sync + 'static {
    /// Starts one request; `done` may be finished from any thread, at any time, once.
    fn send(&self, request: Request, done: Completion);

    /// Whether this transport calls [`Completion::connected`]. Where it does, the delivery itself ends the wait for a
    /// connection after [`crate::limits::CONNECT_TIMEOUT`]; where it does not, silence proves nothing, and only the
    /// limit for the whole request counts.
    fn reports_connect(&self) -> bool {
        false
    }
}

/// Takes the news of requests to the delivery.
pub(crate) type Tell = Arc<dyn Fn(Report) + Send + Sync>;

/// Tells the delivery what became of one request. Dropping it means [`Sent::Ambiguous`].
pub struct Completion {
    report: Option<(Tell, u64)>,
}

/// What a [`Completion`] tells the delivery.
#[derive(Debug)]
pub(crate) enum Report {
    /// A connection stands: the 10 s for connecting are over.
    Connected(u64),
    /// The request ended.
    Finished(u64, Sent),
}

impl Completion {
    /// A completion for the request with this number.
    #[must_use]
    pub(crate) fn new(tell: Tell, number: u64) -> Self {
        Completion { report: Some((tell, number)) }
    }

    /// The connection stands; from now on only the limit for the whole request counts.
    pub fn connected(&self) {
        if let Some((tell, number)) = &self.report {
            tell(Report::Connected(*number));
        }
    }

    /// The request ended.
    pub fn finish(mut self, sent: Sent) {
        self.tell(sent);
    }

    fn tell(&mut self, sent: Sent) {
        if let Some((tell, number)) = self.report.take() {
            tell(Report::Finished(number, sent));
        }
    }
}

impl std::fmt::Debug for Completion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Completion").field(&self.report.as_ref().map(|(_, number)| number)).finish()
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.tell(Sent::Ambiguous("the transport dropped the request".into()));
    }
}
