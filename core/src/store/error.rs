//! The errors of the queue's file, in classes that are handled differently.

use rusqlite::ErrorCode;

/// Why a call of the store failed. The class determines the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The file is damaged: quarantine it, start a new one, carve the old one.
    #[error("queue.db is damaged: {0}")]
    Corrupt(String),
    /// Not a queue, or one of an older format: handled as a damaged file. The carver reads what it can.
    #[error("queue.db {0}")]
    OtherFormat(String),
    /// No room on the disk: checkpoint, evict.
    #[error("queue.db cannot grow, the disk is full: {0}")]
    Full(String),
    /// A reader keeps the log from being restarted, and it has reached its limit: try again when the reader has ended.
    #[error(
        "another program reads queue.db and keeps its log from being emptied ({0}); end that program or its transaction"
    )]
    Held(String),
    /// It cannot be used now (permissions, locked device, input/output error): try again later.
    #[error("queue.db cannot be used now: {0}")]
    Unavailable(String),
    /// Written by a newer build (the app was downgraded): leave it alone.
    #[error("queue.db has format {0}, newer than this build reads: update the app")]
    Newer(u32),
}

/// The result of a call of the store.
pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Extended codes that mean "the write did not fit": `SQLITE_IOERR_WRITE` (a quota or a file size limit; a plain
/// full disk comes as `SQLITE_FULL`) and `SQLITE_IOERR_SHMSIZE` (no room for the index of the WAL).
const NO_ROOM: [i32; 2] = [rusqlite::ffi::SQLITE_IOERR_WRITE, rusqlite::ffi::SQLITE_IOERR_SHMSIZE];

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        let text = error.to_string();
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                // A constraint fails only if the file is inconsistent.
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch => StoreError::Corrupt(text),
                ErrorCode::DiskFull => StoreError::Full(text),
                _ if NO_ROOM.contains(&failure.extended_code) => StoreError::Full(text),
                _ if text.contains("no such ") || text.contains("malformed") => StoreError::Corrupt(text),
                _ => StoreError::Unavailable(text),
            },
            rusqlite::Error::SqlInputError { .. }
            | rusqlite::Error::QueryReturnedNoRows
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => StoreError::Corrupt(text),
            _ => StoreError::Unavailable(text),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> StoreError {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
                StoreError::Full(error.to_string())
            }
            _ => StoreError::Unavailable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn every_sqlite_error_maps_to_the_class_that_names_its_remedy() {
        let class = |code: i32, text: &str| -> StoreError {
            rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(text.to_string())).into()
        };
        for code in
            [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_CORRUPT_INDEX, ffi::SQLITE_CONSTRAINT_PRIMARYKEY]
        {
            assert!(matches!(class(code, ""), StoreError::Corrupt(_)), "{code}");
        }
        assert!(matches!(class(ffi::SQLITE_ERROR, "no such table: event"), StoreError::Corrupt(_)));
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE] {
            assert!(matches!(class(code, ""), StoreError::Full(_)), "{code}");
        }
        for code in
            [ffi::SQLITE_BUSY, ffi::SQLITE_IOERR_READ, ffi::SQLITE_CANTOPEN, ffi::SQLITE_READONLY, ffi::SQLITE_PERM]
        {
            assert!(matches!(class(code, ""), StoreError::Unavailable(_)), "{code}");
        }
        assert!(class(ffi::SQLITE_FULL, "why").to_string().contains("why"));
    }

    #[test]
    fn a_full_file_system_is_the_same_error_from_sqlite_and_from_the_system() {
        let full = std::io::Error::from_raw_os_error(28);
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        assert!(matches!(StoreError::from(full), StoreError::Full(_)));
        assert!(matches!(StoreError::from(std::io::Error::other("x")), StoreError::Unavailable(_)));
    }
}
