//! What a collector received: one SQLite file.
//!
//! | file | idea |
//! | --- | --- |
//! | `arrival` | an event that came, accepted or rejected |
//! | `file` | the file: its format, and how it is opened |
//! | `store` | what the collector writes |
//! | `query` | what the `rez` protocol's requests read |
//! | `gaps` | numbers that have not arrived |
//! | `rows` | events as rows of the inspector |
//! | `answer` | the inspect protocol |

mod answer;
mod arrival;
mod file;
mod gaps;
mod query;
mod rows;
mod store;

/// Name of the file, unless its user chooses another.
#[cfg(feature = "cli")]
pub(crate) const FILE: &str = "collector.sqlite";

pub use answer::Reader;
pub use file::{ReceivedError, is_received};
pub use gaps::Gaps;
#[cfg(feature = "cli")]
pub(crate) use gaps::seq_of;
#[cfg(feature = "cli")]
pub(crate) use gaps::{epoch_of, leaves_a_gap};
pub use query::{Counts, Filter, LostRow, StoredEvent};

#[cfg(feature = "cli")]
pub(crate) use arrival::key_of;
pub(crate) use arrival::{Arrival, Refusal, Sender};
pub(crate) use file::{Db, SqlError, failed};
pub(crate) use rows::row_json;
pub(crate) use store::{Batch, Replay};

use serde::{Deserialize, Serialize};

/// How long an id is kept for deduplication, in milliseconds. Longer than a collector accepts an event, so that no accepted event can be
/// older than its id.
pub const DEDUPE_MS: i64 = 32 * DAY_MS;

/// How long a stored response is repeated, in milliseconds.
pub const REPLAY_MS: i64 = DAY_MS;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// A cumulative count of events that a device lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostCount {
    /// The reason.
    pub reason: String,
    /// The kind of the events.
    pub kind: String,
    /// The count since the start of the epoch.
    pub count: u64,
}

/// Formats a time as the protocol does: RFC 3339, UTC, milliseconds.
pub(crate) fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

/// Returns all accepted events of our own protocol in order of arrival.
///
/// # Errors
/// The file does not exist, cannot be read, or is no file of a collector of this version.
pub fn read(path: &std::path::Path) -> Result<Vec<StoredEvent>, ReceivedError> {
    let all = Filter { limit: usize::MAX, ..Filter::default() };
    let events = Db::read(path)?.events(&all).map_err(|error| failed(path, &error))?;
    Ok(events.unwrap_or_default())
}
