//! The body of a ring record with items: `wall_ms | mono_us | version | 3 zero bytes | sampled | slow_api_us | items`. The number
//! of events, their lowest lane and their purposes are in the head of the ring record.

/// Bytes before the items.
pub(crate) const HEAD: usize = 32;

/// Version of this form.
const VERSION: u8 = 2;

/// What the caller knew when the items were recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) wall_ms: i64,
    pub(crate) mono_us: i64,
    /// Kinds that were sampled out, one bit each. Their items are counted by the caller and not stored.
    pub(crate) sampled: u32,
    /// The threshold by which the caller counted the warnings of slow calls: a later run may have another one.
    pub(crate) slow_api_us: u64,
}

impl Head {
    pub(crate) fn bytes(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..8].copy_from_slice(&self.wall_ms.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.mono_us.to_le_bytes());
        bytes[16] = VERSION;
        bytes[20..24].copy_from_slice(&self.sampled.to_le_bytes());
        bytes[24..].copy_from_slice(&self.slow_api_us.to_le_bytes());
        bytes
    }

    /// Reads the head and the items; `None` if the bytes are of another version or no text.
    pub(crate) fn read(body: &[u8]) -> Option<(Head, &str)> {
        let (bytes, items) = body.split_first_chunk::<HEAD>()?;
        let word =
            |at: usize| bytes.iter().skip(at).take(8).rev().fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
        let sampled = u32::from_le_bytes([bytes[20], bytes[21], bytes[22], bytes[23]]);
        let head = Head { wall_ms: word(0) as i64, mono_us: word(8) as i64, sampled, slow_api_us: word(24) };
        (bytes[16] == VERSION).then_some((head, std::str::from_utf8(items).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_back_and_damage_is_noticed() {
        let head = Head { wall_ms: -5, mono_us: i64::MAX, sampled: 0x8000_0001, slow_api_us: u64::MAX };
        let mut body = head.bytes().to_vec();
        body.extend_from_slice("{}".as_bytes());
        assert_eq!(Head::read(&body), Some((head, "{}")));
        body[16] = 9;
        assert_eq!(Head::read(&body), None);
        assert_eq!(Head::read(&body[..10]), None);
    }
}
