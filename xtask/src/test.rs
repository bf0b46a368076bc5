//! `cargo xtask test`: runs the lanes and prints the result of each, then the totals.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::count::{self, Binary, Tally};
use crate::lane::{Lane, Reads};
use crate::process::{self, End};
use crate::rules;
use crate::workspace::Workspace;

/// Returns the command line of `test`.
pub fn command_line() -> Command {
    Command::new("test").about("Run all checks and tests; the last line reads: N passed, N failed, N skipped").arg(
        Arg::new("lane")
            .long("lane")
            .value_name("NAME")
            .help("Run only this lane; can be repeated")
            .action(ArgAction::Append)
            .value_delimiter(',')
            .value_parser(PossibleValuesParser::new(Lane::ALL.map(Lane::name))),
    )
}

/// Returns the selected lanes in their fixed order, or all lanes if none is selected.
pub fn lanes(arguments: &ArgMatches) -> Vec<Lane> {
    let named: Vec<&String> = arguments.get_many("lane").unwrap_or_default().collect();
    Lane::ALL
        .into_iter()
        .filter(|lane| named.is_empty() || named.iter().any(|name| name.as_str() == lane.name()))
        .collect()
}

/// The result of a lane.
struct Outcome {
    tally: Tally,
    /// Failures that the output does not show.
    problems: Vec<String>,
    /// Notes that are not failures.
    notes: Vec<String>,
    /// Tests per crate. Empty for a check.
    crates: String,
    /// The output of its commands.
    output: String,
}

impl Outcome {
    fn of_check(problems: Vec<String>, output: String) -> Outcome {
        let tally = if problems.is_empty() {
            Tally { passed: 1, ..Tally::default() }
        } else {
            Tally { failed: 1, ..Tally::default() }
        };
        Outcome { tally, problems, notes: Vec::new(), crates: String::new(), output }
    }
}

/// Runs the lanes. Returns true if nothing failed.
pub fn run(workspace: &Workspace, lanes: &[Lane]) -> io::Result<bool> {
    let mut sum = Tally::default();
    let started = Instant::now();
    for lane in lanes.iter().copied() {
        sum += run_lane(workspace, lane)?;
    }
    println!("all lanes in {}", seconds(started.elapsed()));
    println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
    Ok(sum.failed == 0)
}

fn run_lane(workspace: &Workspace, lane: Lane) -> io::Result<Tally> {
    if let Some(reason) = lane.missing(workspace) {
        println!("skipped: {}: {reason}", lane.name());
        return Ok(Tally { skipped: 1, ..Tally::default() });
    }
    print!("{:<17}", lane.name());
    io::stdout().flush()?;
    let started = Instant::now();
    let outcome = match lane {
        Lane::Rules => {
            let findings = rules::check(workspace)?;
            let mut outcome = Outcome::of_check(findings.broken, String::new());
            outcome.notes = findings.notes;
            outcome
        }
        _ => run_steps(workspace, lane)?,
    };
    let tally = outcome.tally;
    let crates = if outcome.crates.is_empty() { String::new() } else { format!("  ({})", outcome.crates) };
    println!(
        "{:>9}  {} passed, {} failed, {} skipped{crates}",
        seconds(started.elapsed()),
        tally.passed,
        tally.failed,
        tally.skipped
    );
    for note in &outcome.notes {
        println!("  note: {note}");
    }
    if tally.failed > 0 {
        if !outcome.output.is_empty() {
            println!("{}", outcome.output.trim_end());
        }
        for problem in &outcome.problems {
            println!("failed: {}: {problem}", lane.name());
        }
    }
    Ok(tally)
}

fn run_steps(workspace: &Workspace, lane: Lane) -> io::Result<Outcome> {
    let programs = workspace.programs()?;
    let log = programs.join("xtask-lanes").join(format!("{}.log", lane.name()));
    if log.exists() {
        fs::remove_file(&log)?;
    }
    let mut problems = Vec::new();
    for step in lane.steps() {
        let mut command = match step.built {
            Some(program) => workspace.command(programs.join(program)),
            None => workspace.cargo(),
        };
        command.args(step.arguments).envs(step.variables.iter().copied());
        match process::run(&mut command, &log, lane.limit()) {
            Ok(End::Succeeded) => {}
            Ok(End::Failed(status)) => problems.push(status),
            Ok(End::TimedOut) => problems.push(format!("killed after {}", seconds(lane.limit()))),
            Err(error) => problems.push(format!("cannot start: {error}")),
        }
        if !problems.is_empty() {
            break;
        }
    }
    let output = read(&log);
    Ok(match lane.reads() {
        Reads::Check => Outcome::of_check(problems, output),
        reads => of_tests(reads, problems, output),
    })
}

/// Evaluates the output of tests. A program without a result line (its process died) and a lane without tests count as
/// failures.
fn of_tests(reads: Reads, mut problems: Vec<String>, output: String) -> Outcome {
    let binaries = count::binaries(&output);
    let mut tally = Tally::default();
    for Binary { name, tally: counted, .. } in &binaries {
        match counted {
            Some(counted) => {
                tally += *counted;
                if reads == Reads::TestsInEach && counted.total() == 0 {
                    tally.failed += 1;
                    problems.push(format!("{name} contains no test"));
                }
            }
            None => {
                tally.failed += 1;
                problems.push(format!("{name} ended without a result line"));
            }
        }
    }
    if tally.failed == 0 && !problems.is_empty() {
        tally.failed = 1;
    }
    if tally.total() == 0 {
        tally.failed = 1;
        problems.push("no test was run".to_string());
    }
    let notes = count::skipped(&output);
    Outcome { tally, problems, notes, crates: count::by_crate(&binaries), output }
}

fn read(log: &Path) -> String {
    fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSING: &str =
        "     Running tests/a.rs (target/debug/deps/a-1)\ntest result: ok. 2 passed; 0 failed; 1 ignored\n";
    const EMPTY: &str =
        "     Running tests/b.rs (target/debug/deps/b-1)\ntest result: ok. 0 passed; 0 failed; 0 ignored\n";
    const CRASHED: &str = "     Running tests/c.rs (target/debug/deps/c-1)\nrunning 1 test\n";

    fn tally(reads: Reads, problems: &[&str], output: &str) -> (u64, u64, u64) {
        let problems = problems.iter().map(|text| text.to_string()).collect();
        let Tally { passed, failed, skipped } = of_tests(reads, problems, output.to_string()).tally;
        (passed, failed, skipped)
    }

    #[test]
    fn a_passing_lane_counts_its_tests() {
        assert_eq!(tally(Reads::Tests, &[], PASSING), (2, 0, 1));
    }

    #[test]
    fn a_lane_without_tests_fails() {
        assert_eq!(tally(Reads::Tests, &[], ""), (0, 1, 0));
        assert_eq!(tally(Reads::Tests, &[], EMPTY), (0, 1, 0));
    }

    #[test]
    fn a_program_without_tests_fails_if_every_program_needs_one() {
        let output = format!("{PASSING}{EMPTY}");
        assert_eq!(tally(Reads::Tests, &[], &output), (2, 0, 1));
        assert_eq!(tally(Reads::TestsInEach, &[], &output), (2, 1, 1));
    }

    #[test]
    fn a_failing_exit_code_is_a_failure_even_if_all_counted_tests_passed() {
        assert_eq!(tally(Reads::Tests, &["exit status: 101"], PASSING), (2, 1, 1));
    }

    #[test]
    fn a_program_that_crashed_is_one_failure() {
        let output = format!("{CRASHED}{PASSING}");
        assert_eq!(tally(Reads::Tests, &["exit status: 101"], &output), (2, 1, 1));
    }
}
