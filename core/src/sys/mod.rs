//! All that differs between operating systems: files with real blocks, mappings, clocks, locks, forks.
//!
//! Every function that has a faster or safer form on some system has a portable twin here, and the twin is under test
//! on every system.

pub(crate) mod clock;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod fork;
pub(crate) mod lock;
pub(crate) mod map;
pub(crate) mod random;

pub use clock::Clock;
