//! What the host implements: an HTTP client, a hook before an event is stored, a logger.
//!
//! The engine calls them on threads of its own. A thread that calls into a Java virtual machine stays attached to it until it
//! ends. An exception ends here: a transport that throws has sent an unknown part of the request, a hook that throws lets no
//! more events of the run through, a logger that throws is not called again.

use crate::attributes::TextPair;
use rez_monitor::transport::{Completion, Request, Response, Sent, Transport};
use rez_monitor::{Kind, LogCode, LogLevel, Logger};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A method of the host has thrown. The text names the exception and is not sent anywhere.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum HostError {
    /// It has thrown.
    #[error("the host has thrown: {text}")]
    Thrown {
        /// What it has thrown.
        text: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        HostError::Thrown { text: error.reason }
    }
}

/// An HTTP request, to be sent as it is, by POST, once.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct HostRequest {
    /// Absolute URL.
    pub url: String,
    /// Each name at most once.
    pub headers: Vec<TextPair>,
    /// The body.
    pub body: Vec<u8>,
}

/// The response of a server.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct HostResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers, of which the engine reads `retry-after`, `date` and the rate limits of vendors.
    pub headers: Vec<TextPair>,
    /// The body, of which the engine reads the first 64 KiB.
    pub body: Vec<u8>,
}

/// Sends requests with the HTTP client of the host.
///
/// `send` must return at once; the request runs on a thread of the host. It follows no redirect, keeps no cookie, repeats
/// nothing and gives up connecting after 10 s. It ends with one call of `respond(..)`, `not_sent(..)` or `ambiguous(..)`; a second
/// one is ignored. If `call` is dropped without one, the request may have arrived, and the engine treats it as sent without a
/// response.
#[uniffi::export(foreign)]
pub trait HostTransport: Send + Sync {
    /// Starts a request.
    fn send(&self, request: HostRequest, call: Arc<HostCall>) -> Result<(), HostError>;
}

/// A request that the host is sending. Its methods may be called from any thread.
#[derive(Debug, uniffi::Object)]
pub struct HostCall(Mutex<Option<Completion>>);

impl HostCall {
    fn take(&self) -> Option<Completion> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn finish(&self, sent: Sent) {
        if let Some(completion) = self.take() {
            crate::engines::guarded((), || completion.finish(sent));
        }
    }
}

impl Drop for HostCall {
    /// A call without an answer counts as ambiguous. The languages call this from their destructors, out of which no panic may
    /// come.
    fn drop(&mut self) {
        let completion = self.take();
        crate::engines::guarded((), || drop(completion));
    }
}

#[uniffi::export]
impl HostCall {
    /// The server has responded.
    pub fn respond(&self, response: HostResponse) {
        let HostResponse { status, headers, mut body } = response;
        let cut = body.len() > rez_monitor::limits::RESPONSE_BYTES;
        body.truncate(rez_monitor::limits::RESPONSE_BYTES);
        let headers = headers.into_iter().map(|pair| (pair.name.to_ascii_lowercase(), pair.value)).collect();
        self.finish(Sent::Response(Response { status, headers, body, cut }));
    }

    /// No byte was sent: the server has certainly not received the request. `cause` is for the status.
    pub fn not_sent(&self, cause: String) {
        self.finish(Sent::NotSent(cause));
    }

    /// The request may have arrived. `cause` is for the status.
    pub fn ambiguous(&self, cause: String) {
        self.finish(Sent::Ambiguous(cause));
    }
}

/// Changes or drops an event before it is stored.
///
/// Called once per event, in order, on a thread of the engine. It must return within a second and must not record: after an
/// exception or a longer wait, this event and all later ones of the run are dropped as `hook_failed`.
#[uniffi::export(foreign)]
pub trait BeforeSend: Send + Sync {
    /// Returns the row to store (JSON, as `row_json`, which may be returned unchanged), or nothing to drop the event.
    fn before_send(&self, kind: String, row_json: String) -> Result<Option<String>, HostError>;
}

/// Hears what a developer must know (`docs/guide/logger.md`). Called on a thread of the engine; it may block.
#[uniffi::export(foreign)]
pub trait HostLogger: Send + Sync {
    /// `level` is `error`, `warning` or `info`, `code` one of the list in the documentation, `text` one or two sentences.
    fn log(&self, level: String, code: String, text: String) -> Result<(), HostError>;
}

/// The implementations of the host. All are optional.
#[derive(Clone, Default, uniffi::Record)]
pub struct Hooks {
    /// Default: the HTTP client of the library, if this build has one.
    pub transport: Option<Arc<dyn HostTransport>>,
    /// Default: every event is stored as it is.
    pub before_send: Option<Arc<dyn BeforeSend>>,
    /// Default: nobody hears.
    pub logger: Option<Arc<dyn HostLogger>>,
}

/// Hooks that can be set after the engine was opened. An engine that is opened suspended calls none before `resume`.
#[derive(Default)]
pub(crate) struct LateHooks {
    transport: OnceLock<Arc<dyn HostTransport>>,
    before_send: OnceLock<Arc<dyn BeforeSend>>,
    logger: OnceLock<Arc<dyn HostLogger>>,
}

impl LateHooks {
    /// Sets those that are not set yet.
    pub(crate) fn set(&self, hooks: Hooks) {
        if let Some(transport) = hooks.transport {
            let _ = self.transport.set(transport);
        }
        if let Some(hook) = hooks.before_send {
            let _ = self.before_send.set(hook);
        }
        if let Some(logger) = hooks.logger {
            let _ = self.logger.set(logger);
        }
    }
}

/// The transport of the engine: the host's.
pub(crate) struct ByHost(pub(crate) Arc<LateHooks>);

impl Transport for ByHost {
    fn send(&self, request: Request, done: Completion) {
        let Some(host) = self.0.transport.get() else {
            return done.finish(Sent::NotSent("the host has not set its transport".into()));
        };
        crate::hot::attach_thread();
        let Request { url, headers, body } = request;
        let headers = headers.into_iter().map(|(name, value)| TextPair { name, value }).collect();
        let call = Arc::new(HostCall(Mutex::new(Some(done))));
        if host.send(HostRequest { url, headers, body }, Arc::clone(&call)).is_err() {
            call.ambiguous("the host's transport has thrown".to_owned());
        }
    }
}

/// The hook of the engine: the host's.
pub(crate) fn before_send(hooks: &LateHooks, kind: Kind, row: &mut serde_json::Value) -> bool {
    let Some(host) = hooks.before_send.get() else { return fail() };
    crate::hot::attach_thread();
    match host.before_send(kind.as_str().to_owned(), row.to_string()) {
        Ok(None) => false,
        Ok(Some(changed)) => match serde_json::from_str(&changed) {
            Ok(changed @ serde_json::Value::Object(_)) => {
                *row = changed;
                true
            }
            _ => fail(),
        },
        Err(_) => fail(),
    }
}

/// Tells the engine that the hook is broken, in the way in which a Rust hook does. Not a panic: nothing is printed.
fn fail() -> bool {
    std::panic::resume_unwind(Box::new("the host's hook has failed"))
}

/// The logger of the engine: the host's.
pub(crate) struct ToHost(pub(crate) Arc<LateHooks>);

impl Logger for ToHost {
    fn log(&self, level: LogLevel, code: LogCode, text: &str) {
        let Some(host) = self.0.logger.get() else { return };
        crate::hot::attach_thread();
        if host.log(level.as_str().to_owned(), code.as_str().to_owned(), text.to_owned()).is_err() {
            fail();
        }
    }
}
