//! Tools for development and tests: reads a REZ Monitor queue, runs a local collector, and runs a demo app against a
//! small shop API.
//!
//! The feature `cli` adds the program `rezq`. All servers listen on loopback addresses only. They are not made for
//! production.

pub mod assertion;
#[cfg(feature = "cli")]
pub mod cli;
mod client;
pub mod collector;
#[cfg(feature = "cli")]
mod demo;
#[cfg(feature = "cli")]
mod diff;
pub mod endpoint;
pub mod files;
mod host;
#[cfg(feature = "cli")]
pub mod plan;
pub mod queue;
pub mod received;
#[cfg(feature = "cli")]
mod render;
mod seeded;
pub mod shop;
pub mod source;
#[cfg(feature = "cli")]
pub mod symbols;
#[cfg(feature = "cli")]
mod terminal;
pub mod timeline;
#[cfg(feature = "cli")]
pub mod tui;
pub mod web;
