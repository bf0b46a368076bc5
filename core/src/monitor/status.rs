//! A snapshot of the engine's state, taken without a database query.

use super::Monitor;
use crate::delivery::RouteStatus;
use crate::destination::Note;
use crate::kind::Kind;
use crate::reason::Reason;
use crate::writer::shared::StoreState;
use std::path::PathBuf;
use std::sync::Arc;

/// A snapshot of the engine's state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The folder in use.
    pub folder: PathBuf,
    /// Whether the database can be used.
    pub store: StoreState,
    /// Events accepted by the ring since its file was created.
    pub accepted: u64,
    /// How many of them are folded into the database.
    pub folded: u64,
    /// Events refused at the call, by reason and kind, since the file was created.
    pub refused: Vec<(Reason, Option<Kind>, u64)>,
    /// Erased data is still in the log of the queue, because another program reads the queue. The engine tries again
    /// every second, and before the next start reads anything.
    pub erasure_blocked: bool,
    /// Every route: what waits for it and why.
    pub routes: Vec<RouteStatus>,
    /// Values of the configuration that a destination sends in another form, because its vendor does not accept them: name of
    /// the destination and the change. For example a release with a slash at Sentry.
    pub notes: Vec<(String, Note)>,
}

impl Monitor {
    /// Returns a snapshot of the engine's state. Allocates; does not query the database and does not block.
    #[must_use]
    pub fn status(&self) -> Arc<Status> {
        let shared = &self.0.shared;
        Arc::new(Status {
            folder: shared.folder.clone(),
            store: shared.state(),
            accepted: shared.ring.last().1,
            folded: shared.ring.superblock().fold_total,
            refused: shared.ring.refusals(),
            erasure_blocked: shared.erasure_blocked.load(std::sync::atomic::Ordering::Relaxed),
            routes: shared.delivery.get().map(crate::delivery::DeliveryHandle::snapshot).unwrap_or_default(),
            notes: shared
                .delivery
                .get()
                .map(|delivery| delivery.directory().run_notes(&self.0.run()))
                .unwrap_or_default(),
        })
    }
}
