//! Reads of the file: on a thread that may block, and on a connection of their own, so that batches are taken meanwhile.

use super::State;
use super::response::ErrorResponse;
use crate::received::Db;
use std::sync::Arc;

/// Reads at once. Each has a page of events in memory.
pub(super) const READERS: usize = 4;

impl State {
    /// Lets `read` work with the file.
    pub(super) async fn reading<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&State, &Db) -> Result<T, ErrorResponse> + Send + 'static,
    ) -> Result<T, ErrorResponse> {
        let state = Arc::clone(self);
        let slot = Arc::clone(&self.readers).acquire_owned().await;
        let work = move || {
            // The slot is free when the work is done, not when the client goes away.
            let _slot = slot;
            let db = Db::read(&state.path)?;
            read(&state, &db)
        };
        let failed = |_| ErrorResponse::new(500, "failed", "the request failed; this is a fault of rezq");
        tokio::task::spawn_blocking(work).await.map_err(failed)?
    }
}
