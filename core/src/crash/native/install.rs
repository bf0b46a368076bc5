//! Switches the capture on: handlers once for the process, and the run that a crash belongs to.

use super::armed::{self, Armed};
use super::signals::SIGNALS;
use super::{alternate_stack, claim, disposition, handler, panics, previous};
use crate::id::IdKey;
use crate::ring::Anchor;
use crate::sys::Clock;
use libc::c_int;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Once};

/// Captures the crashes of this process from now on, for the run with this key. Of two engines the last one gets them.
pub(crate) fn arm(key: IdKey, anchor: Arc<Anchor>, clock: &Clock, folder: &Path) {
    // SAFETY: no arguments, cannot fail.
    let process = unsafe { libc::getpid() };
    let folder = CString::new(folder.as_os_str().as_bytes()).ok();
    armed::set(Armed { anchor, key: key.to_bytes(), clock: clock.clone(), folder, process }, || {
        armed::with_map(claim::end);
        claim::begin();
    });
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        alternate_stack::switch_on();
        panics::install();
        SIGNALS.into_iter().for_each(install);
    });
    alternate_stack::guard_stack();
}

/// The engine of this run is closed. The handlers stay, since others may have kept ours to call it, and pass all signals on.
pub(crate) fn disarm(key: IdKey) {
    armed::clear(key.to_bytes(), || armed::with_map(claim::end));
}

fn install(signal: c_int) {
    let Some(previous) = previous::of(signal) else { return };
    // SAFETY: the structure is valid for the call; what was there is stored before our handler can run.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signal, std::ptr::null(), &raw mut before) == 0 {
            // The handler of our own mapped files is asked first anyway: it stands for the one before it.
            previous.set(crate::sys::before_ours(before));
            disposition::set_handler(signal, handler::handle);
        }
    }
}
