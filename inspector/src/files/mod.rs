//! Queues as files: copies, damaged ones, exports for a ticket.
//!
//! | file | idea |
//! | --- | --- |
//! | `source` | opens a folder, a file of any name or an export, read-only |
//! | `place` | what a path means |
//! | `copy` | copies the files of a queue while an app may write to them |
//! | `create` | new files that appear whole |
//! | `rezq` | the form of an export: one compressed SQLite file |
//! | `export` | a snapshot without personal data: as an export, NDJSON or CSV |
//! | `salvage` | the rows of a damaged queue |
//! | `doctor` | what is wrong with a queue, and what mends it |
//! | `sql` | queries over the view `inspect` |

mod copy;
mod create;
mod db;
mod doctor;
mod error;
mod export;
mod place;
mod rezq;
mod salvage;
mod source;
mod sql;
mod temp;

#[cfg(feature = "cli")]
pub(crate) use create::create;
pub use doctor::doctor;
pub use error::FileError;
pub use export::{Exported, Snapshot, export, snapshot};
pub use place::ring_file;
pub use rezq::{FORMAT, Info, import};
pub use salvage::{Salvaged, salvage};
pub use source::{Origin, Source};
pub use sql::{Query, SqlError, VIEW};
pub(crate) use temp::folder as temp_folder;
