//! Access to a queue for people: for the inspector's program, which reads the file while an app writes it, and for the debug
//! screen of an app, which asks the engine through [`crate::Monitor::inspect`].

mod recent;

pub(crate) use recent::Recent;

pub use crate::phrases::{number, time};
pub use crate::sentences::{refused, title, waiting};
pub use crate::store::{
    Balance, Fate, Filter, KindBalance, Listed, Overview, Reader, RouteBalance, RouteFate, RouteView, RowState,
    StoreError,
};
