//! How the run before this one ended, for the threads of the app that ask.

use crate::exit::LastRun;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How the run before this one ended, once the writer knows it.
#[derive(Default)]
pub(crate) struct KnownLastRun {
    last_run: Mutex<Option<Option<LastRun>>>,
    known: Condvar,
}

impl KnownLastRun {
    /// Waits until it is known. `None` after a longer wait; `Some(None)`: there was no run before.
    pub(crate) fn get_within(&self, wait: Duration) -> Option<Option<LastRun>> {
        let last_run = self.last_run.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.known.wait_timeout_while(last_run, wait, |last_run| last_run.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    pub(super) fn is_known(&self) -> bool {
        self.last_run.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn set(&self, last_run: Option<LastRun>) {
        *self.last_run.lock().unwrap_or_else(PoisonError::into_inner) = Some(last_run);
        self.known.notify_all();
    }
}
