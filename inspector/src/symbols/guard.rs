//! Parsers of files that anybody may have written.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls a parser of another crate. A panic in it (sums that overflow, in a build that checks them) is a file that cannot be read.
pub(super) fn guarded<T>(parse: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|_| Err("its numbers are out of range".to_owned()))
}
