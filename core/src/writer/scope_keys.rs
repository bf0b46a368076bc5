//! The parts of the folded scope by their key in table `scope`, and which of them say something about the user.

use crate::kind::Purpose;
use crate::store::Wipe;

pub(super) const KEY: &str = "key";
/// The last known conditions of the device.
pub(super) const CONDITIONS: &str = "conditions";
/// Those of the run before, for the rows of app exits.
pub(super) const PREVIOUS_CONDITIONS: &str = "previous_conditions";
pub(super) const SESSION: &str = "session";
/// The release in which the run began.
pub(super) const RELEASE: &str = "release";
/// Whether the app is in the foreground, and since when.
pub(super) const FOREGROUND: &str = "foreground";
/// `close` was called.
pub(super) const CLOSED: &str = "closed";
/// The crash of this run.
pub(super) const CRASHED: &str = "crashed";
/// The view that is shown, as it began.
pub(super) const VIEW: &str = "view";
/// The runs before this one, oldest first: a JSON array.
pub(super) const ENDED: &str = "ended_runs";
/// The state at the end of those about whose end nothing was recorded yet: a JSON array.
pub(super) const UNCLEAN: &str = "unclean_runs";
/// The exits that the host has reported, latest last: process, time and a hash of its words.
pub(super) const REPORTED: &str = "reported_exits";
/// The sessions of earlier runs that have no end yet, oldest first: a JSON array.
pub(super) const PREVIOUS: &str = "previous_session";
/// The names of the paused destinations, as a JSON array.
pub(super) const PAUSED: &str = "paused";
/// The super properties, as a JSON array.
pub(super) const SUPER: &str = "super";
/// The windows of alerts that are open, as a JSON array.
pub(super) const ALERTS: &str = "alerts";
/// The feature flags, as a JSON array.
pub(super) const FLAGS: &str = "flags";

/// Whether a part of the scope says nothing about the user. These parts survive a wipe, since records in the ring still
/// need them.
pub(super) fn is_impersonal(key: &str) -> bool {
    Wipe::KEPT_SCOPE.contains(&key)
}

/// Whether a part of the scope exists for monitoring alone.
pub(super) fn is_of_monitoring(key: &str) -> bool {
    Wipe::MONITORING_SCOPE.contains(&key)
}

/// Whether a part of the scope is not written to the database while these purposes are denied.
pub(super) fn is_withheld(key: &str, denied: u8) -> bool {
    let everything = denied & Purpose::ALL_BITS == Purpose::ALL_BITS;
    (everything && !is_impersonal(key))
        || (key == SUPER && denied & Purpose::Analytics.bit() != 0)
        || (is_of_monitoring(key) && denied & Purpose::Monitoring.bit() != 0)
}
