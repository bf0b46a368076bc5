//! Ends the process as a crash of native code does, for a debug screen.

/// A crash for [`Monitor::test_crash`](crate::Monitor::test_crash).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TestCrash {
    /// A write to an address where there is no memory: `SIGSEGV`.
    Fault,
    /// A call of `abort`: `SIGABRT`.
    Abort,
    /// A panic of Rust that cannot unwind, which calls `abort`: `SIGABRT`, with the message of the panic.
    Panic,
}

impl TestCrash {
    /// Every kind.
    pub const ALL: [TestCrash; 3] = [TestCrash::Fault, TestCrash::Abort, TestCrash::Panic];

    /// Its name: `fault`, `abort` or `panic`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            TestCrash::Fault => "fault",
            TestCrash::Abort => "abort",
            TestCrash::Panic => "panic",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<TestCrash> {
        TestCrash::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    pub(crate) fn end_the_process(self) -> ! {
        match self {
            TestCrash::Fault => fault(),
            TestCrash::Abort => {}
            TestCrash::Panic => panic_without_unwinding(),
        }
        // A handler of the app can survive a fault.
        std::process::abort()
    }
}

/// In the first page, which no system maps.
const NOWHERE: usize = 0x10;

#[inline(never)]
fn fault() {
    // SAFETY: none; the write is the mistake that is wanted, and the address is in no object of the program.
    unsafe { std::ptr::without_provenance_mut::<u32>(NOWHERE).write_volatile(7) }
}

/// A panic may not leave a function of the C calling convention: it ends the process.
#[expect(clippy::panic, reason = "it is what the app asks for")]
extern "C" fn panic_without_unwinding() {
    panic!("a test crash of REZ Monitor");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_name_that_maps_back_to_it() {
        for kind in TestCrash::ALL {
            assert_eq!(TestCrash::parse(kind.as_str()), Some(kind));
        }
        for other in ["", "Fault", "exception"] {
            assert_eq!(TestCrash::parse(other), None);
        }
    }
}
