//! The lane `react-native`: builds the addon for Node.js with the functions for tests, and checks and tests the package in
//! `react-native` with it.
//!
//! Packages are installed from the lock file, and again only after it has changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Command as Subcommand;

use crate::bindings;
use crate::count::Tally;
use crate::process::{self, End};
use crate::workspace::Workspace;

/// The addon's crate, and its feature with the functions for tests.
const ADDON: &str = "rez-monitor-node";
const TEST_FEATURE: &str = "test-access";

/// Under this name Node.js loads it.
const ADDON_FILE: &str = "rez_monitor_node.node";

/// Oldest version of Node.js that runs the tools.
const OLDEST_NODE: u32 = 20;

/// The folder with the tests of the native half, which have packages of their own.
const NATIVE: &str = "native-tests";

/// The folders whose packages the tests need, each with a lock file. What a test installs into an app of its own is not among them.
const FOLDERS: [&str; 6] = [
    ".",
    NATIVE,
    "native-tests/metro",
    "native-tests/hermes",
    "engine-tests/firebase-types",
    "engine-tests/neighbours",
];

/// The folder of the benchmarks, with the package of a peer.
const BENCH: &str = "bench";

/// Types and format. The native tests build the package and check what its `package.json` says about it.
const CHECKS: [(&str, &[&str]); 2] = [("tsc", &["--noEmit"]), ("biome", &["ci", "--colors=off", "."])];

/// Time limit of one command. The tests of the packed package install four apps and build them: ten minutes on a busy machine with an empty cache.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// What a Debian system installs.
const PACKAGES: [&str; 2] = ["nodejs", "npm"];

/// Checks Node.js and npm, and installs them if they are missing. Returns a reason on failure.
pub fn missing(workspace: &Workspace) -> Option<String> {
    let works = || process::is_installed(workspace.command("npm").arg("--version"));
    let apt = |arguments: &[&str]| process::is_installed(workspace.command("apt-get").args(arguments));
    if !works() {
        if !process::is_root() {
            return Some("npm is not installed, and only root can install it".to_string());
        }
        println!("installing {}", PACKAGES.join(" and "));
        let _ = apt(&["update"]);
        let install = [["install", "--yes", "--no-install-recommends"].as_slice(), PACKAGES.as_slice()].concat();
        if !apt(&install) || !works() {
            return Some("npm is not installed, and `apt-get install` failed".to_string());
        }
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

/// Returns the command line of `react-native`.
pub fn command_line() -> Subcommand {
    Subcommand::new("react-native")
        .about("Check the React Native package, and run its tests on the engine of this checkout")
}

/// Runs the checks and tests. Prints the result in the form of `cargo test`, which the lane counts.
pub fn run(workspace: &Workspace) -> io::Result<bool> {
    if let Some(why) = missing(workspace) {
        println!("skipped: react-native: {why}");
        return Ok(false);
    }
    let package = Package::new(workspace)?;
    let Some(addon) = addon(workspace, &package.out)? else { return Ok(false) };
    for folder in FOLDERS {
        if !package.install(folder)? {
            return Ok(false);
        }
    }
    let mut sum = Tally::default();
    for (name, arguments) in CHECKS {
        let passed = package.quiet(name, package.tool(name, arguments))?;
        sum += if passed { Tally { passed: 1, ..Tally::default() } } else { Tally { failed: 1, ..Tally::default() } };
    }
    sum += package.native_tests(&addon)?;
    println!("     Running jest ({})", package.folder.join("rez_monitor-0").display());
    let report = package.out.join("jest.json");
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut jest = package.tool("jest", &["--json", "--outputFile"]);
    jest.arg(&report).env("REZ_NODE_ADDON", &addon);
    let passed = package.quiet("jest", jest)?;
    let tests = fs::read_to_string(&report).ok().and_then(|json| of_report(&json)).unwrap_or_default();
    sum += tests;
    let passed = passed && sum.failed == 0 && tests.passed > 0;
    let word = if passed { "ok" } else { "FAILED" };
    println!("test result: {word}. {} passed; {} failed; {} ignored", sum.passed, sum.failed, sum.skipped);
    Ok(passed)
}

/// Runs the benchmarks on the engine of a release. Returns true if they succeed.
pub fn bench(workspace: &Workspace) -> io::Result<bool> {
    if let Some(why) = missing(workspace) {
        println!("skipped: react-native: {why}");
        return Ok(true);
    }
    let package = Package::new(workspace)?;
    let Some(addon) = build(workspace, &["--release"], "release", &package.out.join("release"))? else {
        return Ok(false);
    };
    if !package.install(".")? || !package.install(BENCH)? || !package.quiet("bob", package.tool("bob", &["build"]))? {
        return Ok(false);
    }
    let mut node = workspace.command("node");
    node.current_dir(&package.folder).arg("bench/bench.mjs").env("REZ_NODE_ADDON", addon);
    Ok(process::succeeds(&mut node))
}

/// Builds the addon with the functions for tests, in `out`.
fn addon(workspace: &Workspace, out: &Path) -> io::Result<Option<PathBuf>> {
    build(workspace, &["--features", TEST_FEATURE], "debug", out)
}

/// Builds the addon with a profile, and copies it to `out`.
fn build(workspace: &Workspace, options: &[&str], profile: &str, out: &Path) -> io::Result<Option<PathBuf>> {
    let mut build = workspace.cargo();
    build.args(["build", "--quiet", "--package", ADDON, "--lib"]).args(options);
    if !process::succeeds(&mut build) {
        return Ok(None);
    }
    let name = ADDON.replace('-', "_");
    let library = format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let programs = workspace.programs()?;
    let built = programs.parent().unwrap_or(&programs).join(profile).join(library);
    fs::create_dir_all(out)?;
    let addon = out.join(ADDON_FILE);
    // Renamed: a process of an earlier run may still have the file mapped.
    let part = out.join(format!("{ADDON_FILE}.{}", std::process::id()));
    fs::copy(built, &part)?;
    fs::rename(&part, &addon)?;
    Ok(Some(addon))
}

/// The package, and where its lane writes.
struct Package<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    out: PathBuf,
}

impl Package<'_> {
    fn new(workspace: &Workspace) -> io::Result<Package<'_>> {
        let out = workspace.programs()?.join("react-native");
        fs::create_dir_all(&out)?;
        Ok(Package { workspace, folder: workspace.root().join("react-native"), out })
    }

    /// Installs what the lock file of a folder names, unless that is there.
    fn install(&self, folder: &str) -> io::Result<bool> {
        let folder = self.folder.join(folder);
        let lock = fs::read_to_string(folder.join("package-lock.json"))?;
        let modules = folder.join("node_modules");
        let stamp = modules.join(".installed-lock.json");
        if modules.is_dir() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
            return Ok(true);
        }
        let mut npm = self.workspace.command("npm");
        npm.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        let installed = self.quiet("npm", npm)?;
        if installed {
            fs::write(stamp, lock)?;
        }
        Ok(installed)
    }

    /// Runs the tests of the native half on the library with the functions for tests.
    fn native_tests(&self, addon: &Path) -> io::Result<Tally> {
        let failed = Tally { failed: 1, ..Tally::default() };
        let Some(library) = bindings::library(self.workspace, &[TEST_FEATURE])? else { return Ok(failed) };
        let mut node = self.workspace.command("node");
        node.current_dir(self.folder.join(NATIVE)).arg("run.mjs");
        node.env("REZ_LIBRARY", library).env("REZ_NODE_ADDON", addon);
        let passed = self.quiet("native-tests", node)?;
        let output = fs::read_to_string(self.out.join("native-tests.log"))?;
        for line in output.lines().filter(|line| line.contains(": skipped: ")) {
            println!("note: {line}");
        }
        let tests = output.lines().next_back().and_then(of_summary).unwrap_or_default();
        Ok(if passed || tests.failed > 0 { tests } else { failed })
    }

    /// A program of `node_modules`.
    fn tool(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.workspace.command(self.folder.join("node_modules/.bin").join(name));
        command.current_dir(&self.folder).args(arguments).env("CI", "1");
        command
    }

    /// Runs a command, and prints its output only if it fails.
    fn quiet(&self, name: &str, mut command: Command) -> io::Result<bool> {
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
fn of_summary(line: &str) -> Option<Tally> {
    let mut numbers = line.split(", ").map(|part| part.split(' ').next()?.parse::<u64>().ok());
    Some(Tally { passed: numbers.next()??, failed: numbers.next()??, skipped: numbers.next()?? })
}

/// Reads the totals in a report of jest: `"numPassedTests":7`. A file that could not be run counts as one failure.
fn of_report(json: &str) -> Option<Tally> {
    let number = |name: &str| {
        let (_, value) = json.split_once(&format!("\"{name}\":"))?;
        value.split([',', '}']).next()?.trim().parse::<u64>().ok()
    };
    let failed = number("numFailedTests")?.saturating_add(number("numRuntimeErrorTestSuites")?);
    let skipped = number("numPendingTests")?.saturating_add(number("numTodoTests")?);
    Some(Tally { passed: number("numPassedTests")?, failed, skipped })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_jest_is_counted() {
        let json = r#"{"numFailedTestSuites":1,"numFailedTests":2,"numPassedTestSuites":1,"numPassedTests":163,"numPendingTestSuites":0,"numPendingTests":1,"numRuntimeErrorTestSuites":1,"numTodoTests":4,"numTotalTests":169}"#;
        assert_eq!(of_report(json), Some(Tally { passed: 163, failed: 3, skipped: 5 }));
        assert_eq!(of_report("{}"), None);
    }

    #[test]
    fn the_summary_of_the_native_tests_is_read() {
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
}
