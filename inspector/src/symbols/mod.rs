//! Names the frames of errors and crashes from local files with debug information.
//!
//! | file | idea |
//! | --- | --- |
//! | `search` | finds the files below the paths that were passed, and their ids |
//! | `found` | what was found |
//! | `event` | what an event says about the files that belong to it |
//! | `native` | the program or library of an address, by build id |
//! | `elf` | reads ELF files: build id, functions, DWARF |
//! | `java` | class, method and line by the mapping of R8 or ProGuard |
//! | `javascript` | file and line by a source map |
//! | `named` | a frame with its names |
//! | `opened` | the files that are open |
//! | `limited` | what may be read of the tables of a file |
//! | `guard` | keeps a parser's panic from ending the program |
//!
//! A file is used for the event that has its id, and for no other: names of another build look right and are wrong. Nothing is sent
//! anywhere.

mod elf;
mod event;
mod found;
mod guard;
mod java;
mod javascript;
mod limited;
mod named;
mod native;
mod opened;
mod search;
#[cfg(test)]
mod tests;

pub use search::SearchError;

use event::About;
use found::Found;
use named::{Named, is_of_app, text};
use serde_json::Value;
use std::path::PathBuf;

/// Files with debug information. The last ones that were used stay open.
pub struct Symbols {
    found: Found,
    native: native::Files,
    java: java::Mappings,
    javascript: javascript::Maps,
}

/// What was done with the frames of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Frames that have got a name.
    pub named: usize,
    /// Frames of the app that should have one and have none.
    pub unnamed: usize,
    /// Why, and what a person must know about the names; one sentence each.
    pub problems: Vec<String>,
}

impl Outcome {
    fn problem(&mut self, sentence: String) {
        if !self.problems.contains(&sentence) {
            self.problems.push(sentence);
        }
    }
}

/// The names of a frame, innermost first. `None`: it is no frame of this kind, or it needs no name.
type Names = Option<Result<Vec<Named>, String>>;

impl Symbols {
    /// Searches files and folders. Reads the first bytes of files, and the tables of programs.
    ///
    /// # Errors
    /// A path does not exist or cannot be read.
    pub fn open(paths: &[PathBuf]) -> Result<Symbols, SearchError> {
        Ok(Symbols {
            found: search::search(paths)?,
            native: native::Files::default(),
            java: java::Mappings::default(),
            javascript: javascript::Maps::default(),
        })
    }

    /// What a person must know about the search, one sentence each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.found.notes
    }

    /// Completes the frames of an event, given as the JSON of its row: those of the event, of its causes and of its threads. A frame
    /// with inlined calls becomes several. What a name replaces is kept in `was`.
    pub fn name(&mut self, event: &mut Value) -> Outcome {
        let about = About::of(event);
        let mut outcome = Outcome::default();
        let thrown = text(event, "type").to_owned();
        self.stack(event, &about, &thrown, about.is_exact, &mut outcome);
        self.exception(event, &about);
        for (list, is_cause) in [("causes", true), ("threads", false)] {
            let Some(Value::Array(parts)) = event.get_mut(list) else { continue };
            for part in parts {
                let thrown = if is_cause { text(part, "type").to_owned() } else { String::new() };
                // A thread is interrupted at an instruction; what an error has are the places behind calls.
                self.stack(part, &about, &thrown, !is_cause && about.is_exact, &mut outcome);
                if is_cause {
                    self.exception(part, &about);
                }
            }
        }
        outcome
    }

    /// Completes the member `frames`.
    fn stack(&mut self, owner: &mut Value, about: &About, thrown: &str, is_exact: bool, outcome: &mut Outcome) {
        let Some(Value::Array(frames)) = owner.get_mut("frames") else { return };
        let taken = std::mem::take(frames);
        let mut java = self.java.names(&self.found, about, &taken, thrown, outcome);
        let last = taken.len().saturating_sub(1);
        let mut all = Vec::with_capacity(taken.len());
        for (place, frame) in taken.into_iter().enumerate().rev() {
            let names = java
                .get_mut(place)
                .and_then(Option::take)
                .or_else(|| self.native.names(&self.found, about, &frame, is_exact && place == last, outcome))
                .or_else(|| self.javascript.names(&self.found, about, &frame, outcome));
            match names {
                None => all.push(frame),
                Some(Ok(names)) => {
                    outcome.named += 1;
                    all.extend(names.into_iter().map(|named| named.complete(&frame)));
                }
                Some(Err(why)) => {
                    // A frame of the system without a name is not counted.
                    outcome.unnamed += usize::from(is_of_app(&frame));
                    outcome.problem(why);
                    all.push(frame);
                }
            }
        }
        all.reverse();
        *frames = all;
    }

    /// Gives an exception of Java the name of its class.
    fn exception(&mut self, owner: &mut Value, about: &About) {
        let Some(class) = self.java.class(&self.found, about, owner) else { return };
        if let Value::Object(members) = owner
            && let Some(before) = members.insert("type".to_owned(), class.into())
        {
            members.insert("was".to_owned(), serde_json::json!({"type": before}));
        }
    }
}
