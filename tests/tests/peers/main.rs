//! Tests with third-party programs and files: Datadog's schemas and types, an OpenTelemetry Collector, R8, esbuild. A test whose
//! program is not available is skipped by name and counted.
//!
//! `cargo xtask test` prepares the cache; see `xtask/src/peers.rs`. This file has its own harness, since the standard one
//! cannot skip a test at run time. It prints the same lines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod collector;
mod datadog;
mod schema;
mod symbols;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why a test was skipped. `None` if it passed. A test that fails panics.
pub type Skipped = Option<String>;

/// A name and a test.
type Check = (&'static str, fn() -> Skipped);

const CHECKS: [Check; 8] = [
    ("datadog_rum_events_fit_the_vendors_schemas", datadog::rum_fits_the_schemas),
    ("datadog_logs_fit_the_vendors_schema", datadog::logs_fit_the_schema),
    ("datadog_schemas_refuse_broken_events", datadog::broken_events_are_refused),
    ("datadog_rum_events_fit_the_vendors_types", datadog::rum_fits_the_types),
    ("datadog_types_refuse_broken_events", datadog::broken_events_do_not_compile),
    ("collector_has_every_event_once_with_its_attributes", collector::every_event_once),
    ("r8_frames_get_the_names_of_the_source_and_another_mapping_is_refused", symbols::r8_names_are_those_of_the_source),
    (
        "bundle_frames_get_the_names_of_the_source_and_another_map_is_refused",
        symbols::bundle_names_are_those_of_the_source,
    ),
];

/// Returns `shared/<path>` in a parent folder of the checkout.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    root.ancestors().skip(1).map(|folder| folder.join("shared").join(path)).find(|folder| folder.is_dir())
}

/// Returns a path in the cache of `cargo xtask test`.
pub fn cached(path: &str) -> Option<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache =
        from("REZ_CACHE").or_else(|| from("XDG_CACHE_HOME")).or_else(|| Some(std::env::home_dir()?.join(".cache")))?;
    Some(cache.join("rez-monitor").join(path)).filter(|path| path.exists())
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let checks: Vec<_> = CHECKS.into_iter().filter(|(name, _)| wanted(name)).collect();
    if std::env::args().any(|word| word == "--list") {
        checks.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", checks.len());
    let [mut passed, mut failed, mut skipped] = [0; 3];
    for (name, check) in &checks {
        match std::panic::catch_unwind(check) {
            Ok(None) => {
                passed += 1;
                println!("test {name} ... ok");
            }
            Ok(Some(why)) => {
                skipped += 1;
                println!("test {name} ... ignored, {why}");
                println!("skipped: {name}: {why}");
            }
            Err(_) => {
                failed += 1;
                println!("test {name} ... FAILED");
            }
        }
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    let out = CHECKS.len() - checks.len();
    println!(
        "\ntest result: {word}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured; {out} filtered out\n"
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(101) }
}
