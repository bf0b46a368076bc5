//! The build script of this repository: `cargo xtask test`, `bench`, `size`, `package`, `audit`, `bindings`, `peers`, `kotlin`, `swift`,
//! `react-native`, `backend`, `api`, `page`, `ops`.
//!
//! It is compiled before everything else, so it depends on clap and the standard library only.

mod addon;
mod app_library;
mod audit;
mod backend;
mod bench;
mod bindings;
mod count;
mod debian;
mod kotlin;
mod lane;
mod node;
mod ops;
mod package;
mod page;
mod peers;
mod process;
mod react_native;
mod rules;
mod size;
mod swift;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

use crate::workspace::Workspace;

/// Returns the command line. It does not use the derive macro, which would double the compile time of this program.
fn command_line() -> Command {
    Command::new("cargo xtask")
        .about("Runs tests, benchmarks and audits of this repository")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(test::command_line())
        .subcommand(bench::command_line())
        .subcommand(size::command_line())
        .subcommand(package::command_line())
        .subcommand(audit::command_line())
        .subcommand(bindings::command_line())
        .subcommand(peers::command_line())
        .subcommand(kotlin::command_line())
        .subcommand(swift::command_line())
        .subcommand(page::command_line())
        .subcommand(react_native::command_line())
        .subcommand(backend::command_line())
        .subcommand(
            Command::new("api")
                .about("Start the example's API with Redis, a MongoDB server and a Collector, on port 4000 or `PORT`"),
        )
        .subcommand(ops::command_line())
}

fn run(arguments: &ArgMatches) -> std::io::Result<bool> {
    let workspace = Workspace::find()?;
    match arguments.subcommand() {
        Some(("test", arguments)) => test::run(&workspace, &test::lanes(arguments)),
        Some(("bench", arguments)) => bench::run(&workspace, arguments),
        Some(("size", arguments)) => size::run(&workspace, arguments),
        Some(("package", arguments)) => package::run(&workspace, arguments),
        Some(("audit", arguments)) => audit::run(&workspace, arguments),
        Some(("bindings", arguments)) => bindings::run(&workspace, arguments),
        Some(("peers", _)) => peers::prepare_all(&workspace),
        Some(("kotlin", _)) => kotlin::run(&workspace),
        Some(("swift", _)) => swift::run(&workspace),
        Some(("page", _)) => page::run(&workspace),
        Some(("react-native", _)) => react_native::run(&workspace),
        Some(("backend", _)) => backend::run(&workspace),
        Some(("api", _)) => backend::api(&workspace),
        Some(("ops", arguments)) => ops::run(&workspace, arguments),
        _ => Ok(false),
    }
}

fn main() -> ExitCode {
    match run(&command_line().get_matches()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::Lane;

    #[test]
    fn the_command_line_definition_is_valid() {
        command_line().debug_assert();
    }

    #[test]
    fn lanes_can_be_repeated_or_separated_by_commas_and_run_in_fixed_order() {
        let arguments = command_line().get_matches_from(["xtask", "test", "--lane", "docs,rules", "--lane", "format"]);
        let (_, arguments) = arguments.subcommand().unwrap();
        assert_eq!(test::lanes(arguments), [Lane::Format, Lane::Rules, Lane::Docs]);
    }

    #[test]
    fn all_lanes_run_by_default() {
        let arguments = command_line().get_matches_from(["xtask", "test"]);
        let (_, arguments) = arguments.subcommand().unwrap();
        assert_eq!(test::lanes(arguments), Lane::ALL);
    }

    #[test]
    fn an_unknown_lane_is_rejected() {
        assert!(command_line().try_get_matches_from(["xtask", "test", "--lane", "fast"]).is_err());
    }
}
