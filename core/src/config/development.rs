//! Values for developers and testers of an app.

use super::ConfigBuilder;
use crate::logger::Logger;
use crate::sys::Clock;
#[cfg(feature = "bench-access")]
use crate::sys::ids::Ids;
use std::sync::Arc;

impl ConfigBuilder {
    /// Sets who receives what the engine has to tell a developer: see [`Logger`]. Default: nobody, and no cost.
    ///
    /// It is used only while [`ConfigBuilder::debug`] is true, so that a release build stays silent. [`crate::StderrLogger`]
    /// writes to the standard error stream.
    pub fn logger(mut self, logger: impl Logger) -> Self {
        self.config.logger = Some(Arc::new(logger));
        self
    }

    /// Sets the clock (default: the system's).
    pub fn clock(mut self, clock: Clock) -> Self {
        self.config.clock = clock;
        self
    }

    /// Sets whether the logger is used. Default: whether this library was compiled with debug assertions, which follows the
    /// app's profile in a Rust program. A binding ships one library for both, so it passes what its platform knows
    /// (`BuildConfig.DEBUG`, `#if DEBUG`, `__DEV__`). Pass `true` to log in a release build;
    /// with it [`ConfigBuilder::inspector`] is on too, unless that is `false`.
    pub fn debug(mut self, debug: bool) -> Self {
        self.config.debug = debug;
        self
    }

    /// Sets whether a debug screen of the app may read the queue and let requests fail, see [`crate::Monitor::inspect`]. Default: the
    /// value of [`ConfigBuilder::debug`], and true in [test mode](ConfigBuilder::test_mode). While it is on, the last 1,000 events that were stored (at most 1 MiB) stay in memory.
    pub fn inspector(mut self, inspector: bool) -> Self {
        self.config.inspector = Some(inspector);
        self
    }

    /// Uses predictable ids, for contract vectors: ids of events, traces and batches are derived from this key, ids of
    /// installation, run and session count up. Not part of the API, never in a release.
    #[cfg(feature = "bench-access")]
    #[doc(hidden)]
    pub fn counted_ids(mut self, key: [u8; 16]) -> Self {
        self.config.ids = Ids::counted(key);
        self
    }
}
