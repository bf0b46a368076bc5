//! The ring's memory: a mapped file, or plain memory where there is no file. And the guard for mapped files that
//! another process truncates, see [`super::sigbus`].

use super::sigbus;
use std::fs::File;
use std::io;
use std::ptr::NonNull;

/// `len` bytes of memory, shared with a file or not.
pub(crate) struct Map {
    map: memmap2::MmapRaw,
    watched: Option<usize>,
}

impl Map {
    /// Maps the first `len` bytes of the file, which must have allocated blocks (see [`super::file::allocate`]).
    pub(crate) fn of_file(file: &File, len: usize) -> io::Result<Map> {
        let map = memmap2::MmapOptions::new().len(len).map_raw(file)?;
        let watched = sigbus::watch(map.as_ptr() as usize, len);
        Ok(Map { map, watched })
    }

    /// Plain memory.
    pub(crate) fn anonymous(len: usize) -> io::Result<Map> {
        Ok(Map { map: memmap2::MmapMut::map_anon(len)?.into(), watched: None })
    }

    /// Its first byte.
    pub(crate) fn base(&self) -> NonNull<u8> {
        // A mapping is never at address 0.
        NonNull::new(self.map.as_mut_ptr()).unwrap_or(NonNull::dangling())
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether a page was taken away and replaced by plain memory.
    pub(crate) fn was_torn(&self) -> bool {
        self.watched.is_some_and(sigbus::was_torn)
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if let Some(slot) = self.watched {
            sigbus::forget(slot);
        }
    }
}

/// While it lives, a page of any mapped file that is taken away under the thread that created it is replaced by zeros
/// instead of killing the process.
pub(crate) struct ThreadGuard(Option<usize>);

impl ThreadGuard {
    /// Guards the calling thread.
    pub(crate) fn new() -> ThreadGuard {
        ThreadGuard(sigbus::guard_thread())
    }
}

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        if let Some(slot) = self.0 {
            sigbus::release_thread(slot);
        }
    }
}

/// Pages replaced under the calling thread while it was guarded; 0 on a thread that is not.
pub(crate) fn replaced_pages() -> u32 {
    sigbus::replaced_pages()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn any_mapping_that_is_cut_under_a_guarded_thread_reads_as_zeros_and_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let file = super::super::file::open_private(&folder.path().join("shm")).unwrap();
        super::super::file::allocate(&file, 65_536).unwrap();
        let map = memmap2::MmapOptions::new().len(65_536).map_raw(&file).unwrap();
        let at = |offset: usize| map.as_mut_ptr().wrapping_add(offset);
        assert_eq!(replaced_pages(), 0);
        let guard = ThreadGuard::new();
        // SAFETY: within the mapping; pages that are gone are replaced by the handler.
        unsafe {
            at(100).write_volatile(7);
            at(60_000).write_volatile(7);
            file.set_len(4096).unwrap();
            assert_eq!((at(100).read_volatile(), replaced_pages()), (7, 0));
            assert_eq!((at(60_000).read_volatile(), replaced_pages()), (0, 1));
            at(60_001).write_volatile(9);
            assert_eq!((at(60_001).read_volatile(), replaced_pages()), (9, 1));
        }
        drop(guard);
        assert_eq!(replaced_pages(), 0);
    }

    #[test]
    fn a_file_cut_under_the_mapping_leaves_plain_memory_and_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = super::super::file::open_private(&folder.path().join("ring")).unwrap();
        super::super::file::allocate(&file, 65_536).unwrap();
        let map = Map::of_file(&file, 65_536).unwrap();
        // SAFETY: within the mapping.
        unsafe { map.base().as_ptr().add(40_000).write_volatile(7) };
        assert!(!map.was_torn());
        file.set_len(0).unwrap();
        // SAFETY: within the mapping; the page is gone, the handler replaces it.
        unsafe {
            map.base().as_ptr().add(40_000).write_volatile(8);
            assert_eq!(map.base().as_ptr().add(40_000).read_volatile(), 8);
        }
        assert!(map.was_torn());
        drop(map);
        let again = Map::anonymous(4096).unwrap();
        assert!(!again.was_torn());
        assert_eq!(again.len(), 4096);
    }
}
