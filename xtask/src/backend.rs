//! The lane `backend`: builds the addon for Node.js with the functions for tests, and checks and tests the package in `backend` with
//! it, on the Node.js that the package needs.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Command as Subcommand;

use crate::addon;
use crate::count::Tally;
use crate::debian::{self, Program};
use crate::node::{self, Node, of_jest};
use crate::ops::programs;
use crate::peers::{self, Peer};
use crate::process;
use crate::workspace::{Workspace, path_with};

/// The folders whose packages the tests need, each with a lock file.
const FOLDERS: [&str; 3] = [".", "tests/otel-2", "neighbours"];

/// The server of Redis, which the tests start.
const REDIS: Program = Program { name: "redis-server", version: "--version", packages: &["redis-server"] };

/// Types, format, and the package as it is published.
const CHECKS: [(&str, &[&str]); 5] = [
    ("tsc", &["--noEmit"]),
    ("biome", &["ci", "--colors=off", "."]),
    ("tsdown", &["--no-color"]),
    ("publint", &["--strict"]),
    // The oldest resolution knows no entry points below the package, and no Node.js that runs this package uses it.
    ("attw", &["--pack", ".", "--no-color", "--profile", "node16"]),
];

/// The lines of Node.js, and what is not run on them: what depends on other programs more than on Node.js is run on one.
const LINES: [(&Peer, &[&str]); 2] = [
    (&peers::NODE_JS, &[]),
    (
        &peers::OLDEST_NODE_JS,
        &["--exclude=tests/ingest/**", "--exclude=tests/differences.test.ts", "--exclude=tests/docs.test.ts"],
    ),
];

/// The programs that tests start, and the variables that name them.
const PROGRAMS: [(&str, &Peer, &str); 2] =
    [("REZ_FERRETDB", &peers::MONGODB, "ferretdb"), ("REZ_OTELCOL", &peers::OTELCOL, "otelcol")];

/// Returns the command line of `backend`.
pub fn command_line() -> Subcommand {
    Subcommand::new("backend").about("Check the package for servers, and run its tests on the engine of this checkout")
}

/// Runs the checks and tests. Prints the result in the form of `cargo test`, which the lane counts.
pub fn run(workspace: &Workspace) -> io::Result<bool> {
    if let Some(why) = missing(workspace)? {
        println!("skipped: backend: {why}");
        return Ok(false);
    }
    let package = Package::new(workspace)?;
    let Some(addon) = addon::for_tests(workspace, &package.node.out)? else { return Ok(false) };
    let mut sum = Tally::default();
    if !package.install()? {
        return Ok(false);
    }
    for (name, arguments) in CHECKS {
        let passed = package.quiet(name, package.tool(name, arguments))?;
        sum += Tally::of(passed);
    }
    println!("     Running vitest ({})", package.folder.join("rez_monitor-0").display());
    let mut passed = true;
    for (node, options) in LINES {
        let tests = package.tests(node, options, &addon)?;
        passed &= tests.is_some_and(|tests| tests.passed > 0);
        sum += tests.unwrap_or(Tally::of(false));
    }
    Ok(sum.print(passed))
}

/// Runs the benchmarks on the engine of a release. Returns true if they succeed.
pub fn bench<'a>(workspace: &Workspace, arguments: impl Iterator<Item = &'a OsString>) -> io::Result<bool> {
    let Some((package, addon)) = built(workspace, addon::release)? else { return Ok(false) };
    let run = |script: &str, arguments: Vec<&OsString>| process::succeeds(package.node(script, &addon).args(arguments));
    Ok(run("bench/overhead.mjs", arguments.collect()) && run("bench/ingest.mjs", Vec::new()))
}

/// Starts the API of the example with what it needs, until it is interrupted.
pub fn api(workspace: &Workspace) -> io::Result<bool> {
    let Some((package, addon)) = built(workspace, addon::for_tests)? else { return Ok(false) };
    Ok(process::succeeds(&mut package.node("example/start.mjs", &addon)))
}

/// Builds the addon and the package for the tests of another lane, and tells its command where they and the programs are. False, and
/// a line that says why, if it cannot.
pub fn provide_to(workspace: &Workspace, command: &mut Command) -> io::Result<bool> {
    let Some((_, addon)) = built(workspace, addon::for_tests)? else { return Ok(false) };
    command.env("REZ_NODE_ADDON", addon);
    name_programs(command);
    Ok(true)
}

/// Builds the addon and the package. Prints why if it cannot.
fn built(
    workspace: &Workspace,
    build: fn(&Workspace, &Path) -> io::Result<Option<PathBuf>>,
) -> io::Result<Option<(Package<'_>, PathBuf)>> {
    if let Some(why) = missing(workspace)? {
        println!("the package for servers cannot run: {why}");
        return Ok(None);
    }
    let package = Package::new(workspace)?;
    let Some(addon) = build(workspace, &package.node.out)? else { return Ok(None) };
    let is_built = package.install()? && package.quiet("tsdown", package.tool("tsdown", &["--no-color"]))?;
    Ok(is_built.then_some((package, addon)))
}

/// Tells a command where the programs are that it starts. One that is not there is not named.
fn name_programs(command: &mut Command) {
    for (variable, peer, program) in PROGRAMS {
        if let Some(program) = peer.folder().map(|folder| folder.join(program)).filter(|program| program.is_file()) {
            command.env(variable, program);
        }
    }
}

/// Installs what the tests run. Returns a reason if they must be skipped.
pub fn missing(workspace: &Workspace) -> io::Result<Option<String>> {
    if let Some(why) = node::missing(workspace) {
        return Ok(Some(why));
    }
    // Without these, tests are skipped by name.
    if let Some(why) = debian::missing(workspace, &REDIS) {
        println!("note: {why}");
    }
    programs::prometheus(workspace)?;
    peers::prepare(workspace, &peers::OF_BACKEND)?;
    let there = peers::node_programs(&peers::NODE_JS).is_some_and(|folder| folder.is_dir());
    Ok((!there).then(|| "Node.js of the version that it needs cannot be installed".to_string()))
}

/// The package, and where its lane writes.
pub struct Package<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    node: Node<'a>,
    /// The search path of its commands.
    path: OsString,
}

impl Package<'_> {
    pub fn new(workspace: &Workspace) -> io::Result<Package<'_>> {
        let node = Node::new(workspace, "backend")?;
        let path = search_path(peers::node_programs(&peers::NODE_JS))?;
        Ok(Package { workspace, folder: workspace.root().join("backend"), node, path })
    }

    /// Installs the packages of the tests.
    pub fn install(&self) -> io::Result<bool> {
        for folder in FOLDERS {
            if !self.node.install(&self.folder.join(folder))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Runs the tests on a line of Node.js. `None`: it is not there, or its report cannot be read.
    fn tests(&self, node: &Peer, options: &[&str], addon: &Path) -> io::Result<Option<Tally>> {
        let Some(programs) = peers::node_programs(node).filter(|folder| folder.is_dir()) else { return Ok(None) };
        let report = self.node.out.join("vitest.json");
        if report.exists() {
            fs::remove_file(&report)?;
        }
        let mut vitest = self.tool("vitest", &["run", "--reporter=json", "--reporter=default"]);
        vitest.args(options).arg(format!("--outputFile.json={}", report.display())).env("REZ_NODE_ADDON", addon);
        vitest.env("PATH", search_path(Some(programs))?);
        name_programs(&mut vitest);
        let passed = self.quiet("vitest", vitest)?;
        let report = fs::read_to_string(&report).unwrap_or_default();
        for name in skipped(&report) {
            println!("skipped: backend: {name}");
        }
        let tests = of_jest(&report);
        // It can fail for another reason than a test.
        Ok(tests.map(|tests| Tally { failed: tests.failed.max(u64::from(!passed)), ..tests }))
    }

    /// A program of `node_modules`, on the Node.js that the package needs.
    pub fn tool(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = self.command(self.folder.join("node_modules/.bin").join(name));
        command.args(arguments);
        command
    }

    /// Node.js with a script of the package, an addon, and the programs that scripts start.
    pub fn node(&self, script: &str, addon: &Path) -> Command {
        let mut command = self.command("node".into());
        command.arg(script).env("REZ_NODE_ADDON", addon);
        name_programs(&mut command);
        command
    }

    /// Runs a command, and prints its output only if it fails.
    pub fn quiet(&self, name: &str, command: Command) -> io::Result<bool> {
        self.node.quiet(name, command)
    }

    fn command(&self, program: PathBuf) -> Command {
        let mut command = self.workspace.command(program);
        command.current_dir(&self.folder).env("CI", "1").env("NO_COLOR", "1").env("PATH", &self.path);
        command
    }
}

/// The search path, with a Node.js before that of the machine, and with promtool.
fn search_path(node: Option<PathBuf>) -> io::Result<OsString> {
    path_with(node.into_iter().chain(programs::prometheus_folder()))
}

/// The names of the tests that a report of vitest calls skipped.
fn skipped(json: &str) -> Vec<&str> {
    let tests = json.split("\"fullName\":\"").skip(1);
    tests
        .filter(|test| test.split("\"status\":\"").nth(1).is_some_and(|status| status.starts_with("skipped")))
        .filter_map(|test| test.split("\",").next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skipped_tests_of_a_report_are_named() {
        let json =
            r#"[{"fullName":"a works","status":"passed"},{"fullName":"b works","status":"skipped","title":"works"}]"#;
        assert_eq!(skipped(json), ["b works"]);
    }
}
