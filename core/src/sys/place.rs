//! Keeps the names of our files free for our files.
//!
//! A symbolic link, a directory, a pipe, a socket or a device can take the name of a file of ours. Following a link
//! overwrites a file of somebody else, and opening a pipe can block. So the type is checked without opening anything,
//! and whatever is not of the expected type is renamed to `<name>.foreign-<n>`. Nothing of it is read or deleted.

use std::fs::{FileType, Metadata};
use std::io;
use std::path::Path;

/// Suffixes tried before giving up.
const NAMES: u32 = 1_000;

/// Frees the name for a regular file. Does nothing if a regular file or nothing is there.
pub(crate) fn for_file(path: &Path) -> io::Result<()> {
    free(path, FileType::is_file)
}

/// Frees the name for a directory. Does nothing if a directory or nothing is there.
pub(crate) fn for_folder(path: &Path) -> io::Result<()> {
    free(path, FileType::is_dir)
}

/// Whether a directory, and not a link to one, is there.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|it| it.is_dir())
}

fn free(path: &Path, is_ours: fn(&FileType) -> bool) -> io::Result<()> {
    match lookup(path)? {
        Some(it) if !is_ours(&it.file_type()) => set_aside(path),
        _ => Ok(()),
    }
}

/// What has this name, without following a link.
fn lookup(path: &Path) -> io::Result<Option<Metadata>> {
    match path.symlink_metadata() {
        Ok(it) => Ok(Some(it)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn set_aside(path: &Path) -> io::Result<()> {
    for number in 1..=NAMES {
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".foreign-{number}"));
        if lookup(Path::new(&aside))?.is_none() {
            return std::fs::rename(path, &aside);
        }
    }
    let message = format!("{} is not a file of ours and cannot be renamed: remove it", path.display());
    Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_expected_type_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (file, inner) = (folder.path().join("file"), folder.path().join("folder"));
        for_file(&file).unwrap();
        std::fs::write(&file, b"x").unwrap();
        std::fs::create_dir(&inner).unwrap();
        for_file(&file).unwrap();
        for_folder(&inner).unwrap();
        assert!(file.is_file() && is_folder(&inner) && !is_folder(&file));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_of_another_type_is_renamed_with_its_content_each_time_under_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring.bin");
        for number in 1..=3 {
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("content"), number.to_string()).unwrap();
            for_file(&path).unwrap();
            assert!(path.symlink_metadata().is_err());
            let aside = folder.path().join(format!("ring.bin.foreign-{number}"));
            assert_eq!(std::fs::read_to_string(aside.join("content")).unwrap(), number.to_string());
        }
        std::fs::write(&path, b"file").unwrap();
        for_folder(&path).unwrap();
        assert_eq!(std::fs::read(folder.path().join("ring.bin.foreign-4")).unwrap(), b"file");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_renamed_and_its_target_is_untouched() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("f"), folder.path().join("target"));
        std::fs::write(&target, b"mine").unwrap();
        for target in [target.as_path(), Path::new("nowhere")] {
            std::os::unix::fs::symlink(target, &path).unwrap();
            for_file(&path).unwrap();
            assert!(path.symlink_metadata().is_err());
        }
        assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    }
}
