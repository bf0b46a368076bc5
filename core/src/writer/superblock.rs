//! Copies what the store knows into the superblock, which survives the loss of the database.

use super::shared::Shared;
use crate::ring::losses::UnreportedLoss;
use crate::ring::superblock::SettledRoute;
use crate::store::Store;

impl Shared {
    /// Copies into the superblock how far every route is settled, and how many rows are not.
    pub(crate) fn write_superblock(&self, store: &Store) -> crate::store::Result<()> {
        let settled = store.settled()?;
        let rows = u32::try_from(store.unsettled()?).unwrap_or(u32::MAX);
        let install = install_bytes(store);
        let losses = self.unreported_losses(store)?;
        self.ring.change_superblock(|state| {
            state.superblock.set_losses(install, store.epoch(), losses);
            state.superblock.epoch = store.epoch();
            state.superblock.install = install;
            state.superblock.rows = rows;
            state.superblock.routes = settled
                .into_iter()
                .map(|route| SettledRoute { hash: route.hash, lanes: route.lanes, sending: route.sending })
                .collect();
        });
        Ok(())
    }

    /// Copies the losses that no server knows of yet into the superblock.
    pub(crate) fn write_losses(&self, store: &Store) -> crate::store::Result<()> {
        let (install, losses) = (install_bytes(store), self.unreported_losses(store)?);
        self.ring.change_superblock(|state| state.superblock.set_losses(install, store.epoch(), losses));
        Ok(())
    }

    fn unreported_losses(&self, store: &Store) -> crate::store::Result<Vec<UnreportedLoss>> {
        match self.delivery.get() {
            Some(delivery) => crate::delivery::unreported_losses(store, &delivery.directory().destinations()),
            None => crate::delivery::unreported_losses(store, &self.config.destinations),
        }
    }
}

fn install_bytes(store: &Store) -> [u8; 16] {
    uuid::Uuid::try_parse(store.install()).map(|id| *id.as_bytes()).unwrap_or_default()
}
