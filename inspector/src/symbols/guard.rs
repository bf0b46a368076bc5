//! Parsers of files that anybody may have written.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls a parser of another crate. If it panics (for example at a sum that overflows, in a build that checks), the file cannot be
/// read.
pub(super) fn guarded<T>(parse: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|_| Err("its parser failed".to_owned()))
}
