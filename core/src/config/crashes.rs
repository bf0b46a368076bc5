//! Crashes of native code.

use super::ConfigBuilder;

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
}
