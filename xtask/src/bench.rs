//! `cargo xtask bench`: builds the benchmark program in the release profile and runs it.
//!
//! It is the only command that builds that profile. The program is selected alone and without its test
//! dependencies, so the engine it measures has no `fault-points`.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::process;
use crate::workspace::Workspace;

/// Its command line.
pub fn command_line() -> Command {
    Command::new("bench")
        .about("Print each number the product promises beside its floor, measured in the same run")
        .arg(
            Arg::new("json")
                .long("json")
                .value_name("FILE")
                .help("Also write one JSON object a line into this file")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(Arg::new("quick").long("quick").help("Fewer rounds: a look, not a measurement").action(ArgAction::SetTrue))
        .arg(
            Arg::new("rest")
                .value_name("ARGUMENT")
                .help("Passed through to the benchmark program")
                .num_args(0..)
                .last(true)
                .value_parser(value_parser!(OsString)),
        )
}

/// Runs the benchmarks; true if the program ended well.
pub fn run(workspace: &Workspace, arguments: &ArgMatches) -> io::Result<bool> {
    let mut command = workspace.cargo();
    command.args(["run", "--release", "--package", "rez-monitor-tests", "--bin", "bench", "--"]);
    if let Some(file) = arguments.get_one::<PathBuf>("json") {
        // The program runs in the root of the checkout; the user meant the folder of the shell.
        command.arg("--json").arg(std::path::absolute(file)?);
    }
    if arguments.get_flag("quick") {
        command.arg("--quick");
    }
    command.args(arguments.get_many::<OsString>("rest").unwrap_or_default());
    Ok(process::succeeds(&mut command))
}
