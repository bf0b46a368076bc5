//! Shared by the tests: a child process that can be killed, what it acknowledged, and what can be found afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod kid;
pub mod scene;
pub mod seeded;
