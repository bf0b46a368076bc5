//! A copy of the package in the build folder, with the generated files of the library that is tested.
//!
//! The library with the feature `test-access` has more calls than the one that apps get. So its generated files are not the
//! committed ones, and never are in the source folder.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::bindings;
use crate::workspace::Workspace;

/// The package in the checkout.
const SOURCE: &str = "ios";

/// What a build by hand leaves there.
const BUILT: [&str; 2] = [".build", "RezMonitorFFI.xcframework"];

/// A staged package.
pub struct Package {
    /// Its folder.
    pub root: PathBuf,
    /// Where logs are written.
    pub logs: PathBuf,
    /// The folder of the library.
    library: PathBuf,
    /// The folder of the build.
    scratch: PathBuf,
}

/// Stages the package for the tests. Returns nothing if the library cannot be built.
pub fn stage(workspace: &Workspace) -> io::Result<Option<Package>> {
    let Some(library) = bindings::library(workspace, &["test-access"])? else { return Ok(None) };
    let programs = workspace.programs()?;
    let package = copy(workspace, &programs.join("swift"), &library)?;
    let written = bindings::swift_of(workspace, &library, &package.root)?;
    Ok(written.then_some(package))
}

/// Stages the package as it is committed, for a release build of the library.
pub fn stage_release(workspace: &Workspace) -> io::Result<Option<Package>> {
    let Some(library) = bindings::release_library(workspace)? else { return Ok(None) };
    copy(workspace, &workspace.programs()?.join("swift-release"), &library).map(Some)
}

fn copy(workspace: &Workspace, folder: &Path, library: &Path) -> io::Result<Package> {
    let package = Package {
        root: folder.join("package"),
        logs: folder.to_path_buf(),
        library: folder.join("library"),
        scratch: folder.join("build"),
    };
    fs::create_dir_all(&package.library)?;
    let name = library.file_name().ok_or_else(|| io::Error::other("the library has no name"))?;
    update(library, &package.library.join(name))?;
    let source = workspace.root().join(SOURCE);
    let mut kept = BTreeSet::new();
    for file in bindings::files(&source)? {
        let Ok(relative) = file.strip_prefix(&source) else { continue };
        if BUILT.iter().any(|built| relative.starts_with(built)) {
            continue;
        }
        let generated = relative.starts_with("Sources/RezMonitorCore") || relative.starts_with("Sources/RezMonitorFFI");
        let generated = generated && !relative.ends_with("RezMonitorHot.h");
        let target = package.root.join(relative);
        kept.insert(target.clone());
        if !(generated && target.is_file()) || folder.ends_with("swift-release") {
            update(&file, &target)?;
        }
    }
    // A file that was deleted in the checkout must not be built.
    for file in bindings::files(&package.root)? {
        if !kept.contains(&file) {
            fs::remove_file(&file)?;
        }
    }
    Ok(package)
}

/// Copies a file unless it is there already, so that nothing is built again without need.
fn update(from: &Path, to: &Path) -> io::Result<()> {
    let bytes = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, bytes)
}

impl Package {
    /// The arguments of a command of SwiftPM. Only on Linux the linker has to be told where the library is.
    pub fn swift(&self, command: &[&str]) -> Vec<String> {
        let library = self.library.display();
        let mut arguments = vec!["swift".to_string(), command[0].to_string()];
        arguments.extend(["--scratch-path".to_string(), self.scratch.display().to_string()]);
        if cfg!(target_os = "linux") {
            for option in [format!("-L{library}"), format!("-rpath={library}")] {
                arguments.extend(["-Xlinker".to_string(), option]);
            }
        }
        arguments.extend(command[1..].iter().map(|argument| argument.to_string()));
        arguments
    }

    /// The folders that a command uses: that of the build, and the checkout, where the contract vectors are.
    pub fn folders(&self, workspace: &Workspace) -> Vec<PathBuf> {
        vec![workspace.root().to_path_buf(), self.logs.clone()]
    }

    /// The source files that this system does not compile, because it has not the framework they are for.
    pub fn not_compiled(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = bindings::files(&self.root.join("Sources"))?;
        found.retain(|file| fs::read_to_string(file).is_ok_and(|text| is_for_apple(&text)));
        Ok(found)
    }

    /// The path of a file inside the package.
    pub fn relative<'a>(&self, file: &'a Path) -> std::path::Display<'a> {
        file.strip_prefix(&self.root).unwrap_or(file).display()
    }
}

/// Whether the whole file is for a framework that only Apple's systems have.
fn is_for_apple(text: &str) -> bool {
    const FRAMEWORKS: [&str; 6] = ["Darwin", "MetricKit", "Network", "ObjectiveC", "SwiftUI", "UIKit"];
    cfg!(target_os = "linux") && FRAMEWORKS.iter().any(|name| text.starts_with(&format!("#if canImport({name})\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_begins_with_the_condition_is_for_apple_alone() {
        let file = "#if canImport(UIKit)\nimport UIKit\n#endif\n";
        assert_eq!(is_for_apple(file), cfg!(target_os = "linux"));
        assert!(!is_for_apple("import Foundation\n#if canImport(UIKit)\n#endif\n"));
    }
}
