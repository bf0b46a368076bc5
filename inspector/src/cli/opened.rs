//! The file of a queue, opened for a command that works on files, and the file that it wrote.

use super::line;
use crate::files::{self, Source};
use crate::source;
use crate::terminal::{CliError, Exit, Output, bytes, count};
use serde_json::json;
use std::path::Path;

pub(super) const SOURCE: &str =
    "Folder with queue.db, queue.db under any name, an export (.rezq), or the folder of `rezq demo --keep`";

/// Opens a source and says what a person must know about it.
pub(super) fn open(path: &Path, json: bool, output: &mut Output) -> Result<Source, CliError> {
    let (source, notes) = match path.to_str().filter(|text| source::is_address(text)) {
        Some(address) => {
            let app = source::open(address)?;
            // An address contains a token.
            let name = address.strip_prefix("adb:").unwrap_or("app");
            (Source::of_bytes(&app.snapshot()?, name)?, app.notes())
        }
        None => (Source::open(path)?, Vec::new()),
    };
    for note in notes.iter().chain(source.notes()) {
        if json {
            output.line(&line("note", &json!({ "text": note }), &[]));
        } else {
            eprintln!("rezq: {note}");
        }
    }
    Ok(source)
}

pub(super) fn ended(source: &Source) -> Exit {
    if source.salvage().is_some() { Exit::Damaged } else { Exit::Done }
}

pub(super) fn written(exported: &files::Exported) -> String {
    let files::Exported { file, bytes: size, rows, delivered, masked, removed, .. } = exported;
    let delivered = match delivered {
        0 => String::new(),
        n => format!(", {} delivered", count(*n)),
    };
    let hidden = if *masked { "personal data is hidden" } else { "with personal data" };
    let removed = match removed {
        0 => String::new(),
        n => format!("; {} with a wrong checksum left out", count(*n)),
    };
    format!("{}: {} rows{delivered}, {}, {hidden}{removed}", file.display(), count(*rows), bytes(*size))
}
