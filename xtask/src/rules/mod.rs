//! The product's own rules about its source, which no compiler checks.

mod dependencies;
mod files;
mod layers;
mod markdown;
mod scan;
mod text;

use std::io;
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;

/// What the rules found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Broken rules: the lane fails.
    pub broken: Vec<String>,
    /// Worth saying, no failure.
    pub notes: Vec<String>,
}

/// One text file of the checkout.
pub struct Source {
    /// From the root of the checkout, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl Source {
    /// Is it inside this folder?
    pub fn is_in(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Is it Rust that ends up in the product, a test of its own aside?
    pub fn is_product_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|kind| kind == "rs")
            && !self.path.ends_with("/tests.rs")
            && !self.path.ends_with("_test.rs")
            && !self.path.ends_with("_tests.rs")
            && !self.path.contains("/tests/")
            && !self.is_in("tests/tests")
    }

    /// A finding in this file.
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
        layers::check(source, &mut findings.broken);
        markdown::links(source, workspace.root(), &mut findings.broken);
    }
    markdown::promises(&sources, &mut findings.broken);
    dependencies::check(workspace, &sources, &mut findings)?;
    Ok(findings)
}

/// The file of this path.
fn named<'a>(sources: &'a [Source], path: &str) -> Option<&'a Source> {
    sources.iter().find(|source| source.path == path)
}

/// A path from the root of the checkout, with `/` on every platform.
fn slashed(path: &Path) -> PathBuf {
    path.components().collect()
}
