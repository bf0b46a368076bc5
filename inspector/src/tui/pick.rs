//! The source of `rezq` without an argument: a queue in the working folder or below it.

use crate::queue::FILE;
use crate::source::is_address;
use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders below the working folder that are searched, and entries that are looked at.
const DEPTH: usize = 3;
const ENTRIES: usize = 20_000;

/// Queues in the list.
const SHOWN: usize = 9;

/// The arguments with the command that is meant: `rezq SOURCE` is `rezq tui SOURCE`, and so is `rezq` on a terminal where a queue is
/// found. `is_command`: whether a word is a command; `is_terminal`: whether a person can be asked.
pub(crate) fn arguments(
    mut arguments: Vec<OsString>,
    is_command: impl Fn(&str) -> bool,
    is_terminal: bool,
) -> Vec<OsString> {
    let source = match arguments.as_slice() {
        [_] if is_terminal => ask(&candidates(Path::new(".")), &mut std::io::stdin().lock(), &mut std::io::stdout()),
        [_, source] if is_source(source, is_command) => arguments.pop().map(PathBuf::from),
        _ => None,
    };
    if let Some(source) = source {
        arguments.extend(["tui".into(), source.into_os_string()]);
    }
    arguments
}

/// A word that is no command, and names a file or an address.
fn is_source(word: &OsString, is_command: impl Fn(&str) -> bool) -> bool {
    let text = word.to_string_lossy();
    !text.starts_with('-') && !is_command(&text) && (is_address(&text) || Path::new(word).exists())
}

/// The queues and exports in a folder and below it, the latest first.
fn candidates(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    let mut left = ENTRIES;
    while let Some((folder, depth)) = folders.pop() {
        let entries: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().take(left).collect();
        left -= entries.len();
        // Below a queue are only its own damaged files.
        let is_queue = entries.iter().any(|entry| entry.file_name() == FILE);
        for entry in entries {
            let (name, path) = (entry.file_name(), entry.path());
            let Ok(kind) = entry.file_type() else { continue };
            let is_hidden = name.to_string_lossy().starts_with('.');
            if kind.is_dir() && depth < DEPTH && !is_hidden && !is_queue {
                folders.push((path, depth + 1));
            } else if kind.is_file() && (name == FILE || path.extension().is_some_and(|end| end == "rezq")) {
                let changed = entry.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                found.push((changed, if name == FILE { folder.clone() } else { path }));
            }
        }
    }
    found.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.cmp(b)));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The only queue, or the one that a person chooses.
fn ask(found: &[PathBuf], answers: &mut impl BufRead, out: &mut impl Write) -> Option<PathBuf> {
    if found.len() < 2 {
        return found.first().cloned();
    }
    let shown = found.iter().take(SHOWN);
    for (place, path) in shown.enumerate() {
        let path = path.to_string_lossy();
        let _ = writeln!(out, "{}  {}", place + 1, crate::terminal::printable(&path));
    }
    let _ = write!(out, "Which queue? [1] ").and_then(|()| out.flush());
    let mut answer = String::new();
    answers.read_line(&mut answer).ok().filter(|length| *length > 0)?;
    let number: usize = if answer.trim().is_empty() { 1 } else { answer.trim().parse().ok()? };
    found.iter().take(SHOWN).nth(number.checked_sub(1)?).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_source_alone_means_the_interface_and_a_command_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let read = |given: &[&str]| arguments(words(given), |word| word == "status", false);
        assert_eq!(read(&["rezq", path]), words(&["rezq", "tui", path]));
        let address = "http://127.0.0.1:1/?token=t";
        assert_eq!(read(&["rezq", address]), words(&["rezq", "tui", address]));
        for same in [&["rezq"][..], &["rezq", "status"], &["rezq", "--help"], &["rezq", "staus"], &["rezq", path, "x"]]
        {
            assert_eq!(read(same), words(same));
        }
    }

    #[test]
    fn queues_below_the_folder_are_found_the_latest_first() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert!(candidates(root).is_empty());
        for (at, name) in [
            "demo/app/queue.db",
            "demo/app/damaged/queue.db",
            "a.rezq",
            ".hidden/queue.db",
            "a/b/c/d/queue.db",
            "notes.txt",
        ]
        .iter()
        .enumerate()
        {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = std::fs::File::create(path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(at as u64)).unwrap();
        }
        assert_eq!(candidates(root), [root.join("a.rezq"), root.join("demo/app")]);
    }

    #[test]
    fn of_several_queues_a_person_chooses_one() {
        let found: Vec<PathBuf> = ["a", "b"].map(PathBuf::from).into();
        let choose = |found: &[PathBuf], answer: &str| ask(found, &mut answer.as_bytes(), &mut Vec::new());
        assert_eq!(choose(&found, "\n"), Some("a".into()));
        assert_eq!(choose(&found, "2\n"), Some("b".into()));
        for wrong in ["0\n", "3\n", "x\n", ""] {
            assert_eq!(choose(&found, wrong), None, "{wrong:?}");
        }
        assert_eq!(choose(&found[..1], ""), Some("a".into()));
        assert_eq!(choose(&[], ""), None);
    }
}
