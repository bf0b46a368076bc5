//! The lock of a queue's folder: one process, one engine.

use super::file;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The locked file inside the folder.
const FILE: &str = "owner.lock";

/// Sibling folders that other processes of the app may use at once.
pub(crate) const SIBLINGS: u32 = 16;

/// Folders taken away under us in a row before it is called an error.
const TRIES: u32 = 8;

/// Held as long as it lives; the system gives it back when the process dies.
#[derive(Debug)]
pub(crate) struct FolderLock {
    folder: PathBuf,
    file: File,
}

impl FolderLock {
    /// Takes the folder, which is made if it is not there; `None` = another engine has it, here or in another process.
    pub(crate) fn take(folder: &Path) -> io::Result<Option<FolderLock>> {
        let path = folder.join(FILE);
        for _ in 0..TRIES {
            file::create_folder(folder)?;
            let open = match file::open_private(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                open => open?,
            };
            match open.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Whoever drained and removed the folder meanwhile left us the lock of a file that nobody else finds.
            if file::is_whole(&open, &path, 0) {
                return Ok(Some(FolderLock { folder: folder.to_owned(), file: open }));
            }
        }
        Err(io::Error::other("the folder is removed again and again"))
    }

    /// Takes a folder that some engine made and nobody holds now.
    pub(crate) fn take_abandoned(folder: &Path) -> Option<FolderLock> {
        if !folder.join(FILE).exists() {
            return None;
        }
        FolderLock::take(folder).ok().flatten()
    }

    /// Removes the folder with everything in it. Out of the way first: once its lock is unlinked, another process would take
    /// the name for its own, and lose what it puts there.
    pub(crate) fn remove(self) -> io::Result<()> {
        let mut aside = self.folder.as_os_str().to_owned();
        aside.push(format!(".gone-{}", std::process::id()));
        std::fs::rename(&self.folder, &aside)?;
        std::fs::remove_dir_all(&aside)
    }

    /// Whether the folder at that place is still the one that was locked.
    pub(crate) fn is_in_place(&self) -> bool {
        file::is_whole(&self.file, &self.folder.join(FILE), 0)
    }
}

/// The folder that the n-th engine on this folder uses: the folder itself, or a sibling `<name>.<n>`.
pub(crate) fn sibling(folder: &Path, n: u32) -> PathBuf {
    if n == 0 {
        return folder.to_owned();
    }
    let mut name = folder.as_os_str().to_owned();
    name.push(format!(".{n}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_until_the_lock_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        assert!(FolderLock::take_abandoned(&folder).is_none());
        assert!(!folder.exists());
        let lock = FolderLock::take(&folder).unwrap().unwrap();
        assert!(FolderLock::take(&folder).unwrap().is_none());
        assert!(FolderLock::take_abandoned(&folder).is_none());
        drop(lock);
        let lock = FolderLock::take_abandoned(&folder).unwrap();
        lock.remove().unwrap();
        assert!(!folder.exists());
        assert!(FolderLock::take(&folder).unwrap().is_some());
    }

    #[test]
    fn siblings_are_numbered() {
        assert_eq!(sibling(Path::new("/a/app"), 0), Path::new("/a/app"));
        assert_eq!(sibling(Path::new("/a/app"), 2), Path::new("/a/app.2"));
    }
}
