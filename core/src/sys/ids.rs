//! The source of random ids: the operating system, or counters for contract vectors.

use super::random::{random_16, uuid};

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

/// Where ids that nobody can foresee come from: the operating system, or, for contract vectors, a count.
#[derive(Clone, Debug, Default)]
pub(crate) enum Ids {
    /// The operating system.
    #[default]
    System,
    /// Foreseeable ones, the same in every run of a vector.
    #[cfg(any(test, feature = "bench-access"))]
    Counted(std::sync::Arc<Counted>),
}

/// A key that was handed in, and how many ids of each sort were made.
#[cfg(any(test, feature = "bench-access"))]
#[derive(Debug)]
pub(crate) struct Counted {
    key: [u8; 16],
    made: [std::sync::atomic::AtomicU64; 3],
}

impl Ids {
    /// Ids that count up: `11111111-0000-4000-8000-000000000001` is the first installation, `2...` runs, `3...`
    /// sessions.
    #[cfg(any(test, feature = "bench-access"))]
    pub(crate) fn counted(key: [u8; 16]) -> Ids {
        Ids::Counted(std::sync::Arc::new(Counted { key, made: Default::default() }))
    }

    /// The key of a run, from which ids of events, traces and batches are made.
    pub(crate) fn key(&self) -> [u8; 16] {
        match self {
            Ids::System => random_16(),
            #[cfg(any(test, feature = "bench-access"))]
            Ids::Counted(counted) => counted.key,
        }
    }

    /// The id of this boot.
    pub(crate) fn boot(&self) -> String {
        match self {
            Ids::System => super::clock::boot_id(),
            #[cfg(any(test, feature = "bench-access"))]
            Ids::Counted(_) => "44444444-0000-4000-8000-000000000001".to_owned(),
        }
    }

    /// A fresh UUID of version 4.
    pub(crate) fn uuid(&self, fresh: Fresh) -> String {
        match self {
            Ids::System => {
                let _ = fresh;
                uuid()
            }
            #[cfg(any(test, feature = "bench-access"))]
            Ids::Counted(counted) => {
                let place = counted.made.get(fresh as usize);
                let number = place.map_or(0, |made| made.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1);
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
