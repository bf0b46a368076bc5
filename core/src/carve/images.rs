//! Reads pages of the database and its log through one lookup.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::record::{be16, be32};
use super::wal::{FRAME_HEADER_BYTES, HEADER_BYTES, Header, Log};
use crate::sys::file;

/// Page size of a queue; used if no header has another valid one.
const PAGE_BYTES: usize = 4096;

/// First bytes of every database.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Most pages that are read, 4 TiB: no sum of positions can overflow.
const PAGES: u64 = 1 << 30;

/// Value of a pointer map entry for a page on the free list.
const FREE_PAGE: u8 = 2;

/// Where the image of a page is looked up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// The database as of its last commit.
    Committed,
    /// The frames of one generation of the log, then [`View::Committed`].
    Generation(u32),
}

/// A file that may be missing. Anything but a regular file counts as missing.
#[derive(Debug)]
struct Source {
    file: Option<File>,
    bytes: u64,
}

impl Source {
    fn open(path: &Path) -> io::Result<Source> {
        let Ok(metadata) = path.symlink_metadata() else { return Ok(Source { file: None, bytes: 0 }) };
        if !metadata.is_file() {
            return Ok(Source { file: None, bytes: 0 });
        }
        let file = file::open_to_read(path)?;
        let bytes = file.metadata()?.len();
        Ok(Source { file: Some(file), bytes })
    }

    /// Fills the buffer from `at`, with zeros after the end of the file. Returns `false` if nothing could be read.
    fn read(&self, at: u64, buffer: &mut [u8]) -> bool {
        let Some(mut file) = self.file.as_ref() else { return false };
        let there = usize::try_from(self.bytes.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
        let (head, tail) = buffer.split_at_mut(there);
        tail.fill(0);
        there > 0 && file.seek(SeekFrom::Start(at)).is_ok() && file.read_exact(head).is_ok()
    }
}

/// A quarantined database and its log.
#[derive(Debug)]
pub(super) struct Images {
    database: Source,
    wal: Source,
    /// Bytes of a page.
    pub(super) page_bytes: usize,
    /// Index of the log.
    pub(super) log: Log,
}

impl Images {
    /// Opens both files; either may be missing. Reads the whole log once, frame by frame.
    pub(super) fn open(database: &Path, wal: &Path) -> io::Result<Images> {
        let (database, wal) = (Source::open(database)?, Source::open(wal)?);
        let mut bytes = [0; 100];
        let from_database = if database.read(0, &mut bytes) { header_page_size(&bytes) } else { None };
        let mut bytes = [0; HEADER_BYTES];
        let header = if wal.read(0, &mut bytes) { Header::read(&bytes) } else { None };
        // The log's header has a checksum, the database's has none.
        let from_log = header.and_then(|header| plausible(header.page_size));
        let page_bytes = from_log.or(from_database).unwrap_or(PAGE_BYTES);
        let header = header.filter(|_| from_log.is_some());
        let frame_bytes = FRAME_HEADER_BYTES + page_bytes;
        let frames = wal.bytes.saturating_sub(HEADER_BYTES as u64) / frame_bytes as u64;
        let frames = u32::try_from(frames.min(PAGES)).unwrap_or(0);
        let log = Log::index(header, frames, frame_bytes, |frame, buffer| {
            wal.read(HEADER_BYTES as u64 + u64::from(frame) * frame_bytes as u64, buffer)
        });
        Ok(Images { database, wal, page_bytes, log })
    }

    /// Pages of the database file, including an incomplete last one.
    pub(super) fn pages(&self) -> u32 {
        u32::try_from(self.database.bytes.div_ceil(self.page_bytes as u64).min(PAGES)).unwrap_or(0)
    }

    /// Reads the page in this view.
    pub(super) fn read(&self, page: u32, view: View, buffer: &mut [u8]) -> bool {
        let own = match view {
            View::Committed => None,
            View::Generation(generation) => self.log.in_generation(generation, page),
        };
        match own.or_else(|| self.log.committed(page)) {
            Some(frame) => self.frame(frame, buffer),
            None => self.database(page, buffer),
        }
    }

    /// Reads the page of a frame.
    pub(super) fn frame(&self, frame: u32, buffer: &mut [u8]) -> bool {
        let frame_bytes = (FRAME_HEADER_BYTES + self.page_bytes) as u64;
        let start = (HEADER_BYTES + FRAME_HEADER_BYTES) as u64;
        self.wal.read(start + u64::from(frame) * frame_bytes, buffer)
    }

    fn database(&self, page: u32, buffer: &mut [u8]) -> bool {
        page.checked_sub(1).is_some_and(|before| self.database.read(u64::from(before) * self.page_bytes as u64, buffer))
    }

    /// Whether the page is on the free list, according to the pointer map of an auto-vacuum database: one map page
    /// before as many pages as it has entries of 5 bytes. The list itself starts in the header, which may be damaged. A
    /// damaged map changes the order in which rows are found, not which rows.
    pub(super) fn is_free(&self, page: u32, map: &mut Map) -> bool {
        let entries = u32::try_from(self.page_bytes / 5).unwrap_or(1).max(1);
        let Some(index) = page.checked_sub(2) else { return false };
        let (number, entry) = (index - index % (entries + 1) + 2, index % (entries + 1));
        let Some(entry) = entry.checked_sub(1) else { return false };
        if map.number != number {
            map.content.resize(self.page_bytes, 0);
            if !self.read(number, View::Committed, &mut map.content) {
                map.content.fill(0);
            }
            map.number = number;
        }
        usize::try_from(entry).ok().and_then(|entry| map.content.get(entry * 5)) == Some(&FREE_PAGE)
    }
}

/// The pointer map page read last.
#[derive(Debug, Default)]
pub(super) struct Map {
    number: u32,
    content: Vec<u8>,
}

/// The page size in a database header; `None` if the constant bytes around it are damaged.
fn header_page_size(header: &[u8]) -> Option<usize> {
    let fixed = header.starts_with(MAGIC) && be32(header, 20).is_some_and(|word| word == 0x0040_2020);
    let size = if fixed { be16(header, 16)? } else { return None };
    plausible(if size == 1 { 65_536 } else { u32::try_from(size).ok()? })
}

fn plausible(size: u32) -> Option<usize> {
    if size.is_power_of_two() && (512..=65_536).contains(&size) { usize::try_from(size).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_size_is_used_only_if_the_constant_header_bytes_are_valid() {
        let mut header = [0; 100];
        header[..16].copy_from_slice(MAGIC);
        header[16..18].copy_from_slice(&[0x20, 0]);
        header[20..24].copy_from_slice(&[0, 64, 32, 32]);
        assert_eq!(header_page_size(&header), Some(8192));
        header[17] = 1;
        assert_eq!(header_page_size(&header), None, "not a power of two");
        header[16..18].copy_from_slice(&[0, 1]);
        assert_eq!(header_page_size(&header), Some(65_536));
        header[22] = 31;
        assert_eq!(header_page_size(&header), None);
    }

    #[test]
    fn a_folder_without_files_has_no_pages() {
        let folder = tempfile::tempdir().unwrap();
        let images = Images::open(&folder.path().join("a"), &folder.path().join("b")).unwrap();
        assert_eq!((images.pages(), images.page_bytes), (0, PAGE_BYTES));
        assert!(!images.read(1, View::Committed, &mut [0; 4096]));
    }
}
