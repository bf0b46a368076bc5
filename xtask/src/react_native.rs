//! The lane `react-native`: builds the addon for Node.js with the functions for tests, and checks and tests the package in
//! `react-native` with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Command as Subcommand;

use crate::addon;
use crate::bindings;
use crate::count::Tally;
use crate::node::{self, Node, of_jest, of_summary};
use crate::process;
use crate::workspace::Workspace;

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

/// Returns the command line of `react-native`.
pub fn command_line() -> Subcommand {
    Subcommand::new("react-native")
        .about("Check the React Native package, and run its tests on the engine of this checkout")
}

/// Runs the checks and tests. Prints the result in the form of `cargo test`, which the lane counts.
pub fn run(workspace: &Workspace) -> io::Result<bool> {
    if let Some(why) = node::missing(workspace) {
        println!("skipped: react-native: {why}");
        return Ok(false);
    }
    let package = Package::new(workspace)?;
    let Some(addon) = addon::for_tests(workspace, &package.node.out)? else { return Ok(false) };
    for folder in FOLDERS {
        if !package.node.install(&package.folder.join(folder))? {
            return Ok(false);
        }
    }
    let mut sum = Tally::default();
    for (name, arguments) in CHECKS {
        let passed = package.node.quiet(name, package.tool(name, arguments))?;
        sum += Tally::of(passed);
    }
    sum += package.native_tests(&addon)?;
    println!("     Running jest ({})", package.folder.join("rez_monitor-0").display());
    let report = package.node.out.join("jest.json");
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut jest = package.tool("jest", &["--json", "--outputFile"]);
    jest.arg(&report).env("REZ_NODE_ADDON", &addon);
    let passed = package.node.quiet("jest", jest)?;
    let tests = fs::read_to_string(&report).ok().and_then(|json| of_jest(&json)).unwrap_or_default();
    sum += tests;
    Ok(sum.print(passed && tests.passed > 0))
}

/// Runs the benchmarks on the engine of a release. Returns true if they succeed.
pub fn bench(workspace: &Workspace) -> io::Result<bool> {
    if let Some(why) = node::missing(workspace) {
        println!("skipped: react-native: {why}");
        return Ok(true);
    }
    let package = Package::new(workspace)?;
    let Some(addon) = addon::release(workspace, &package.node.out)? else {
        return Ok(false);
    };
    if !package.node.install(&package.folder)?
        || !package.node.install(&package.folder.join(BENCH))?
        || !package.node.quiet("bob", package.tool("bob", &["build"]))?
    {
        return Ok(false);
    }
    let mut node = workspace.command("node");
    node.current_dir(&package.folder).arg("bench/bench.mjs").env("REZ_NODE_ADDON", addon);
    Ok(process::succeeds(&mut node))
}

/// The package, and where its lane writes.
struct Package<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    node: Node<'a>,
}

impl Package<'_> {
    fn new(workspace: &Workspace) -> io::Result<Package<'_>> {
        let node = Node::new(workspace, "react-native")?;
        Ok(Package { workspace, folder: workspace.root().join("react-native"), node })
    }

    /// Runs the tests of the native half on the library with the functions for tests.
    fn native_tests(&self, addon: &Path) -> io::Result<Tally> {
        let failed = Tally::of(false);
        let Some(library) = bindings::library(self.workspace, &[addon::TEST_FEATURE])? else { return Ok(failed) };
        if !process::succeeds(self.workspace.cargo().args([
            "build",
            "--quiet",
            "--package",
            "rez-inspect",
            "--bin",
            "rezq",
        ])) {
            return Ok(failed);
        }
        let programs = self.workspace.programs()?;
        let rezq =
            programs.parent().unwrap_or(&programs).join("debug/rezq").with_extension(std::env::consts::EXE_EXTENSION);
        let mut node = self.workspace.command("node");
        node.current_dir(self.folder.join(NATIVE)).arg("run.mjs");
        node.env("REZ_LIBRARY", library).env("REZ_NODE_ADDON", addon).env("REZ_REZQ", rezq);
        let passed = self.node.quiet("native-tests", node)?;
        let output = fs::read_to_string(self.node.out.join("native-tests.log"))?;
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
}
