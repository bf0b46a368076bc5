//! The lane `page`: tests the page of the inspector in a browser, on a running app.

use std::fs;
use std::io;

use clap::Command as Subcommand;

use crate::node::{self, Node, of_summary};
use crate::process;
use crate::workspace::Workspace;

/// The running app: an example of the inspector. The collector is the program `rezq`.
const APP: &str = "inspected_shop";

/// Returns the command line of `page`.
pub fn command_line() -> Subcommand {
    Subcommand::new("page").about("Test the page of the inspector in a browser")
}

/// Runs the tests. Prints the result in the form of `cargo test`, which the lane counts.
pub fn run(workspace: &Workspace) -> io::Result<bool> {
    if let Some(why) = node::missing(workspace) {
        println!("skipped: page: {why}");
        return Ok(false);
    }
    let tests = workspace.root().join("inspector/page-tests");
    let node = Node::new(workspace, "page")?;
    let build = ["build", "--quiet", "--package", "rez-inspect", "--bin", "rezq", "--example", APP];
    if !process::succeeds(workspace.cargo().args(build)) || !node.install(&tests)? {
        return Ok(false);
    }
    let programs = workspace.programs()?;
    let built = programs.parent().unwrap_or(&programs).join("debug");
    let program = |name: &str| built.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let mut command = workspace.command("node");
    command
        .current_dir(&tests)
        .arg("run.mjs")
        .env("REZQ", program("rezq"))
        .env("REZ_INSPECTED_SHOP", program(&format!("examples/{APP}")));
    println!("     Running page ({})", tests.join("rez_inspect-0").display());
    let passed = node.quiet("page", command)?;
    let output = fs::read_to_string(node.out.join("page.log"))?;
    for line in output.lines().filter(|line| line.contains(": skipped: ")) {
        println!("note: {line}");
    }
    let sum = output.lines().next_back().and_then(of_summary).unwrap_or_default();
    Ok(sum.print(passed))
}
