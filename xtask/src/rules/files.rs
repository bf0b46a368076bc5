//! The text files of the checkout.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::Source;
use crate::workspace::Workspace;

/// Returns all text files that are or would be committed. Without git (in an unpacked archive), returns all files except
/// hidden folders and build output.
pub fn sources(workspace: &Workspace) -> io::Result<Vec<Source>> {
    let root = workspace.root();
    let paths = match listed_by_git(workspace) {
        Some(paths) => paths,
        None => {
            let mut paths = Vec::new();
            walk(root, root, &mut paths)?;
            paths
        }
    };
    let mut sources = Vec::new();
    for path in paths {
        let file = root.join(&path);
        // git also lists deleted files that are not committed. Files that are not UTF-8 are not text.
        let Ok(bytes) = fs::read(&file) else { continue };
        let Ok(text) = String::from_utf8(bytes) else { continue };
        sources.push(Source { path: path.to_string_lossy().replace('\\', "/"), text });
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn listed_by_git(workspace: &Workspace) -> Option<Vec<PathBuf>> {
    let output = workspace
        .command("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let names = String::from_utf8(output.stdout).ok()?;
    let mut paths: Vec<PathBuf> = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    paths.dedup();
    (!paths.is_empty()).then_some(paths)
}

fn walk(root: &Path, folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.to_str().is_some_and(|name| name.starts_with('.') && name != ".cargo" && name != ".ci");
        if hidden || name == "target" || name == "node_modules" {
            continue;
        }
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            walk(root, &path, paths)?;
        } else if let Ok(inside) = path.strip_prefix(root) {
            paths.push(inside.to_path_buf());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_and_a_directory_walk_find_this_file() {
        let workspace = Workspace::find().unwrap();
        let own = "xtask/src/rules/files.rs";
        assert!(sources(&workspace).unwrap().iter().any(|source| source.path == own));
        let mut walked = Vec::new();
        walk(workspace.root(), workspace.root(), &mut walked).unwrap();
        assert!(walked.contains(&PathBuf::from(own)));
    }
}
