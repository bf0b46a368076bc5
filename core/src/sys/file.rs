//! Files that really own their blocks, and folders only this user can read.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates the folder and its parents, readable by this user only.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens or creates a file for reading and writing, mode 0600.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gives the file `len` bytes of real blocks.
///
/// A file that is only made longer has holes: writing to a mapped hole on a full disk raises SIGBUS and kills the app
/// (measured on ext4 and tmpfs). With real blocks the full disk is an error here.
pub(crate) fn allocate(file: &File, len: u64) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::fs::FallocateFlags;
        match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, len) {
            Ok(()) => return Ok(()),
            // File systems without it: write zeros instead.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
            Err(error) => return Err(error.into()),
        }
    }
    write_zeros(file, len)
}

/// The portable twin of [`allocate`]: writes what is missing and reads its length back.
fn write_zeros(file: &File, len: u64) -> io::Result<()> {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = file;
    let mut at = file.seek(SeekFrom::End(0))?;
    let zeros = [0u8; 16 * 1024];
    while at < len {
        let part = usize::try_from(len - at).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all(zeros.get(..part).unwrap_or(&zeros))?;
        at += part as u64;
    }
    file.sync_data()?;
    if file.metadata()?.len() < len {
        return Err(io::Error::new(io::ErrorKind::StorageFull, "the file system kept fewer bytes than were written"));
    }
    Ok(())
}

/// Whether the open file is still the one at `path`, whole.
pub(crate) fn is_whole(file: &File, path: &Path, len: u64) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if open.ino() != named.ino() || open.dev() != named.dev() {
            return false;
        }
    }
    open.len() >= len && named.len() >= len
}

/// Bytes of the file system of this folder that are free for us; `None` where it cannot be asked.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let space = rustix::fs::statvfs(folder).ok()?;
        Some(space.f_bavail.saturating_mul(space.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// What tells this file from any other at the same place; none where the system does not say.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(path).ok()?;
        Some((file.dev(), file.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Makes a rename or removal in this folder durable.
pub(crate) fn sync_folder(folder: &Path) {
    // Folders cannot be opened on some systems; a power cut may then undo the rename, which the next start repairs.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocated_file_has_its_blocks_by_either_way() {
        let folder = tempfile::tempdir().unwrap();
        for (name, way) in [("a", allocate as fn(&File, u64) -> io::Result<()>), ("b", write_zeros)] {
            let file = open_private(&folder.path().join(name)).unwrap();
            way(&file, 100_000).unwrap();
            assert_eq!(file.metadata().unwrap().len(), 100_000);
            #[cfg(unix)]
            assert!(std::os::unix::fs::MetadataExt::blocks(&file.metadata().unwrap()) * 512 >= 100_000);
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_belong_to_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("x/y");
        create_folder(&inner).unwrap();
        assert_eq!(std::fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        let file = open_private(&inner.join("f")).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_was_unlinked_replaced_or_cut_is_no_longer_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let file = open_private(&path).unwrap();
        allocate(&file, 4096).unwrap();
        assert!(is_whole(&file, &path, 4096));
        file.set_len(10).unwrap();
        assert!(!is_whole(&file, &path, 4096));
        allocate(&file, 4096).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(!is_whole(&file, &path, 4096));
        allocate(&open_private(&path).unwrap(), 4096).unwrap();
        assert!(!is_whole(&file, &path, 4096));
    }
}
