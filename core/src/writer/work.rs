//! Work with the store for other threads.

use super::shared::{Command, Shared, Work};
use crate::channel::channel;
use crate::store::{Now, Store};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

impl Shared {
    /// Does work with the store on the writer thread; `None` if the store is not open or the wait times out.
    pub(crate) fn run_within<R: Send + 'static>(
        &self,
        wait: Option<Duration>,
        work: impl FnOnce(&mut Store, Now) -> R + Send + 'static,
    ) -> Option<R> {
        let result = Arc::new(Mutex::new(None));
        let place = Arc::clone(&result);
        self.work_within(
            wait,
            Box::new(move |store, now| {
                let result = store.map(|store| work(store, now));
                *place.lock().unwrap_or_else(PoisonError::into_inner) = result;
            }),
        );
        result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until the writer has done this work. Apart from [`Shared::run_within`], whose code exists once per type of result.
    fn work_within(&self, wait: Option<Duration>, work: Work) {
        let (done, ended) = channel();
        let work = move |store: Option<&mut Store>, now: Now| {
            work(store, now);
            // The caller may have stopped waiting.
            let _ = done.send(());
        };
        if self.command(Command::Work(Box::new(work))) {
            // Without an answer there is no result.
            let _ = match wait {
                Some(wait) => ended.recv_timeout(wait).ok(),
                None => ended.recv(),
            };
        }
    }
}
