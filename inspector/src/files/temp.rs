//! Temporary folders that only this user can read, deleted when they are dropped.

use super::error::FileError;
use tempfile::{Builder, TempDir};

/// Creates an empty folder in the temporary folder of the system.
pub(crate) fn folder() -> Result<TempDir, FileError> {
    let mut builder = Builder::new();
    builder.prefix("rezq-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().map_err(|error| FileError::unwritable(&std::env::temp_dir(), error))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_can_be_read_by_this_user_only_and_is_gone_when_it_is_dropped() {
        let folder = folder().unwrap();
        std::fs::write(folder.path().join("file"), b"x").unwrap();
        let path = folder.path().to_owned();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        drop(folder);
        assert!(!path.exists());
    }
}
