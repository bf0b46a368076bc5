//! The lanes of `cargo xtask test`: the commands of each lane, and its requirements.
//!
//! Every lane that compiles, except `features`, selects the whole workspace. Cargo unites the features of a dependency over the
//! selected packages, so with one selection each dependency is built once for all lanes. `cargo rezq` selects the inspector
//! alone, so that the demo is built without `fault-points`; the engine and the inspector are compiled once more for it.
//! Clippy and rustdoc need a second, cheaper pass over the dependencies, for their metadata.

use std::time::Duration;

use crate::debian::{self, Program};
use crate::kotlin;
use crate::node;
use crate::peers;
use crate::process;
use crate::swift;
use crate::workspace::Workspace;

/// The features with the functions that the tests of the bindings need. They add no feature to a dependency that the workspace does not
/// have.
const TEST_ACCESS: &str = "--features=rez-monitor-ffi/test-access,rez-monitor-node/test-access";

/// The terminal in which the terminal interface is tested.
const TMUX: Program = Program { name: "tmux", version: "-V", packages: &["tmux"] };

/// A lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Checks the format of the code.
    Format,
    /// Checks our own rules for source files.
    Rules,
    /// Runs the unit tests of all libraries and programs.
    RustUnit,
    /// Runs the integration tests.
    RustIntegration,
    /// Checks that generated documentation is up to date.
    GeneratedDocs,
    /// Runs the documentation examples.
    RustDoc,
    /// Runs clippy.
    Clippy,
    /// Compiles the engine with each destination alone, and with none.
    Features,
    /// Checks that the generated Kotlin and Swift are up to date.
    Bindings,
    /// Runs the tests of the Kotlin API on the JVM.
    Kotlin,
    /// Runs the tests of the Swift package.
    Swift,
    /// Checks the React Native package, and runs its tests on the engine.
    ReactNative,
    /// Checks the package for servers, and runs its tests on the engine.
    Backend,
    /// Tests the page of the inspector in a browser.
    Page,
    /// Checks the configuration of the monitoring, and runs it.
    Ops,
    /// Builds the documentation.
    Docs,
}

/// How the output of a lane is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The exit code counts as one test.
    Check,
    /// Tests are counted; at least one is required.
    Tests,
    /// Tests are counted; every program needs at least one.
    TestsInEach,
}

/// A command of a lane.
pub struct Step {
    /// Arguments of cargo, or of `built`.
    pub arguments: &'static [&'static str],
    /// A program that the previous step built. `None` means cargo.
    pub built: Option<&'static str>,
    /// Additional environment variables.
    pub variables: &'static [(&'static str, &'static str)],
}

const fn cargo(arguments: &'static [&'static str]) -> Step {
    Step { arguments, built: None, variables: &[] }
}

/// Checks the engine with these features alone. By clippy, because its lane has built most dependencies. Code that the
/// other destinations use is unused here, so warnings do not count.
macro_rules! engine_with {
    ($($features:literal)?) => {
        cargo(&[
            "clippy",
            "--package=rez-monitor",
            "--lib",
            "--no-default-features",
            $($features,)?
            "--color=never",
            "--",
            "--allow=warnings",
        ])
    };
}

impl Lane {
    /// All lanes, in the order in which they run.
    pub const ALL: [Lane; 16] = [
        Lane::Format,
        Lane::Rules,
        Lane::RustUnit,
        Lane::RustIntegration,
        Lane::GeneratedDocs,
        Lane::RustDoc,
        Lane::Clippy,
        Lane::Features,
        Lane::Bindings,
        Lane::Kotlin,
        Lane::Swift,
        Lane::ReactNative,
        Lane::Backend,
        Lane::Page,
        Lane::Ops,
        Lane::Docs,
    ];

    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Format => "format",
            Lane::Rules => "rules",
            Lane::RustUnit => "rust-unit",
            Lane::RustIntegration => "rust-integration",
            Lane::GeneratedDocs => "generated-docs",
            Lane::RustDoc => "rust-doc",
            Lane::Clippy => "clippy",
            Lane::Features => "features",
            Lane::Bindings => "bindings",
            Lane::Kotlin => "kotlin",
            Lane::Swift => "swift",
            Lane::ReactNative => "react-native",
            Lane::Backend => "backend",
            Lane::Page => "page",
            Lane::Ops => "ops",
            Lane::Docs => "docs",
        }
    }

    /// Returns how the output is evaluated.
    pub fn reads(self) -> Reads {
        match self {
            Lane::RustUnit
            | Lane::RustDoc
            | Lane::Kotlin
            | Lane::Swift
            | Lane::ReactNative
            | Lane::Backend
            | Lane::Page
            | Lane::Ops => Reads::Tests,
            Lane::RustIntegration => Reads::TestsInEach,
            _ => Reads::Check,
        }
    }

    /// Returns the commands. The lane `rules` has none: it runs in this process.
    pub fn steps(self) -> &'static [Step] {
        match self {
            Lane::Format => &const { [cargo(&["fmt", "--all", "--check"])] },
            Lane::Rules => &[],
            Lane::RustUnit => {
                &const {
                    [cargo(&["test", "--workspace", TEST_ACCESS, "--lib", "--bins", "--no-fail-fast", "--color=never"])]
                }
            }
            Lane::RustIntegration => {
                &const { [cargo(&["test", "--workspace", TEST_ACCESS, "--test", "*", "--no-fail-fast", "--color=never"])] }
            }
            // Integration tests build the programs of their package. So the first step does nothing after that lane,
            // and builds the program if this lane runs alone.
            Lane::GeneratedDocs => {
                &const {
                    [
                        cargo(&["test", "--workspace", TEST_ACCESS, "--test", "*", "--no-run", "--color=never"]),
                        Step { arguments: &["--check"], built: Some("gen-docs"), variables: &[] },
                    ]
                }
            }
            Lane::RustDoc => {
                &const { [cargo(&["test", "--workspace", TEST_ACCESS, "--doc", "--no-fail-fast", "--color=never"])] }
            }
            Lane::Clippy => {
                &const {
                    [cargo(&[
                        "clippy",
                        "--workspace",
                        TEST_ACCESS,
                        "--all-targets",
                        "--color=never",
                        "--",
                        "-D",
                        "warnings",
                    ])]
                }
            }
            Lane::Features => {
                &const {
                    [
                        engine_with!(),
                        engine_with!("--features=destination-datadog"),
                        engine_with!("--features=destination-ga4"),
                        engine_with!("--features=destination-mixpanel"),
                        engine_with!("--features=destination-otlp"),
                        engine_with!("--features=destination-pagerduty"),
                        engine_with!("--features=destination-rez"),
                        engine_with!("--features=destination-sentry"),
                        engine_with!("--features=destination-slack"),
                    ]
                }
            }
            Lane::Bindings => {
                &const { [Step { arguments: &["bindings", "--check"], built: Some("xtask"), variables: &[] }] }
            }
            Lane::Kotlin => &const { [Step { arguments: &["kotlin"], built: Some("xtask"), variables: &[] }] },
            Lane::Swift => &const { [Step { arguments: &["swift"], built: Some("xtask"), variables: &[] }] },
            Lane::ReactNative => {
                &const { [Step { arguments: &["react-native"], built: Some("xtask"), variables: &[] }] }
            }
            Lane::Backend => &const { [Step { arguments: &["backend"], built: Some("xtask"), variables: &[] }] },
            Lane::Page => &const { [Step { arguments: &["page"], built: Some("xtask"), variables: &[] }] },
            Lane::Ops => &const { [Step { arguments: &["ops", "check"], built: Some("xtask"), variables: &[] }] },
            Lane::Docs => {
                &const {
                    [Step {
                        arguments: &[
                            "doc",
                            "--workspace",
                            TEST_ACCESS,
                            "--no-deps",
                            "--document-private-items",
                            "--color=never",
                        ],
                        built: None,
                        variables: &[("RUSTDOCFLAGS", "-D warnings")],
                    }]
                }
            }
        }
    }

    /// Returns the time limit: three times the duration on two shared cores with a cold cache.
    pub fn limit(self) -> Duration {
        match self {
            Lane::Format | Lane::Rules => Duration::from_secs(120),
            _ => Duration::from_secs(20 * 60),
        }
    }

    /// Prepares the requirements of the lane. Returns a reason if it must be skipped.
    pub fn missing(self, workspace: &Workspace) -> Option<String> {
        match self {
            Lane::Format => component(workspace, "fmt", "rustfmt"),
            Lane::Clippy | Lane::Features => component(workspace, "clippy", "clippy"),
            Lane::RustIntegration => {
                // Without it the tests of the terminal interface are skipped by name.
                let _ = debian::missing(workspace, &TMUX);
                peers::prepare(workspace, &peers::OF_RUST)
                    .err()
                    .map(|error| format!("cannot use the cache folder: {error}"))
            }
            Lane::Kotlin => kotlin::missing(workspace),
            Lane::GeneratedDocs => {
                let bins = workspace.root().join("tests/src/bin");
                let there = bins.join("gen-docs.rs").is_file() || bins.join("gen-docs/main.rs").is_file();
                (!there).then(|| "tests/src/bin/gen-docs does not exist".to_string())
            }
            Lane::Swift => swift::prepare(workspace),
            Lane::ReactNative | Lane::Backend | Lane::Page | Lane::Ops => node::missing(workspace),
            _ => None,
        }
    }
}

/// Checks a component of the toolchain, and installs it with rustup if it is missing. Returns a reason on failure.
fn component(workspace: &Workspace, subcommand: &str, name: &str) -> Option<String> {
    let works = || process::is_installed(workspace.cargo().args([subcommand, "--version"]));
    if works() {
        return None;
    }
    println!("installing {name}");
    if process::succeeds(workspace.command("rustup").args(["component", "add", name])) && works() {
        return None;
    }
    Some(format!("cargo {subcommand} is not installed, and `rustup component add {name}` failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_that_compiles_selects_the_whole_workspace() {
        for lane in Lane::ALL.into_iter().filter(|lane| *lane != Lane::Features) {
            for step in lane.steps().iter().filter(|step| step.built.is_none() && step.arguments[0] != "fmt") {
                assert!(step.arguments.contains(&"--workspace"), "{}", lane.name());
                assert!(step.arguments.contains(&TEST_ACCESS), "{}", lane.name());
                assert!(!step.arguments.iter().any(|argument| argument.starts_with("--release")));
                assert_eq!(step.arguments.iter().filter(|argument| argument.starts_with("--features")).count(), 1);
            }
        }
    }
    #[test]
    fn the_engine_is_compiled_with_each_destination_alone() {
        let manifest = Workspace::find().unwrap().root().join("core/Cargo.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        let destinations = manifest.lines().filter_map(|line| line.strip_suffix(" = []"));
        for feature in destinations.filter(|feature| feature.starts_with("destination-")) {
            let option = format!("--features={feature}");
            let checked = Lane::Features.steps().iter().any(|step| step.arguments.contains(&option.as_str()));
            assert!(checked, "{feature}");
        }
    }
}
