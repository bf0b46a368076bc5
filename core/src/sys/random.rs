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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike_from_either_source() {
        assert_ne!(random_16(), random_16());
        assert_ne!(portable(), portable());
        assert_ne!(uuid(), uuid());
    }
}
