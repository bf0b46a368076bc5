//! Access to a queue for people: for the inspector's program, which reads the file while an app writes it, and for the debug
//! screen of an app, which asks the engine through [`crate::Monitor::inspect`].
//!
//! | file | idea |
//! | --- | --- |
//! | `request`, `filter` | what is asked |
//! | `list`, `state` | which events a list has |
//! | `answer` | the answers, for an app and for a folder |
//! | `reader` | a folder answers |
//! | `received` | what a server received answers |
//! | `recent` | what was stored lately |
//! | `doctor` | what is wrong, and what mends it |
//! | `salvage`, `ring`, `health` | what tools read of files: rows of a damaged one, the ring, quarantines |

pub(crate) mod answer;
pub mod doctor;
mod filter;
mod health;
pub(crate) mod list;
mod reader;
mod received;
mod recent;
pub(crate) mod request;
mod ring;
mod salvage;
mod state;

pub(crate) use recent::Recent;

pub use health::{Quarantine, free_bytes, quarantines};
pub use ring::{RingRecord, RingView, SuperblockView, ring};
pub use salvage::{Marks, Rejected, Salvage, salvage};

pub use crate::phrases::{number, time};
pub use crate::privacy::Export as ExportRules;
pub use crate::sentences::{refused, title, waiting};
pub use crate::settings::nearest;
pub use crate::store::recent::keep_recent;
pub use crate::store::{
    Balance, Fate, Filter, KindBalance, Listed, Masked, Overview, Reader, RouteBalance, RouteFate, RouteView, RowState,
    StoreError, mask,
};
pub use filter::{Conditions, FilterError};
pub use list::MARK_LOGGER;
pub use received::{Received, answer_received};
pub use recent::{RECENT_FILE, recent_rows, unpack_recent};
