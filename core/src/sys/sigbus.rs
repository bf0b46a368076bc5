//! The SIGBUS handler for mapped files that another process truncates.
//!
//! Truncating a mapped file takes pages away, and the next access to one raises SIGBUS, which kills the app. The
//! handler here puts plain memory in the place of such a page and records that it did. It does so for the ring's
//! mapping, on every thread, and for any mapping on a guarded thread: SQLite maps `queue.db-shm` on the writer's
//! thread. Every other SIGBUS goes to the handler that was installed before. (Measured alternatives: a lease cannot
//! refuse a truncation, and `write(2)` per record costs 0.8 us and a system call.)

pub(super) use imp::*;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use imp::{before_ours, mend};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
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
    pub(in crate::sys) fn guard_thread() -> Option<usize> {
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

    pub(in crate::sys) fn release_thread(slot: usize) {
        if let Some(thread) = GUARDED.get(slot) {
            thread.replaced.store(0, Ordering::SeqCst);
            thread.id.store(0, Ordering::SeqCst);
        }
        SLOT.set(None);
    }

    pub(in crate::sys) fn replaced_pages() -> u32 {
        let thread = SLOT.get().and_then(|slot| GUARDED.get(slot));
        thread.map_or(0, |thread| thread.replaced.load(Ordering::SeqCst))
    }

    pub(in crate::sys) fn watch(from: usize, len: usize) -> Option<usize> {
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

    pub(in crate::sys) fn forget(slot: usize) {
        if let Some(slot) = WATCHED.get(slot) {
            slot.to.store(0, Ordering::SeqCst);
            slot.from.store(0, Ordering::SeqCst);
        }
    }

    pub(in crate::sys) fn was_torn(slot: usize) -> bool {
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
        if !unsafe { mend(info) } {
            pass_on(signal, info, context);
        }
    }

    /// The action that was there before the handler of this file, if that is it.
    pub(crate) fn before_ours(action: libc::sigaction) -> libc::sigaction {
        let is_ours = action.sa_sigaction == handle as *const () as usize;
        BEFORE.get().copied().filter(|_| is_ours).unwrap_or(action)
    }

    /// Replaces the page that a SIGBUS is about, if it is one of ours. Async-signal-safe.
    ///
    /// # Safety
    /// `info` is what the kernel passes to a handler of SIGBUS.
    pub(crate) unsafe fn mend(info: *mut libc::siginfo_t) -> bool {
        // SAFETY: the caller's promise.
        let (address, code) = unsafe { ((*info).si_addr() as usize, (*info).si_code) };
        for slot in &WATCHED {
            let (from, to) = (slot.from.load(Ordering::SeqCst), slot.to.load(Ordering::SeqCst));
            // The whole mapping at once: the rest of the file cannot be trusted any more.
            if from != 0 && (from..to).contains(&address) && replace(from, to - from) {
                slot.torn.store(true, Ordering::SeqCst);
                return true;
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
                return true;
            }
        }
        false
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
mod imp {
    // On Apple's systems only the app itself can reach its container, and Windows refuses to truncate a mapped file.
    pub(in crate::sys) fn watch(_: usize, _: usize) -> Option<usize> {
        None
    }
    pub(in crate::sys) fn forget(_: usize) {}
    pub(in crate::sys) fn was_torn(_: usize) -> bool {
        false
    }
    pub(in crate::sys) fn guard_thread() -> Option<usize> {
        None
    }
    pub(in crate::sys) fn release_thread(_: usize) {}
    pub(in crate::sys) fn replaced_pages() -> u32 {
        0
    }
}
