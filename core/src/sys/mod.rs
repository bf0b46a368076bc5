//! Everything that differs between operating systems: files with allocated blocks, mappings, clocks, locks, forks.
//!
//! Every function with a faster or safer form on some system has a portable fallback, and the fallback is tested on every
//! system.

pub(crate) mod clock;
pub(crate) mod fault;
pub(crate) mod file;
pub(crate) mod fork;
pub(crate) mod ids;
pub(crate) mod lock;
pub(crate) mod map;
pub(crate) mod place;
pub(crate) mod random;
mod sigbus;
pub(crate) mod signal_cell;

pub use clock::Clock;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use sigbus::{before_ours, mend};
