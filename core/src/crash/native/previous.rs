//! The handlers that were there before ours.

use super::signals::SIGNALS;
use libc::{c_int, c_void, siginfo_t};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

/// What was there for one signal.
pub(super) struct Previous {
    action: UnsafeCell<libc::sigaction>,
    /// The default action has taken its place.
    is_default: AtomicBool,
}

// SAFETY: `action` is written once, before a handler can read it.
unsafe impl Sync for Previous {}

static PREVIOUS: [Previous; SIGNALS.len()] = [const {
    Previous {
        // SAFETY: all zeros is a valid structure.
        action: UnsafeCell::new(unsafe { std::mem::zeroed() }),
        is_default: AtomicBool::new(false),
    }
}; SIGNALS.len()];

/// What a signal did before.
#[derive(Clone, Copy)]
pub(super) enum Action<'a> {
    /// It ended the process.
    Default,
    /// It was ignored when a process sent it, and ended the process otherwise.
    Ignore,
    /// It was handled.
    Handler(&'a libc::sigaction),
}

/// What was there for a captured signal.
pub(super) fn of(signal: c_int) -> Option<&'static Previous> {
    SIGNALS.iter().position(|known| *known == signal).and_then(|index| PREVIOUS.get(index))
}

impl Previous {
    /// # Safety
    /// No handler of ours is installed for this signal.
    pub(super) unsafe fn set(&self, action: libc::sigaction) {
        // SAFETY: the caller's promise.
        unsafe { *self.action.get() = action };
    }

    pub(super) fn action(&self) -> Action<'_> {
        if self.is_default.load(Ordering::SeqCst) {
            return Action::Default;
        }
        // SAFETY: written before our handler was installed, and not after.
        let action = unsafe { &*self.action.get() };
        match action.sa_sigaction {
            libc::SIG_DFL => Action::Default,
            libc::SIG_IGN => Action::Ignore,
            _ => Action::Handler(action),
        }
    }

    /// From now on the signal ends the process.
    pub(super) fn forget(&self) {
        self.is_default.store(true, Ordering::SeqCst);
    }

    /// Calls the handler as the kernel would: with the signals blocked that it wants blocked, and only once if it says so.
    ///
    /// # Safety
    /// The arguments are those of our own handler.
    pub(super) unsafe fn call(
        &self,
        action: &libc::sigaction,
        signal: c_int,
        info: *mut siginfo_t,
        context: *mut c_void,
    ) {
        if action.sa_flags & libc::SA_RESETHAND != 0 {
            self.forget();
        }
        // SAFETY: the masks are valid, and the handler has the signature that its flags give.
        unsafe {
            let mut blocked = action.sa_mask;
            if action.sa_flags & libc::SA_NODEFER == 0 {
                libc::sigaddset(&raw mut blocked, signal);
            }
            let mut before = std::mem::zeroed();
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const blocked, &raw mut before);
            if action.sa_flags & libc::SA_SIGINFO != 0 {
                let call: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = std::mem::transmute(action.sa_sigaction);
                call(signal, info, context);
            } else {
                let call: extern "C" fn(c_int) = std::mem::transmute(action.sa_sigaction);
                call(signal);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        }
    }
}
