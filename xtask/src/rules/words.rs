//! Rule for words: names that were replaced by a standard term must not come back.

use std::path::Path;

use super::Source;

/// A word that must not be used, in two parts so that this file does not contain it, and its replacement.
struct Word {
    parts: [&'static str; 2],
    instead: &'static str,
}

const WORDS: [Word; 17] = [
    Word { parts: ["cour", "ier"], instead: "delivery" },
    Word { parts: ["par", "cel"], instead: "request" },
    Word { parts: ["up", "keep"], instead: "maintenance" },
    Word { parts: ["gho", "st"], instead: "placeholder, or the name of the thing" },
    Word { parts: ["the ", "marks"], instead: "the superblock" },
    Word { parts: ["desk ", "collector"], instead: "local collector" },
    Word { parts: ["death of the ", "process"], instead: "the process being killed" },
    Word { parts: ["that is ", "none"], instead: "an invalid one, or an empty one" },
    Word { parts: ["fn ", "said"], instead: "message" },
    Word { parts: ["out", "box"], instead: "writer" },
    Word { parts: ["doz", "ing"], instead: "sleeping" },
    Word { parts: ["twi", "n"], instead: "fallback" },
    Word { parts: ["ask_", "within"], instead: "run_within" },
    Word { parts: ["cut_", "events"], instead: "batch_max_events" },
    Word { parts: ["cut_", "bytes"], instead: "batch_max_bytes" },
    Word { parts: ["is ", "booked"], instead: "counted" },
    Word { parts: ["the ", "accounts"], instead: "the balance, or the counts" },
];

/// Extensions of the files that are checked.
const EXTENSIONS: [&str; 4] = ["rs", "md", "toml", "go"];

/// Files that may contain such a word, with the reason.
const ALLOWED: [(&str, &str); 0] = [];

/// Checks one file.
pub fn check(source: &Source, broken: &mut Vec<String>) {
    let extension = Path::new(&source.path).extension().and_then(|extension| extension.to_str());
    let is_checked = extension.is_some_and(|extension| EXTENSIONS.contains(&extension));
    if !is_checked || ALLOWED.iter().any(|(file, _)| *file == source.path) {
        return;
    }
    for (index, line) in source.text.lines().enumerate() {
        let line = line.to_ascii_lowercase();
        for Word { parts, instead } in &WORDS {
            let word = parts.concat();
            if contains(&line, &word) {
                broken.push(source.finding(index + 1, &format!("`{word}`: use {instead}")));
            }
        }
    }
}

/// Returns true if the line contains this word, also as a part of an identifier (`a_word`, `words`).
fn contains(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        !before.ends_with(|c: char| c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<String> {
        super::super::findings_in(check, path, text)
    }

    #[test]
    fn a_word_is_found_in_prose_and_in_identifiers() {
        let word = WORDS[0].parts.concat();
        assert_eq!(broken("a.md", &format!("one\nThe {word} asks.\n")), [format!("a.md:2: `{word}`: use delivery")]);
        assert_eq!(broken("a.rs", &format!("let the_{word}s = 1;\n")).len(), 1);
        assert_eq!(broken("a.rs", &format!("struct {}Handle;\n", word.to_uppercase())).len(), 1);
    }

    #[test]
    fn other_words_and_other_files_are_not_checked() {
        let word = WORDS[3].parts.concat();
        assert!(broken("a.rs", &format!("let ag{word} = 1;\n")).is_empty());
        assert!(broken("a.json", &word).is_empty());
    }
}
