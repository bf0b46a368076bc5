//! The class `RezMonitor`. `react-native/src/specs/NativeRezMonitor.ts` says what each method does.

use crate::arguments::Argument;
use crate::calls;
use crate::engine::{Engine, FAILED, closed, guarded};
use crate::wait::Wait;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use rez_monitor::{Monitor, ScopeChange};
use std::time::Duration;

type Text = Argument<String>;

/// An object that opens an engine, or joins the one of its folder.
#[napi]
#[derive(Default)]
pub struct RezMonitor {
    engine: Engine,
}

/// An empty text, or what is wrong.
fn sentence(call: impl FnOnce() -> Result<(), String>) -> String {
    guarded(Err(FAILED.to_owned()), call).err().unwrap_or_default()
}

#[napi]
impl RezMonitor {
    /// An object without an engine.
    #[napi(constructor)]
    pub fn new() -> RezMonitor {
        RezMonitor::default()
    }

    /// Opens the engine. `settings` needs `folder`: a process of Node.js has no folder of its own.
    #[napi]
    pub fn open(&self, settings: Text, facts: Text) -> String {
        calls::opened(guarded(Err(FAILED.to_owned()), || {
            self.engine.open(&settings.named("settings")?, &facts.named("facts")?)
        }))
    }

    /// Records a batch.
    #[napi]
    pub fn record_batch(&self, json: Text) -> bool {
        json.get().is_some_and(|json| self.engine.with(false, |monitor| monitor.record_batch(&json)))
    }

    /// Records a batch whose last event ends the process.
    #[napi]
    pub fn record_fatal(&self, json: Text) -> bool {
        json.get().is_some_and(|json| calls::record_fatal(&self.engine, &json))
    }

    /// Stores the user's decision about a purpose.
    #[napi]
    pub fn set_consent(&self, purpose: Text, consent: Text) -> bool {
        let (Some(purpose), Some(consent)) = (purpose.get(), consent.get()) else { return false };
        calls::set_consent(&self.engine, &purpose, &consent)
    }

    /// Erases everything recorded so far.
    #[napi]
    pub fn forget_user(&self) -> bool {
        calls::done(&self.engine, Monitor::forget_user)
    }

    /// The app came to the foreground, or left it.
    #[napi]
    pub fn set_foreground(&self, foreground: Argument<bool>) -> bool {
        foreground.get().is_some_and(|foreground| calls::scope(&self.engine, ScopeChange::Foreground(foreground)))
    }

    /// Ends the session and starts a new one.
    #[napi]
    pub fn new_session(&self) -> bool {
        calls::scope(&self.engine, ScopeChange::NewSession)
    }

    /// Replaces the facts.
    #[napi]
    pub fn set_facts(&self, json: Text) -> String {
        sentence(|| calls::set_facts(&self.engine, &json.named("json")?))
    }

    /// Replaces the last known conditions.
    #[napi]
    pub fn set_conditions(&self, json: Text) -> String {
        sentence(|| calls::set_conditions(&self.engine, &json.named("json")?))
    }

    /// Sets the release of later events.
    #[napi]
    pub fn set_release(&self, release: Text, dist: Text) -> String {
        sentence(|| calls::set_release(&self.engine, &release.named("release")?, &dist.named("dist")?))
    }

    /// Adds destinations, or replaces those of their names.
    #[napi]
    pub fn add_destinations(&self, settings: Text, from: Text) -> String {
        sentence(|| calls::add_destinations(&self.engine, &settings.named("settings")?, &from.named("from")?))
    }

    /// Removes a destination.
    #[napi]
    pub fn remove_destination(&self, name: Text) -> String {
        sentence(|| calls::remove_destination(&self.engine, &name.named("name")?))
    }

    /// Pauses a destination.
    #[napi]
    pub fn pause_destination(&self, name: Text) -> String {
        sentence(|| calls::pause_destination(&self.engine, &name.named("name")?))
    }

    /// Ends the pause of a destination.
    #[napi]
    pub fn resume_destination(&self, name: Text) -> String {
        sentence(|| calls::resume_destination(&self.engine, &name.named("name")?))
    }

    /// The trace headers of a request.
    #[napi]
    pub fn trace_headers(&self, trace: Text, url: Text) -> String {
        let (Some(trace), Some(url)) = (trace.get(), url.get()) else { return "{}".to_owned() };
        calls::trace_headers(&self.engine, &trace, &url)
    }

    /// The state of the engine.
    #[napi]
    pub fn status(&self) -> String {
        calls::status(&self.engine)
    }

    /// The durations of this run.
    #[napi]
    pub fn metrics(&self) -> String {
        calls::metrics(&self.engine)
    }

    /// Clears them.
    #[napi]
    pub fn clear_metrics(&self) -> bool {
        calls::done(&self.engine, Monitor::clear_metrics)
    }

    /// What the engine has to say since the last call.
    #[napi]
    pub fn take_log(&self) -> String {
        calls::take_log(&self.engine)
    }

    /// Waits until everything recorded so far is on the disk.
    #[napi]
    pub fn persist(&self, wait_ms: Argument<f64>) -> AsyncTask<Wait> {
        self.wait(wait_ms, str::to_owned, calls::persist)
    }

    /// Sends what it can.
    #[napi]
    pub fn flush(&self, wait_ms: Argument<f64>) -> AsyncTask<Wait> {
        self.wait(wait_ms, calls::failed, calls::flush)
    }

    /// What became of an event.
    #[napi]
    pub fn why(&self, id: Text, wait_ms: Argument<f64>) -> AsyncTask<Wait> {
        self.wait(wait_ms, calls::failed, |monitor, wait| calls::why(monitor, &id.named("id")?, wait))
    }

    /// Answers a request of a debug screen.
    #[napi]
    pub fn inspect(&self, request: Text, wait_ms: Argument<f64>) -> AsyncTask<Wait> {
        self.wait(wait_ms, calls::failed, |monitor, wait| Ok(monitor.inspect(&request.named("request")?, wait)))
    }

    /// How the run before this one ended.
    #[napi]
    pub fn last_run(&self, wait_ms: Argument<f64>) -> AsyncTask<Wait> {
        self.wait(wait_ms, calls::failed, calls::last_run)
    }

    /// Ends the process by a crash of native code.
    #[napi]
    pub fn test_crash(&self, kind: Text) -> String {
        sentence(|| calls::test_crash(&self.engine, &kind.named("kind")?))
    }

    /// Ends the session, sends what it can, and closes. Later calls find no engine, also while this one waits.
    #[napi]
    pub fn close(&self, wait_ms: Argument<f64>) -> AsyncTask<Wait> {
        let monitor = guarded(None, || self.engine.take());
        let wait = wait_ms.wait("waitMs").unwrap_or_default();
        Wait::promise(
            |_| String::new(),
            move || {
                if let Some(monitor) = monitor {
                    monitor.close(wait);
                }
                Ok(String::new())
            },
        )
    }
}

impl RezMonitor {
    fn wait(
        &self,
        wait_ms: Argument<f64>,
        wrong: fn(&str) -> String,
        call: impl FnOnce(&Monitor, Duration) -> Result<String, String> + Send + 'static,
    ) -> AsyncTask<Wait> {
        let monitor = self.engine.monitor();
        let wait = wait_ms.wait("waitMs");
        Wait::promise(wrong, move || call(&monitor.ok_or_else(closed)?, wait?))
    }
}
