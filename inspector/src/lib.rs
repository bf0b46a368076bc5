//! Tools for development and tests: reads a REZ Monitor queue, runs a local collector, and runs a demo app against a
//! small shop API.
//!
//! The feature `cli` adds the program `rezq`. All servers listen on loopback addresses only. They are not made for
//! production.

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
#[cfg(feature = "cli")]
mod terminal;
