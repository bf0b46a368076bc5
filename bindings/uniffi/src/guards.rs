//! Screen loads, HTTP calls and spans in progress. Dropping one without an end cancels it.

use crate::attributes::{Arena, AttrValue, TextPair};
use crate::engines;
use crate::events::{Outcome, SpanStatus, TraceContext};
use rez_monitor::Monitor;
use std::sync::{Arc, Mutex, PoisonError};

/// A guard of the core, until it ends.
struct Guard<T>(Mutex<Option<T>>);

impl<T> Guard<T> {
    fn new(guard: T) -> Guard<T> {
        Guard(Mutex::new(Some(guard)))
    }

    fn with<R>(&self, or: R, call: impl FnOnce(&mut T) -> R) -> R {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.as_mut() {
            Some(guard) => engines::guarded(or, || call(guard)),
            None => or,
        }
    }

    /// Ends it; a second end is the answer of a closed engine.
    fn end(&self, call: impl FnOnce(T) -> rez_monitor::Outcome) -> Outcome {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match guard {
            Some(guard) => engines::guarded(Outcome::closed(), || call(guard).into()),
            None => Outcome::closed(),
        }
    }

    fn cancel(&self) {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        engines::guarded((), || drop(guard));
    }
}

impl<T> Drop for Guard<T> {
    /// Cancels it. The languages call this from their destructors, out of which no panic may come.
    fn drop(&mut self) {
        self.cancel();
    }
}

fn begin<T>(handle: u64, begin: impl FnOnce(&Monitor) -> T) -> Option<T> {
    engines::with(handle, None, |monitor| Some(begin(monitor)))
}

/// A screen load in progress.
#[derive(uniffi::Object)]
pub struct ScreenLoad(Guard<rez_monitor::ScreenLoad>);

/// Begins a screen load: the screen of later events. `None` if the engine is closed.
#[uniffi::export]
#[must_use]
pub fn screen(handle: u64, name: String) -> Option<Arc<ScreenLoad>> {
    begin(handle, |monitor| Arc::new(ScreenLoad(Guard::new(monitor.screen(&name)))))
}

#[uniffi::export]
impl ScreenLoad {
    /// The first frame was shown.
    pub fn initial_display(&self) {
        self.0.with((), |screen| screen.initial_display());
    }

    /// Everything was shown.
    pub fn full_display(&self) {
        self.0.with((), |screen| screen.full_display());
    }

    /// Its span; `None` after its end.
    pub fn context(&self) -> Option<TraceContext> {
        self.0.with(None, |screen| Some(screen.context().into()))
    }

    /// Ends and records it.
    pub fn finish(&self) -> Outcome {
        self.0.end(rez_monitor::ScreenLoad::finish)
    }

    /// Ends it without a record.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// An HTTP call in progress.
#[derive(uniffi::Object)]
pub struct ApiCall(Guard<rez_monitor::ApiCall>);

/// Begins an HTTP call, inside `parent` or else inside the screen that is loading. `None` if the engine is closed.
#[uniffi::export]
#[must_use]
pub fn api_call(handle: u64, method: String, url: String, parent: Option<TraceContext>) -> Option<Arc<ApiCall>> {
    let parent = crate::events::trace(&parent);
    begin(handle, |monitor| {
        let call = match &parent {
            Some(parent) => monitor.api_call_in(parent, &method, &url),
            None => monitor.api_call(&method, &url),
        };
        Arc::new(ApiCall(Guard::new(call)))
    })
}

#[uniffi::export]
impl ApiCall {
    /// Its span; `None` after its end.
    pub fn context(&self) -> Option<TraceContext> {
        self.0.with(None, |call| Some(call.context().into()))
    }

    /// The trace headers to send, if the host is an allowed target.
    pub fn headers(&self) -> Vec<TextPair> {
        self.0.with(Vec::new(), |call| {
            let mut headers = Vec::new();
            call.headers(|name, value| headers.push(TextPair { name: name.to_owned(), value: value.to_owned() }));
            headers
        })
    }

    /// Sets the bytes of the request.
    pub fn request_bytes(&self, bytes: u64) {
        self.0.with((), |call| call.request_bytes(bytes));
    }

    /// Ends and records it: a response came, with this many bytes.
    pub fn finish(&self, status: u16, bytes: u64) -> Outcome {
        self.0.end(|call| call.finish(status, bytes))
    }

    /// Ends and records it: no response came.
    pub fn fail(&self, error: String) -> Outcome {
        self.0.end(|call| call.fail(&error))
    }

    /// Ends it without a record.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// A span of the app in progress.
#[derive(uniffi::Object)]
pub struct Span(Guard<rez_monitor::Span>);

/// Begins a span, inside `parent` or as the root of a trace. `None` if the engine is closed.
#[uniffi::export]
#[must_use]
pub fn span(handle: u64, name: String, op: String, parent: Option<TraceContext>) -> Option<Arc<Span>> {
    let parent = crate::events::trace(&parent);
    begin(handle, |monitor| {
        let span = match &parent {
            Some(parent) => monitor.span_in(parent, &name, &op),
            None => monitor.span(&name, &op),
        };
        Arc::new(Span(Guard::new(span)))
    })
}

#[uniffi::export]
impl Span {
    /// Begins a span inside this one; `None` after its end.
    pub fn child(&self, name: String, op: String) -> Option<Arc<Span>> {
        self.0.with(None, |span| Some(Arc::new(Span(Guard::new(span.child(&name, &op))))))
    }

    /// Its ids; `None` after its end.
    pub fn context(&self) -> Option<TraceContext> {
        self.0.with(None, |span| Some(span.context().into()))
    }

    /// Sets an attribute.
    pub fn attr(&self, name: String, value: AttrValue) {
        self.0.with((), |span| span.attr(&name, Arena::default().value(&value)));
    }

    /// Sets how it ended. Default: ok.
    pub fn status(&self, status: SpanStatus) {
        self.0.with((), |span| span.status(status.into()));
    }

    /// Ends and records it.
    pub fn finish(&self) -> Outcome {
        self.0.end(rez_monitor::Span::finish)
    }

    /// Ends it; it is recorded as cancelled.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}
