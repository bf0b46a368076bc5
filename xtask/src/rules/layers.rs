//! Rules about who may know whom.

use super::Source;
use super::scan::{scan, tests_begin};

/// A word that must not occur as a path in the code of a folder.
struct Stranger {
    folder: &'static str,
    word: &'static str,
    why: &'static str,
}

const STRANGERS: [Stranger; 7] = [
    Stranger { folder: "core/src", word: "uniffi", why: "the core does not know its bindings" },
    Stranger { folder: "core/src", word: "napi", why: "the core does not know its bindings" },
    Stranger { folder: "core/src", word: "jni", why: "the core does not know its bindings" },
    Stranger { folder: "core/src", word: "rez_inspect", why: "the core does not know the inspector" },
    Stranger { folder: "core/src/store", word: "delivery", why: "the store does not know when and what is sent" },
    Stranger { folder: "core/src/destination", word: "store", why: "a wire format is a pure function of rows" },
    Stranger { folder: "core/src/destination", word: "delivery", why: "a wire format is a pure function of rows" },
];

/// Folders of the core and the inspector that may hold SQL and know rusqlite.
const SQL_ROOMS: [&str; 3] = ["core/src/store", "core/src/carve", "inspector/src/collector"];

/// How a statement begins; upper case is how we write them, and keeps sentences out.
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

/// Where the core may ask which system it runs on.
const SYSTEM_ROOM: &str = "core/src/sys";

/// Checks one file.
pub fn check(source: &Source, broken: &mut Vec<String>) {
    manifest(source, broken);
    if !source.is_product_rust() || !(source.is_in("core/src") || source.is_in("inspector/src")) {
        return;
    }
    let scan = scan(&source.text);
    let last = tests_begin(&scan.code).unwrap_or(usize::MAX);
    for stranger in STRANGERS.iter().filter(|stranger| in_room(source, stranger.folder)) {
        for line in paths_with(&scan.code, stranger.word).filter(|line| *line < last) {
            broken.push(source.finding(line, &format!("{}: {}", stranger.word, stranger.why)));
        }
    }
    if !SQL_ROOMS.iter().any(|room| in_room(source, room)) {
        for (line, text) in scan.strings.iter().filter(|(line, _)| *line < last) {
            if SQL.iter().any(|word| text.trim_start().starts_with(word)) {
                broken.push(source.finding(*line, "SQL outside the store"));
            }
        }
        for line in paths_with(&scan.code, "rusqlite").filter(|line| *line < last) {
            broken.push(source.finding(line, "rusqlite outside the store"));
        }
    }
    if source.is_in("core/src") && !in_room(source, SYSTEM_ROOM) {
        for (index, _) in scan.code.lines().enumerate().filter(|(_, line)| line.contains("target_os")) {
            if index + 1 < last {
                broken.push(source.finding(index + 1, "platform code outside core/src/sys"));
            }
        }
    }
}

/// Is the file in this folder, or the module file beside it?
fn in_room(source: &Source, room: &str) -> bool {
    source.is_in(room) || source.path.strip_suffix(".rs").is_some_and(|module| module == room)
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

/// The lines on which this word is part of a path or of a `use`. A method or variable of that name is not.
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
        let mut broken = Vec::new();
        check(&Source { path: path.to_string(), text: text.to_string() }, &mut broken);
        broken
    }

    #[test]
    fn the_store_must_not_use_the_delivery() {
        assert_eq!(broken("core/src/store/lease.rs", "use crate::{delivery::Cut, id};\n").len(), 1);
        assert_eq!(broken("core/src/store/lease.rs", "fn a() { crate::delivery::b(); }\n").len(), 1);
        assert_eq!(broken("core/src/store.rs", "use crate::delivery;\n").len(), 1);
        assert!(broken("core/src/store/lease.rs", "// the delivery asks\nlet delivery = 1;\n").is_empty());
        assert!(broken("core/src/writer.rs", "use crate::delivery;\n").is_empty());
    }

    #[test]
    fn a_destination_must_not_use_the_store_but_may_store_a_number() {
        assert_eq!(broken("core/src/destination/rez.rs", "use crate::store::Store;\n").len(), 1);
        assert!(broken("core/src/destination/rez.rs", "counter.store(1, Relaxed);\n").is_empty());
    }

    #[test]
    fn sql_belongs_into_the_store_and_tests_may_use_it() {
        let statement = "fn a() { run(\"SELECT 1 FROM t\"); }\n";
        assert_eq!(broken("core/src/writer.rs", statement).len(), 1);
        assert_eq!(broken("core/src/writer.rs", "use rusqlite::Connection;\n").len(), 1);
        assert!(broken("core/src/store/insert.rs", statement).is_empty());
        assert!(broken("inspector/src/collector/db.rs", statement).is_empty());
        assert!(broken("core/src/writer.rs", "fn a() { log(\"Select one\"); } // SELECT\n").is_empty());
        assert!(broken("core/src/writer.rs", &format!("#[cfg(test)]\nmod tests {{\n{statement}}}\n")).is_empty());
    }

    #[test]
    fn the_system_is_asked_in_one_room() {
        assert_eq!(broken("core/src/ring/file.rs", "#[cfg(target_os = \"linux\")]\nfn a() {}\n").len(), 1);
        assert!(broken("core/src/sys/mmap.rs", "#[cfg(target_os = \"linux\")]\nfn a() {}\n").is_empty());
    }

    #[test]
    fn the_core_names_no_binding() {
        assert_eq!(broken("core/Cargo.toml", "[dependencies]\nuniffi.workspace = true\n").len(), 1);
        assert!(broken("core/Cargo.toml", "# not uniffi\nuuid.workspace = true\n").is_empty());
        assert_eq!(broken("core/src/lib.rs", "#[derive(uniffi::Record)]\nstruct A;\n").len(), 1);
    }
}
