//! HTTP calls that the engine times, and the trace headers they carry.

use super::session::Current;
use super::timing::{Own, since};
use super::{Inner, Monitor, Outcome};
use crate::event::Timing;
use crate::trace::TraceContext;
use std::sync::Arc;

impl Monitor {
    /// Starts an HTTP call. [`ApiCall::headers`] returns the trace headers to send; [`ApiCall::finish`] or [`ApiCall::fail`]
    /// ends the call. A dropped call is not recorded. During a screen load it is a child of that screen. Allocates once.
    pub fn api_call(&self, method: &str, url: &str) -> ApiCall {
        self.call(self.0.child_trace(), method, url)
    }

    /// Starts an HTTP call inside a span, a screen load or the trace of a server, whatever screen is loading.
    ///
    /// ```no_run
    /// # fn example(monitor: &rez_monitor::Monitor) {
    /// let checkout = monitor.span("checkout", "task");
    /// let call = monitor.api_call_in(&checkout.context(), "POST", "https://api.rezapp.com/orders");
    /// let mut headers = Vec::new();
    /// call.headers(|name, value| headers.push((name.to_owned(), value.to_owned())));
    /// let _ = call.finish(201, 512);
    /// let _ = checkout.finish();
    /// # }
    /// ```
    pub fn api_call_in(&self, parent: &TraceContext, method: &str, url: &str) -> ApiCall {
        self.call(parent.child(&self.0.ids), method, url)
    }

    fn call(&self, trace: TraceContext, method: &str, url: &str) -> ApiCall {
        let shared = &self.0.shared;
        ApiCall {
            monitor: self.clone(),
            method: method.to_owned(),
            url: url.to_owned(),
            trace,
            allowed: self.0.may_carry_headers(url),
            session: self.0.current_session(),
            start_us: shared.clock.mono_us(),
            start_ms: shared.clock.wall_ms(),
            sent: 0,
        }
    }

    /// Calls `out` with the name and value of each trace header of a request to `url`, if its host is an allowed target. For
    /// callers that measure on their own and record the call with [`Timing::trace`] when it ends. `trace` is the span of the
    /// call.
    ///
    /// Each style says what its own destination has decided about the trace: the flag of `sentry-trace` is that of Sentry,
    /// the priority that of Datadog, the flag of `traceparent` is set if any destination keeps the trace. An app that sends
    /// its own `baggage` must join the two values with a comma. Costs less than a microsecond; no allocation.
    pub fn trace_headers(&self, trace: &TraceContext, url: &str, mut out: impl FnMut(&str, &str)) {
        if self.0.may_carry_headers(url) {
            let session = self.0.current_session();
            self.0.headers(trace, session.map(|session| session.share), &mut out);
        }
    }
}

impl Inner {
    /// Whether a request to `url` carries trace headers.
    pub(super) fn may_carry_headers(&self, url: &str) -> bool {
        self.shared.config.may_carry_headers(url)
    }
}

/// An HTTP call in progress.
#[derive(Debug)]
#[must_use = "a dropped call is not recorded"]
pub struct ApiCall {
    monitor: Monitor,
    method: String,
    url: String,
    trace: TraceContext,
    /// Its host may get the headers.
    allowed: bool,
    /// The session in which it started, which its row belongs to.
    session: Option<Arc<Current>>,
    start_us: i64,
    start_ms: i64,
    sent: u64,
}

impl ApiCall {
    /// The span of the call.
    #[must_use]
    pub fn context(&self) -> TraceContext {
        self.trace
    }

    /// Calls `out` with the name and value of each trace header, if the host is an allowed target; see
    /// [`Monitor::trace_headers`].
    pub fn headers(&self, mut out: impl FnMut(&str, &str)) {
        if self.allowed {
            let session = self.session.as_ref().map(|session| session.share);
            self.monitor.0.headers(&self.trace, session, &mut out);
        }
    }

    /// Sets the size of the request body in bytes.
    pub fn request_bytes(&mut self, bytes: u64) {
        self.sent = bytes;
    }

    /// Ends the call with a response of this status and size in bytes.
    pub fn finish(self, status: u16, bytes: u64) -> Outcome {
        self.end(|timing| timing.status(status).bytes(self.sent, bytes))
    }

    /// Ends the call without a response.
    pub fn fail(self, error: &str) -> Outcome {
        self.end(|timing| timing.error(error))
    }

    fn end<'a>(&'a self, add: impl FnOnce(Timing<'a>) -> Timing<'a>) -> Outcome {
        let inner = &self.monitor.0;
        let now = inner.shared.clock.now();
        let elapsed = since(self.start_us, now.1);
        let timing = add(Timing::api_call(&self.method, &self.url, elapsed).started_at(self.start_ms).at(now.0));
        let session = inner.session_of(self.session.as_ref());
        let own = Own { trace: Some(&self.trace), propagated: self.allowed, session, ..Own::default() };
        inner.timing(&timing, now, Some(&own))
    }
}
