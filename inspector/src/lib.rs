//! Reads the queue of REZ Monitor and shows what became of every event; the desk collector; the small shop and the
//! demo that use both.
//!
//! A library first: the program `rezq` is its feature `cli`. Everything here listens on loopback addresses only and
//! is made for a desk, a test or a build server, never for production.

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(any(test, feature = "cli"))]
mod client;
pub mod collector;
#[cfg(feature = "cli")]
mod demo;
mod host;
pub mod queue;
mod seeded;
pub mod shop;
