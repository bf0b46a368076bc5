//! Queues that no process records into: a sibling folder whose process has ended, and the ring in a folder that could
//! not be used at first. They are opened in place with their own ids and cursors; nothing is copied between databases.

use super::Writer;
use super::shared::{Role, Shared};
use crate::config::Consent;
use crate::id::IdKey;
use crate::kind::Purpose;
use crate::ring::Ring;
use crate::sys::lock::{self, FolderLock, SIBLINGS, sibling};
use crate::sys::random;
use std::path::PathBuf;
use std::sync::Arc;

impl Shared {
    /// The same configuration over another folder, without a handle that records.
    fn quiet(&self, folder: PathBuf, lock: FolderLock, role: Role) -> std::io::Result<Shared> {
        let (ring, found) = Ring::open_file(&folder, super::boot_hash(&self.boot))?;
        let mut config = self.config.clone();
        if let Some(delivery) = self.delivery.get() {
            config.destinations = delivery.directory().destinations();
        }
        // Nobody can ask it.
        config.inspector = Some(false);
        let key = IdKey::from_bytes(random::random_16());
        let quiet = Shared::new(ring, config, folder, self.boot.clone(), key, found, Some(lock), role);
        quiet.set_paused(self.paused());
        Ok(quiet)
    }
}

impl Writer {
    /// Opens each sibling folder that no process holds. A separate engine delivers its events and removes the folder.
    /// Only the engine on the main folder does this, and only if it has a destination.
    pub(super) fn adopt_orphans(&self) {
        let delivery = self.shared.delivery.get();
        if delivery.is_some_and(|delivery| !delivery.directory().destinations().is_empty()) {
            self.adopt_all();
        }
    }

    /// The same without a destination: a denied or forgotten event must not stay in a sibling folder.
    pub(super) fn adopt_all(&self) {
        let shared = &self.shared;
        let home = &shared.config.folder;
        if !matches!(shared.role, Role::App) || shared.folder != *home || !shared.holds_folder() {
            return;
        }
        if !self.removals_finished.replace(true) || shared.forgets.load(std::sync::atomic::Ordering::Acquire) {
            lock::finish_removals(home);
        }
        for number in 1..=SIBLINGS {
            let folder = sibling(home, number);
            let Some(lock) = FolderLock::take_abandoned(&folder) else { continue };
            // The next maintenance tries again.
            let Ok(orphan) = shared.quiet(folder, lock, Role::Orphan) else { continue };
            let orphan = Arc::new(orphan);
            if !shared.adopt(&orphan) {
                return;
            }
            // After `adopt`, so that no change of consent is missed between the two.
            for (purpose, state) in Purpose::ALL.into_iter().zip(shared.ring.consent()) {
                if orphan.ring.consent().get(purpose as usize) != Some(&state) {
                    Consent::of(state).into_iter().for_each(|consent| orphan.change_consent(purpose, consent));
                }
            }
            if shared.forgets.load(std::sync::atomic::Ordering::Acquire) {
                orphan.forget();
            }
            // If no thread can be started, the lock is released and the next maintenance tries again.
            let _ = super::start(&orphan);
        }
    }

    /// Whether this is an orphan with nothing left to deliver or report.
    pub(super) fn is_drained_orphan(&self) -> bool {
        let Some(store) = self.store.as_ref().filter(|_| matches!(self.shared.role, Role::Orphan)) else {
            return false;
        };
        let ring = &self.shared.ring;
        self.can_fold()
            && self.pending.is_none()
            && self.carving.is_none()
            && ring.head() == self.position()
            && ring.superblock().wipes.next().is_none()
            && store.is_empty().unwrap_or(false)
            && !crate::delivery::has_unreported_losses(
                store,
                &self.shared.config.destinations,
                &ring.superblock().losses,
            )
            .unwrap_or(true)
    }

    /// Closes an orphan and removes its folder.
    pub(super) fn remove_orphan(mut self) {
        if let Some(delivery) = self.shared.delivery.get() {
            delivery.close(std::time::Duration::ZERO);
        }
        let lock = self.shared.take_lock();
        self.close();
        // If the folder cannot be removed now, the next start finds an empty orphan.
        let _ = lock.map(FolderLock::remove);
    }

    /// Takes a folder that could not be used before: folds the ring in it to its end, and puts this engine's ring in
    /// its place. `None` = the folder still cannot be used.
    pub(super) fn take_folder(&mut self) -> Option<()> {
        use std::sync::atomic::Ordering::Release;
        // An engine that is opened in this process meanwhile must not go to a sibling folder.
        self.shared.takes_over.store(true, Release);
        let taken = self.take_over();
        self.shared.takes_over.store(false, Release);
        taken
    }

    fn take_over(&self) -> Option<()> {
        let lock = FolderLock::take(&self.shared.folder).ok()??;
        self.move_ring_into(lock)
    }

    /// Folds the ring in a folder whose lock was just taken, and puts this engine's ring in its place.
    fn move_ring_into(&self, lock: FolderLock) -> Option<()> {
        let shared = &self.shared;
        let predecessor = Arc::new(shared.quiet(shared.folder.clone(), lock, Role::Predecessor).ok()?);
        let mut writer = Writer::new(Arc::clone(&predecessor), super::report::Reported::new(&predecessor));
        writer.open();
        writer.fold();
        let folded = writer.pending.is_none()
            && predecessor.ring.head() == writer.position()
            && predecessor.ring.superblock().wipes.next().is_none();
        // Whatever became of it, no start died here.
        predecessor.ring.leave();
        if let Some(store) = writer.store.take() {
            store.close().ok()?;
        }
        if !folded {
            return None;
        }
        shared.ring.move_into(&shared.folder, super::boot_hash(&shared.boot), &predecessor.ring).ok()?;
        shared.give_lock(predecessor.take_lock());
        Some(())
    }

    /// Takes the folder's path again if the folder was moved or removed under the engine: a folder created there gets
    /// everything that the ring holds and that is recorded from now on. Returns what is wrong if that is not possible.
    pub(super) fn return_to_folder(&mut self) -> Result<(), String> {
        let shared = Arc::clone(&self.shared);
        if !matches!(shared.role, Role::App) || !shared.ring.has_file() || shared.folder_is_in_place() {
            return Ok(());
        }
        let folder = shared.folder.display();
        let lock = match FolderLock::take(&shared.folder) {
            Ok(Some(lock)) => lock,
            Ok(None) => return Err(format!("{folder} was moved or removed, and another process uses that path now")),
            Err(error) => return Err(format!("{folder} was moved or removed and cannot be created again: {error}")),
        };
        if shared.folder.join(crate::ring::FILE).symlink_metadata().is_err() {
            // An empty folder. `ring_health` moves the ring there as soon as the queue is open.
            shared.give_lock(Some(lock));
            return Ok(());
        }
        let rows = shared.ring.superblock().rows;
        self.move_ring_into(lock)
            .ok_or_else(|| format!("{folder} was replaced by another queue that cannot be read"))?;
        self.left_behind = rows;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Config, Consent, Monitor, Purpose};
    use std::time::Duration;

    #[test]
    fn what_an_interrupted_removal_left_beside_the_folder_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("app");
        let beside = |name: &str| dir.path().join(name);
        let left = ["app.2.gone-77", "app.16.gone-4000000"];
        let others =
            ["app.gone-77", "app.17.gone-77", "app.2.gone-", "app.2.gone-x", "app.x.gone-77", "apple.2.gone-77"];
        for name in left.iter().chain(&others) {
            std::fs::create_dir(beside(name)).unwrap();
            std::fs::write(beside(name).join("queue.db"), b"personal").unwrap();
        }
        let config = Config::builder(&home, "shop", "shop@1").consent(Purpose::Monitoring, Consent::Granted);
        let monitor = Monitor::open(config.build().unwrap()).unwrap();
        monitor.forget_user();
        monitor.close(Duration::from_secs(60));
        assert_eq!(left.map(|name| beside(name).exists()), [false; 2]);
        assert_eq!(others.map(|name| beside(name).exists()), [true; 6]);
    }
}
