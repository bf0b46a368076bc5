//! Read-only access to a queue, for the inspector. It works while an app writes and changes nothing.

pub use crate::store::{
    Balance, Fate, Filter, KindBalance, Listed, Overview, Reader, RouteBalance, RouteFate, RouteView, RowState,
    StoreError,
};

/// The sentence that [`crate::Monitor::status`] shows for the stored reason of a wait, for example for `retry_after`. `None`
/// if this version does not know the reason.
#[must_use]
pub fn wait_text(reason: &str) -> Option<&'static str> {
    crate::delivery::wait_text(reason)
}
