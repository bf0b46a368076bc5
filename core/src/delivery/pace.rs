//! How soon the engine acts by itself: as its limits say, or at once, for tests.

use crate::limits;
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Batches and waits that spare the battery and the servers.
    #[default]
    Usual,
    /// Test mode: an event is sent at once, and no wait of our own choice is longer than [`limits::TEST_WAIT`].
    Test,
}

impl Pace {
    /// A wait of our own choice.
    pub(crate) fn wait(self, usual: Duration) -> Duration {
        match self {
            Pace::Usual => usual,
            Pace::Test => usual.min(limits::TEST_WAIT),
        }
    }

    /// Whether events wait for others, so that one transaction or one request has many.
    pub(crate) fn batches(self) -> bool {
        self == Pace::Usual
    }
}
