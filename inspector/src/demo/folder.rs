//! The folder of a demo run.

use crate::terminal::CliError;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A folder that is removed at the end of the demo unless it is kept.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    /// Uses a folder that is kept. It must be new or empty, so that no earlier run is overwritten.
    pub(super) fn keep(path: &Path) -> Result<Folder, CliError> {
        let fail = |error: io::Error| {
            CliError::open(
                format!("cannot use the folder {}: {error}", path.display()),
                "pass a writable folder with --keep",
            )
        };
        fs::create_dir_all(path).map_err(fail)?;
        if fs::read_dir(path).map_err(fail)?.next().is_some() {
            let what = format!("the folder {} is not empty", path.display());
            return Err(CliError::usage(what, "pass a new folder with --keep, or empty this one"));
        }
        let path = path.canonicalize().map_err(fail)?;
        Ok(Folder { path, keep: true })
    }

    /// Creates a temporary folder.
    pub(super) fn temporary() -> Result<Folder, CliError> {
        let now = jiff::Timestamp::now().as_microsecond();
        let path = std::env::temp_dir().join(format!("rezq-demo-{}-{now}", std::process::id()));
        fs::create_dir(&path).map_err(|error| {
            let what = format!("cannot create the folder {}: {error}", path.display());
            CliError::open(what, "set TMPDIR to a writable folder, or pass one with --keep")
        })?;
        Ok(Folder { path, keep: false })
    }

    /// Returns the folder of the queue.
    pub(super) fn app(&self) -> PathBuf {
        self.path.join("app")
    }

    /// Returns the path of the collector's file.
    pub(super) fn collector(&self) -> PathBuf {
        self.path.join(crate::received::FILE)
    }

    /// Returns the path if the folder is kept.
    pub(super) fn kept(&self) -> Option<&Path> {
        self.keep.then_some(&*self.path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // The system cleans its temporary folder.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Exit;

    #[test]
    fn a_folder_that_is_not_empty_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/deep");
        assert!(Folder::keep(&path).unwrap().kept().is_some());
        assert!(path.is_dir());
        fs::write(path.join("x"), "x").unwrap();
        let error = Folder::keep(&path).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.to_string().contains("not empty"));
        assert_eq!(Folder::keep(&path.join("x/y")).unwrap_err().exit, Exit::CannotOpen);
    }

    #[test]
    fn a_temporary_folder_is_removed_with_the_demo() {
        let folder = Folder::temporary().unwrap();
        fs::create_dir(folder.app()).unwrap();
        let path = folder.path.clone();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }
}
