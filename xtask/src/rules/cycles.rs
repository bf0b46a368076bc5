//! Rule for sibling modules: two of them must not import each other.

use std::collections::{BTreeMap, BTreeSet};

use super::Source;
use super::scan::{scan, tests_begin};

/// The crates whose modules are checked.
const CRATES: [&str; 2] = ["core/src", "inspector/src"];

/// A module path below the root of its crate.
type Module = Vec<String>;

/// An import: importing file, line, imported module.
struct Import<'a> {
    source: &'a Source,
    line: usize,
    from: Module,
    to: Module,
}

/// Checks all crates.
pub fn check(sources: &[Source], broken: &mut Vec<String>) {
    for root in CRATES {
        let files: Vec<(&Source, Module)> = sources
            .iter()
            .filter(|source| source.is_in(root) && source.is_product_rust())
            .filter_map(|source| Some((source, module(source.path.strip_prefix(root)?)?)))
            .collect();
        let modules: BTreeSet<&Module> = files.iter().map(|(_, module)| module).collect();
        let mut siblings: BTreeMap<(Module, Module), Import<'_>> = BTreeMap::new();
        for (source, from) in &files {
            for import in imports(source, from, &modules) {
                if let Some(pair) = sibling_pair(&import.from, &import.to) {
                    siblings.entry(pair).or_insert(import);
                }
            }
        }
        for ((one, other), import) in &siblings {
            let back = siblings.get(&(other.clone(), one.clone()));
            if let Some(back) = back.filter(|_| one < other) {
                let what = format!(
                    "{} and {} import each other, see {}:{}; move what both need to a third module",
                    one.join("::"),
                    other.join("::"),
                    back.source.path,
                    back.line
                );
                broken.push(import.source.finding(import.line, &what));
            }
        }
    }
}

/// Returns the module of a file: `/a/b.rs` and `/a/b/mod.rs` are both `a::b`.
fn module(path: &str) -> Option<Module> {
    let path = path.trim_start_matches('/').strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if matches!(path, "lib" | "main" | "mod") {
        return Some(Vec::new());
    }
    Some(path.split('/').map(str::to_string).collect())
}

/// Returns the ancestors of two modules that are siblings, or `None` if one module contains the other.
fn sibling_pair(from: &[String], to: &[String]) -> Option<(Module, Module)> {
    let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    Some((from.get(..=common)?.to_vec(), to.get(..=common)?.to_vec()))
}

/// Returns the imports of a file, without those of its tests.
fn imports<'a>(source: &'a Source, from: &[String], modules: &BTreeSet<&Module>) -> Vec<Import<'a>> {
    let code = scan(&source.text).code;
    let last = tests_begin(&code).unwrap_or(usize::MAX);
    paths(&code)
        .into_iter()
        .filter(|(line, _)| *line < last)
        .filter_map(|(line, path)| {
            let target = resolve(&path, from)?;
            let to = (0..=target.len()).rev().filter_map(|length| target.get(..length)).find_map(|prefix| {
                let module = prefix.to_vec();
                modules.contains(&module).then_some(module)
            })?;
            Some(Import { source, line, from: from.to_vec(), to })
        })
        .collect()
}

/// Resolves `crate`, `self` and `super`.
fn resolve(path: &[String], from: &[String]) -> Option<Module> {
    let mut resolved = match path.first()?.as_str() {
        "crate" => Vec::new(),
        _ => from.to_vec(),
    };
    for segment in path {
        match segment.as_str() {
            "crate" | "self" => {}
            "super" => {
                resolved.pop()?;
            }
            name => resolved.push(name.to_string()),
        }
    }
    Some(resolved)
}

/// Returns every path that starts with `crate`, `self` or `super`, with its line. The braces of a `use` are expanded.
fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (index, _) in code.match_indices("::") {
        let start = code.get(..index).unwrap_or_default();
        let word = start.rsplit(|c: char| !is_word(c)).next().unwrap_or_default();
        let before = start.strip_suffix(word).unwrap_or_default().trim_end();
        if matches!(word, "crate" | "self" | "super") && !before.ends_with("::") {
            let line = before.matches('\n').count() + 1;
            let mut reader = Reader { rest: code.get(index..).unwrap_or_default() };
            let mut expanded = Vec::new();
            reader.tree(vec![word.to_string()], &mut expanded);
            found.extend(expanded.into_iter().map(|path| (line, path)));
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reads one path, or the tree of a `use`.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn tree(&mut self, mut path: Vec<String>, found: &mut Vec<Vec<String>>) {
        while self.eat("::") {
            if self.eat("{") {
                while !self.eat("}") && !self.rest.is_empty() {
                    let mut branch = path.clone();
                    branch.extend(self.word());
                    self.tree(branch, found);
                    // Skips `as name`, `*`, and everything else up to the next branch.
                    let end = self.rest.find([',', '}']).unwrap_or(self.rest.len());
                    self.rest = self.rest.get(end..).unwrap_or_default();
                    self.eat(",");
                }
                return;
            }
            match self.word() {
                Some(word) => path.push(word),
                None => break,
            }
        }
        found.push(path);
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> =
            files.iter().map(|(path, text)| Source { path: path.to_string(), text: text.to_string() }).collect();
        let mut broken = Vec::new();
        check(&sources, &mut broken);
        broken
    }

    #[test]
    fn two_files_that_import_each_other_are_found() {
        let found = broken(&[
            ("core/src/p/mod.rs", "mod a;\nmod b;\n"),
            ("core/src/p/a.rs", "// a\nuse super::b::B;\n"),
            ("core/src/p/b.rs", "use crate::p::{c, a::{A, self as x}};\n"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("core/src/p/a.rs:2: p::a and p::b import each other, see core/src/p/b.rs:1"));
    }

    #[test]
    fn two_folders_that_import_each_other_through_their_files_are_found() {
        let found = broken(&[
            ("inspector/src/cli/mod.rs", "fn a() { crate::demo::run(); }\n"),
            ("inspector/src/demo/mod.rs", "mod x;\n"),
            ("inspector/src/demo/x.rs", "use crate::cli::Error;\n"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_module_and_its_parent_and_a_one_way_import_are_allowed() {
        let found = broken(&[
            ("core/src/p/mod.rs", "mod a;\nuse a::A;\nuse self::b::B;\n"),
            ("core/src/p/a.rs", "use super::P;\nuse super::b::B;\n"),
            ("core/src/p/b.rs", "use super::P;\n"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn imports_of_tests_and_comments_do_not_count() {
        let found = broken(&[
            ("core/src/a.rs", "use crate::b::B;\n"),
            ("core/src/b.rs", "// crate::a::A\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }
}
