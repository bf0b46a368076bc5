//! The lane `swift`: builds the Swift package against the library of this checkout, and runs its tests.
//!
//! Swift on the search path is used if there is one. Otherwise, on Linux and as root, a Debian with Swift is installed once into
//! the cache folder of the user, and the commands run inside it.

mod package;
mod toolchain;

use std::io;
use std::path::Path;
use std::time::Duration;

use clap::Command as Subcommand;

use crate::process::{self, End};
use crate::workspace::Workspace;

use toolchain::Toolchain;
pub use toolchain::prepare;

/// Time limit of one command. A build with an empty cache takes two minutes on two cores.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// What is formatted: everything that is not generated.
const FORMATTED: [&str; 6] =
    ["Package.swift", "Sources/RezMonitor", "Sources/RezMonitorUI", "Tests", "Sample", "Bench"];

/// Returns the command line of `swift`.
pub fn command_line() -> Subcommand {
    Subcommand::new("swift").about("Build the Swift package against the library of this checkout, and run its tests")
}

/// Builds and tests the package. Prints the result in the form of `cargo test`, which the lane counts.
pub fn run(workspace: &Workspace) -> io::Result<bool> {
    let toolchain = match toolchain::find(workspace) {
        Ok(toolchain) => toolchain,
        Err(why) => {
            println!("skipped: swift: {why}");
            return Ok(false);
        }
    };
    let Some(package) = package::stage(workspace)? else { return Ok(false) };
    let mut format: Vec<String> = ["swift", "format", "lint", "--strict", "--recursive"].map(String::from).into();
    format.extend(FORMATTED.map(String::from));
    if !quiet(workspace, &toolchain, &package, &format, &package.logs.join("swift-format.log"))? {
        return Ok(false);
    }
    let parsed = package.not_compiled()?;
    let mut parse = vec!["swiftc".to_string(), "-parse".to_string()];
    parse.extend(parsed.iter().map(|path| path.display().to_string()));
    let log = package.logs.join("swift-parse.log");
    if !quiet(workspace, &toolchain, &package, &parse, &log)? {
        return Ok(false);
    }
    for path in &parsed {
        println!("skipped: ios/{}: syntax only: this system has no such framework", package.relative(path));
    }
    let log = package.logs.join("swift-test.log");
    println!("     Running swift test ({})", package.root.join("RezMonitorTests-0").display());
    let passed = quiet(workspace, &toolchain, &package, &package.swift(&["test"]), &log)?;
    let output = std::fs::read_to_string(&log).unwrap_or_default();
    for line in output.lines().filter(|line| line.starts_with("note: ")) {
        println!("{line}");
    }
    if let Some((tests, failures, skipped)) = executed(&output) {
        println!(
            "test result: {}. {} passed; {failures} failed; {} ignored",
            if failures == 0 { "ok" } else { "FAILED" },
            tests.saturating_sub(failures).saturating_sub(skipped),
            skipped + parsed.len() as u64,
        );
    }
    Ok(passed)
}

/// Runs the benchmark program of the package against a release build of the library.
pub fn bench(workspace: &Workspace, quick: bool) -> io::Result<bool> {
    let toolchain = match toolchain::find(workspace) {
        Ok(toolchain) => toolchain,
        Err(why) => {
            println!("skipped: swift: {why}");
            return Ok(true);
        }
    };
    let Some(package) = package::stage_release(workspace)? else { return Ok(false) };
    let mut arguments = package.swift(&["run", "--configuration", "release", "--quiet", "Bench"]);
    if quick {
        arguments.push("--quick".to_string());
    }
    let mut command = toolchain.command(workspace, &package.root, &package.folders(workspace), &arguments);
    Ok(process::succeeds(&mut command))
}

/// Runs a command in the folder of the package, and prints its output only if it fails.
fn quiet(
    workspace: &Workspace,
    toolchain: &Toolchain,
    package: &package::Package,
    arguments: &[String],
    log: &Path,
) -> io::Result<bool> {
    if log.exists() {
        std::fs::remove_file(log)?;
    }
    let mut command = toolchain.command(workspace, &package.root, &package.folders(workspace), arguments);
    // The tests read the contract vectors.
    command.env("REZ_CHECKOUT", workspace.root());
    let end = process::run(&mut command, log, LIMIT)?;
    if end != End::Succeeded {
        println!("{end:?}: {}", arguments.join(" "));
        println!("{}", std::fs::read_to_string(log).unwrap_or_default());
    }
    Ok(end == End::Succeeded)
}

/// Parses the last `Executed 31 tests, with 2 tests skipped and 1 failure (0 unexpected) in 4.2 (4.2) seconds`: tests, tests that
/// failed, and skipped tests. XCTest prints one for each suite, the last one for all; its failures are those of all assertions,
/// so the tests that failed are counted by their own lines.
fn executed(output: &str) -> Option<(u64, u64, u64)> {
    let line = output.lines().rev().map(str::trim).find(|line| line.starts_with("Executed "))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let failed = output.lines().filter(|line| line.starts_with("Test Case '") && line.contains("' failed (")).count();
    let skipped = words.iter().position(|word| *word == "skipped").and_then(|at| words.get(at.checked_sub(2)?));
    let tests = words.get(1)?.parse().ok()?;
    Some((tests, failed as u64, skipped.and_then(|number| number.parse().ok()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_summary_of_xctest_is_read() {
        let one = "\t Executed 1 test, with 0 failures (0 unexpected) in 0.1 (0.1) seconds\n";
        assert_eq!(executed(one), Some((1, 0, 0)));
        let all = "Test Case 'A.test_b' failed (0.1 seconds)\n\
                   \t Executed 31 tests, with 2 tests skipped and 3 failures (0 unexpected) in 4.2 (4.2) seconds\n";
        assert_eq!(executed(&format!("{one}{all}")), Some((31, 1, 2)));
        assert_eq!(executed("Fatal error: index out of range\n"), None);
    }
}
