//! The files that were found, by what they name.

use std::cell::OnceCell;
use std::path::PathBuf;

/// The files that were found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) programs: Vec<Program>,
    pub(super) mappings: Vec<Mapping>,
    pub(super) maps: Vec<SourceMap>,
    /// What a person must know about the search.
    pub(super) notes: Vec<String>,
}

/// A program, a library, or the debug file of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) build_id: String,
    /// Whether it has DWARF.
    pub(super) has_lines: bool,
}

/// A mapping of R8 or ProGuard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) path: PathBuf,
    /// The ids that R8 wrote into it.
    pub(super) ids: Vec<String>,
}

/// A source map.
#[derive(Debug)]
pub(super) struct SourceMap {
    pub(super) path: PathBuf,
    /// Its debug id, which can be at the end of the file: it is read when an event asks for it.
    pub(super) debug_id: OnceCell<String>,
}
