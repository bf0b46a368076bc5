//! Rules about what the product is built from: one version of each package, one source, and no test-only
//! feature in what a user runs.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::{Findings, Source, named};
use crate::workspace::Workspace;

/// The only permitted source of packages.
const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The feature with which a test can kill the process at a named point.
const TEST_ONLY: &str = "fault-points";

/// Checks the lock file against `deny.toml`, and the features of the inspector against those of the tests.
pub fn check(workspace: &Workspace, sources: &[Source], findings: &mut Findings) -> io::Result<()> {
    let lock = named(sources, "Cargo.lock").map(|source| source.text.as_str()).unwrap_or_default();
    let deny = named(sources, "deny.toml").map(|source| source.text.as_str()).unwrap_or_default();
    versions(&packages(lock), &skips(deny), &mut findings.broken);
    for package in packages(lock) {
        if package.source.as_deref().is_some_and(|source| source != INDEX) {
            findings.broken.push(format!("Cargo.lock: {} is not from crates.io", package.name));
        }
    }
    let demo = tree(workspace, &["--package", "rez-inspect", "--edges", "normal,build"])?;
    let tests = tree(workspace, &["--workspace", "--edges", "normal,build,dev"])?;
    features(&demo, &tests, findings);
    Ok(())
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Package {
    name: String,
    version: String,
    source: Option<String>,
}

/// Parses the packages of a lock file.
fn packages(lock: &str) -> Vec<Package> {
    lock.split("[[package]]").skip(1).map(package).collect()
}

fn package(block: &str) -> Package {
    let field = |name: &str| {
        block.lines().find_map(|line| {
            let value = line.strip_prefix(name)?.strip_prefix(" = \"")?;
            value.strip_suffix('"').map(str::to_string)
        })
    };
    Package {
        name: field("name").unwrap_or_default(),
        version: field("version").unwrap_or_default(),
        source: field("source"),
    }
}

/// A permitted additional version of a package.
#[derive(Debug, PartialEq, Eq)]
struct Skip {
    name: String,
    version: String,
    has_reason: bool,
}

impl Skip {
    fn covers(&self, package: &Package) -> bool {
        let rest = package.version.strip_prefix(&self.version);
        package.name == self.name && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

/// Parses the entries `{ crate = "name:version", reason = "why" }` of the list `skip` in `deny.toml`, which cargo-deny
/// also uses.
fn skips(deny: &str) -> Vec<Skip> {
    let Some((_, list)) = deny.split_once("\nskip = [") else { return Vec::new() };
    let list = list.split("\n]").next().unwrap_or_default();
    list.lines()
        .filter_map(|line| {
            let spec = line.split("crate = \"").nth(1)?.split('"').next()?;
            let (name, version) = spec.split_once([':', '@'])?;
            let reason = line.split("reason = \"").nth(1).is_some_and(|text| !text.starts_with('"'));
            let version = version.trim_start_matches(['=', '^', '~']);
            Some(Skip { name: name.to_string(), version: version.to_string(), has_reason: reason })
        })
        .collect()
}

fn versions(packages: &[Package], skips: &[Skip], broken: &mut Vec<String>) {
    let mut by_name: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        by_name.entry(&package.name).or_default().push(package);
    }
    for (name, of_name) in &by_name {
        let left: Vec<&str> = of_name
            .iter()
            .filter(|package| !skips.iter().any(|skip| skip.covers(package)))
            .map(|package| package.version.as_str())
            .collect();
        if left.len() > 1 {
            broken.push(format!(
                "Cargo.lock: {name} has {} versions ({}); use one, or list one in deny.toml with a reason",
                left.len(),
                left.join(", ")
            ));
        }
    }
    for skip in skips {
        let of_name = by_name.get(skip.name.as_str());
        if !of_name.is_some_and(|list| list.len() > 1 && list.iter().any(|package| skip.covers(package))) {
            broken.push(format!("deny.toml: {}:{} is no longer needed in skip", skip.name, skip.version));
        }
        if !skip.has_reason {
            broken.push(format!("deny.toml: {}:{} has no reason in skip", skip.name, skip.version));
        }
    }
}

/// Feature sets by package and version.
type Features = BTreeMap<String, BTreeSet<String>>;

/// Returns what cargo would build for a selection.
fn tree(workspace: &Workspace, selection: &[&str]) -> io::Result<Features> {
    let mut command = workspace.cargo();
    command.args(["tree", "--prefix", "none", "--format", "{p}|{f}", "--color", "never"]).args(selection);
    let output = command.output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(features_in(&String::from_utf8_lossy(&output.stdout)))
}

fn features_in(tree: &str) -> Features {
    let mut found = Features::new();
    for line in tree.lines() {
        let Some((package, features)) = line.split_once('|') else { continue };
        let mut words = package.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        let features = features.trim_end_matches("(*)").trim().to_string();
        found.entry(format!("{name} {version}")).or_default().insert(features);
    }
    found
}

/// Checks that the demo has no test-only features, and notes dependencies that are built twice.
fn features(demo: &Features, tests: &Features, findings: &mut Findings) {
    let has = |sets: &BTreeSet<String>| sets.iter().any(|set| set.split(',').any(|feature| feature == TEST_ONLY));
    for (package, sets) in demo {
        if has(sets) {
            findings.broken.push(format!("cargo rezq would be built with {TEST_ONLY} in {package}"));
        }
    }
    let twice: Vec<&str> = demo
        .iter()
        .filter(|(package, _)| !package.starts_with("rez-"))
        .filter(|(package, sets)| tests.get(*package).is_none_or(|in_tests| !sets.is_subset(in_tests)))
        .map(|(package, _)| package.as_str())
        .collect();
    if !twice.is_empty() {
        findings.notes.push(format!(
            "built twice, for cargo rezq and for the tests, since the features differ: {}",
            twice.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.2.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\nsource = \"git+https://a.example\"\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";

    fn broken(deny: &str) -> Vec<String> {
        let mut broken = Vec::new();
        versions(&packages(LOCK), &skips(deny), &mut broken);
        broken
    }

    #[test]
    fn two_versions_of_a_package_need_a_reason() {
        assert_eq!(broken("").len(), 1);
        assert!(broken("[bans]\nskip = [\n  { crate = \"a:1\", reason = \"b still needs it\" },\n]\n").is_empty());
        assert_eq!(broken("[bans]\nskip = [\n  { crate = \"a:1\", reason = \"\" },\n]\n").len(), 1);
    }

    #[test]
    fn a_reason_that_is_no_longer_needed_is_found() {
        let deny =
            "[bans]\nskip = [\n  { crate = \"a:1\", reason = \"x\" },\n  { crate = \"own:0.1\", reason = \"x\" },\n]\n";
        assert_eq!(broken(deny), ["deny.toml: own:0.1 is no longer needed in skip"]);
    }

    #[test]
    fn a_skip_entry_matches_whole_version_numbers() {
        let skip = Skip { name: "a".to_string(), version: "1".to_string(), has_reason: true };
        let package = |version: &str| Package { name: "a".to_string(), version: version.to_string(), source: None };
        assert!(skip.covers(&package("1.2.0")));
        assert!(!skip.covers(&package("11.0.0")));
    }

    #[test]
    fn sources_are_parsed_from_the_lock_file() {
        let sources: Vec<bool> = packages(LOCK).iter().map(|package| package.source.is_some()).collect();
        assert_eq!(sources, [true, true, false]);
    }

    #[test]
    fn a_test_only_feature_in_the_demo_is_found_and_a_second_build_is_noted() {
        let demo =
            features_in("rez-monitor v0.1.0 (path)|default,fault-points\ntokio v1.0.0|rt (*)\nring v0.17.0|std\n");
        let tests = features_in("tokio v1.0.0|rt,macros\nring v0.17.0|std\n");
        let mut findings = Findings::default();
        features(&demo, &tests, &mut findings);
        assert_eq!(findings.broken.len(), 1);
        assert_eq!(findings.notes.len(), 1);
        assert!(findings.notes[0].ends_with(": tokio v1.0.0"));
    }
}
