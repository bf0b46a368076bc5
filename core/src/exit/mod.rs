//! How a process of the app ended: what the engine knows of the run before, and what the system remembers of earlier processes.
//!
//! | file | idea |
//! | --- | --- |
//! | `report` | what the system remembers, as the host tells it |
//! | `last_run` | how the run before this one ended |
//! | `unclean` | what to record of a run that ended without a crash and without `close` |

mod last_run;
mod report;
mod unclean;

pub use last_run::{LastCrash, LastRun, RunEnd};
pub use report::{ExitReason, ExitReport};
pub use unclean::UncleanExits;
