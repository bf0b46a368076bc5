//! The ring's memory: a mapped file, or plain memory where there is no file. And the guard for mapped files that
//! another process cuts short.
//!
//! Truncating a mapped file takes pages away, and the next access to one raises SIGBUS, which kills the app. The
//! handler here puts plain memory in the place of such a page and records that it did. It does so for the ring's
//! mapping, on every thread, and for any mapping on a guarded thread: SQLite maps `queue.db-shm` on the writer's
//! thread. Every other SIGBUS goes to the handler that was installed before. (Measured alternatives: a lease cannot
//! refuse a truncation, and `write(2)` per record costs 0.8 us and a system call.)

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

#[cfg(any(target_os = "linux", target_os = "android"))]
mod sigbus {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering};

    struct Slot {
        from: AtomicUsize,
        to: AtomicUsize,
        torn: AtomicBool,
    }

    struct Thread {
        /// 0 = the slot is free.
        id: AtomicI32,
        replaced: AtomicU32,
    }

    /// Most rings of one process that are watched at once.
    const SLOTS: usize = 16;

    /// Most threads that are guarded at once: a writer for each folder and its siblings, with room for several folders.
    const THREADS: usize = 64;

    static WATCHED: [Slot; SLOTS] =
        [const { Slot { from: AtomicUsize::new(0), to: AtomicUsize::new(0), torn: AtomicBool::new(false) } }; SLOTS];
    static GUARDED: [Thread; THREADS] =
        [const { Thread { id: AtomicI32::new(0), replaced: AtomicU32::new(0) } }; THREADS];
    static PAGE_BYTES: AtomicUsize = AtomicUsize::new(4096);
    static BEFORE: std::sync::OnceLock<libc::sigaction> = std::sync::OnceLock::new();

    thread_local! {
        /// The calling thread's slot in [`GUARDED`]. Not for the handler: access may allocate.
        static SLOT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    fn install_once() {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(install);
    }

    /// `None` if the thread is guarded already or all slots are taken.
    pub(super) fn guard_thread() -> Option<usize> {
        install_once();
        if SLOT.get().is_some() {
            return None;
        }
        // SAFETY: no arguments, cannot fail.
        let id = unsafe { libc::gettid() };
        let free = |thread: &Thread| thread.id.compare_exchange(0, id, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        let slot = GUARDED.iter().position(free);
        SLOT.set(slot);
        slot
    }

    pub(super) fn release_thread(slot: usize) {
        if let Some(thread) = GUARDED.get(slot) {
            thread.replaced.store(0, Ordering::SeqCst);
            thread.id.store(0, Ordering::SeqCst);
        }
        SLOT.set(None);
    }

    pub(super) fn replaced_pages() -> u32 {
        let thread = SLOT.get().and_then(|slot| GUARDED.get(slot));
        thread.map_or(0, |thread| thread.replaced.load(Ordering::SeqCst))
    }

    pub(super) fn watch(from: usize, len: usize) -> Option<usize> {
        install_once();
        WATCHED.iter().position(|slot| {
            let free = slot.from.compare_exchange(0, from, Ordering::SeqCst, Ordering::SeqCst).is_ok();
            if free {
                slot.torn.store(false, Ordering::SeqCst);
                slot.to.store(from.saturating_add(len), Ordering::SeqCst);
            }
            free
        })
    }

    pub(super) fn forget(slot: usize) {
        if let Some(slot) = WATCHED.get(slot) {
            slot.to.store(0, Ordering::SeqCst);
            slot.from.store(0, Ordering::SeqCst);
        }
    }

    pub(super) fn was_torn(slot: usize) -> bool {
        WATCHED.get(slot).is_some_and(|slot| slot.torn.load(Ordering::SeqCst))
    }

    fn install() {
        // SAFETY: both structures are valid for the calls; the handler is async-signal-safe (see there). The previous
        // action is stored before ours can run, because it is read first.
        unsafe {
            PAGE_BYTES.store(usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096), Ordering::SeqCst);
            let mut before: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(libc::SIGBUS, std::ptr::null(), &mut before) != 0 {
                return;
            }
            let _ = BEFORE.set(before);
            let mut ours: libc::sigaction = std::mem::zeroed();
            ours.sa_sigaction = handle as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            libc::sigemptyset(&mut ours.sa_mask);
            libc::sigaction(libc::SIGBUS, &ours, std::ptr::null_mut());
        }
    }

    /// `si_code` of an access beyond the end of a mapped file.
    const BEYOND_END: libc::c_int = 2;

    /// Async-signal-safe: atomics, `gettid`, `mmap`, `sigaction` and `raise` only.
    extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: the kernel passes a valid structure with SA_SIGINFO.
        let (address, code) = unsafe { ((*info).si_addr() as usize, (*info).si_code) };
        for slot in &WATCHED {
            let (from, to) = (slot.from.load(Ordering::SeqCst), slot.to.load(Ordering::SeqCst));
            // The whole mapping at once: the rest of the file cannot be trusted any more.
            if from != 0 && (from..to).contains(&address) && replace(from, to - from) {
                slot.torn.store(true, Ordering::SeqCst);
                return;
            }
        }
        // SAFETY: no arguments, cannot fail.
        let id = unsafe { libc::gettid() };
        if code == BEYOND_END
            && let Some(thread) = GUARDED.iter().find(|thread| thread.id.load(Ordering::SeqCst) == id)
        {
            let page = PAGE_BYTES.load(Ordering::SeqCst);
            if replace(address - address % page, page) {
                thread.replaced.fetch_add(1, Ordering::SeqCst);
                return;
            }
        }
        pass_on(signal, info, context);
    }

    /// Puts zeroed memory in the place of mapped pages.
    fn replace(from: usize, len: usize) -> bool {
        // SAFETY: the range is mapped, since an access to it raised SIGBUS; every pointer into it stays valid.
        let replaced = unsafe {
            libc::mmap(
                from as *mut libc::c_void,
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                -1,
                0,
            )
        };
        replaced != libc::MAP_FAILED
    }

    fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: the previous action was read with `sigaction`; a function in it has the signature that its flags
        // give.
        unsafe {
            match BEFORE.get() {
                Some(before) if before.sa_sigaction != libc::SIG_DFL && before.sa_sigaction != libc::SIG_IGN => {
                    if before.sa_flags & libc::SA_SIGINFO != 0 {
                        let call: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                            std::mem::transmute(before.sa_sigaction);
                        call(signal, info, context);
                    } else {
                        let call: extern "C" fn(libc::c_int) = std::mem::transmute(before.sa_sigaction);
                        call(signal);
                    }
                }
                _ => {
                    let mut default: libc::sigaction = std::mem::zeroed();
                    default.sa_sigaction = libc::SIG_DFL;
                    libc::sigaction(signal, &default, std::ptr::null_mut());
                    libc::raise(signal);
                }
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod sigbus {
    // On Apple's systems only the app itself can reach its container, and Windows refuses to cut a mapped file.
    pub(super) fn watch(_: usize, _: usize) -> Option<usize> {
        None
    }
    pub(super) fn forget(_: usize) {}
    pub(super) fn was_torn(_: usize) -> bool {
        false
    }
    pub(super) fn guard_thread() -> Option<usize> {
        None
    }
    pub(super) fn release_thread(_: usize) {}
    pub(super) fn replaced_pages() -> u32 {
        0
    }
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
