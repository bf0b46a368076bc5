//! What the device had left when the app crashed: memory and storage.

use libc::c_int;
use std::ffi::CStr;
use std::mem::MaybeUninit;

/// Bytes of the file that are read: the line is the third one.
const READ_BYTES: usize = 256;

/// The memory that can still be given to programs, in bytes. Async-signal-safe.
pub(super) fn memory() -> Option<u64> {
    let mut bytes = [0u8; READ_BYTES];
    let len = read(c"/proc/meminfo", &mut bytes)?;
    available(bytes.get(..len)?)
}

/// The number of the line `MemAvailable:    1234 kB`.
fn available(text: &[u8]) -> Option<u64> {
    let line = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"MemAvailable:"))?;
    let digits = line.iter().filter(|byte| byte.is_ascii_digit());
    let number = digits.fold(0u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    number.checked_mul(1_024).filter(|bytes| *bytes > 0)
}

/// The storage that is left where the queue is, in bytes. Async-signal-safe: one system call.
pub(super) fn storage(folder: &CStr) -> Option<u64> {
    let mut state = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the path ends with a zero, and the kernel fills the structure if it succeeds.
    let state = unsafe {
        if libc::statfs(folder.as_ptr(), state.as_mut_ptr()) != 0 {
            return None;
        }
        state.assume_init()
    };
    #[allow(clippy::unnecessary_cast)] // 32 bits wide on systems of 32 bits.
    let blocks = state.f_bavail as u64;
    u64::try_from(state.f_bsize).ok()?.checked_mul(blocks)
}

fn read(path: &CStr, into: &mut [u8]) -> Option<usize> {
    // SAFETY: the path ends with a zero, and the kernel writes at most the length of the slice.
    unsafe {
        let file: c_int = libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if file < 0 {
            return None;
        }
        let len = libc::read(file, into.as_mut_ptr().cast(), into.len());
        libc::close(file);
        usize::try_from(len).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn both_are_numbers_of_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let path = CString::new(folder.path().as_os_str().as_bytes()).unwrap();
        assert!(memory().is_some_and(|bytes| bytes > 1 << 20 && bytes < 1 << 50), "{:?}", memory());
        assert!(storage(&path).is_some_and(|bytes| bytes < 1 << 60), "{:?}", storage(&path));
        assert_eq!(storage(c"/nowhere/at/all"), None);
    }

    #[test]
    fn a_file_of_another_form_has_no_number() {
        for text in
            ["", "MemAvailable:", "MemAvailable: 0 kB", "MemFree: 12 kB\n", "MemAvailable: 99999999999999999999 kB"]
        {
            assert_eq!(available(text.as_bytes()), None, "{text}");
        }
        assert_eq!(available(b"MemTotal: 9 kB\nMemAvailable:   12 kB\nBuffers: 3 kB"), Some(12_288));
    }
}
