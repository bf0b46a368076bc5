//! The signals that end a process because of a mistake in it, and what their codes mean.

use libc::c_int;

/// The signals that are captured.
pub(super) const SIGNALS: [c_int; 6] =
    [libc::SIGSEGV, libc::SIGABRT, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];

/// The processor reported it, and the kernel has no code for it.
const KERNEL: c_int = 0x80;

/// The name of a captured signal.
pub(super) fn name(signal: c_int) -> &'static str {
    match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGILL => "SIGILL",
        libc::SIGFPE => "SIGFPE",
        libc::SIGTRAP => "SIGTRAP",
        _ => "signal",
    }
}

/// Whether a process sent the signal, rather than the processor.
pub(super) fn was_sent(code: c_int) -> bool {
    code <= 0
}

/// Whether a thread of this process sent the signal to itself or to another one, as `abort` does.
///
/// # Safety
/// The pointer is that of a handler.
pub(super) unsafe fn is_own(info: *mut libc::siginfo_t) -> bool {
    // SAFETY: the caller's promise; the kernel fills in the sender of a signal with this code.
    unsafe { (*info).si_code == libc::SI_TKILL && (*info).si_pid() == libc::getpid() }
}

/// Whether the address of the signal is the one that the program used, or that of the instruction.
pub(super) fn has_address(code: c_int) -> bool {
    !was_sent(code) && code != KERNEL
}

/// The name of a code, and what it means.
pub(super) fn code(signal: c_int, code: c_int) -> (&'static str, &'static str) {
    match (signal, code) {
        (_, 0) => ("SI_USER", "a process sent the signal"),
        (_, -1) => ("SI_QUEUE", "a process sent the signal"),
        (_, -6) => ("SI_TKILL", "a process sent the signal to a thread"),
        (_, ..=-1) => ("SI_SENT", "the signal was sent"),
        (libc::SIGSEGV, KERNEL) => ("SI_KERNEL", "the address is not one that the processor accepts"),
        (libc::SIGTRAP, KERNEL) => ("SI_KERNEL", "the program reached a breakpoint"),
        (_, KERNEL) => ("SI_KERNEL", "the kernel sent the signal"),
        (libc::SIGSEGV, 1) => ("SEGV_MAPERR", "no memory is mapped there"),
        (libc::SIGSEGV, 2) => ("SEGV_ACCERR", "the memory there may not be used in this way"),
        (libc::SIGSEGV, 8 | 9) => ("SEGV_MTE", "the tag of the pointer is not that of the memory there"),
        (libc::SIGBUS, 1) => ("BUS_ADRALN", "the address is not aligned"),
        (libc::SIGBUS, 2) => ("BUS_ADRERR", "the mapped file ends before it"),
        (libc::SIGBUS, 3) => ("BUS_OBJERR", "the hardware failed"),
        (libc::SIGBUS, 4 | 5) => ("BUS_MCEERR", "the memory is faulty"),
        (libc::SIGILL, 1) => ("ILL_ILLOPC", "the processor does not know the instruction"),
        (libc::SIGILL, 2) => ("ILL_ILLOPN", "the operand is not one that the instruction accepts"),
        (libc::SIGILL, _) => ("ILL", "the instruction is not allowed"),
        (libc::SIGFPE, 1) => ("FPE_INTDIV", "a whole number was divided by zero"),
        (libc::SIGFPE, 2) => ("FPE_INTOVF", "a whole number is too large"),
        (libc::SIGFPE, 3) => ("FPE_FLTDIV", "a number was divided by zero"),
        (libc::SIGFPE, _) => ("FPE", "the result of a calculation is not a number"),
        (libc::SIGTRAP, 1) => ("TRAP_BRKPT", "the program reached a breakpoint"),
        (libc::SIGTRAP, 2) => ("TRAP_TRACE", "a traced instruction was executed"),
        (libc::SIGTRAP, _) => ("TRAP", "the program reached a trap"),
        _ => ("SI_OTHER", "the kernel sent the signal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_has_a_name_and_every_code_a_sentence() {
        for signal in SIGNALS {
            assert!(name(signal).starts_with("SIG"));
            for number in (-70..70).chain([KERNEL]) {
                let (name, words) = code(signal, number);
                assert!(!name.is_empty() && !words.is_empty());
            }
        }
        assert_eq!(code(libc::SIGSEGV, 1).0, "SEGV_MAPERR");
        assert!(was_sent(libc::SI_TKILL) && was_sent(libc::SI_USER) && !was_sent(KERNEL) && !has_address(KERNEL));
    }
}
