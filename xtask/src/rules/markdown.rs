//! Rules for documentation: links have targets, and promises have tests.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Source, named, slashed};

/// Checks that links to files of the repository have targets.
pub fn links(source: &Source, root: &Path, broken: &mut Vec<String>) {
    if !source.path.ends_with(".md") {
        return;
    }
    let folder = Path::new(&source.path).parent().unwrap_or(Path::new(""));
    for (line, target) in targets(&source.text) {
        let file = target.split('#').next().unwrap_or_default();
        if file.is_empty() || file.contains(':') {
            continue;
        }
        if !root.join(slashed(&folder.join(file))).exists() {
            broken.push(source.finding(line, &format!("broken link: {target}")));
        }
    }
}

/// Returns the targets of `[text](target)` with their lines. Code blocks are ignored.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            if let Some((target, _)) = line[at + 2..].split_once(')') {
                found.push((index + 1, target));
            }
        }
    }
    found
}

/// Checks that every promise test named in the README exists, and that the README names every promise test.
pub fn promises(sources: &[Source], broken: &mut Vec<String>) {
    let tests: Vec<&Source> = sources.iter().filter(|source| source.is_in("tests/tests")).collect();
    let Some(readme) = named(sources, "README.md") else {
        broken.push("README.md is missing".to_string());
        return;
    };
    if tests.is_empty() {
        return;
    }
    let promised = names(&readme.text);
    let tested: BTreeSet<&str> =
        tests.iter().flat_map(|source| names(&source.text)).filter(|name| is_test(&tests, name)).collect();
    for name in promised.difference(&tested) {
        broken.push(format!("README.md: there is no test {name} in tests/tests"));
    }
    for name in tested.difference(&promised) {
        broken.push(format!("tests/tests: the README does not name {name}"));
    }
}

fn is_test(tests: &[&Source], name: &str) -> bool {
    let head = format!("fn {name}(");
    tests.iter().any(|source| source.text.contains(&head))
}

/// Returns every `promise_N_...` in a text.
fn names(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.strip_prefix("promise_").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_string(), text: text.to_string() }
    }

    #[test]
    fn a_broken_link_is_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = "[a](src/main.rs) [b](https://a.example) [c](#here)\n```\n[d](none.rs)\n```\n[e](none.rs#x)\n";
        let mut broken = Vec::new();
        links(&source("a.md", text), root, &mut broken);
        assert_eq!(broken, ["a.md:5: broken link: none.rs#x"]);
    }

    #[test]
    fn promises_and_tests_are_compared_in_both_directions() {
        let mut broken = Vec::new();
        let readme = source("README.md", "`promise_1_a`, `promise_2_b`");
        let tests = source("tests/tests/p.rs", "fn promise_1_a() {}\nfn promise_3_c() {}\n// promise_4_d\n");
        promises(&[readme, tests], &mut broken);
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(broken[0].contains("promise_2_b") && broken[1].contains("promise_3_c"));
    }
}
