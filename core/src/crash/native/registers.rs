//! The registers of the thread that crashed.

use libc::c_void;

/// Those from which its frames are found. 0 = not known on this processor.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Registers {
    /// Address of the instruction.
    pub(super) pc: u64,
    /// End of the stack.
    pub(super) sp: u64,
    /// The frame of the function.
    pub(super) fp: u64,
    /// Where the function returns to, if a register says so.
    pub(super) link: u64,
}

/// Most registers of a processor.
pub(super) const MOST: usize = 34;

#[cfg(target_arch = "x86_64")]
mod imp {
    use super::{MOST, Registers, c_void};

    /// In the order of the kernel.
    const NAMES: [&str; 18] = [
        "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp",
        "rip", "eflags",
    ];

    /// # Safety
    /// `context` is what the kernel passes to a handler.
    pub(in crate::crash::native) unsafe fn read(
        context: *mut c_void,
        all: &mut [(&'static str, u64); MOST],
    ) -> (Registers, usize) {
        // SAFETY: the caller's promise.
        let given = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        for ((place, name), value) in all.iter_mut().zip(NAMES).zip(given) {
            *place = (name, value.cast_unsigned());
        }
        let of = |index: usize| given.get(index).map_or(0, |value| value.cast_unsigned());
        (Registers { pc: of(16), sp: of(15), fp: of(10), link: 0 }, NAMES.len())
    }
}

#[cfg(target_arch = "aarch64")]
mod imp {
    use super::{MOST, Registers, c_void};

    const NAMES: [&str; 31] = [
        "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
        "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30",
    ];

    /// # Safety
    /// `context` is what the kernel passes to a handler.
    pub(in crate::crash::native) unsafe fn read(
        context: *mut c_void,
        all: &mut [(&'static str, u64); MOST],
    ) -> (Registers, usize) {
        // SAFETY: the caller's promise.
        let given = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
        let rest = [("sp", given.sp), ("pc", given.pc), ("pstate", given.pstate)];
        for (place, register) in all.iter_mut().zip(NAMES.into_iter().zip(given.regs).chain(rest)) {
            *place = register;
        }
        let of = |index: usize| given.regs.get(index).copied().unwrap_or(0);
        (Registers { pc: given.pc, sp: given.sp, fp: of(29), link: of(30) }, MOST)
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod imp {
    use super::{MOST, Registers, c_void};

    /// # Safety
    /// None.
    pub(in crate::crash::native) unsafe fn read(
        _: *mut c_void,
        _: &mut [(&'static str, u64); MOST],
    ) -> (Registers, usize) {
        (Registers::default(), 0)
    }
}

pub(super) use imp::read;
