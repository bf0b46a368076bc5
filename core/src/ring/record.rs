//! One record: `len | crc | ticket | total | kind | format | n | lane | mask | body`, 8-byte aligned. This framing
//! never changes: every build must be able to skip the records of another one.

/// Bytes before the body.
pub(crate) const HEAD: usize = 32;

/// `len` of padding up to the end of the region.
pub(crate) const PAD: u32 = u32::MAX;

/// Format of the bodies that this build writes.
pub(crate) const FORMAT: u8 = 1;

/// A breadcrumb.
pub(crate) const CRUMB: u8 = 32;
/// A change of the scope.
pub(crate) const SCOPE: u8 = 33;
/// The start of a run.
pub(crate) const RUN: u8 = 34;
/// A change of the run: its release or its facts. The body is that of [`RUN`] without the key.
pub(crate) const RUN_CHANGE: u8 = 36;

/// Items of a batch document.
pub(crate) const BATCH: u8 = 35;

/// The header without `len` and `crc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) ticket: u64,
    /// Events accepted up to and including this record.
    pub(crate) total: u64,
    pub(crate) kind: u8,
    pub(crate) format: u8,
    /// Events in this record.
    pub(crate) n: u16,
    pub(crate) lane: u8,
    /// Purposes that were not denied at the append, one bit each.
    pub(crate) mask: u8,
}

impl Head {
    /// The bytes after `len` and `crc`.
    pub(crate) fn bytes(&self) -> [u8; HEAD - 8] {
        let mut bytes = [0; HEAD - 8];
        bytes[..8].copy_from_slice(&self.ticket.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.total.to_le_bytes());
        bytes[16] = self.kind;
        bytes[17] = self.format;
        bytes[18..20].copy_from_slice(&self.n.to_le_bytes());
        bytes[20] = self.lane;
        bytes[21] = self.mask;
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; HEAD - 8]) -> Head {
        let word =
            |at: usize| bytes.iter().skip(at).take(8).rev().fold(0u64, |word, byte| (word << 8) | u64::from(*byte));
        Head {
            ticket: word(0),
            total: word(8),
            kind: bytes[16],
            format: bytes[17],
            n: u16::from_le_bytes([bytes[18], bytes[19]]),
            lane: bytes[20],
            mask: bytes[21],
        }
    }
}

/// Bytes of a record in the region, with its padding to 8 bytes.
pub(crate) fn size(body: usize) -> usize {
    (HEAD + body + 7) & !7
}

/// The checksum over the body, computed before the lock is taken. Seeded with the ring's generation, so that a record
/// of an earlier ring in the same blocks is never valid.
pub(crate) fn body_crc(generation: u64, body: &[u8]) -> crc32fast::Hasher {
    let mut hasher = crc32fast::Hasher::new_with_initial(seed(generation));
    hasher.update(body);
    hasher
}

#[inline]
fn seed(generation: u64) -> u32 {
    (generation ^ (generation >> 32)) as u32
}

/// Bytes behind a body that [`short_crc`] needs.
pub(crate) const TAIL: usize = HEAD - 4;

/// The same checksum as [`body_crc`] followed by [`crc`], in one pass over the body at the front of `buffer`. Writes `len` and
/// header behind it.
#[inline]
pub(crate) fn short_crc(generation: u64, buffer: &mut [u8], at: usize, len: u32, head: &[u8; HEAD - 8]) -> u32 {
    if let Some(tail) = buffer.get_mut(at..).and_then(|tail| tail.first_chunk_mut::<TAIL>()) {
        tail[..4].copy_from_slice(&len.to_le_bytes());
        tail[4..].copy_from_slice(head);
    }
    let mut hasher = crc32fast::Hasher::new_with_initial(seed(generation));
    hasher.update(buffer.get(..at + TAIL).unwrap_or_default());
    hasher.finalize()
}

/// The checksum over body, `len` and header, in this order.
pub(crate) fn crc(mut body: crc32fast::Hasher, len: u32, head: &[u8; HEAD - 8]) -> u32 {
    let mut rest = [0u8; HEAD - 4];
    rest[..4].copy_from_slice(&len.to_le_bytes());
    rest[4..].copy_from_slice(head);
    body.update(&rest);
    body.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pass_over_a_short_body_gives_the_checksum_of_two() {
        let head = Head { ticket: 7, total: 9, kind: 3, format: FORMAT, n: 1, lane: 2, mask: 3 }.bytes();
        let mut buffer: Vec<u8> = (0..1_100u32).map(|n| (n * 31) as u8).collect();
        for at in (0..1_024).step_by(13) {
            let len = (HEAD + at) as u32;
            let two = crc(body_crc(0x1234_5678_9abc_def0, &buffer[..at]), len, &head);
            assert_eq!(short_crc(0x1234_5678_9abc_def0, &mut buffer, at, len, &head), two, "{at} bytes");
        }
    }
}
