//! A running app in this process.

use super::{Inspect, SourceError};
use rez_monitor::Monitor;
use std::time::Duration;

/// The engine of this process, asked through [`Monitor::inspect`].
#[derive(Clone, Debug)]
pub struct App {
    monitor: Monitor,
    wait: Duration,
}

impl App {
    /// Each answer takes at most `wait`.
    #[must_use]
    pub fn new(monitor: Monitor, wait: Duration) -> App {
        App { monitor, wait }
    }
}

impl Inspect for App {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        Ok(self.monitor.inspect(request, self.wait))
    }

    fn snapshot(&self) -> Result<Vec<u8>, SourceError> {
        self.monitor.snapshot(self.wait).map_err(|error| SourceError::Refused(error.to_string()))
    }
}
