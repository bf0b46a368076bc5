//! Index of a write-ahead log: which frames are committed.
//!
//! A log is a header of 32 bytes (magic, version, page size, checkpoint number, two salts, two checksum words) and
//! frames of 24 + page size bytes (page number, database size after a commit or 0, salts, checksum, page). Each
//! checksum continues the previous one. A log that is restarted gets new salts, so the frames after its end belong to
//! older generations, whose pages were copied into the database since.

use crate::sorted::sort_by_key;
use std::collections::HashMap;

use super::record::be32;

/// Bytes of the log's header.
pub(super) const HEADER_BYTES: usize = 32;

/// Bytes before each page.
pub(super) const FRAME_HEADER_BYTES: usize = 24;

/// The magic number without its last bit, which is set if the checksum uses big-endian words.
const MAGIC: u32 = 0x377f_0682;

/// The only version of the format.
const VERSION: u32 = 3_007_000;

/// The log's header, with a valid checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Page size in the header.
    pub(super) page_size: u32,
    big_endian: bool,
    salts: [u32; 2],
    sum: [u32; 2],
}

impl Header {
    /// Reads the header; `None` if it is damaged.
    pub(super) fn read(bytes: &[u8]) -> Option<Header> {
        let magic = be32(bytes, 0)?;
        let big_endian = magic & 1 == 1;
        let sum = [be32(bytes, 24)?, be32(bytes, 28)?];
        let good =
            magic & !1 == MAGIC && be32(bytes, 4)? == VERSION && checksum([0; 2], bytes.get(..24)?, big_endian) == sum;
        let page_size = be32(bytes, 8)?;
        good.then_some(Header { page_size, big_endian, salts: [be32(bytes, 16)?, be32(bytes, 20)?], sum })
    }
}

/// Continues the checksum over `bytes`, whose length is a multiple of 8.
fn checksum(seed: [u32; 2], bytes: &[u8], big_endian: bool) -> [u32; 2] {
    let word = |four: &[u8; 4]| if big_endian { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) };
    bytes.as_chunks::<4>().0.as_chunks::<2>().0.iter().fold(seed, |[a, b], [first, second]| {
        let a = a.wrapping_add(word(first)).wrapping_add(b);
        [a, b.wrapping_add(word(second)).wrapping_add(a)]
    })
}

/// One frame outside the committed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stale {
    /// Number of the frame in the file, from 0.
    pub(super) frame: u32,
    /// The page.
    pub(super) page: u32,
    /// Frames with the same salts have the same generation; 0 is the first in the file.
    pub(super) generation: u32,
}

/// The indexed log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Newest committed frame of each page: the one that SQLite reads.
    committed: HashMap<u32, u32>,
    /// Pages of the database after the last commit, if there is one.
    pub(super) size: Option<u32>,
    /// All frames after the last verified commit: uncommitted, after a damaged frame, or of an older generation. Newest
    /// generation first, and in it the newest frame first.
    pub(super) stale: Vec<Stale>,
    /// Per generation and page, the frame to read overflow content from.
    in_generation: HashMap<(u32, u32), u32>,
}

impl Log {
    /// Indexes the frames `0..count`. `read` fills the buffer with a frame (header and page) or returns `false`.
    /// Without a valid header no frame is committed, because the salts and the first checksum are unknown.
    pub(super) fn index(
        header: Option<Header>,
        count: u32,
        frame_bytes: usize,
        mut read: impl FnMut(u32, &mut [u8]) -> bool,
    ) -> Log {
        let mut log = Log::default();
        let big_endian = header.is_some_and(|header| header.big_endian);
        let mut chain = header;
        let mut sum = header.map_or([0; 2], |header| header.sum);
        let mut pending = Vec::new();
        let mut generations = HashMap::new();
        let mut last: Option<[u32; 2]> = None;
        let mut valid_in_generation = HashMap::new();
        let mut buffer = vec![0; frame_bytes];
        for frame in 0..count {
            if !read(frame, &mut buffer) {
                (chain, last) = (None, None);
                continue;
            }
            let field = |at| be32(&buffer, at).unwrap_or(0);
            let (page, commit, salts, stored) = (field(0), field(4), [field(8), field(12)], [field(16), field(20)]);
            // The checksum continues the stored one, so a frame after a damaged one can still be verified.
            let first = checksum(sum, buffer.get(..8).unwrap_or(&[]), big_endian);
            let computed = checksum(first, buffer.get(FRAME_HEADER_BYTES..).unwrap_or(&[]), big_endian);
            let valid = computed == stored && page != 0;
            sum = stored;
            chain = chain.filter(|header| valid && header.salts == salts);
            if page == 0 {
                last = Some(salts);
                continue;
            }
            let next = u32::try_from(generations.len()).unwrap_or(u32::MAX);
            let generation = *generations.entry(salts).or_insert(next);
            let entry = Stale { frame, page, generation };
            // The first frame of a generation continues a header that is gone, so it cannot be verified.
            let valid = valid || last != Some(salts);
            last = Some(salts);
            if valid || !valid_in_generation.contains_key(&(generation, page)) {
                log.in_generation.insert((generation, page), frame);
                if valid {
                    valid_in_generation.insert((generation, page), ());
                }
            }
            pending.push(entry);
            if chain.is_some() && commit != 0 {
                log.committed.extend(pending.drain(..).map(|entry| (entry.page, entry.frame)));
                log.size = Some(commit);
            }
        }
        log.stale = pending;
        sort_by_key(&mut log.stale, |entry| (entry.generation, std::cmp::Reverse(entry.frame)));
        log
    }

    /// The newest committed frame of the page.
    pub(super) fn committed(&self, page: u32) -> Option<u32> {
        self.committed.get(&page).copied()
    }

    /// The page's frame of this generation.
    pub(super) fn in_generation(&self, generation: u32, page: u32) -> Option<u32> {
        self.in_generation.get(&(generation, page)).copied()
    }

    /// Pages with a committed frame, newest frame first.
    pub(super) fn pages(&self) -> Vec<u32> {
        let mut pages: Vec<_> = self.committed.iter().map(|(page, frame)| (std::cmp::Reverse(*frame), *page)).collect();
        pages.sort_unstable();
        pages.into_iter().map(|(_, page)| page).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;

    /// A log of these (page, commit) frames with valid checksums; every page is filled with its frame's number.
    fn log(salts: [u32; 2], frames: &[(u32, u32)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [MAGIC, VERSION, PAGE as u32, 0, salts[0], salts[1]] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        let mut sum = checksum([0; 2], &bytes, false);
        let put = |bytes: &mut Vec<u8>, sum: [u32; 2]| {
            bytes.extend_from_slice(&sum[0].to_be_bytes());
            bytes.extend_from_slice(&sum[1].to_be_bytes());
        };
        put(&mut bytes, sum);
        for (number, (page, commit)) in frames.iter().enumerate() {
            let mut head = Vec::new();
            for word in [*page, *commit] {
                head.extend_from_slice(&word.to_be_bytes());
            }
            let content = vec![number as u8; PAGE];
            sum = checksum(checksum(sum, &head, false), &content, false);
            bytes.extend_from_slice(&head);
            put(&mut bytes, salts);
            put(&mut bytes, sum);
            bytes.extend_from_slice(&content);
        }
        bytes
    }

    fn index(bytes: &[u8]) -> Log {
        let frame = FRAME_HEADER_BYTES + PAGE;
        let body = bytes[HEADER_BYTES..].to_vec();
        Log::index(Header::read(bytes), (body.len() / frame) as u32, frame, move |number, buffer| {
            buffer.copy_from_slice(&body[number as usize * frame..][..frame]);
            true
        })
    }

    #[test]
    fn the_newest_committed_frame_of_a_page_counts_and_an_uncommitted_one_is_stale() {
        let log = index(&log([1, 2], &[(3, 0), (4, 9), (3, 10), (5, 0)]));
        assert_eq!((log.committed(3), log.committed(4), log.committed(5)), (Some(2), Some(1), None));
        assert_eq!(log.size, Some(10));
        assert_eq!(log.pages(), [3, 4]);
        assert_eq!(log.stale, [Stale { frame: 3, page: 5, generation: 0 }]);
    }

    #[test]
    fn frames_after_a_damaged_one_are_stale_and_the_valid_one_is_the_overflow_source() {
        let mut bytes = log([1, 2], &[(3, 9), (4, 9), (5, 9), (4, 9)]);
        let second = HEADER_BYTES + (FRAME_HEADER_BYTES + PAGE);
        bytes[second + 100] ^= 1;
        let damaged = index(&bytes);
        assert_eq!((damaged.committed(3), damaged.committed(5)), (Some(0), None));
        assert_eq!(damaged.stale.iter().map(|stale| stale.frame).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!(damaged.in_generation(0, 4), Some(3));
        let third = second + 2 * (FRAME_HEADER_BYTES + PAGE);
        bytes[third + 100] ^= 1;
        bytes[second + 100] ^= 1;
        assert_eq!(index(&bytes).in_generation(0, 4), Some(1), "a damaged newer frame is not used");
    }

    #[test]
    fn frames_of_an_older_generation_are_stale_and_come_after_newer_ones() {
        let mut bytes = log([1, 2], &[(3, 9), (4, 9), (5, 9)]);
        let newer = log([2, 7], &[(3, 9)]);
        bytes[..newer.len()].copy_from_slice(&newer);
        let log = index(&bytes);
        assert_eq!((log.committed(3), log.committed(4)), (Some(0), None));
        let stale: Vec<_> = log.stale.iter().map(|stale| (stale.frame, stale.generation)).collect();
        assert_eq!(stale, [(2, 1), (1, 1)]);
    }

    #[test]
    fn without_a_header_no_frame_is_committed_and_all_are_stale() {
        let mut bytes = log([1, 2], &[(3, 9), (4, 9)]);
        bytes[20] ^= 1;
        assert_eq!(Header::read(&bytes), None);
        let log = index(&bytes);
        assert!(log.pages().is_empty());
        assert_eq!(log.stale.len(), 2);
    }
}
