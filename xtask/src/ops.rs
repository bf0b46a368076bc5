//! The lane `ops`: installs the programs that operations people run, and checks the configuration in `ops` with them.

mod collector;
pub mod programs;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command as Subcommand};

use crate::backend;
use crate::node::{self, Node, of_summary};
use crate::peers;
use crate::process;
use crate::workspace::{Workspace, path_with};

/// The objectives, and the rules that sloth generates from them.
const OBJECTIVES: &str = "ops/prometheus/slo.yml";
const OBJECTIVES_RULES: &str = "ops/prometheus/rules/slo.yml";

/// The sources of the dashboards.
const DASHBOARDS: &str = "ops/grafana";

/// Returns the command line of `ops`.
pub fn command_line() -> Subcommand {
    Subcommand::new("ops")
        .about("Work on the configuration of the monitoring")
        .subcommand_required(true)
        .subcommand(Subcommand::new("check").about("Check every file with the program that reads it, and run them all"))
        .subcommand(Subcommand::new("dashboards").about("Write the dashboards of Grafana from their sources"))
        .subcommand(Subcommand::new("slo").about("Generate the rules of the objectives with sloth"))
}

/// Runs one of them.
pub fn run(workspace: &Workspace, arguments: &ArgMatches) -> io::Result<bool> {
    match arguments.subcommand() {
        Some(("check", _)) => check(workspace),
        Some(("dashboards", _)) => dashboards(workspace),
        Some(("slo", _)) => generate(workspace),
        _ => Ok(false),
    }
}

/// Runs the tests. Prints the result in the form of `cargo test`, which the lane counts. A test whose program is not available is
/// skipped by name.
fn check(workspace: &Workspace) -> io::Result<bool> {
    if let Some(why) = node::missing(workspace) {
        println!("skipped: ops: {why}");
        return Ok(false);
    }
    let tests = workspace.root().join("ops/tests");
    let node = Node::new(workspace, "ops")?;
    let mut folders = programs::provide(workspace)?;
    if !node.install(&tests)? || !node.install(&workspace.root().join(DASHBOARDS))? {
        return Ok(false);
    }
    // The sample API of the dashboards' test wants a newer Node.js than the rest. Without it that test is skipped by name.
    let mut with_backend = workspace.command("node");
    if backend::provide_to(workspace, &mut with_backend)? {
        folders.insert(0, peers::node_programs(&peers::NODE_JS).unwrap_or_default());
    }
    let path = path_with(folders)?;
    let mut command = workspace.command(find(&path, "node").unwrap_or_else(|| "node".into()));
    command.envs(with_backend.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(&tests).arg("run.mjs").env("PATH", path);
    println!("     Running ops ({})", tests.join("rez_ops-0").display());
    let passed = node.quiet("ops", command)?;
    let output = fs::read_to_string(node.out.join("ops.log"))?;
    for skipped in output.lines().filter_map(|line| line.strip_prefix("ops: skipped: ")) {
        println!("skipped: ops: {skipped}");
    }
    let sum = output.lines().next_back().and_then(of_summary).unwrap_or_default();
    Ok(sum.print(passed))
}

/// Writes the dashboards.
fn dashboards(workspace: &Workspace) -> io::Result<bool> {
    if let Some(why) = node::missing(workspace) {
        println!("skipped: ops: {why}");
        return Ok(false);
    }
    let folder = workspace.root().join(DASHBOARDS);
    if !Node::new(workspace, "ops")?.install(&folder)? {
        return Ok(false);
    }
    Ok(process::succeeds(workspace.command("node").current_dir(&folder).arg("generate.mjs")))
}

/// Writes the rules of the objectives.
fn generate(workspace: &Workspace) -> io::Result<bool> {
    let path = path_with(programs::provide(workspace)?)?;
    let Some(sloth) = find(&path, "sloth") else {
        println!("skipped: ops: sloth is not available");
        return Ok(false);
    };
    let mut command = workspace.command(sloth);
    Ok(process::succeeds(command.args(["generate", "--no-log", "-i", OBJECTIVES, "-o", OBJECTIVES_RULES])))
}

/// Returns the first program of this name in a PATH. `Command` searches the PATH of this process alone.
fn find(path: &OsString, name: &str) -> Option<PathBuf> {
    env::split_paths(path).map(|folder: PathBuf| folder.join(name)).find(|file: &PathBuf| Path::is_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_cache_comes_before_one_of_the_system() {
        let folder = env::temp_dir().join(format!("xtask-ops-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("sloth"), "").unwrap();
        let path = path_with([folder.clone()]).unwrap();
        assert_eq!(find(&path, "sloth"), Some(folder.join("sloth")));
        assert_eq!(find(&path, "no such program"), None);
        fs::remove_dir_all(folder).unwrap();
    }
}
