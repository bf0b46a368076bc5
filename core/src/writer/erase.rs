//! Erasure: runs the wipes that the ring's superblock records.

use super::Writer;
use crate::kind::Purpose;
use crate::logger::LogCode;
use crate::ring::superblock::PendingWipe;
use crate::store::{StoreError, Wipe};
use crate::sys::fault;
use crate::sys::ids::Fresh;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Time between two attempts to erase the log while another program reads the queue.
const ERASE_INTERVAL: Duration = Duration::from_secs(1);

impl Writer {
    /// Runs a wipe: erases its rows from every file. The wipe is removed from the superblock last, so after a kill it is
    /// repeated. Called when all records up to the wipe's ticket are folded and none after it. Returns `false` if it
    /// must be tried again.
    pub(super) fn erase(&mut self, wipe: PendingWipe) -> bool {
        // Rows that are not to be erased must be carved before the wipe deletes the quarantines.
        while wipe.what != 0xff && self.carving.is_some() && self.can_fold() {
            self.carve();
        }
        fault::point("wipe_begun");
        // First, since it succeeds on a full disk too.
        self.shared.recent.erase();
        let now = self.shared.now();
        let all = wipe.what == 0xff;
        let what = if all {
            Wipe::All
        } else {
            Wipe::Purposes(Purpose::ALL.into_iter().filter(|purpose| wipe.what & purpose.bit() != 0).collect())
        };
        // Without any purpose the user is erased too. The id of the installation would still identify the user: a new one.
        let nobody = wipe.what & Purpose::ALL_BITS == Purpose::ALL_BITS;
        let install = nobody.then(|| self.shared.config.ids.uuid(Fresh::Install));
        let Some(store) = &mut self.store else { return false };
        let done = store.wipe(what, &|kind| !wipe.erases(kind), install.as_deref(), now);
        match done {
            Ok(erased) => {
                fault::point("wipe_ended");
                self.log_erased(erased);
                self.shared.ring.zero_free();
                self.stamper.forget(wipe.what);
                self.carving = None;
                self.mark_settled();
                self.shared.ring.change_superblock(|state| state.superblock.wipes.done(wipe));
                if let Some(delivery) = self.shared.delivery.get() {
                    delivery.store_back();
                }
                true
            }
            // Evicting rows would not help: rewriting the file needs space outside it.
            Err(StoreError::Full(why)) => {
                self.pause(format!("erased data is still in queue.db, the disk is full: {why}"));
                false
            }
            Err(error) => {
                self.failed(&error);
                false
            }
        }
    }

    /// Erases the log again after a reader prevented it.
    pub(super) fn erase_log(&mut self) {
        let Some(store) = &mut self.store else { return };
        match store.erase_log() {
            Ok(erased) => self.log_erased(erased),
            Err(error) => {
                self.log_erased(false);
                self.failed(&error);
            }
        }
    }

    pub(super) fn log_erased(&mut self, erased: bool) {
        // Before the message: who hears it finds it in the status.
        self.shared.erasure_blocked.store(!erased, Ordering::Relaxed);
        if !erased {
            self.log().say(LogCode::ErasureBlocked, "", || crate::phrases::ERASURE_BLOCKED.into());
        }
        self.erase_log_at = (!erased).then(|| Instant::now() + ERASE_INTERVAL);
    }
}
