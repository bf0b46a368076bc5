//! Read-only access to a queue, for the inspector. It works while an app writes and changes nothing.

pub use crate::phrases::{number, time};
pub use crate::sentences::{refused, waiting};
pub use crate::store::{
    Balance, Fate, Filter, KindBalance, Listed, Overview, Reader, RouteBalance, RouteFate, RouteView, RowState,
    StoreError,
};
