//! The files below the paths that were passed.

use super::found::{Found, SourceMap};
use super::{elf, java};
use std::cell::OnceCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files that are looked at: an app's build has a few thousand.
const MOST_FILES: usize = 50_000;

/// Folders below each other.
const DEEPEST: usize = 24;

/// What is read of a file to say what it is.
const HEAD: u64 = 16 * 1024;

/// A path cannot be searched.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}; --debug-files takes files and folders")]
pub struct SearchError {
    path: String,
    source: std::io::Error,
}

pub(super) fn search(paths: &[PathBuf]) -> Result<Found, SearchError> {
    let mut found = Found::default();
    let mut left = MOST_FILES;
    for path in paths {
        let failed = |source| SearchError { path: path.display().to_string(), source };
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            std::fs::read_dir(path).map_err(failed)?;
            folder(path, &mut left, &mut found);
        } else {
            let is_known = take(&mut found, path).map_err(failed)?;
            if !is_known {
                let path = path.display();
                found.notes.push(format!("{path} is no ELF file with a build id, no mapping of R8 and no source map"));
            }
        }
    }
    if left == 0 {
        let note = format!("only the first {MOST_FILES} files were examined; pass the folder that has the debug files");
        found.notes.push(note);
    }
    Ok(found)
}

/// Takes what is below a folder, the files near it first. Links to folders are not followed: they can lead in a circle.
fn folder(path: &Path, left: &mut usize, found: &mut Found) {
    let mut open = VecDeque::from([(path.to_owned(), 0)]);
    while let Some((path, depth)) = open.pop_front() {
        let Ok(entries) = std::fs::read_dir(&path) else {
            found.notes.push(format!("{} cannot be read, so its files are missing", path.display()));
            continue;
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        // The same files in the same order on every machine.
        paths.sort();
        for path in paths {
            let is_folder = std::fs::symlink_metadata(&path).is_ok_and(|about| about.is_dir());
            if is_folder && depth == DEEPEST {
                found.notes.push(format!("{} is too deep and was not searched", path.display()));
            } else if is_folder {
                open.push_back((path, depth + 1));
            } else {
                if *left == 0 {
                    return;
                }
                *left -= 1;
                // One that cannot be read is none of those that were meant.
                let _ = take(found, &path);
            }
        }
    }
}

/// Adds a file if it can name frames. Whether it can.
fn take(found: &mut Found, path: &Path) -> std::io::Result<bool> {
    // A pipe or a device would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    if head.starts_with(b"\x7fELF") {
        let Some(file) = elf::head(path) else { return Ok(false) };
        found.programs.push(file);
    } else if let Some(mapping) = java::head(path, &head) {
        found.mappings.push(mapping);
    } else if is_source_map(path, &head) {
        found.maps.push(SourceMap { path: path.to_owned(), debug_id: OnceCell::new() });
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Whether a file can be a source map. Its id can be at the end, so it is read when an event asks for it.
fn is_source_map(path: &Path, head: &[u8]) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let is_named = name.ends_with(".map") || (name.ends_with(".json") && name.contains("map"));
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    is_named && matches!(first, Some(b'{' | b')'))
}
