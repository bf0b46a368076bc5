//! The C function that takes a hot record: for Swift, which calls C without a bridge, so that only the encoding costs.

use super::{RECORD_BYTES, Submitted};
use std::io::Write;

/// Bytes that `answer` must have room for: an id has 36, a reason fewer.
const ANSWER_BYTES: usize = 64;

/// Records the hot record of `length` bytes at `record`.
///
/// Returns the length of the id of the event, which is written to `answer`; 0 if it has no id; minus the length of the reason, which
/// is written to `answer`, if it was refused; `i32::MIN` if it is not of this version, and nothing was recorded or counted.
///
/// # Safety
/// `record` has `length` readable bytes, and `answer` has 64 writable ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rez_monitor_submit(handle: u64, record: *const u8, length: usize, answer: *mut u8) -> i32 {
    if record.is_null() || answer.is_null() || length > RECORD_BYTES {
        return i32::MIN;
    }
    // SAFETY: the caller promises it.
    let (record, answer) =
        unsafe { (std::slice::from_raw_parts(record, length), std::slice::from_raw_parts_mut(answer, ANSWER_BYTES)) };
    match super::submit(handle, record) {
        Submitted::Recorded(id) => written(answer, format_args!("{id}")),
        Submitted::Noted => 0,
        Submitted::Dropped(reason) => -written(answer, format_args!("{}", reason.as_str())),
        Submitted::Malformed => i32::MIN,
    }
}

fn written(answer: &mut [u8], text: std::fmt::Arguments<'_>) -> i32 {
    let mut rest = &mut answer[..];
    // A text that does not fit is cut.
    let _ = rest.write_fmt(text);
    (ANSWER_BYTES - rest.len()) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_a_closed_engine_is_its_reason_and_nonsense_is_malformed() {
        let mut answer = [0u8; ANSWER_BYTES];
        let record = [1u8, 3, 0, 0, 1, 0, b'a'];
        // SAFETY: both are as long as they must be.
        let length = unsafe { rez_monitor_submit(0, record.as_ptr(), record.len(), answer.as_mut_ptr()) };
        assert_eq!(&answer[..usize::try_from(-length).unwrap()], b"store_unavailable");
        // SAFETY: a null pointer is answered before it is read.
        assert_eq!(unsafe { rez_monitor_submit(0, std::ptr::null(), 1, answer.as_mut_ptr()) }, i32::MIN);
    }
}
