//! Where a demo leaves its files.

use crate::terminal::CliError;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A folder that goes with the demo unless it is kept.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    /// The folder to keep: new or empty, so that no older run is mixed in or lost.
    pub(super) fn keep(path: &Path) -> Result<Folder, CliError> {
        let cannot = |error: io::Error| {
            CliError::open(
                format!("cannot use the folder {}: {error}", path.display()),
                "name a folder that can be written with --keep",
            )
        };
        fs::create_dir_all(path).map_err(cannot)?;
        if fs::read_dir(path).map_err(cannot)?.next().is_some() {
            let what = format!("the folder {} is not empty", path.display());
            return Err(CliError::usage(what, "name a new folder with --keep, or empty this one"));
        }
        let path = path.canonicalize().map_err(cannot)?;
        Ok(Folder { path, keep: true })
    }

    /// A folder of its own among the system's temporary ones.
    pub(super) fn temporary() -> Result<Folder, CliError> {
        let since = jiff::Timestamp::now().as_microsecond();
        let path = std::env::temp_dir().join(format!("rezq-demo-{}-{since}", std::process::id()));
        fs::create_dir(&path).map_err(|error| {
            let what = format!("cannot make the folder {}: {error}", path.display());
            CliError::open(what, "set TMPDIR to a folder that can be written, or name one with --keep")
        })?;
        Ok(Folder { path, keep: false })
    }

    /// The app's queue and ring.
    pub(super) fn app(&self) -> PathBuf {
        self.path.join("app")
    }

    /// The collector's file.
    pub(super) fn collector(&self) -> PathBuf {
        self.path.join("collector.sqlite")
    }

    /// Where it is, if it stays.
    pub(super) fn kept(&self) -> Option<&Path> {
        self.keep.then_some(&*self.path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed is the system's to clean.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Exit;

    #[test]
    fn a_folder_with_something_in_it_is_refused() {
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
    fn a_temporary_folder_goes_with_the_demo() {
        let folder = Folder::temporary().unwrap();
        fs::create_dir(folder.app()).unwrap();
        let path = folder.path.clone();
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }
}
