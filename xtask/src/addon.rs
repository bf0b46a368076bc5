//! Builds the addon for Node.js.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::process;
use crate::workspace::Workspace;

/// The addon's crate.
const CRATE: &str = "rez-monitor-node";

/// The feature with the functions for tests.
pub const TEST_FEATURE: &str = "test-access";

/// Under this name Node.js loads it.
const FILE: &str = "rez_monitor_node.node";

/// Builds it with the functions for tests, in `out`.
pub fn for_tests(workspace: &Workspace, out: &Path) -> io::Result<Option<PathBuf>> {
    build(workspace, &["--features", TEST_FEATURE], "debug", out)
}

/// Builds it as a release, in a folder of `out`.
pub fn release(workspace: &Workspace, out: &Path) -> io::Result<Option<PathBuf>> {
    build(workspace, &["--release"], "release", &out.join("release"))
}

/// Builds it with a profile, and copies it to `out`.
fn build(workspace: &Workspace, options: &[&str], profile: &str, out: &Path) -> io::Result<Option<PathBuf>> {
    let mut build = workspace.cargo();
    build.args(["build", "--quiet", "--package", CRATE, "--lib"]).args(options);
    if !process::succeeds(&mut build) {
        return Ok(None);
    }
    let name = CRATE.replace('-', "_");
    let library = format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let programs = workspace.programs()?;
    let built = programs.parent().unwrap_or(&programs).join(profile).join(library);
    fs::create_dir_all(out)?;
    let addon = out.join(FILE);
    // Renamed: a process of an earlier run may still have the file mapped.
    let part = out.join(format!("{FILE}.{}", std::process::id()));
    fs::copy(built, &part)?;
    fs::rename(&part, &addon)?;
    Ok(Some(addon))
}
