//! The lanes of `cargo xtask test`: what each one runs, and what it needs for that.
//!
//! Every lane that compiles selects the whole workspace. Cargo unites the features of a dependency over what is
//! selected, so one selection means that each dependency is built once for all lanes. `cargo rezq` selects the
//! inspector alone: that is how the demo never carries `fault-points`, at the price of the engine and the
//! inspector (two packages of ours) being compiled once more for it. Clippy and rustdoc need only the metadata of
//! the dependencies; that second, cheaper pass over them cannot be avoided.

use std::time::Duration;

use crate::peers;
use crate::process;
use crate::workspace::Workspace;

/// One lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The code is formatted.
    Format,
    /// The product's own rules about its source.
    Rules,
    /// Unit tests of all libraries and programs.
    RustUnit,
    /// The tests that drive real processes and files.
    RustIntegration,
    /// What is generated from code has not drifted.
    GeneratedDocs,
    /// The examples in the documentation compile and run.
    RustDoc,
    /// No warning of clippy or of the compiler.
    Clippy,
    /// The documentation builds without a warning.
    Docs,
}

/// What the output of a lane is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Good or bad: it counts as one test.
    Check,
    /// Tests, at least one in all.
    Tests,
    /// Tests, at least one in every program.
    TestsInEach,
}

/// One program of a lane.
pub struct Step {
    /// Arguments of cargo, or of a program that the step before has built.
    pub arguments: &'static [&'static str],
    /// That program; none means cargo.
    pub built: Option<&'static str>,
    /// Added to its environment.
    pub variables: &'static [(&'static str, &'static str)],
}

const fn cargo(arguments: &'static [&'static str]) -> Step {
    Step { arguments, built: None, variables: &[] }
}

impl Lane {
    /// All lanes in the order in which they run.
    pub const ALL: [Lane; 8] = [
        Lane::Format,
        Lane::Rules,
        Lane::RustUnit,
        Lane::RustIntegration,
        Lane::GeneratedDocs,
        Lane::RustDoc,
        Lane::Clippy,
        Lane::Docs,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Format => "format",
            Lane::Rules => "rules",
            Lane::RustUnit => "rust-unit",
            Lane::RustIntegration => "rust-integration",
            Lane::GeneratedDocs => "generated-docs",
            Lane::RustDoc => "rust-doc",
            Lane::Clippy => "clippy",
            Lane::Docs => "docs",
        }
    }

    /// What its output is read for.
    pub fn reads(self) -> Reads {
        match self {
            Lane::RustUnit | Lane::RustDoc => Reads::Tests,
            Lane::RustIntegration => Reads::TestsInEach,
            _ => Reads::Check,
        }
    }

    /// Its programs, one after the other. The rules have none: they run inside this program.
    pub fn steps(self) -> &'static [Step] {
        match self {
            Lane::Format => &const { [cargo(&["fmt", "--all", "--check"])] },
            Lane::Rules => &[],
            Lane::RustUnit => {
                &const { [cargo(&["test", "--workspace", "--lib", "--bins", "--no-fail-fast", "--color=never"])] }
            }
            Lane::RustIntegration => {
                &const { [cargo(&["test", "--workspace", "--test", "*", "--no-fail-fast", "--color=never"])] }
            }
            // The programs of a package are built with its integration tests, so the first step is free after
            // that lane, and right when this lane runs alone.
            Lane::GeneratedDocs => {
                &const {
                    [
                        cargo(&["test", "--workspace", "--test", "*", "--no-run", "--color=never"]),
                        Step { arguments: &["--check"], built: Some("gen-docs"), variables: &[] },
                    ]
                }
            }
            Lane::RustDoc => &const { [cargo(&["test", "--workspace", "--doc", "--no-fail-fast", "--color=never"])] },
            Lane::Clippy => {
                &const { [cargo(&["clippy", "--workspace", "--all-targets", "--color=never", "--", "-D", "warnings"])] }
            }
            Lane::Docs => {
                &const {
                    [Step {
                        arguments: &["doc", "--workspace", "--no-deps", "--document-private-items", "--color=never"],
                        built: None,
                        variables: &[("RUSTDOCFLAGS", "-D warnings")],
                    }]
                }
            }
        }
    }

    /// After this long it hangs. Two shared cores and a cold cache need a third of it.
    pub fn limit(self) -> Duration {
        match self {
            Lane::Format | Lane::Rules => Duration::from_secs(120),
            _ => Duration::from_secs(20 * 60),
        }
    }

    /// Makes ready what the lane needs and says why it must be skipped, if it must.
    pub fn missing(self, workspace: &Workspace) -> Option<String> {
        match self {
            Lane::Format => component(workspace, "fmt", "rustfmt"),
            Lane::Clippy => component(workspace, "clippy", "clippy"),
            Lane::RustIntegration => peers::prepare(workspace).err().map(|error| format!("the cache: {error}")),
            Lane::GeneratedDocs => {
                let bins = workspace.root().join("tests/src/bin");
                let there = bins.join("gen-docs.rs").is_file() || bins.join("gen-docs/main.rs").is_file();
                (!there).then(|| "nothing is generated: tests/src/bin has no gen-docs".to_string())
            }
            _ => None,
        }
    }
}

/// A part of the toolchain, installed through rustup if it lacks.
fn component(workspace: &Workspace, subcommand: &str, name: &str) -> Option<String> {
    let works = || process::is_installed(workspace.cargo().args([subcommand, "--version"]));
    if works() {
        return None;
    }
    println!("installing {name}");
    if process::succeeds(workspace.command("rustup").args(["component", "add", name])) && works() {
        return None;
    }
    Some(format!("cargo {subcommand} is not installed and `rustup component add {name}` did not help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_that_compiles_selects_the_whole_workspace() {
        for lane in Lane::ALL {
            for step in lane.steps().iter().filter(|step| step.built.is_none() && step.arguments[0] != "fmt") {
                assert!(step.arguments.contains(&"--workspace"), "{}", lane.name());
                assert!(!step.arguments.iter().any(|a| a.starts_with("--release") || a.starts_with("--features")));
            }
        }
    }
}
