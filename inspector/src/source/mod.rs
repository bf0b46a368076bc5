//! Where a queue is: a folder on this machine, or an app that answers.
//!
//! Every source answers the same requests, described in `docs/guide/inspect.md`, so that all commands and pages work with each of them.

mod adb;
pub(crate) mod address;
mod app;
mod ask;
mod collected;
#[cfg(feature = "cli")]
mod expo;
mod folder;
mod masked;
mod pages;
mod remote;

pub use adb::{Adb, AdbError};
pub use app::App;
pub use ask::{Ask, Event, EventRoute, Lost, Page, Query, Shown};
pub use collected::Collected;
#[cfg(feature = "cli")]
pub use expo::{Expo, ExpoError};
pub use folder::Folder;
pub use masked::Masked;
pub use remote::{Remote, RemoteError};

use crate::files::FileError;
use crate::received::{self, ReceivedError};
use std::path::Path;

/// A queue that can be asked.
pub trait Inspect: Send + Sync {
    /// Answers a request of the inspect protocol. Both are JSON objects. Blocks for a bounded time.
    ///
    /// # Errors
    /// The source cannot be read. What is wrong with the request is in the answer.
    fn try_inspect(&self, request: &str) -> Result<String, SourceError>;

    /// As [`Inspect::try_inspect`]; an error is an answer too: `{"error": "<sentence>"}`.
    fn inspect(&self, request: &str) -> String {
        self.try_inspect(request).unwrap_or_else(|error| serde_json::json!({"error": error.to_string()}).to_string())
    }

    /// The queue as of one moment: the bytes of an SQLite file, with personal data.
    ///
    /// # Errors
    /// The source has no file to copy, or it cannot be read.
    fn snapshot(&self) -> Result<Vec<u8>, SourceError> {
        Err(SourceError::Refused(
            "this source gives no copy of its queue; `rezq list --json` prints its events".to_owned(),
        ))
    }

    /// The app that uses the queue, if it has its debug endpoint open: it can do what a file cannot.
    fn app(&self) -> Option<Remote> {
        None
    }

    /// What a person must know about the way the source is read, one sentence each.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the file is damaged, and the part of it that could be read answers.
    fn is_damaged(&self) -> bool {
        false
    }
}

/// Why a source gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file of a collector cannot be read.
    #[error(transparent)]
    Received(#[from] ReceivedError),
    /// The app does not answer.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The device does not answer.
    #[error(transparent)]
    Adb(#[from] AdbError),
    /// The app behind `expo start` does not answer.
    #[cfg(feature = "cli")]
    #[error(transparent)]
    Expo(#[from] ExpoError),
    /// The source answers that it cannot do this.
    #[error("{0}")]
    Refused(String),
    /// The answer has another form than this version of `rezq` knows.
    #[error("the answer to `{request}` cannot be read: {message}; use the version of rezq that matches the app")]
    Answer {
        /// The request.
        request: &'static str,
        /// What is wrong with the answer.
        message: String,
    },
}

impl SourceError {
    /// Whether nothing was answered: the file cannot be read, or the app does not answer.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        !matches!(self, SourceError::Refused(_) | SourceError::Answer { .. })
    }
}

/// Whether the argument names a source that is no file.
#[must_use]
pub fn is_address(argument: &str) -> bool {
    ["http://", "https://", "adb:", "expo:"].iter().any(|scheme| argument.starts_with(scheme))
}

/// Opens a source: the folder of a queue, a folder of `rezq demo --keep`, a copy of `queue.db` under any name, an export,
/// the file of a collector, `adb:PACKAGE`, an app on an Android device, `expo:[PORT][/NAME]`, a running app behind `expo start` (feature
/// `cli`), `http://127.0.0.1:PORT/?token=..`, the address of a running app or of `rezq serve`, or `http://127.0.0.1:PORT`, that of a
/// collector.
///
/// # Errors
/// There is no queue, or the address cannot be used.
pub fn open(argument: &str) -> Result<Box<dyn Inspect>, SourceError> {
    if let Some(app) = argument.strip_prefix("adb:") {
        return Ok(Box::new(Adb::open(app)?));
    }
    #[cfg(feature = "cli")]
    if argument.starts_with("expo:") {
        return Ok(Box::new(Expo::new(argument)?));
    }
    if is_address(argument) {
        return Ok(Box::new(Remote::new(argument)?));
    }
    let path = Path::new(argument);
    if received::is_received(path) {
        return Ok(Box::new(Collected::open(path)?));
    }
    Ok(Box::new(Folder::open(path)?))
}
