//! `cargo xtask bench`: builds the benchmark program in the release profile and runs it.
//!
//! No other command builds that profile. The program is built alone, without test dependencies, so that the measured
//! engine has no `fault-points`.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::backend;
use crate::kotlin;
use crate::process;
use crate::react_native;
use crate::swift;
use crate::workspace::Workspace;

/// Returns the command line of `bench`.
pub fn command_line() -> Command {
    Command::new("bench")
        .about("Run the benchmarks and print each figure beside its lower bound, measured in the same run")
        .arg(
            Arg::new("json")
                .long("json")
                .value_name("FILE")
                .help("Also write one JSON object per line to this file")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(Arg::new("quick").long("quick").help("Run fewer rounds, for a rough estimate").action(ArgAction::SetTrue))
        .arg(
            Arg::new("kotlin")
                .long("kotlin")
                .help("Run the benchmarks of the Kotlin API on the JVM instead")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("swift")
                .long("swift")
                .help("Run the benchmarks of the Swift package instead")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("react-native")
                .long("react-native")
                .help("Run the benchmarks of the React Native package on Node.js instead")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("backend")
                .long("backend")
                .help("Run the benchmarks of the package for servers instead; the arguments are rounds, and minutes of the memory test")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("rest")
                .value_name("ARGUMENT")
                .help("Arguments of the benchmark program")
                .num_args(0..)
                .last(true)
                .value_parser(value_parser!(OsString)),
        )
}

/// Runs the benchmarks. Returns true if the program succeeds.
pub fn run(workspace: &Workspace, arguments: &ArgMatches) -> io::Result<bool> {
    if arguments.get_flag("kotlin") {
        return kotlin::bench(workspace);
    }
    if arguments.get_flag("swift") {
        return swift::bench(workspace, arguments.get_flag("quick"));
    }
    if arguments.get_flag("react-native") {
        return react_native::bench(workspace);
    }
    if arguments.get_flag("backend") {
        return backend::bench(workspace, arguments.get_many::<OsString>("rest").unwrap_or_default());
    }
    let mut command = workspace.cargo();
    command.args(["run", "--release", "--package", "rez-monitor-tests", "--bin", "bench", "--"]);
    if let Some(file) = arguments.get_one::<PathBuf>("json") {
        // The program runs in the root of the checkout, but the path is relative to the current folder.
        command.arg("--json").arg(std::path::absolute(file)?);
    }
    if arguments.get_flag("quick") {
        command.arg("--quick");
    }
    command.args(arguments.get_many::<OsString>("rest").unwrap_or_default());
    Ok(process::succeeds(&mut command))
}
