//! The read-only face of a queue, for the inspector: works while an app writes, changes nothing.

pub use crate::store::{
    Balance, Fate, Filter, KindBalance, Listed, Overview, Reader, RouteBalance, RouteFate, RouteView, RowState,
    StoreError,
};
