//! Sends requests.
//!
//! A transport sends one request and reports its outcome. It never repeats a request, follows no redirect and keeps no
//! cookie: the delivery thread decides what is sent again. `send` returns at once and the delivery thread enforces the
//! time limits, so that a transport that hangs delays its own route only.

mod fault;
#[cfg(feature = "transport-reqwest")]
mod reqwest;
mod retry_after;
mod url;

pub(crate) use self::fault::{Fault, FaultSwitch, Faulty};
#[cfg(feature = "transport-reqwest")]
pub use self::reqwest::{Reqwest, ReqwestBuilder, ReqwestError};
pub use self::url::{Endpoint, UrlError};

use std::sync::Arc;
use std::time::Duration;

/// An HTTP request, sent as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Absolute URL; `https`, or `http` to a loopback address.
    pub url: String,
    /// Header names and values, each name at most once.
    pub headers: Vec<(String, String)>,
    /// The body. The method is always POST.
    pub body: Vec<u8>,
}

/// The response of a server.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case and values.
    pub headers: Vec<(String, String)>,
    /// The body, cut at [`crate::limits::RESPONSE_BYTES`].
    pub body: Vec<u8>,
    /// The body is incomplete: it was longer than that, or ended before its announced length.
    pub cut: bool,
}

impl Response {
    /// The value of a header. Case of the name does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The wait that the server asks for with `Retry-After`: seconds, or a date relative to the response's own `Date`, so
    /// that the device's clock does not matter. At most [`crate::limits::RETRY_AFTER`]. `None` if the header is missing
    /// or invalid, or is a date in a response without `Date`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after::read(self.header("retry-after")?, self.header("date"))
    }
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The server has responded.
    Response(Response),
    /// No byte of the request was sent: the server has certainly not received it. The text names the cause.
    NotSent(String),
    /// The request may have arrived. The text names the cause.
    Ambiguous(String),
}

/// Sends requests. Called on the delivery thread; must return at once.
///
/// An implementation
///
/// - sends exactly `request.headers` and `request.body` by POST, once;
/// - follows no redirect and keeps no cookie;
/// - gives up connecting after [`crate::limits::CONNECT_TIMEOUT`];
/// - reads at most [`crate::limits::RESPONSE_BYTES`] of the response.
///
/// After [`crate::limits::REQUEST_TIMEOUT`] the delivery thread treats the request as [`Sent::Ambiguous`] and ignores a
/// later response.
pub trait Transport: Send + Sync + 'static {
    /// Starts a request. `done` is finished once, from any thread.
    fn send(&self, request: Request, done: Completion);

    /// Whether this transport calls [`Completion::connected`]. If so, the delivery thread ends the wait for a
    /// connection after [`crate::limits::CONNECT_TIMEOUT`]; otherwise only the limit for the whole request applies.
    /// Default: false.
    fn reports_connect(&self) -> bool {
        false
    }
}

/// Passes reports of requests to the delivery thread.
pub(crate) type ReportSink = Arc<dyn Fn(Report) + Send + Sync>;

/// Reports the outcome of one request to the delivery thread. Dropping it reports [`Sent::Ambiguous`].
pub struct Completion {
    report: Option<(ReportSink, u64)>,
}

/// A report of a [`Completion`].
#[derive(Debug)]
pub(crate) enum Report {
    /// The connection is established: the time limit for connecting no longer applies.
    Connected(u64),
    /// The request has ended.
    Finished(u64, Sent),
}

impl Completion {
    /// A completion for the request with this number.
    #[must_use]
    pub(crate) fn new(sink: ReportSink, number: u64) -> Self {
        Completion { report: Some((sink, number)) }
    }

    /// The connection is established; from now on only the limit for the whole request applies.
    pub fn connected(&self) {
        if let Some((sink, number)) = &self.report {
            sink(Report::Connected(*number));
        }
    }

    /// The request has ended with this outcome.
    pub fn finish(mut self, sent: Sent) {
        self.report(sent);
    }

    fn report(&mut self, sent: Sent) {
        if let Some((sink, number)) = self.report.take() {
            sink(Report::Finished(number, sent));
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
        self.report(Sent::Ambiguous("the transport has dropped the request".into()));
    }
}
