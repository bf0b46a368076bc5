//! Test support: child processes that can be killed, a collector, test servers of vendors, and the contract vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod contract;
pub mod disk;
pub mod harmless;
pub mod kid;
pub mod plants;
pub mod scene;
pub mod seeded;
pub mod standin;
pub mod story;
pub mod vendors;

/// Reports that a test was skipped. Writes to stderr directly, since the test harness captures `println!`.
pub fn skipped(name: &str, why: &str) {
    use std::io::Write as _;
    // The leading line feed ends a partial line of the harness.
    let _ = writeln!(std::io::stderr(), "\nskipped: {name}: {why}");
}
