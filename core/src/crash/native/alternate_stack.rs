//! A stack for the handler when the thread's own is exhausted.
//!
//! Rust's own threads have one in a Rust program, and all threads have one on Android. The main thread of another program has none, and
//! neither have our threads there.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicBool, Ordering};

/// Room for a handler of ours, for those it calls, and for the registers of a large processor, which take 11 KiB.
const BYTES: usize = 64 * 1024;

/// Most bytes of a page.
const PAGE: usize = 16 * 1024;

static ON: AtomicBool = AtomicBool::new(false);

thread_local! {
    static STACK: OnceCell<Option<Stack>> = const { OnceCell::new() };
}

/// Threads get a stack from now on.
pub(super) fn switch_on() {
    ON.store(true, Ordering::Release);
}

/// Gives the calling thread an alternate stack if it has none and crashes are captured.
pub(crate) fn guard_stack() {
    if ON.load(Ordering::Acquire) {
        // Fails in a thread that is ending.
        let _ = STACK.try_with(|stack| stack.get_or_init(Stack::new).is_some());
    }
}

struct Stack(*mut libc::c_void);

impl Stack {
    /// `None` if the thread has one, or there is no memory.
    fn new() -> Option<Stack> {
        if current().is_some() {
            return None;
        }
        // SAFETY: new memory, whose first page ends the stack; it stays mapped until the thread no longer uses it.
        unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let base = libc::mmap(std::ptr::null_mut(), PAGE + BYTES, protection, flags, -1, 0);
            if base == libc::MAP_FAILED {
                return None;
            }
            let from = base.wrapping_byte_add(PAGE);
            let stack = libc::stack_t { ss_sp: from, ss_flags: 0, ss_size: BYTES };
            if libc::mprotect(base, PAGE, libc::PROT_NONE) == 0
                && libc::sigaltstack(&raw const stack, std::ptr::null_mut()) == 0
            {
                return Some(Stack(base));
            }
            libc::munmap(base, PAGE + BYTES);
            None
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if current() != Some(self.0.wrapping_byte_add(PAGE)) {
            // Somebody has replaced it, and may put it back.
            return;
        }
        let none = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: BYTES };
        // SAFETY: the thread does not use the stack any more when it is switched off.
        unsafe {
            if libc::sigaltstack(&raw const none, std::ptr::null_mut()) == 0 {
                libc::munmap(self.0, PAGE + BYTES);
            }
        }
    }
}

/// The alternate stack of the calling thread.
fn current() -> Option<*mut libc::c_void> {
    // SAFETY: the structure is valid for the call.
    unsafe {
        let mut stack: libc::stack_t = std::mem::zeroed();
        (libc::sigaltstack(std::ptr::null(), &raw mut stack) == 0 && stack.ss_flags & libc::SS_DISABLE == 0)
            .then_some(stack.ss_sp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_has_no_alternate_stack_gets_one_until_it_ends() {
        let gave = std::thread::spawn(|| {
            let none = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            // SAFETY: as in `drop`; that of Rust is put back below.
            let mut rusts: libc::stack_t = unsafe { std::mem::zeroed() };
            unsafe { libc::sigaltstack(&raw const none, &raw mut rusts) };
            let stack = Stack::new().unwrap();
            let used = current();
            assert_eq!(used, Some(stack.0.wrapping_byte_add(PAGE)));
            assert!(Stack::new().is_none(), "it has one");
            drop(stack);
            assert_eq!(current(), None);
            // SAFETY: it was there before.
            unsafe { libc::sigaltstack(&raw const rusts, std::ptr::null_mut()) };
            used.is_some()
        });
        assert!(gave.join().unwrap());
    }
}
