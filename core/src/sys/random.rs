//! 128 bits from the operating system, once per run.

/// Returns fresh random bytes. Never fails: if the system provides none, the standard library's hash keys and the clock
/// are mixed. Those are unique but not secret, which is enough for ids.
pub(crate) fn random_16() -> [u8; 16] {
    let mut bytes = [0u8; 16];
    if !system(&mut bytes) {
        bytes = portable();
    }
    bytes
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn system(bytes: &mut [u8; 16]) -> bool {
    // SAFETY: the pointer and length describe a live, writable buffer.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), libc::GRND_NONBLOCK) };
    got == 16
}

#[cfg(target_vendor = "apple")]
fn system(bytes: &mut [u8; 16]) -> bool {
    // SAFETY: the pointer and length describe a live, writable buffer.
    unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) == 0 }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn system(_: &mut [u8; 16]) -> bool {
    false
}

fn portable() -> [u8; 16] {
    use std::hash::{BuildHasher, Hasher};
    let mut bytes = [0u8; 16];
    for half in bytes.chunks_exact_mut(8) {
        // Each `RandomState` has its own keys; the system seeds the first one.
        let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        let since_1970 = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        hasher.write_u128(since_1970.as_nanos());
        half.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    bytes
}

/// A fresh UUID of version 4, for installations and runs.
pub(crate) fn uuid() -> String {
    uuid::Builder::from_random_bytes(random_16()).into_uuid().hyphenated().to_string()
}

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
    fn no_two_are_alike_from_either_source() {
        assert_ne!(random_16(), random_16());
        assert_ne!(portable(), portable());
        assert_ne!(uuid(), uuid());
    }

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
