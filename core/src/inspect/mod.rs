//! Access to a queue for people: for the inspector's program, which reads the file while an app writes it, and for the debug
//! screen of an app, which asks the engine through [`crate::Monitor::inspect`].

mod answer;
mod list;
mod recent;
mod request;

pub(crate) use answer::answer;
pub(crate) use recent::Recent;

pub use crate::phrases::{number, time};
pub use crate::sentences::{refused, title, waiting};
pub use crate::store::{
    Balance, Fate, Filter, KindBalance, Listed, Overview, Reader, RouteBalance, RouteFate, RouteView, RowState,
    StoreError,
};

/// The logger of a mark: the log entry with which a tester names a moment.
pub(crate) const MARK_LOGGER: &str = "rez.mark";
