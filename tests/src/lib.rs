//! Shared by the tests: a child process that can be killed, what it acknowledged, what can be found afterwards; and the
//! contract vectors.
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

/// Says that a test could not do its work here, past what the test harness keeps to itself, so that it is seen in the log of
/// the lane.
pub fn skipped(name: &str, why: &str) {
    use std::io::Write as _;
    // A line of its own, whatever stands before it.
    let _ = writeln!(std::io::stderr(), "\nskipped: {name}: {why}");
}
