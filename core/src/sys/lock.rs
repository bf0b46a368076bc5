//! The lock of a queue's folder: one engine per folder, across all processes.
//!
//! On Unix the lock is on the directory itself, so deleting a file in it releases nothing. `owner.lock` is locked too:
//! it is the only lock on systems and file systems that cannot lock a directory.

use super::{file, place};
use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The locked file inside the folder.
pub(crate) const FILE: &str = "owner.lock";

/// Sibling folders that other processes of the app may use at once.
pub(crate) const SIBLINGS: u32 = 16;

/// What the name of a folder that is being removed has behind its own: this and the id of the process.
const GONE: &str = ".gone-";

/// Attempts while somebody removes the folder.
const TRIES: u32 = 8;

/// Held until it is dropped. The system releases it when the process dies.
#[derive(Debug)]
pub(crate) struct FolderLock {
    folder: PathBuf,
    /// The directory; `None` where it cannot be locked.
    directory: Option<File>,
    file: File,
    process: u32,
}

/// What trying to lock gives.
enum LockResult {
    Locked,
    HeldByOther,
    Unsupported(io::Error),
}

impl FolderLock {
    /// Takes the folder and creates it if it does not exist; `None` if another engine has it, in this process or in
    /// another one.
    pub(crate) fn take(folder: &Path) -> io::Result<Option<FolderLock>> {
        let path = folder.join(FILE);
        for _ in 0..TRIES {
            file::create_folder(folder)?;
            let directory = match open_directory(folder).map(|directory| (try_lock(&directory), directory)) {
                Some((LockResult::HeldByOther, _)) => return Ok(None),
                Some((LockResult::Locked, directory)) => Some(directory),
                Some((LockResult::Unsupported(_), _)) | None => None,
            };
            let file = match file::open_private(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            match try_lock(&file) {
                LockResult::Locked => {}
                LockResult::HeldByOther => return Ok(None),
                LockResult::Unsupported(_) if directory.is_some() => {}
                LockResult::Unsupported(error) => return Err(error),
            }
            let lock = FolderLock { folder: folder.to_owned(), directory, file, process: std::process::id() };
            // A process that drained the folder may have removed it meanwhile.
            if lock.is_in_place() {
                return Ok(Some(lock));
            }
        }
        Err(io::Error::other(format!(
            "{} was removed {TRIES} times while it was being locked; check which process deletes it",
            folder.display()
        )))
    }

    /// Takes a folder that an engine created and that nobody holds now. `owner.lock` may have been deleted.
    pub(crate) fn take_abandoned(folder: &Path) -> Option<FolderLock> {
        let is_ours = [FILE, "ring.bin", "queue.db"].iter().any(|name| folder.join(name).exists());
        if !is_ours || !place::is_folder(folder) {
            return None;
        }
        FolderLock::take(folder).ok().flatten()
    }

    /// Removes the folder with everything in it. Renames it first: as soon as `owner.lock` is unlinked, another process
    /// could take the folder and lose what it puts there. After a kill in between, [`finish_removals`] does the rest.
    pub(crate) fn remove(self) -> io::Result<()> {
        let mut aside = self.folder.as_os_str().to_owned();
        aside.push(format!("{GONE}{}", std::process::id()));
        std::fs::rename(&self.folder, &aside)?;
        std::fs::remove_dir_all(&aside)
    }

    /// Whether the path still names the folder that was locked.
    pub(crate) fn is_in_place(&self) -> bool {
        match &self.directory {
            Some(directory) => same_file(directory, &self.folder),
            None => file::is_whole(&self.file, &self.folder.join(FILE), 0),
        }
    }
}

impl Drop for FolderLock {
    /// Unlocks instead of only closing the files: a child that this process forked has them open too, until it calls `exec`
    /// or ends, and the next engine on this folder would go to a sibling folder. In such a child the lock belongs to the
    /// parent.
    fn drop(&mut self) {
        if self.process == std::process::id() {
            for file in self.directory.iter().chain([&self.file]) {
                let _ = file.unlock();
            }
        }
    }
}

fn try_lock(file: &File) -> LockResult {
    match file.try_lock() {
        Ok(()) => LockResult::Locked,
        Err(TryLockError::WouldBlock) => LockResult::HeldByOther,
        Err(TryLockError::Error(error)) => LockResult::Unsupported(error),
    }
}

#[cfg(unix)]
fn open_directory(folder: &Path) -> Option<File> {
    File::open(folder).ok()
}

#[cfg(not(unix))]
fn open_directory(_: &Path) -> Option<File> {
    None
}

/// Whether the path, through links, leads to the open file.
#[cfg(unix)]
fn same_file(open: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(open), Ok(named)) = (open.metadata(), std::fs::metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    path.is_dir()
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

/// Removes what is left of the siblings of this folder whose removal was interrupted.
pub(crate) fn finish_removals(folder: &Path) {
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name().and_then(OsStr::to_str)) else { return };
    let here = Path::new(".");
    let Ok(entries) = std::fs::read_dir(if parent.as_os_str().is_empty() { here } else { parent }) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|entry| is_gone(name, entry)) {
            // If it cannot be removed now, the next start tries again.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether `entry` is what [`FolderLock::remove`] makes of the name of a sibling of the folder `name`.
fn is_gone(name: &str, entry: &str) -> bool {
    let rest = entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
    let numbers = rest.and_then(|rest| rest.split_once(GONE));
    numbers.is_some_and(|(number, process)| {
        number.parse().is_ok_and(|number: u32| (1..=SIBLINGS).contains(&number)) && process.parse::<u32>().is_ok()
    })
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

    #[cfg(unix)]
    #[test]
    fn a_dropped_lock_is_free_while_a_forked_child_still_has_its_files_open_and_no_child_releases_it() {
        let dir = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(dir.path()).unwrap().unwrap();
        // SAFETY: the child only waits for a signal, which is async-signal-safe.
        let child = unsafe { libc::fork() };
        if child == 0 {
            loop {
                // SAFETY: as above.
                unsafe { libc::pause() };
            }
        }
        drop(lock);
        let again = FolderLock::take(dir.path());
        // SAFETY: the child is ours and was not waited for.
        unsafe { libc::kill(child, libc::SIGKILL) };
        // SAFETY: a null status is allowed.
        unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        let mut of_another_process = again.unwrap().expect("free");
        of_another_process.process += 1;
        let file = of_another_process.file.try_clone().unwrap();
        drop(of_another_process);
        assert!(FolderLock::take(dir.path()).unwrap().is_none());
        drop(file);
        assert!(FolderLock::take(dir.path()).unwrap().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn a_deleted_lock_file_lets_nobody_in_and_does_not_hide_an_abandoned_queue() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        let lock = FolderLock::take(&folder).unwrap().unwrap();
        std::fs::remove_file(folder.join(FILE)).unwrap();
        assert!(FolderLock::take(&folder).unwrap().is_none());
        assert!(lock.is_in_place());
        std::fs::write(folder.join("ring.bin"), b"").unwrap();
        drop(lock);
        assert!(FolderLock::take_abandoned(&folder).is_some());
    }

    #[test]
    fn a_folder_that_was_moved_or_removed_is_no_longer_in_place_even_if_another_one_has_its_name() {
        for moved in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let folder = dir.path().join("app");
            let lock = FolderLock::take(&folder).unwrap().unwrap();
            if moved {
                std::fs::rename(&folder, dir.path().join("away")).unwrap();
            } else {
                std::fs::remove_dir_all(&folder).unwrap();
            }
            assert!(!lock.is_in_place());
            let other = FolderLock::take(&folder).unwrap().unwrap();
            assert!(other.is_in_place() && !lock.is_in_place());
        }
    }

    #[test]
    fn without_a_lock_on_the_directory_the_file_is_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let mut held = FolderLock::take(dir.path()).unwrap().unwrap();
        held.directory = None;
        assert!(held.is_in_place());
        assert!(FolderLock::take(dir.path()).unwrap().is_none());
        std::fs::remove_file(dir.path().join(FILE)).unwrap();
        assert!(!held.is_in_place());
    }

    #[test]
    fn siblings_are_numbered() {
        assert_eq!(sibling(Path::new("/a/app"), 0), Path::new("/a/app"));
        assert_eq!(sibling(Path::new("/a/app"), 2), Path::new("/a/app.2"));
    }
}
