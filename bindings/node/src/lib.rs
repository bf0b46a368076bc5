//! REZ Monitor for Node.js: an addon with the class `RezMonitor`.
//!
//! The class has the methods of `react-native/src/specs/NativeRezMonitor.ts`, the one interface between JavaScript and the engine,
//! so that the TypeScript of the package runs on the real engine outside a phone. The crate translates and decides nothing: every
//! rule is in `rez-monitor`.
//!
//! | module | idea |
//! | --- | --- |
//! | [`class`] | the class: arguments of JavaScript in, texts out |
//! | [`arguments`] | an argument of any type, and what to say about a wrong one |
//! | [`engine`] | the engine of an object, shared by all objects of a folder; the rule that no panic leaves this crate |
//! | [`calls`] | one function per method: the engine's answer as text |
//! | [`messages`] | what the engine has to say, until JavaScript takes it |
//! | [`wait`] | a promise that a thread of Node.js resolves |
//!
//! No method throws, and no promise is rejected. An argument of a wrong type, a closed engine and a panic behind a call have an answer
//! each: `false`, an empty list or object, or a sentence that says what is wrong. Engines live in the process, not in the object: an
//! object that is collected closes nothing. Without [`close`](class::RezMonitor::close) an engine ends with the process, and what it
//! has recorded is in its ring.
//!
//! To load it, copy the library to a file that ends in `.node` and `require` it.

pub mod arguments;
pub mod calls;
pub mod class;
pub mod engine;
pub mod messages;
#[cfg(feature = "test-access")]
pub mod test_access;
pub mod wait;
