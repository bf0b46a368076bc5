//! Native crashes: a signal that ends the process becomes an event in the ring's reserve, which the next start stores. See ADR 0042.
//!
//! `native` captures them on Linux and Android. Elsewhere there is nothing to switch on.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod native;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use native::*;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod nowhere;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use nowhere::*;

mod test_crash;
pub use test_crash::TestCrash;

/// Whether there is something to switch on.
pub(crate) const CAN_CAPTURE: bool = cfg!(any(target_os = "linux", target_os = "android"));
