//! The ring's memory: a file mapped for everyone to see, or plain memory where there is no file.
//!
//! Another process that truncates the file takes the pages away under us, and the next touch raises SIGBUS, which kills
//! the app. So a handler puts plain memory in place of a page of ours that went away, and says so; any other SIGBUS
//! goes to whoever handled it before. (Measured alternatives: a lease cannot refuse a truncation, and `write(2)` per
//! record costs 0.8 us and a system call.)

use std::fs::File;
use std::io;
use std::ptr::NonNull;

/// `len` bytes of memory, shared with a file or not.
pub(crate) struct Map {
    map: memmap2::MmapRaw,
    watched: Option<usize>,
}

impl Map {
    /// Maps the first `len` bytes of the file, which must own them (see [`super::file::allocate`]).
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

#[cfg(any(target_os = "linux", target_os = "android"))]
mod sigbus {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    struct Slot {
        from: AtomicUsize,
        to: AtomicUsize,
        torn: AtomicBool,
    }

    /// As many rings as one process may hold open at once and still be watched.
    const SLOTS: usize = 16;

    static WATCHED: [Slot; SLOTS] =
        [const { Slot { from: AtomicUsize::new(0), to: AtomicUsize::new(0), torn: AtomicBool::new(false) } }; SLOTS];
    static BEFORE: std::sync::OnceLock<libc::sigaction> = std::sync::OnceLock::new();

    pub(super) fn watch(from: usize, len: usize) -> Option<usize> {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(install);
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
        // SAFETY: both structures are valid for the calls; the handler is async-signal-safe (see there). The former
        // action is kept before ours can run, because it is read first.
        unsafe {
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

    /// Async-signal-safe: atomics, `mmap`, `sigaction` and `raise` only.
    extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: the kernel hands in a valid structure with SA_SIGINFO.
        let address = unsafe { (*info).si_addr() } as usize;
        for slot in &WATCHED {
            let (from, to) = (slot.from.load(Ordering::SeqCst), slot.to.load(Ordering::SeqCst));
            if from != 0 && (from..to).contains(&address) {
                // The whole mapping at once: what is left of the file is no longer ours to trust.
                // SAFETY: the range is a mapping of ours; replacing it keeps every pointer into it valid.
                let replaced = unsafe {
                    libc::mmap(
                        from as *mut libc::c_void,
                        to - from,
                        libc::PROT_READ | libc::PROT_WRITE,
                        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                        -1,
                        0,
                    )
                };
                if replaced != libc::MAP_FAILED {
                    slot.torn.store(true, Ordering::SeqCst);
                    return;
                }
            }
        }
        pass_on(signal, info, context);
    }

    fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: the former action was read with `sigaction`; a function in it has the signature its flags say.
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
    // Nothing but the app itself reaches its container on Apple's systems, and Windows refuses to cut a mapped file.
    pub(super) fn watch(_: usize, _: usize) -> Option<usize> {
        None
    }
    pub(super) fn forget(_: usize) {}
    pub(super) fn was_torn(_: usize) -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_cut_under_the_mapping_leaves_plain_memory_and_says_so() {
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
