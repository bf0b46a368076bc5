//! Event ids: UUID version 7, created at the call without random numbers and without a system call.
//!
//! An id is a function of the wall clock, the ticket and a 128-bit key that the operating system provides at `open`: 48 bits
//! of milliseconds, the 12 low bits of the ticket, and 62 bits of SipHash-1-3 over (ticket, index in the record). A retry, a
//! fold after a crash and a carved row therefore all have the id that the caller received.

use std::fmt;
use std::str::FromStr;

/// The id of an event, which never changes. Displayed as a lower-case UUID with dashes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId([u8; 16]);

impl EventId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        EventId(bytes)
    }

    /// A UUID of version 7: the clock, the 12 low bits of `number`, and 62 of the random bits. A clock before 1970 counts as
    /// 1970.
    #[inline]
    pub(crate) fn version_7(wall_ms: i64, number: u64, bits: u64) -> Self {
        let ms = wall_ms.clamp(0, (1 << 48) - 1) as u64;
        let high = (ms << 16) | 0x7000 | (number & 0x0fff);
        let low = (bits >> 2) | (0b10 << 62);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.to_be_bytes());
        EventId(bytes)
    }

    /// Its bytes, big endian.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// 32 lower-case hex digits without dashes (Sentry's form).
    #[must_use]
    pub fn simple(&self) -> String {
        uuid::Uuid::from_bytes(self.0).simple().to_string()
    }

    /// The milliseconds since 1970 inside the id.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.0[..6].iter().fold(0, |ms, byte| (ms << 8) | u64::from(*byte))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        uuid::Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an event id: expected a UUID such as 019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11")]
pub struct ParseIdError {
    text: String,
}

impl serde::Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for EventId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<EventId, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for EventId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        uuid::Uuid::try_parse(text)
            .map(|uuid| EventId(*uuid.as_bytes()))
            .map_err(|_| ParseIdError { text: text.chars().take(64).collect() })
    }
}

/// The key from which the ids of one run are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdKey([u64; 2]);

impl IdKey {
    /// A key from its bytes, which come from the operating system at `open` or from the run's record in the ring.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let word = |at: usize| bytes[at..at + 8].iter().rev().fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
        IdKey([word(0), word(8)])
    }

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.0[0].to_le_bytes());
        bytes[8..].copy_from_slice(&self.0[1].to_le_bytes());
        bytes
    }

    /// The id of the event at `index` of the record with this ticket; a clock before 1970 counts as 1970.
    #[must_use]
    pub fn id(self, wall_ms: i64, ticket: u64, index: u16) -> EventId {
        EventId::version_7(wall_ms, ticket, siphash_1_3(self.0, [ticket, u64::from(index)]))
    }

    /// 64 keyed bits for other unpredictable numbers (trace ids, batch ids).
    #[must_use]
    pub(crate) fn bits(self, domain: u64, number: u64) -> u64 {
        siphash_1_3(self.0, [domain, number])
    }
}

/// SipHash-1-3 of two words (Aumasson and Bernstein 2012). The standard library's implementation buffers its input and takes
/// three times as long.
fn siphash_1_3(key: [u64; 2], words: [u64; 2]) -> u64 {
    let mut v = [
        key[0] ^ 0x736f_6d65_7073_6575,
        key[1] ^ 0x646f_7261_6e64_6f6d,
        key[0] ^ 0x6c79_6765_6e65_7261,
        key[1] ^ 0x7465_6462_7974_6573,
    ];
    let round = |v: &mut [u64; 4]| {
        v[0] = v[0].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[2] = v[2].rotate_left(32);
    };
    // The last word of the standard's padding: 16 bytes of input, none left over.
    for word in [words[0], words[1], 16 << 56] {
        v[3] ^= word;
        round(&mut v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for _ in 0..3 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::Hasher;

    #[test]
    fn the_hash_is_the_standard_librarys_siphash_1_3() {
        let mut std = std::collections::hash_map::DefaultHasher::new();
        std.write_u64(7);
        std.write_u64(9);
        assert_eq!(siphash_1_3([0, 0], [7, 9]), std.finish());
    }

    #[test]
    fn an_id_is_a_version_7_uuid_that_starts_with_the_clock() {
        let key = IdKey::from_bytes(*b"0123456789abcdef");
        let id = key.id(1_795_400_000_000, 0x1abc, 0);
        let uuid = uuid::Uuid::from_bytes(*id.as_bytes());
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.unix_ms(), 1_795_400_000_000);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(key == IdKey::from_bytes(key.to_bytes()), "a key is restored from its bytes");
    }

    #[test]
    fn a_clock_before_1970_and_one_far_ahead_still_give_distinct_ids() {
        let key = IdKey::from_bytes([7; 16]);
        let ids: std::collections::HashSet<_> =
            [i64::MIN, -1, 0, i64::MAX].into_iter().enumerate().map(|(n, ms)| key.id(ms, n as u64, 0)).collect();
        assert_eq!(ids.len(), 4);
        assert_eq!(key.id(-1, 1, 0).unix_ms(), 0);
    }

    #[test]
    fn the_error_for_an_invalid_uuid_contains_the_text_cut_to_length() {
        let error = "x".repeat(500).parse::<EventId>().unwrap_err();
        assert!(error.to_string().len() < 200);
    }
}
