//! What happens on a signal.
//!
//! 1. A SIGBUS of a page of ours is mended ([`crate::sys::mend`]).
//! 2. The signal is reported. If a handler was there before ours and may make the thread go on, as that of a Java VM does with the
//!    fault of a null reference, the report is a chance that counts only if the process ends.
//! 3. The handler that was there is called. If it goes on, the chance is taken back.
//! 4. Without such a handler the signal has its default action, so that the exit status is the same as without us.

use super::armed::{with_armed, with_map};
use super::claim::{self, Claim};
use super::disposition::{installed, registered, set_default, set_handler};
use super::previous::{self, Action, Previous};
use super::{report, signals};
use crate::kind::Kind;
use crate::reason::Reason;
use libc::{c_int, c_void, siginfo_t};

/// The handler of all captured signals. Async-signal-safe.
pub(super) extern "C" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let (handler, flags) = installed(signal);
    if handler == handle as *const () as usize && flags & libc::SA_SIGINFO as usize == 0 {
        // Somebody has saved and restored our handler with `signal`, which loses the flag: there are no arguments. A fault comes again.
        set_handler(signal, handle);
        return;
    }
    // SAFETY: the kernel passes valid pointers with SA_SIGINFO, and another handler passes on what it got.
    unsafe {
        let errno = errno();
        let before = *errno;
        if signal != libc::SIGBUS || !crate::sys::mend(info) {
            on_signal(signal, info, context);
        }
        *errno = before;
    }
}

#[cfg(target_os = "android")]
unsafe fn errno() -> *mut c_int {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::__errno() }
}

#[cfg(not(target_os = "android"))]
unsafe fn errno() -> *mut c_int {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::__errno_location() }
}

/// # Safety
/// As for [`handle`].
unsafe fn on_signal(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(previous) = previous::of(signal) else { return };
    // SAFETY: the caller's promise.
    let was_sent = signals::was_sent(unsafe { (*info).si_code });
    match previous.action() {
        Action::Ignore if was_sent => {}
        Action::Ignore | Action::Default => {
            // SAFETY: the caller's promise.
            unsafe {
                report_or_wait(signal, info, context);
                die(signal, info, was_sent);
            }
        }
        // SAFETY: the caller's promise.
        Action::Handler(action) if signal == libc::SIGABRT && unsafe { signals::is_own(info) } => {
            // `abort` ends the process whatever its handlers do.
            // SAFETY: the caller's promise.
            unsafe {
                report_or_wait(signal, info, context);
                previous.call(action, signal, info, context);
            }
        }
        // SAFETY: the caller's promise.
        Action::Handler(action) => unsafe { ask_previous(previous, action, signal, info, context, was_sent) },
    }
}

/// Calls the handler before ours, and finds out whether it lets the process go on.
///
/// # Safety
/// As for [`handle`].
#[inline(never)]
unsafe fn ask_previous(
    previous: &Previous,
    action: &libc::sigaction,
    signal: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
    was_sent: bool,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let is_mine = report(signal, info, context, false) == Claim::Mine;
        let before = (installed(signal).0, registered(signal));
        previous.call(action, signal, info, context);
        // It has repaired the cause or moved the thread elsewhere. One that gives up takes its handler away; if another thread
        // did so just before, the default action is there already.
        let after = (installed(signal).0, registered(signal));
        let goes_on = after == before && after.0 != libc::SIG_DFL;
        // It gave up on a signal that needs no repair: this one is over, the next one ends the process.
        let is_over = !goes_on && was_sent && !is_pending(signal);
        if (goes_on || is_over) && is_mine {
            with_map(|map| claim::release(libc::gettid(), map));
        }
        if is_over {
            previous.forget();
            set_handler(signal, handle);
        } else if !goes_on && !is_mine {
            report_or_wait(signal, info, context);
        }
    }
}

/// Reports a signal that ends the process, or lets the thread that is reporting finish.
///
/// # Safety
/// As for [`handle`].
unsafe fn report_or_wait(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the caller's promise.
    claim::report_or_wait(|| unsafe { report(signal, info, context, true) });
}

/// # Safety
/// As for [`handle`].
#[inline(never)]
unsafe fn report(signal: c_int, info: *mut siginfo_t, context: *mut c_void, is_sure: bool) -> Claim {
    // SAFETY: no arguments, cannot fail.
    let (process, thread) = unsafe { (libc::getpid(), libc::gettid()) };
    let claimed = with_armed(|armed| {
        if armed.process != process || armed.anchor.is_monitoring_denied() {
            return None;
        }
        armed.anchor.with_map(|map| {
            let claim = claim::claim(thread, map);
            if claim != Claim::Mine {
                return claim;
            }
            // SAFETY: the caller's promise, and this thread owns the report.
            if !unsafe { report::write(map, armed, thread, signal, info, context, is_sure) } {
                // An earlier crash waits there.
                if is_sure {
                    armed.anchor.refuse(map, Reason::RingFull, Some(Kind::Crash), 1);
                }
                claim::release(thread, map);
                return Claim::Refused;
            }
            if is_sure {
                claim::is_sure()
            } else {
                claim::is_chance()
            }
            Claim::Mine
        })
    });
    claimed.flatten().unwrap_or(Claim::Refused)
}

/// Whether the signal is delivered again as soon as it is not blocked.
///
/// # Safety
/// None.
unsafe fn is_pending(signal: c_int) -> bool {
    // SAFETY: the set is valid for the calls.
    unsafe {
        let mut pending = std::mem::zeroed();
        libc::sigpending(&raw mut pending) == 0 && libc::sigismember(&raw const pending, signal) == 1
    }
}

/// Lets the signal have its default action.
///
/// # Safety
/// As for [`handle`].
unsafe fn die(signal: c_int, info: *mut siginfo_t, was_sent: bool) {
    set_default(signal);
    // A fault happens again when the handler returns. A breakpoint does not, where the instruction behind it is next.
    if was_sent || signal == libc::SIGTRAP {
        // SAFETY: the signal is sent to this thread.
        unsafe {
            let (process, thread) = (libc::getpid(), libc::gettid());
            // With what it came with, for a debugger and for the system's own report.
            if libc::syscall(libc::SYS_rt_tgsigqueueinfo, process, thread, signal, info) != 0 {
                libc::raise(signal);
            }
        }
    }
}
