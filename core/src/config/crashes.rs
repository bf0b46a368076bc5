//! Crashes of native code, and runs that ended badly without one.

use super::ConfigBuilder;
use crate::exit::UncleanExits;

impl ConfigBuilder {
    /// Sets whether crashes of native code are captured (default false): the signals `SIGSEGV`, `SIGABRT`, `SIGBUS`, `SIGILL`, `SIGFPE` and
    /// `SIGTRAP`, on Linux and Android. The next start stores one event of the kind crash, with the breadcrumbs, the user and
    /// the session of the run that ended. Elsewhere it has no effect.
    ///
    /// Handlers that are there are called as before, and the process ends with the status that it has without us. To see the crashes
    /// of a library of your own by name, upload its file with debug information to your server: the event has its build id.
    ///
    /// ```
    /// use rez_monitor::Config;
    ///
    /// let config = Config::builder("/data/app/queue", "shop", "shop@1.4.0+77").native_crashes(true).build()?;
    /// # Ok::<(), rez_monitor::ConfigError>(())
    /// ```
    pub fn native_crashes(mut self, on: bool) -> Self {
        self.config.native_crashes = on;
        self
    }

    /// Sets what the next start records of a run that ended without a crash and without [`close`](crate::Monitor::close). Default:
    /// [`UncleanExits::Recorded`].
    ///
    /// The engine can tell such a run apart only if the app says when it comes to the foreground, see
    /// [`ScopeChange::Foreground`](crate::ScopeChange::Foreground). In the background it is usual: its session ends as `exited`. In the
    /// foreground, in the same boot and the same release, it becomes an `app_exit` with the cause `abnormal`, and its session
    /// ends as `abnormal`. On systems that do not tell why (Apple's), that is how an app that ran out of memory is noticed. A user
    /// who ends the app from the list of recent apps while it is shown looks the same.
    pub fn unclean_exits(mut self, unclean_exits: UncleanExits) -> Self {
        self.config.unclean_exits = unclean_exits;
        self
    }
}
