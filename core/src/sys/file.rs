//! Files with allocated blocks, and files and folders that only this user can read.

use super::place;
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

/// Opens or creates a regular file for reading and writing, mode 0600. Anything else at this path is renamed first.
/// Never follows a link at `path` and never blocks.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    place::for_file(path)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    regular(no_follow(&mut options).open(path)?)
}

/// Creates a file with this content, or replaces the content, and syncs it. Never follows a link at `path`.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut file = open_private(path)?;
    file.set_len(0)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Opens a regular file for reading. Never follows a link at `path` and never blocks.
///
/// # Errors
/// `InvalidInput` if it is not a regular file.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    regular(no_follow(options.read(true)).open(path)?)
}

/// Reads a regular file. Never follows a link at `path` and never blocks.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut content = Vec::new();
    open_to_read(path)?.read_to_end(&mut content)?;
    Ok(content)
}

/// `O_NOFOLLOW`: a link that appears after the check is an error. `O_NONBLOCK`: a pipe that appears does not block.
fn no_follow(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

fn regular(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
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

/// The portable fallback of [`allocate`]: writes the missing bytes and checks the length afterwards.
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

/// Whether `path` still names the open file, and the file has at least `len` bytes.
pub(crate) fn is_whole(file: &File, path: &Path, len: u64) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), path.symlink_metadata()) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if open.ino() != named.ino() || open.dev() != named.dev() {
            return false;
        }
    }
    open.len() >= len && named.len() >= len
}

/// Free bytes of the file system of this folder that this user can use; `None` where the system cannot tell.
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

/// Device and inode of what `path` names, without following a link there; `None` if nothing is there or the system has
/// no such numbers.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let file = path.symlink_metadata().ok()?;
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
    // Some systems cannot open folders. There a power failure may undo the rename, and the next start repairs it.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_allocating_give_the_file_its_blocks() {
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
    fn only_this_user_can_read_files_and_folders() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("x/y");
        create_folder(&inner).unwrap();
        assert_eq!(std::fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        let file = open_private(&inner.join("f")).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_never_followed_and_a_pipe_never_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let [link, target, pipe] = ["link", "target", "pipe"].map(|name| folder.path().join(name));
        std::fs::write(&target, b"mine").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
        // SAFETY: the name is a C string that outlives the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        assert!(read(&link).is_err() && read(&pipe).is_err() && read(folder.path()).is_err());
        for path in [&link, &pipe] {
            write_private(path, b"ours").unwrap();
            assert_eq!(read(path).unwrap(), b"ours");
        }
        assert_eq!(read(&target).unwrap(), b"mine");
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
