//! Installs programs from the packages of a Debian system.

use crate::process;
use crate::workspace::Workspace;

/// A program that tests run.
pub struct Program {
    /// Its name on the command line.
    pub name: &'static str,
    /// An option with which it ends at once, successfully.
    pub version: &'static str,
    /// The packages that install it.
    pub packages: &'static [&'static str],
}

/// Installs the program if it does not work. Returns a reason on failure.
pub fn missing(workspace: &Workspace, program: &Program) -> Option<String> {
    let Program { name, version, packages } = program;
    let works = || process::is_installed(workspace.command(*name).arg(version));
    if works() {
        return None;
    }
    if !process::is_root() {
        return Some(format!("{name} is not installed, and only root can install it"));
    }
    println!("installing {}", packages.join(" and "));
    let apt = |arguments: &[&str]| process::is_installed(workspace.command("apt-get").args(arguments));
    let _ = apt(&["update"]);
    let install = [&["install", "--yes", "--no-install-recommends"], *packages].concat();
    (!apt(&install) || !works()).then(|| format!("{name} is not installed, and `apt-get install` failed"))
}
