//! Test support: child processes that can be killed, a collector, test servers of vendors, and the contract vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod child_process;
pub mod contract;
pub mod disk;
pub mod harmless;
pub mod plants;
pub mod scenario;
pub mod seeded;
pub mod vendor_server;
pub mod vendors;
pub mod workload;

/// Reports that a test was skipped. Writes to stderr directly, since the test harness captures `println!`.
pub fn skipped(name: &str, why: &str) {
    use std::io::Write as _;
    // The leading line feed ends a partial line of the harness.
    let _ = writeln!(std::io::stderr(), "\nskipped: {name}: {why}");
}
