//! Shared by the tests: a child process that can be killed, what it acknowledged, what can be found afterwards; and the
//! contract vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod contract;
pub mod kid;
pub mod scene;
pub mod seeded;
