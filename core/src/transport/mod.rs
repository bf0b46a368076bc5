//! How bytes leave the device.
//!
//! A transport moves one request and reports what became of it. It never retries, follows no redirect and keeps no
//! cookie: the courier alone decides. It also cannot hold the courier up: `send` returns at once and the courier
//! enforces the time limits itself, so a transport that hangs costs only its own route.

use std::sync::mpsc::Sender;

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

/// Moves requests. Called on the courier's thread; must return at once.
pub trait Transport: Send + Sync + 'static {
    /// Starts one request; `done` may be finished from any thread, at any time, once.
    fn send(&self, request: Request, done: Completion);
}

/// Tells the courier what became of one request. Dropping it means [`Sent::Ambiguous`].
#[derive(Debug)]
pub struct Completion {
    report: Option<(Sender<Report>, u64)>,
}

/// What a [`Completion`] tells the courier.
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
    pub(crate) fn new(to: Sender<Report>, number: u64) -> Self {
        Completion { report: Some((to, number)) }
    }

    /// The connection stands; from now on only the limit for the whole request counts.
    pub fn connected(&self) {
        if let Some((to, number)) = &self.report {
            let _ = to.send(Report::Connected(*number));
        }
    }

    /// The request ended.
    pub fn finish(mut self, sent: Sent) {
        self.tell(sent);
    }

    fn tell(&mut self, sent: Sent) {
        if let Some((to, number)) = self.report.take() {
            // The courier may be gone; then nobody waits for the answer.
            let _ = to.send(Report::Finished(number, sent));
        }
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        self.tell(Sent::Ambiguous("the transport dropped the request".into()));
    }
}
