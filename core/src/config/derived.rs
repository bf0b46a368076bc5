//! What follows from the values of a configuration.

use super::Config;
use crate::delivery::Pace;

impl Config {
    /// Whether a debug screen may read the queue.
    pub(crate) fn inspects(&self) -> bool {
        self.inspector.unwrap_or(self.debug || self.is_test())
    }

    /// Whether the engine is in test mode.
    pub(crate) fn is_test(&self) -> bool {
        self.pace == Pace::Test
    }

    /// Whether a request to `url` carries trace headers.
    pub(crate) fn may_carry_headers(&self, url: &str) -> bool {
        !self.trace_styles.is_empty() && self.targets.allows(url)
    }
}
