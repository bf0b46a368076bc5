//! The capture on Linux and Android.
//!
//! | file | idea |
//! | --- | --- |
//! | `install`, `armed` | switching it on; the run that a crash belongs to |
//! | `handler` | what happens on a signal: report, call the handler before ours, let the process end |
//! | `previous`, `disposition` | the handlers that were there before; what the kernel calls |
//! | `claim` | of several signals one is reported |
//! | `report` | the signal as an event, encoded into static memory |
//! | `signals`, `registers`, `walk`, `left`, `text` | names of signals and codes; registers; the frames; memory and storage that are left; texts without the heap |
//! | `panics` | the panic that an abort follows |
//! | `alternate_stack` | a stack for the handler when the thread's own is exhausted |
//! | `modules`, `table` | the libraries of the process with their build ids; their file, and the names of frames from it |
//!
//! What runs in a signal handler allocates nothing, takes no lock and uses no stream of the standard library.

mod alternate_stack;
mod armed;
mod claim;
mod disposition;
mod handler;
mod install;
mod left;
mod modules;
mod panics;
mod previous;
mod registers;
mod report;
mod signals;
mod table;
mod text;
mod walk;

pub(crate) use alternate_stack::guard_stack;
pub(crate) use claim::{release_survived, told};
pub(crate) use install::{arm, disarm};
pub(crate) use table::{ModuleFile, Modules};
