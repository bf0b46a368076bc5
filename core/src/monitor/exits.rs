//! How earlier runs ended: what the engine knows, and what the host reports.

use super::{Monitor, WaitError};
use crate::event::field::Field;
use crate::exit::{ExitReport, LastRun};
use std::time::Duration;

impl Monitor {
    /// How the run before this one ended, and its crash if it had one; `None` if there was none. Waits up to `wait` until the
    /// queue was read, which takes some milliseconds after `open`.
    ///
    /// The crash is that of any source: [`Monitor::fatal`], a signal ([`ConfigBuilder::native_crashes`](crate::ConfigBuilder::native_crashes)), or an
    /// exit that the system reports ([`Monitor::report_exits`]). Use it to say sorry, with the support code, or to start with less
    /// if the app crashed right after its start. Any thread may call it; it blocks for at most `wait`.
    ///
    /// # Errors
    /// [`WaitError`] if the queue was not read within `wait`, or cannot be used.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rez_monitor::{Config, Monitor};
    /// use std::time::Duration;
    ///
    /// let monitor = Monitor::open(Config::builder("/data/rez", "shop", "shop@2.4.1").build()?)?;
    /// if let Some(crash) = monitor.last_run(Duration::from_millis(500))?.and_then(|run| run.crash) {
    ///     let early = crash.since_start_ms.is_some_and(|ms| ms < 5_000);
    ///     println!("{} {} {early}", crash.kind, crash.support_code.unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_run(&self, wait: Duration) -> Result<Option<LastRun>, WaitError> {
        let known = || self.0.shared.last_run.get();
        if let Some(last_run) = known() {
            return Ok(last_run);
        }
        // The writer folds this run's first record before it answers.
        let waited = self.0.read_store(wait, |_| Ok(()));
        match (known(), waited) {
            (Some(last_run), _) => Ok(last_run),
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(WaitError::Unavailable),
        }
    }

    /// Records why earlier processes of the app ended, as the system remembers it: all of them in one call, oldest first. Call
    /// it once per start, with an empty list too: that says that the system knows of none.
    ///
    /// An exit belongs to the run with its process id. If that run has a crash event, the report is added to it, as long as no
    /// destination has it; later it is counted as `collapsed`. Else it becomes the one event of the run, a crash or an
    /// `app_exit`, with the user, the screen and the breadcrumbs of its end. An exit that was reported before is not recorded
    /// again. So report, then [`Monitor::persist`], then move your own cursor.
    ///
    /// Any thread may call it. It does not block.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rez_monitor::{Config, ExitReason, ExitReport, Monitor, UncleanExits};
    /// use std::time::Duration;
    ///
    /// let config = Config::builder("/data/rez", "shop", "shop@2.4.1").unclean_exits(UncleanExits::AwaitReport);
    /// let monitor = Monitor::open(config.build()?)?;
    /// monitor.report_exits(&[ExitReport::new(4711, 1_764_400_000_000, ExitReason::LowMemory)]);
    /// monitor.persist(Duration::from_secs(5))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn report_exits(&self, exits: &[ExitReport<'_>]) {
        let inner = &*self.0;
        if inner.refused_here().is_some() {
            return;
        }
        for exit in exits {
            match exit.event() {
                // A refusal is counted under its reason.
                Some(event) => _ = self.record(event),
                None => inner.append_scope(|encoder| {
                    encoder.field(Field::Change, "exit".into());
                    encoder.field(Field::Pid, i64::from(exit.pid).into());
                    encoder.field(Field::At, exit.at_ms.into());
                }),
            }
        }
        inner.append_scope(|encoder| encoder.field(Field::Change, "exits_reported".into()));
    }
}
