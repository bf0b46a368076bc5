//! FNV-1a: a hash that is the same in every build and on every device.

/// Returns the 64-bit FNV-1a hash of the bytes.
pub(crate) fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A hash of texts. Keys of destinations and sampling use it.
#[must_use]
pub(crate) fn stable_hash(parts: &[&str]) -> u64 {
    // The byte 0xff never occurs in UTF-8, so ("a", "bc") and ("ab", "c") differ.
    fnv1a(parts.iter().flat_map(|part| part.bytes().chain([0xff])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_equals_the_published_test_vectors() {
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(fnv1a(text.bytes()), hash, "{text}");
        }
    }
}
