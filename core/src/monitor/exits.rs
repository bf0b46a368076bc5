//! How earlier runs ended: what the engine knows, and what the host reports.

use super::{Monitor, WaitError};
use crate::event::field::Field;
use crate::exit::{ExitReport, LastRun};
use crate::reason::Reason;
use crate::writer::session_record::append;
use std::time::Duration;

impl Monitor {
    /// How the run before this one ended, and its crash if it had one; `None` if there was none. Waits up to `wait` until the
    /// queue was read, which takes some milliseconds after `open`.
    ///
    /// The crash is that of any source: [`Monitor::fatal`], a signal ([`ConfigBuilder::native_crashes`](crate::ConfigBuilder::native_crashes)), or an
    /// exit that the system reports ([`Monitor::report_exits`]). Use it to say sorry, with the support code, or to start with less
    /// if the app crashed right after its start. A crash that only the system knows is there once it was reported. Any thread may call
    /// it; it blocks for at most `wait`.
    ///
    /// # Errors
    /// [`WaitError::Timeout`] if the queue was not read within `wait`: it cannot be used, or the engine is suspended.
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
        self.0.shared.last_run.get_within(wait).ok_or(WaitError::Timeout(wait))
    }

    /// Records why earlier processes of the app ended, as the system remembers it: all of them in one call, oldest first. Call
    /// it once per start, with an empty list too: that says that the system knows of none.
    ///
    /// An exit belongs to the run with its process id, or, where that is not known, to the run of its time. If that run has a crash
    /// event, the report is added to it, as long as no destination has it, and counted as `collapsed`. Else it becomes the one event
    /// of the run, a crash or an `app_exit`, with the user, the screen and the breadcrumbs of its end. An exit that was
    /// reported before is not recorded again; one of no run of the last 16 is counted as `malformed`.
    ///
    /// Returns whether all of them are in the ring. So report, and if that is true, [`Monitor::persist`], then move your own cursor.
    /// Set [`UncleanExits::AwaitReport`](crate::UncleanExits::AwaitReport): otherwise an end in the foreground is recorded before the report comes.
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
    /// if monitor.report_exits(&[ExitReport::new(4711, 1_764_400_000_000, ExitReason::LowMemory)]) {
    ///     monitor.persist(Duration::from_secs(5))?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "a report that had no room must come again"]
    pub fn report_exits(&self, exits: &[ExitReport<'_>]) -> bool {
        let inner = &*self.0;
        if inner.refused_here().is_some() {
            return false;
        }
        for exit in exits {
            match exit.event() {
                Some(event) => match append(&inner.shared, &event) {
                    Ok(()) | Err(Reason::Consent) => {}
                    Err(_) => return false,
                },
                None => inner.append_scope(|encoder| {
                    encoder.field(Field::Change, "exit".into());
                    encoder.field(Field::Pid, i64::from(exit.pid).into());
                    encoder.field(Field::ExitMs, exit.at_ms.into());
                }),
            }
        }
        inner.append_scope(|encoder| encoder.field(Field::Change, "exits_reported".into()));
        true
    }
}
