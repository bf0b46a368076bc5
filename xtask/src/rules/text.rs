//! Rules for the text of a file: its length, markers of unfinished work, machine-specific paths.

use super::Source;
use super::scan::{scan, tests_begin};

/// Maximum number of lines of a Rust file before its tests.
const LINES: usize = 400;

/// Files that may be longer, with the reason.
const LENGTH_ALLOWED: [(&str, &str); 1] =
    [("core/src/event/kinds.rs", "one builder for each kind of event: a list, and every entry is short")];

/// Markers of unfinished work. Concatenated, so that this file does not contain them.
const MARKERS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[ign", "ore")];

/// Files that may contain a marker, with the reason.
const MARKERS_ALLOWED: [(&str, &str); 1] =
    [("core/src/transport/reqwest/tests/tls.rs", "another test starts the ignored one in a process of its own")];

/// Prefixes of machine-specific paths.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/Use", "rs/")];

/// Files that may contain such a path, with the reason.
const PATHS_ALLOWED: [(&str, &str); 0] = [];

/// Checks one file.
pub fn check(source: &Source, broken: &mut Vec<String>) {
    if source.path == "Cargo.lock" {
        return;
    }
    if source.is_product_rust() && !LENGTH_ALLOWED.iter().any(|(file, _)| *file == source.path) {
        length(source, broken);
    }
    for (index, line) in source.text.lines().enumerate() {
        for marker in MARKERS {
            if word_in(line, marker) && !MARKERS_ALLOWED.iter().any(|(file, _)| *file == source.path) {
                broken.push(source.finding(index + 1, &format!("{marker}: finish it or file an issue")));
            }
        }
        if let Some(path) = MACHINE_PATHS.into_iter().find(|path| holds_path(line, path))
            && !PATHS_ALLOWED.iter().any(|(file, _)| *file == source.path)
        {
            broken.push(source.finding(index + 1, &format!("machine-specific path: {path}")));
        }
    }
}

fn length(source: &Source, broken: &mut Vec<String>) {
    let lines = match tests_begin(&scan(&source.text).code) {
        Some(begin) => begin - 1,
        None => source.text.lines().count(),
    };
    if lines > LINES {
        broken.push(source.finding(LINES + 1, &format!("{lines} lines before the tests; the maximum is {LINES}")));
    }
}

/// Returns true if the line contains this word.
fn word_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let letter = |c: char| c.is_alphanumeric() || c == '_';
        !before.ends_with(letter) && !after.starts_with(letter)
    })
}

/// Returns true if the line contains a path with this prefix. In a URL, a host precedes the same letters.
fn holds_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = &line[..at];
        let name = line[at + path.len()..].chars().next();
        !before.ends_with(|c: char| c.is_alphanumeric() || "._-/}".contains(c))
            && name.is_some_and(|c| c.is_alphanumeric() || c == '.' || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        super::super::findings_in(check, path, text)
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let long = "fn a() {}\n".repeat(LINES);
        let tests = "#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
        assert!(broken("core/src/a.rs", &format!("{long}{tests}")).is_empty());
        assert_eq!(broken("core/src/a.rs", &format!("{long}fn c() {{}}\n{tests}")).len(), 1);
        assert!(broken("tests/tests/a.rs", &format!("{long}fn c() {{}}\n")).is_empty());
    }

    #[test]
    fn a_marker_is_found_as_a_word() {
        let marker = MARKERS[0];
        assert_eq!(broken("a.md", &format!("one\n// {marker}: later\n")).len(), 1);
        assert!(broken("a.md", &format!("{marker}S in MY{marker}\n")).is_empty());
        assert_eq!(broken("a.rs", &format!("{} = \"slow\"]\n", MARKERS[2])).len(), 1);
    }

    #[test]
    fn a_machine_specific_path_is_found_and_a_url_is_not() {
        let home = MACHINE_PATHS[2];
        assert_eq!(broken("a.md", &format!("see {home}anna/notes\n")).len(), 1);
        assert!(broken("a.md", &format!("https://shop.example{home}banner.png\n")).is_empty());
        assert!(broken("a.md", "~/.cache/rez-monitor\n").is_empty());
    }
}
