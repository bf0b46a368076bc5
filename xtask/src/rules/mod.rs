//! Our own rules for source files, which no compiler checks.

mod cycles;
mod dependencies;
mod files;
mod layers;
mod markdown;
mod scan;
mod text;
mod words;

use std::io;
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;

/// The result of all rules.
#[derive(Debug, Default)]
pub struct Findings {
    /// Violations. The lane fails if there are any.
    pub broken: Vec<String>,
    /// Notes that are not failures.
    pub notes: Vec<String>,
}

/// A text file of the checkout.
pub struct Source {
    /// Path from the root of the checkout, with `/` as separator.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl Source {
    /// Returns true if the file is in this folder.
    pub fn is_in(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Returns true for Rust files that are not tests.
    pub fn is_product_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|kind| kind == "rs")
            && !self.path.ends_with("/tests.rs")
            && !self.path.ends_with("_test.rs")
            && !self.path.ends_with("_tests.rs")
            && !self.path.contains("/tests/")
            && !self.is_in("tests/tests")
    }

    /// Formats a finding in this file.
    pub fn finding(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// Checks all rules.
pub fn check(workspace: &Workspace) -> io::Result<Findings> {
    let sources = files::sources(workspace)?;
    let mut findings = Findings::default();
    for source in &sources {
        text::check(source, &mut findings.broken);
        words::check(source, &mut findings.broken);
        layers::check(source, &mut findings.broken);
        markdown::links(source, workspace.root(), &mut findings.broken);
    }
    markdown::promises(&sources, &mut findings.broken);
    cycles::check(&sources, &mut findings.broken);
    dependencies::check(workspace, &sources, &mut findings)?;
    Ok(findings)
}

/// Returns the file with this path.
fn named<'a>(sources: &'a [Source], path: &str) -> Option<&'a Source> {
    sources.iter().find(|source| source.path == path)
}

/// Normalises a path.
fn slashed(path: &Path) -> PathBuf {
    path.components().collect()
}

/// What a rule finds in a file.
#[cfg(test)]
fn findings_in(check: impl Fn(&Source, &mut Vec<String>), path: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    check(&Source { path: path.to_string(), text: text.to_string() }, &mut broken);
    broken
}
