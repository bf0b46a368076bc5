//! The source of random ids: the operating system, a seed in test mode, or counters for contract vectors.

use super::random::{random_16, uuid};
use crate::hash::stable_hash;
use crate::id::IdKey;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Domain of the bits of seeded UUIDs (see [`IdKey::bits`]).
const DOMAIN: u64 = 0x7365_6564_6564_0000;

/// What a fresh UUID is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// An installation.
    Install,
    /// A run of the process.
    Run,
    /// A session.
    Session,
}

/// Where ids come from. Nobody can foresee the ids of a release.
#[derive(Clone, Debug, Default)]
pub(crate) enum Ids {
    /// The operating system.
    #[default]
    System,
    /// Test mode: the same for the same seed and the same run of the folder.
    Seeded(Arc<Counters>),
    /// Contract vectors: the same in every run, and easy to read.
    #[cfg(any(test, feature = "bench-access"))]
    Counted(Arc<Counters>),
}

/// A key that was handed in, and how many ids of each sort were made.
#[derive(Debug)]
pub(crate) struct Counters {
    key: [u8; 16],
    made: [AtomicU64; 3],
}

impl Counters {
    fn new(key: [u8; 16]) -> Arc<Counters> {
        Arc::new(Counters { key, made: Default::default() })
    }

    /// The number of the next id of this sort, from 1.
    fn next(&self, fresh: Fresh) -> u64 {
        self.made.get(fresh as usize).map_or(0, |made| made.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

impl Ids {
    /// Ids of the run of a folder that follows the run `before` (empty = none) after `records` records, so that two runs of a folder never
    /// have the same ids.
    pub(crate) fn seeded(seed: u64, before: &str, records: u64) -> Ids {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&stable_hash(&["a", &seed.to_string(), before, &records.to_string()]).to_le_bytes());
        key[8..].copy_from_slice(&stable_hash(&["b", &seed.to_string(), before, &records.to_string()]).to_le_bytes());
        Ids::Seeded(Counters::new(key))
    }

    /// Ids that count up: `11111111-0000-4000-8000-000000000001` is the first installation, `2...` runs, `3...`
    /// sessions.
    #[cfg(any(test, feature = "bench-access"))]
    pub(crate) fn counted(key: [u8; 16]) -> Ids {
        Ids::Counted(Counters::new(key))
    }

    /// The key of a run, from which ids of events, traces and batches are made.
    pub(crate) fn key(&self) -> [u8; 16] {
        match self {
            Ids::System => random_16(),
            Ids::Seeded(counted) => counted.key,
            #[cfg(any(test, feature = "bench-access"))]
            Ids::Counted(counted) => counted.key,
        }
    }

    /// The key of the traces of a run that begins now. A seed does not repeat them: a server would join the traces of two tests.
    pub(crate) fn trace_key(&self, key: IdKey, wall_ms: i64) -> IdKey {
        if !matches!(self, Ids::Seeded(_)) {
            return key;
        }
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&key.bits(DOMAIN + 8, wall_ms as u64).to_le_bytes());
        bytes[8..].copy_from_slice(&key.bits(DOMAIN + 9, wall_ms as u64).to_le_bytes());
        IdKey::from_bytes(bytes)
    }

    /// The id of this boot.
    pub(crate) fn boot(&self) -> String {
        match self {
            Ids::System | Ids::Seeded(_) => super::clock::boot_id(),
            #[cfg(any(test, feature = "bench-access"))]
            Ids::Counted(_) => "44444444-0000-4000-8000-000000000001".to_owned(),
        }
    }

    /// The id of this process; 0 where ids are counted.
    pub(crate) fn process(&self) -> u32 {
        match self {
            #[cfg(any(test, feature = "bench-access"))]
            Ids::Counted(_) => 0,
            _ => std::process::id(),
        }
    }

    /// A fresh UUID of version 4.
    pub(crate) fn uuid(&self, fresh: Fresh) -> String {
        match self {
            Ids::System => uuid(),
            Ids::Seeded(counted) => {
                let (key, number) = (IdKey::from_bytes(counted.key), counted.next(fresh));
                let bits = [0, 1].map(|half| key.bits(DOMAIN + 2 * fresh as u64 + half, number).to_be_bytes());
                let mut bytes = [0; 16];
                bytes.iter_mut().zip(bits.as_flattened()).for_each(|(byte, bits)| *byte = *bits);
                uuid::Builder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()
            }
            #[cfg(any(test, feature = "bench-access"))]
            Ids::Counted(counted) => {
                let number = counted.next(fresh);
                let digit = fresh as usize + 1;
                format!("{}-0000-4000-8000-{number:012x}", digit.to_string().repeat(8))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_ids_are_uuids_and_the_same_each_time() {
        let made = || {
            let ids = Ids::counted([7; 16]);
            [Fresh::Install, Fresh::Run, Fresh::Session, Fresh::Session].map(|fresh| ids.uuid(fresh))
        };
        assert_eq!(made(), made());
        assert_eq!(made()[3], "33333333-0000-4000-8000-000000000002");
        for id in made() {
            assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 4);
        }
        assert_eq!(Ids::counted([7; 16]).key(), [7; 16]);
        assert_ne!(Ids::System.key(), Ids::System.key());
    }
}
