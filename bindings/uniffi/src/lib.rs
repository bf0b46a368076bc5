//! REZ Monitor for Kotlin and Swift.
//!
//! The crate translates and decides nothing: every rule is in `rez-monitor`. UniFFI generates both languages from the exported
//! functions and types below. Calls that happen often are too slow that way: three JNI functions and one C function take a record as
//! bytes ([`hot`]).
//!
//! | module | idea |
//! | --- | --- |
//! | [`engines`] | handles of open engines, and the rule that no panic leaves this crate |
//! | [`open`] | opens and closes an engine |
//! | [`hooks`] | what the host implements: transport, `before_send`, logger |
//! | [`attributes`] | values that own their memory, and their way to the borrowed values of the core |
//! | [`events`] | the types of the typed calls |
//! | [`record`] | the typed calls |
//! | [`guards`] | screen loads, HTTP calls and spans in progress |
//! | [`scope`] | user, tags, contexts, flags, super properties, views |
//! | [`control`] | consent, delivery, status |
//! | [`crashes`] | how earlier runs ended, and crashes on purpose |
//! | `endpoint` | the debug endpoint, which a request opens |
//! | [`hot`] | the hot record, and the JNI functions that take it |
//!
//! A function takes the handle that [`open::open`] returned. An unknown or closed handle records nothing and answers like a
//! closed engine (`store_unavailable`). All functions may be called from any thread. Times are milliseconds since 1970
//! (`_ms`) or durations in microseconds (`_us`); a negative duration is 0.

uniffi::setup_scaffolding!("rezmonitor");

pub mod attributes;
pub mod control;
pub mod crashes;
mod endpoint;
pub mod engines;
pub mod events;
pub mod guards;
pub mod hooks;
pub mod hot;
pub mod open;
pub mod record;
pub mod scope;
#[cfg(feature = "test-access")]
pub mod test_access;
