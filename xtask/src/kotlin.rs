//! The lane `kotlin`: builds the library with the functions for tests, writes their Kotlin, and runs Maven in `android`.
//!
//! Maven keeps what it has downloaded in its own repository in the home folder, so later runs need no network.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Command as Subcommand;

use crate::bindings;
use crate::count::Tally;
use crate::debian::{self, Program};
use crate::process::{self, End};
use crate::workspace::Workspace;

/// Package of the Kotlin of the functions for tests. The product's own is `app.rez.monitor.internal`.
const TEST_PACKAGE: &str = "app.rez.monitor.testaccess";

/// Feature with the functions for tests.
const TEST_FEATURE: &str = "test-access";

/// Time limit of Maven. With an empty repository it takes five minutes on two cores.
const LIMIT: Duration = Duration::from_secs(15 * 60);

const MAVEN: Program = Program { name: "mvn", version: "--version", packages: &["openjdk-17-jdk-headless", "maven"] };

/// One test traces the system calls of a JVM. Without it that test is skipped.
const STRACE: Program = Program { name: "strace", version: "-V", packages: &["strace"] };

/// Checks Java and Maven, and installs them if they are missing. Returns a reason on failure.
pub fn missing(workspace: &Workspace) -> Option<String> {
    let _ = debian::missing(workspace, &STRACE);
    debian::missing(workspace, &MAVEN)
}

/// Returns the command line of `kotlin`.
pub fn command_line() -> Subcommand {
    Subcommand::new("kotlin").about("Build the Kotlin API against the library of this checkout, and run its tests")
}

/// Runs the tests. Prints the result in the form of `cargo test`, which the lane counts.
pub fn run(workspace: &Workspace) -> io::Result<bool> {
    let Some(library) = bindings::library(workspace, &[TEST_FEATURE])? else { return Ok(false) };
    if !write_test_access(workspace, &library)? {
        return Ok(false);
    }
    let reports = workspace.root().join("android/monitor/target/surefire-reports");
    if reports.exists() {
        fs::remove_dir_all(&reports)?;
    }
    let log = workspace.programs()?.join("kotlin-test.log");
    if log.exists() {
        fs::remove_file(&log)?;
    }
    println!("     Running mvn test ({})", workspace.root().join("android/RezMonitorTests-0").display());
    let end = process::run(maven(workspace, &library)?.arg("test"), &log, LIMIT)?;
    let sum = count(&reports)?;
    if end != End::Succeeded || sum.failed > 0 {
        println!("mvn test: {end:?}\n{}", String::from_utf8_lossy(&fs::read(&log)?));
    }
    Ok(sum.print(end == End::Succeeded))
}

/// Runs the benchmarks with the library of a release. Returns true if they succeed.
pub fn bench(workspace: &Workspace) -> io::Result<bool> {
    let Some(debug) = bindings::library(workspace, &[TEST_FEATURE])? else { return Ok(false) };
    if !write_test_access(workspace, &debug)? {
        return Ok(false);
    }
    let Some(library) = bindings::release_library(workspace)? else { return Ok(false) };
    let mut maven = maven(workspace, &library)?;
    // The module of Robolectric has no tests, and the pattern is for all modules.
    maven.args([
        "--quiet",
        "-Drez.skip.android=true",
        "-Dtest=Bench",
        "-Dsurefire.failIfNoSpecifiedTests=false",
        "test",
    ]);
    Ok(process::succeeds(&mut maven))
}

/// Compiles the Kotlin that apps get. Returns the folder of its classes.
pub fn compile(workspace: &Workspace) -> io::Result<PathBuf> {
    if let Some(why) = missing(workspace) {
        return Err(io::Error::other(why));
    }
    let mut build = workspace.command("mvn");
    build.args(["--quiet", "--batch-mode", "--file", "android/pom.xml"]);
    build.args(["--projects", "monitor", "--also-make", "-DskipTests", "compile"]);
    if process::succeeds(&mut build) {
        return Ok(workspace.root().join("android/monitor/target/classes"));
    }
    Err(io::Error::other("Maven does not compile android/monitor; see above"))
}

/// Where the Kotlin of the functions for tests is written.
fn test_access(workspace: &Workspace) -> io::Result<PathBuf> {
    Ok(workspace.programs()?.join("kotlin-testaccess"))
}

/// Writes the Kotlin of the functions for tests.
pub fn write_test_access(workspace: &Workspace, library: &Path) -> io::Result<bool> {
    let out = test_access(workspace)?;
    if !bindings::write_kotlin(workspace, library, &out, Some(TEST_PACKAGE))? {
        return Ok(false);
    }
    let file = out.join(TEST_PACKAGE.replace('.', "/")).join("rezmonitor.kt");
    let text = bindings::finish(&file, &fs::read_to_string(&file)?);
    // The library knows one implementation of its callbacks: that of the product.
    let without_callbacks = |line: &&str| !line.trim_end().ends_with(".register(this)");
    fs::write(file, text.lines().filter(without_callbacks).flat_map(|line| [line, "\n"]).collect::<String>())?;
    Ok(true)
}

/// Maven for `android`, with this library.
pub fn maven(workspace: &Workspace, library: &Path) -> io::Result<Command> {
    let mut maven = workspace.command("mvn");
    maven.args(["--batch-mode", "--no-transfer-progress", "--file", "android/pom.xml"]);
    maven.arg(format!("-Drez.library={}", library.display()));
    maven.arg(format!("-Drez.testaccess={}", test_access(workspace)?.display()));
    Ok(maven)
}

/// Adds up the reports of a folder.
fn count(folder: &Path) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(tally) };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            tally += of_report(&fs::read_to_string(path)?);
        }
    }
    Ok(tally)
}

/// Reads `<testsuite name=".." tests="3" errors="0" skipped="1" failures="1">`.
fn of_report(xml: &str) -> Tally {
    let Some((_, rest)) = xml.split_once("<testsuite ") else { return Tally::default() };
    let head = rest.split('>').next().unwrap_or_default();
    let number = |name: &str| {
        let (_, value) = head.split_once(&format!(" {name}=\""))?;
        value.split('"').next()?.parse::<u64>().ok()
    };
    let [tests, errors, skipped, failures] =
        ["tests", "errors", "skipped", "failures"].map(|name| number(name).unwrap_or(0));
    let failed = errors.saturating_add(failures);
    Tally { passed: tests.saturating_sub(failed).saturating_sub(skipped), failed, skipped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_counted() {
        let xml = "<?xml version=\"1.0\"?>\n<testsuite xmlns:xsi=\"x\" name=\"a.B\" time=\"1.5\" tests=\"7\" errors=\"1\" skipped=\"2\" failures=\"1\">\n<testcase name=\"c\"/>";
        assert_eq!(of_report(xml), Tally { passed: 3, failed: 2, skipped: 2 });
        assert_eq!(of_report("no report"), Tally::default());
    }
}
