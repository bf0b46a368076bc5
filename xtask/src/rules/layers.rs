//! Rules for dependencies between modules.

use super::Source;
use super::scan::{scan, tests_begin};

/// A module that the code of a folder must not use.
struct Forbidden {
    folder: &'static str,
    word: &'static str,
    why: &'static str,
}

const FORBIDDEN: [Forbidden; 7] = [
    Forbidden { folder: "core/src", word: "uniffi", why: "the core must not depend on its bindings" },
    Forbidden { folder: "core/src", word: "napi", why: "the core must not depend on its bindings" },
    Forbidden { folder: "core/src", word: "jni", why: "the core must not depend on its bindings" },
    Forbidden { folder: "core/src", word: "rez_inspect", why: "the core must not depend on the inspector" },
    Forbidden { folder: "core/src/store", word: "delivery", why: "the store must not depend on delivery" },
    Forbidden { folder: "core/src/destination", word: "store", why: "a destination must be a pure function of rows" },
    Forbidden {
        folder: "core/src/destination",
        word: "delivery",
        why: "a destination must be a pure function of rows",
    },
];

/// Folders of the core and the inspector that may contain SQL and use rusqlite.
const SQL_FOLDERS: [&str; 4] = ["core/src/store", "core/src/carve", "inspector/src/files", "inspector/src/received"];

/// Prefixes of SQL statements. Statements are written in upper case, which distinguishes them from sentences.
const SQL: [&str; 14] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM ",
    "REPLACE INTO ",
    "CREATE ",
    "DROP ",
    "ALTER TABLE ",
    "PRAGMA ",
    "BEGIN",
    "COMMIT",
    "SAVEPOINT ",
    "VACUUM",
    "WITH ",
];

/// The folders of the core that may contain platform code: the system, and signals.
const PLATFORM_FOLDERS: [&str; 2] = ["core/src/sys", "core/src/crash"];

/// Checks one file.
pub fn check(source: &Source, broken: &mut Vec<String>) {
    manifest(source, broken);
    if !source.is_product_rust() || !(source.is_in("core/src") || source.is_in("inspector/src")) {
        return;
    }
    let scan = scan(&source.text);
    let last = tests_begin(&scan.code).unwrap_or(usize::MAX);
    for forbidden in FORBIDDEN.iter().filter(|forbidden| in_module(source, forbidden.folder)) {
        for line in paths_with(&scan.code, forbidden.word).filter(|line| *line < last) {
            broken.push(source.finding(line, &format!("{}: {}", forbidden.word, forbidden.why)));
        }
    }
    if !SQL_FOLDERS.iter().any(|folder| in_module(source, folder)) {
        for (line, text) in scan.strings.iter().filter(|(line, _)| *line < last) {
            if SQL.iter().any(|word| text.trim_start().starts_with(word)) {
                broken.push(source.finding(*line, "SQL outside the store"));
            }
        }
        for line in paths_with(&scan.code, "rusqlite").filter(|line| *line < last) {
            broken.push(source.finding(line, "rusqlite outside the store"));
        }
    }
    if source.is_in("core/src") && !PLATFORM_FOLDERS.iter().any(|folder| in_module(source, folder)) {
        for (index, _) in scan.code.lines().enumerate().filter(|(_, line)| line.contains("target_os")) {
            if index + 1 < last {
                broken.push(source.finding(index + 1, "platform code outside core/src/sys and core/src/crash"));
            }
        }
    }
}

/// Returns true if the file is in this folder, or is the module file beside it.
fn in_module(source: &Source, folder: &str) -> bool {
    source.is_in(folder) || source.path.strip_suffix(".rs").is_some_and(|module| module == folder)
}

/// The core's manifest names no binding.
fn manifest(source: &Source, broken: &mut Vec<String>) {
    if source.path != "core/Cargo.toml" {
        return;
    }
    for (index, line) in source.text.lines().enumerate() {
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        if ["uniffi", "napi", "jni", "rez-inspect", "rez-monitor-ffi", "rez-monitor-node"].contains(&name) {
            broken.push(source.finding(index + 1, &format!("{name}: the core knows nothing that is built on it")));
        }
    }
}

/// Returns the lines on which this word is part of a path or of a `use`. Methods and variables of that name do not count.
fn paths_with<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).filter_map(move |(at, _)| {
        let (before, after) = (&code[..at], &code[at + word.len()..]);
        let letter = |c: char| c.is_alphanumeric() || c == '_';
        if before.ends_with(letter) || after.starts_with(letter) {
            return None;
        }
        let statement = before.rsplit([';', '}']).next().unwrap_or_default();
        let in_use = statement.split_whitespace().any(|part| part == "use");
        let is_path = before.trim_end().ends_with("::") || after.trim_start().starts_with("::") || in_use;
        is_path.then(|| before.matches('\n').count() + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        super::super::findings_in(check, path, text)
    }

    #[test]
    fn the_store_must_not_use_delivery() {
        assert_eq!(broken("core/src/store/lease.rs", "use crate::{delivery::Cut, id};\n").len(), 1);
        assert_eq!(broken("core/src/store/lease.rs", "fn a() { crate::delivery::b(); }\n").len(), 1);
        assert_eq!(broken("core/src/store.rs", "use crate::delivery;\n").len(), 1);
        assert!(broken("core/src/store/lease.rs", "// delivery asks\nlet delivery = 1;\n").is_empty());
        assert!(broken("core/src/writer.rs", "use crate::delivery;\n").is_empty());
    }

    #[test]
    fn a_destination_must_not_use_the_store_but_may_call_a_method_of_that_name() {
        assert_eq!(broken("core/src/destination/rez.rs", "use crate::store::Store;\n").len(), 1);
        assert!(broken("core/src/destination/rez.rs", "counter.store(1, Relaxed);\n").is_empty());
    }

    #[test]
    fn sql_is_allowed_in_the_store_and_in_tests() {
        let statement = "fn a() { run(\"SELECT 1 FROM t\"); }\n";
        assert_eq!(broken("core/src/writer.rs", statement).len(), 1);
        assert_eq!(broken("core/src/writer.rs", "use rusqlite::Connection;\n").len(), 1);
        assert!(broken("core/src/store/insert.rs", statement).is_empty());
        assert!(broken("inspector/src/received/query.rs", statement).is_empty());
        assert!(broken("core/src/writer.rs", "fn a() { log(\"Select one\"); } // SELECT\n").is_empty());
        assert!(broken("core/src/writer.rs", &format!("#[cfg(test)]\nmod tests {{\n{statement}}}\n")).is_empty());
    }

    #[test]
    fn platform_code_is_allowed_in_two_folders() {
        assert_eq!(broken("core/src/ring/file.rs", "#[cfg(target_os = \"linux\")]\nfn a() {}\n").len(), 1);
        for file in ["core/src/sys/mmap.rs", "core/src/crash/mod.rs"] {
            assert!(broken(file, "#[cfg(target_os = \"linux\")]\nfn a() {}\n").is_empty());
        }
    }

    #[test]
    fn the_core_must_not_depend_on_a_binding() {
        assert_eq!(broken("core/Cargo.toml", "[dependencies]\nuniffi.workspace = true\n").len(), 1);
        assert!(broken("core/Cargo.toml", "# not uniffi\nuuid.workspace = true\n").is_empty());
        assert_eq!(broken("core/src/lib.rs", "#[derive(uniffi::Record)]\nstruct A;\n").len(), 1);
    }
}
