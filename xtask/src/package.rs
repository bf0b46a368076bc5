//! `cargo xtask package`: lays out what apps depend on, and checks it without the tools of the platforms.
//!
//! What cannot be built on this machine is named with what it lacks; the rest is laid out and checked all the same.

mod android;
mod checks;
mod ios;
mod node;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};

use crate::workspace::Workspace;

/// Returns the command line of `package`.
pub fn command_line() -> Command {
    Command::new("package")
        .about("Lay out the packages that apps depend on, and check them")
        .subcommand_required(true)
        .subcommand(Command::new("android").about("The AAR, with every ABI whose target and linker are installed"))
        .subcommand(Command::new("ios").about("The XCFramework, with every platform that this machine can build"))
        .subcommand(Command::new("node").about("The packages for Node.js, with the addon for this machine"))
}

/// Lays out a package. Returns true if every check of what was laid out holds.
pub fn run(workspace: &Workspace, arguments: &ArgMatches) -> io::Result<bool> {
    let report = match arguments.subcommand_name() {
        Some("ios") => ios::package(workspace)?,
        Some("node") => node::package(workspace)?,
        _ => android::package(workspace)?,
    };
    Ok(report.print())
}

/// The version of every package of the workspace, this program among them.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What was laid out, what is missing and why, and what is wrong.
#[derive(Default)]
struct Report {
    made: Vec<String>,
    missing: Vec<String>,
    wrong: Vec<String>,
}

impl Report {
    /// Notes what a check found.
    fn check(&mut self, what: &str, found: Result<String, String>) {
        match found {
            Ok(found) => self.made.push(format!("{what}: {found}")),
            Err(wrong) => self.wrong.push(format!("{what}: {wrong}")),
        }
    }

    fn print(&self) -> bool {
        self.made.iter().for_each(|line| println!("ok       {line}"));
        self.missing.iter().for_each(|line| println!("missing  {line}"));
        self.wrong.iter().for_each(|line| println!("wrong    {line}"));
        println!("{} ok, {} missing, {} wrong", self.made.len(), self.missing.len(), self.wrong.len());
        self.wrong.is_empty()
    }
}

/// An empty folder for a package, below the folder of this build.
fn fresh_folder(workspace: &Workspace, name: &str) -> io::Result<PathBuf> {
    let programs = workspace.programs()?;
    let folder = programs.parent().unwrap_or(&programs).join("package").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(from, to).map(|_| ()).map_err(|error| io::Error::other(format!("{}: {error}", from.display())))
}
