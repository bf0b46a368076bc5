//! Packages and programs of Node.js.
//!
//! Packages are installed from the lock file of a folder, and again only after it has changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::count::Tally;
use crate::debian::{self, Program};
use crate::process::{self, End};
use crate::workspace::Workspace;

/// Oldest version of Node.js that runs the tools.
const OLDEST_NODE: u32 = 20;

/// Time limit of one command. The tests of the packed package install four apps and build them: ten minutes on a busy machine with an empty cache.
const LIMIT: Duration = Duration::from_secs(30 * 60);

const NPM: Program = Program { name: "npm", version: "--version", packages: &["nodejs", "npm"] };

/// The browser of the page's tests. Without it those are skipped by name.
const CHROMIUM: Program = Program { name: "chromium", version: "--version", packages: &["chromium"] };

/// Checks Node.js, npm and the browser, and installs them if they are missing. Returns a reason on failure.
pub fn missing(workspace: &Workspace) -> Option<String> {
    if let Some(why) = debian::missing(workspace, &NPM) {
        return Some(why);
    }
    if let Some(why) = debian::missing(workspace, &CHROMIUM) {
        println!("note: {why}");
    }
    let output = workspace.command("node").arg("--version").output().ok()?;
    too_old(&String::from_utf8_lossy(&output.stdout))
}

/// Returns what is wrong with a version such as `v20.20.2`.
fn too_old(version: &str) -> Option<String> {
    let version = version.trim();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= OLDEST_NODE => None,
        _ => Some(format!("Node.js {version} is older than {OLDEST_NODE}")),
    }
}

/// Where commands of Node.js write.
pub struct Node<'a> {
    workspace: &'a Workspace,
    pub out: PathBuf,
}

impl<'a> Node<'a> {
    /// The output goes to the folder of this name.
    pub fn new(workspace: &'a Workspace, name: &str) -> io::Result<Node<'a>> {
        let out = workspace.programs()?.join(name);
        fs::create_dir_all(&out)?;
        Ok(Node { workspace, out })
    }

    /// Installs what the lock file of a folder names, unless that is there.
    pub fn install(&self, folder: &Path) -> io::Result<bool> {
        let lock = fs::read_to_string(folder.join("package-lock.json"))?;
        let modules = folder.join("node_modules");
        let stamp = modules.join(".installed-lock.json");
        if modules.is_dir() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
            return Ok(true);
        }
        let mut npm = self.workspace.command("npm");
        npm.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let installed = self.quiet("npm", npm)?;
        if installed {
            fs::write(stamp, lock)?;
        }
        Ok(installed)
    }

    /// Runs a command, and prints its output only if it fails.
    pub fn quiet(&self, name: &str, mut command: Command) -> io::Result<bool> {
        let log = self.out.join(format!("{name}.log"));
        if log.exists() {
            fs::remove_file(&log)?;
        }
        let end = process::run(&mut command, &log, LIMIT)?;
        if end != End::Succeeded {
            println!("{name}: {end:?}\n{}", String::from_utf8_lossy(&fs::read(&log)?));
        }
        Ok(end == End::Succeeded)
    }
}

/// Reads `70 passed, 0 failed, 1 skipped`.
pub fn of_summary(line: &str) -> Option<Tally> {
    let mut numbers = line.split(", ").map(|part| part.split(' ').next()?.parse::<u64>().ok());
    Some(Tally { passed: numbers.next()??, failed: numbers.next()??, skipped: numbers.next()?? })
}

/// Reads the totals in a report of jest, whose form vitest writes too: `"numPassedTests":7`. A file that could not be run counts as one failure.
pub fn of_jest(json: &str) -> Option<Tally> {
    let number = |name: &str| {
        let (_, value) = json.split_once(&format!("\"{name}\":"))?;
        value.split([',', '}']).next()?.trim().parse::<u64>().ok()
    };
    let failed = number("numFailedTests")?;
    // A file that cannot be run: jest counts it by itself, vitest as a suite that has failed.
    let failed = match number("numRuntimeErrorTestSuites") {
        Some(unrunnable) => failed.saturating_add(unrunnable),
        None => failed.max(number("numFailedTestSuites")?.min(1)),
    };
    let skipped = number("numPendingTests")?.saturating_add(number("numTodoTests")?);
    Some(Tally { passed: number("numPassedTests")?, failed, skipped })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_a_test_program_is_read() {
        assert_eq!(of_summary("70 passed, 0 failed, 1 skipped"), Some(Tally { passed: 70, failed: 0, skipped: 1 }));
        assert_eq!(of_summary("Error: no"), None);
    }

    #[test]
    fn an_old_node_is_named() {
        assert_eq!(too_old("v20.20.2\n"), None);
        assert_eq!(too_old("v24.21.0"), None);
        assert_eq!(too_old("v18.19.0\n"), Some("Node.js v18.19.0 is older than 20".to_string()));
        assert!(too_old("").is_some());
    }

    #[test]
    fn a_report_of_jest_is_counted() {
        let json = r#"{"numFailedTestSuites":1,"numFailedTests":2,"numPassedTestSuites":1,"numPassedTests":163,"numPendingTestSuites":0,"numPendingTests":1,"numRuntimeErrorTestSuites":1,"numTodoTests":4,"numTotalTests":169}"#;
        assert_eq!(of_jest(json), Some(Tally { passed: 163, failed: 3, skipped: 5 }));
        let vitest =
            r#"{"numFailedTestSuites":1,"numPassedTests":590,"numFailedTests":0,"numPendingTests":6,"numTodoTests":0}"#;
        assert_eq!(of_jest(vitest), Some(Tally { passed: 590, failed: 1, skipped: 6 }));
        assert_eq!(of_jest("{}"), None);
    }
}
