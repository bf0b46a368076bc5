//! New files that appear whole, and that only this user can read.

use super::error::FileError;
use std::fs::File;
use std::io;
use std::path::Path;
use tempfile::Builder;

/// Creates a file with what `write` writes. If that fails or is interrupted, there is no file of this name. Returns what `write`
/// returned, and the size of the file.
///
/// # Errors
/// There is something of this name, or the file cannot be written.
pub(crate) fn create<T, E: From<FileError>>(
    path: &Path,
    write: impl FnOnce(&File) -> Result<T, E>,
) -> Result<(T, u64), E> {
    let unwritable = |error: io::Error| E::from(FileError::unwritable(path, error));
    // Before the work.
    if path.symlink_metadata().is_ok() {
        return Err(FileError::Taken(path.to_owned()).into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let part = Builder::new().prefix(".rezq-").tempfile_in(folder).map_err(unwritable)?;
    let written = write(part.as_file())?;
    part.as_file().sync_all().map_err(unwritable)?;
    let file = part.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => FileError::Taken(path.to_owned()).into(),
        _ => unwritable(error.error),
    })?;
    Ok((written, file.metadata().map_err(unwritable)?.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_file_appears_whole_or_not_at_all_and_never_replaces_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let failed = create(&path, |mut file| -> Result<(), FileError> {
            file.write_all(b"half").unwrap();
            Err(FileError::NoQueue(dir.path().to_owned()))
        });
        assert!(matches!(failed, Err(FileError::NoQueue(_))));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let whole = |text: &'static str| {
            create(&path, move |mut file| {
                file.write_all(text.as_bytes()).map_err(|error| FileError::unwritable(Path::new("out"), error))
            })
        };
        assert_eq!(whole("whole"), Ok(((), 5)));
        assert_eq!(whole("another"), Err(FileError::Taken(path.clone())));
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
    }
}
