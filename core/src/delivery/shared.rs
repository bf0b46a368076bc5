//! What the delivery thread publishes for other threads.

use super::{DestinationNote, RouteStatus, request};
use crate::destination::{Destination, Note, Want};
use crate::phrases::HeldCode;
use crate::row::{Row, Run};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Read and written by the delivery thread and by callers of the handle.
#[derive(Default)]
pub(crate) struct Shared {
    /// New rows per lane that the delivery thread has not read yet.
    rows: [AtomicU64; 4],
    /// A wake-up message is in the channel.
    woken: AtomicBool,
    routes: Mutex<Vec<RouteStatus>>,
    destinations: RwLock<BTreeMap<String, Arc<dyn Destination>>>,
}

impl Shared {
    /// Adds new rows per lane. `true` if the delivery thread must be woken.
    pub(super) fn add_rows(&self, new_rows: [u64; 4]) -> bool {
        for (rows, new) in self.rows.iter().zip(new_rows) {
            rows.fetch_add(new, Ordering::SeqCst);
        }
        !self.woken.swap(true, Ordering::SeqCst)
    }

    /// Takes the new rows per lane; the next [`Shared::add_rows`] wakes again.
    pub(super) fn take_rows(&self) -> [u64; 4] {
        self.woken.store(false, Ordering::SeqCst);
        self.rows.each_ref().map(|rows| rows.swap(0, Ordering::SeqCst))
    }

    pub(super) fn publish(&self, routes: Vec<RouteStatus>) {
        *self.routes.lock().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    /// Adds, replaces or (with `None`) removes a destination.
    pub(super) fn set_destination(&self, name: &str, destination: Option<Arc<dyn Destination>>) {
        let mut known = self.destinations.write().unwrap_or_else(PoisonError::into_inner);
        match destination {
            Some(destination) => known.insert(name.to_owned(), destination),
            None => known.remove(name),
        };
    }

    pub(super) fn snapshot(&self) -> Vec<RouteStatus> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What routes want and which are idle, for the writer's maintenance of the store. Does not wait for the delivery
/// thread.
#[derive(Clone)]
pub(crate) struct Directory(Arc<Shared>);

impl Directory {
    pub(super) fn new(shared: &Arc<Shared>) -> Directory {
        Directory(Arc::clone(shared))
    }

    /// Whether `<destination>/<route>` takes this row, now or later. `true` for an unknown route.
    pub(crate) fn wants(&self, route: &str, row: &Row) -> bool {
        let Some((name, route)) = route.rsplit_once('/') else { return true };
        let known = self.0.destinations.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        let Some(destination) = known else { return true };
        let Some(spec) = destination.routes().iter().find(|spec| spec.name == route) else { return true };
        let wants = || request::wants(name, &*destination, spec, row);
        // This runs on the writer's thread, which a panic in a destination must not end.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(wants)).unwrap_or(Want::Later) != Want::No
    }

    /// What the destinations change in the values of this run.
    pub(crate) fn run_notes(&self, run: &Run) -> Vec<DestinationNote> {
        let notes = |destination: &dyn Destination| {
            // This runs on the caller's thread: a panic in a destination must not reach the app.
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| destination.run_notes(run))).unwrap_or_default()
        };
        let all = self.destinations().into_iter();
        let of = |name: &str, note: Note| DestinationNote {
            destination: name.to_owned(),
            field: note.field,
            what: note.what,
        };
        all.flat_map(|(name, destination)| notes(&*destination).into_iter().map(move |note| of(&name, note))).collect()
    }

    /// All destinations that are declared now.
    pub(crate) fn destinations(&self) -> Vec<(String, Arc<dyn Destination>)> {
        let known = self.0.destinations.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(name, destination)| (name.clone(), Arc::clone(destination))).collect()
    }

    /// Routes whose rows are evicted first: those that are stopped, and those whose server takes nothing while others do. One
    /// destination that is blocked must not cost the others their rows.
    pub(crate) fn idle_routes(&self) -> Vec<String> {
        let routes = self.0.snapshot();
        let others_work = routes.iter().any(|route| !route.stopped && !waits_for_server(route));
        let idle = |route: &RouteStatus| route.stopped || (others_work && waits_for_server(route));
        routes.into_iter().filter(idle).map(|route| route.route).collect()
    }
}

/// Whether its server could not be reached, failed, or asked to wait.
fn waits_for_server(route: &RouteStatus) -> bool {
    use HeldCode::{Intercepted, NoResponse, Outage, RateLimit, RetryAfter, Unreachable};
    let codes = [Unreachable, Intercepted, NoResponse, Outage, RateLimit, RetryAfter];
    route.held.as_ref().is_some_and(|held| codes.contains(&held.code))
}
