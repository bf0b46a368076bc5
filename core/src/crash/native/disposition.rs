//! What the kernel does on a signal.
//!
//! By system call: on Android the functions of the C library are those of the runtime, which tell what the app has installed, and
//! have ignored the default action.

use libc::{c_int, c_long, c_void, siginfo_t};

/// A handler that gets what a signal came with.
pub(super) type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// The structure of the kernel: handler, flags, and what differs between processors.
type Words = [usize; 8];

/// Bytes of the kernel's set of signals.
const SET_BYTES: usize = 8;

/// The installed handler and its flags. Async-signal-safe.
pub(super) fn installed(signal: c_int) -> (usize, usize) {
    let mut words: Words = [0; 8];
    // SAFETY: the kernel writes its structure, which is smaller.
    unsafe {
        let none = std::ptr::null::<Words>();
        libc::syscall(libc::SYS_rt_sigaction, c_long::from(signal), none, words.as_mut_ptr(), SET_BYTES);
    }
    let [handler, flags, ..] = words;
    (handler, flags)
}

/// The handler that the C library tells. Where a runtime is between it and the kernel, as on Android, it is the one that the app has
/// installed; else it is the same. Async-signal-safe.
pub(super) fn registered(signal: c_int) -> usize {
    // SAFETY: the structure is valid for the call.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action);
        action.sa_sigaction
    }
}

/// Gives a signal its default action. Async-signal-safe.
pub(super) fn set_default(signal: c_int) {
    let words: Words = [libc::SIG_DFL, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the kernel reads its structure, which is smaller; all zeros is a valid one.
    unsafe {
        let none = std::ptr::null_mut::<Words>();
        libc::syscall(libc::SYS_rt_sigaction, c_long::from(signal), words.as_ptr(), none, SET_BYTES);
    }
}

/// Makes ours the handler of a signal. Async-signal-safe.
pub(super) fn set_handler(signal: c_int, handler: Handler) {
    // SAFETY: the structure is valid for the call, and the handler is async-signal-safe.
    unsafe {
        let mut ours: libc::sigaction = std::mem::zeroed();
        ours.sa_sigaction = handler as *const () as usize;
        // Not deferred: a signal inside the handler goes to the handler before ours instead of ending the process at once.
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER | libc::SA_RESTART;
        libc::sigemptyset(&raw mut ours.sa_mask);
        libc::sigaction(signal, &raw const ours, std::ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_what_the_c_library_has_installed() {
        extern "C" fn handler(_: c_int) {}
        // SAFETY: the signal has no use in this process.
        unsafe { libc::signal(libc::SIGURG, handler as *const () as usize) };
        assert_eq!(installed(libc::SIGURG).0, handler as *const () as usize);
        assert_eq!(installed(libc::SIGURG).1 & libc::SA_SIGINFO as usize, 0);
        set_default(libc::SIGURG);
        assert_eq!(installed(libc::SIGURG).0, libc::SIG_DFL);
    }
}
