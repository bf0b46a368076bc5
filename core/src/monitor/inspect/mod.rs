//! What a debug screen of the app asks.

mod answer;
mod doctor;

use super::{Inner, Monitor, WaitError};
use crate::crash::TestCrash;
use crate::store::{self, Now, Store, StoreError};
use crate::writer::shared::Command;
use std::convert::Infallible;
use std::time::Duration;

impl Monitor {
    /// Answers a request of a debug screen: lists events, shows one, says what became of it, sends, marks a moment, lets requests
    /// fail. Request and answer are JSON objects, described in `docs/guide/inspect.md`. Waits for the writer, and for what it sends,
    /// at most `wait`; never call it on a main thread.
    ///
    /// What is wrong is in the answer: `{"error": "<sentence>"}`. Without [`crate::ConfigBuilder::inspector`] that is every answer.
    ///
    /// ```
    /// # use rez_monitor::{Config, Monitor, Level};
    /// # use std::time::Duration;
    /// # let folder = std::env::temp_dir().join(format!("rez-inspect-{}", std::process::id()));
    /// let monitor = Monitor::open(Config::builder(&folder, "shop", "shop@1").sessions(false).inspector(true).build()?)?;
    /// let answer = monitor.inspect(r#"{"ask": "list", "filter": {"state": "queued"}}"#, Duration::from_secs(5));
    /// assert_eq!(answer, r#"{"before":null,"events":[],"unreadable":0}"#);
    /// # monitor.close(Duration::from_secs(5));
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn inspect(&self, request: &str, wait: Duration) -> String {
        answer::answer(self, request, wait)
    }

    /// Ends the process by a crash, so that a developer sees what the next start makes of it. It is reported if
    /// [`crate::ConfigBuilder::native_crashes`] is on, and is then as any other crash of native code: it is sent to every destination.
    ///
    /// ```no_run
    /// # use rez_monitor::{Config, Monitor, TestCrash};
    /// let config = Config::builder("/data/app/queue", "shop", "shop@1").native_crashes(true).inspector(true).build()?;
    /// let monitor = Monitor::open(config)?;
    /// monitor.test_crash(TestCrash::Fault)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`InspectionOff`] without [`crate::ConfigBuilder::inspector`], so that a release build refuses it unless it sets `inspector` or test mode.
    pub fn test_crash(&self, kind: TestCrash) -> Result<Infallible, InspectionOff> {
        self.check_inspects()?;
        kind.end_the_process()
    }

    /// Whether a debug screen of the app may ask: what [`Monitor::inspect`] and [`Monitor::test_crash`] check first.
    ///
    /// # Errors
    /// [`InspectionOff`] without [`crate::ConfigBuilder::inspector`].
    pub fn check_inspects(&self) -> Result<(), InspectionOff> {
        if self.0.shared.config.inspects() { Ok(()) } else { Err(InspectionOff) }
    }
}

/// The engine was opened without the setting `inspector`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("inspection is off; set `inspector` to true when the engine is opened")]
pub struct InspectionOff;

/// Why there is no copy of the queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The writer did not do it.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// The copy cannot be written.
    #[error("the copy of the queue cannot be written beside it: {0}; free some space")]
    Write(String),
}

impl Monitor {
    /// Returns the queue as of now: the bytes of an SQLite file, for a ticket or for `rezq`. They contain personal data;
    /// `rezq export FILE` hides it. With the setting `inspector` it also has the events that were stored lately and are delivered. Waits at most `wait`; never call it on a main thread.
    ///
    /// The writer stores nothing meanwhile, and the file is copied beside the queue first: some milliseconds for a usual queue, and
    /// up to a second at the size cap on a slow disk. Events are recorded into the ring as always.
    ///
    /// ```
    /// # use rez_monitor::{Config, Monitor};
    /// # use std::time::Duration;
    /// # let folder = std::env::temp_dir().join(format!("rez-snapshot-{}", std::process::id()));
    /// let monitor = Monitor::open(Config::builder(&folder, "shop", "shop@1").sessions(false).build()?)?;
    /// assert!(monitor.snapshot(Duration::from_secs(5))?.starts_with(b"SQLite format 3"));
    /// # monitor.close(Duration::from_secs(5));
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The writer is busy or has no store, or there is no space for the copy.
    pub fn snapshot(&self, wait: Duration) -> Result<Vec<u8>, SnapshotError> {
        let shared = std::sync::Arc::clone(&self.0.shared);
        let copied = self.0.read_store(wait, move |store| match store.snapshot(&shared.recent.all()) {
            Err(error @ StoreError::Corrupt(_)) => Err(error),
            // A full disk is no fault of the queue.
            copied => Ok(copied.map_err(|error| error.to_string())),
        })?;
        copied.map_err(SnapshotError::Write)
    }
}

impl Inner {
    /// Reads the store on the writer's thread. A store that turns out to be damaged is repaired; ask again then.
    pub(crate) fn read_store<T: Send + 'static>(
        &self,
        wait: Duration,
        read: impl FnOnce(&Store) -> store::Result<T> + Send + 'static,
    ) -> Result<T, WaitError> {
        self.change_store(wait, |store, _| read(store))
    }

    /// Works on the store on the writer's thread; see [`Inner::read_store`].
    pub(super) fn change_store<T: Send + 'static>(
        &self,
        wait: Duration,
        work: impl FnOnce(&mut Store, Now) -> store::Result<T> + Send + 'static,
    ) -> Result<T, WaitError> {
        if self.is_forked() {
            return Err(WaitError::Closed);
        }
        let begun = std::time::Instant::now();
        match self.shared.run_within(Some(wait), move |store, now| (store.serial(), work(store, now))) {
            Some((_, Ok(answer))) => Ok(answer),
            Some((serial, Err(error))) => {
                // Nothing else may ever read the damaged page.
                self.shared.command(Command::Failed(error, serial));
                Err(WaitError::Unavailable)
            }
            None if self.shared.is_closing() => Err(WaitError::Closed),
            // The writer answered that it has no store: the engine is suspended, or the database cannot be used.
            None if begun.elapsed() < wait => Err(WaitError::Unavailable),
            None => Err(WaitError::Timeout(wait)),
        }
    }
}
