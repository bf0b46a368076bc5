//! Why a file cannot be used: what happened, where, and what to do.

use rez_monitor::inspect::StoreError;
use std::path::{Path, PathBuf};

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Nothing is at this path.
    #[error("there is no file or folder {}", .0.display())]
    Missing(PathBuf),
    /// The folder has no queue.
    #[error("there is no queue.db in {}", .0.display())]
    NoQueue(PathBuf),
    /// The file is neither a queue nor an export.
    #[error("{} is not a queue of REZ Monitor: {message}", path.display())]
    NotAQueue {
        /// The file.
        path: PathBuf,
        /// What it is.
        message: String,
    },
    /// The file is that of a collector.
    #[error("{} is what a collector received, and no queue", .0.display())]
    Received(PathBuf),
    /// A newer version wrote the file.
    #[error("{} has format {format}, which this version of rezq does not read", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// An export is incomplete or damaged.
    #[error("the export {} is {message}", path.display())]
    Export {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {message}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system or of SQLite.
        message: String,
    },
    /// A file of the result exists, or its folder is not empty.
    #[error("{} exists", .0.display())]
    Taken(PathBuf),
    /// The result cannot be written.
    #[error("cannot write {}: {message}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system or of SQLite.
        message: String,
    },
}

impl FileError {
    /// What to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            FileError::Missing(_) => "check the path",
            FileError::NoQueue(_) => {
                "pass the folder that contains queue.db, a copy of queue.db, an export, or a folder kept by `rezq demo --keep`"
            }
            FileError::NotAQueue { .. } => "pass queue.db of the app, or a file made by `rezq export`",
            FileError::Received(_) => {
                "`rezq list`, `show`, `status`, `check`, `serve` and `export --format ndjson` read it"
            }
            FileError::Newer { .. } => "use the version of rezq that matches the app",
            FileError::Export { .. } => "copy the file again, or export the queue again; no part of it is used",
            FileError::Unreadable { .. } => {
                "check that you may read the file and that there is room in the temporary folder"
            }
            FileError::Taken(_) => "pass a path that does not exist yet",
            FileError::Unwritable { .. } => "check that the folder exists, may be written to, and has room",
        }
    }

    /// The file cannot be read.
    pub(crate) fn unreadable(path: &Path, error: impl std::fmt::Display) -> FileError {
        FileError::Unreadable { path: path.to_owned(), message: error.to_string() }
    }

    /// The file cannot be written.
    pub(crate) fn unwritable(path: &Path, error: impl std::fmt::Display) -> FileError {
        FileError::Unwritable { path: path.to_owned(), message: error.to_string() }
    }

    /// An error of the store under the name of the file that the person passed.
    pub(crate) fn of_store(path: &Path, error: StoreError) -> FileError {
        let path = path.to_owned();
        match error {
            StoreError::Newer(format) => FileError::Newer { path, format },
            StoreError::OtherFormat(message) => FileError::NotAQueue { path, message: format!("it {message}") },
            StoreError::Corrupt(message) => {
                FileError::Unreadable { path, message: format!("it is damaged: {message}") }
            }
            StoreError::Full(message) | StoreError::Held(message) | StoreError::Unavailable(message) => {
                FileError::Unreadable { path, message }
            }
        }
    }
}
