//! Contract vectors: calls in; the exact rows and the exact requests out. `tests/contract/README.md` describes the files, which
//! other languages run too.

pub mod calls;
pub mod destinations;
pub mod rows;
pub mod show;
pub mod wire;
pub mod world;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One vector: what is called, and who is to want it.
#[derive(Debug)]
pub struct Vector {
    /// Its file's name without `.json`.
    pub name: String,
    /// The file.
    pub json: Value,
}

impl Vector {
    /// The routes that are to want at least one row of it, as its author says.
    #[must_use]
    pub fn wanted(&self) -> Vec<&str> {
        self.json["wanted"].as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    /// The calls.
    #[must_use]
    pub fn calls(&self) -> &[Value] {
        self.json["calls"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// The folder of the vectors.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contract")
}

/// Where a vector's expected outcome lies: rows, or the requests of a destination.
#[must_use]
pub fn expected(what: &str, name: &str) -> PathBuf {
    folder().join("expected").join(what).join(format!("{name}.json"))
}

/// All vectors, in order of their names.
#[must_use]
pub fn vectors() -> Vec<Vector> {
    let mut found = BTreeMap::new();
    for path in json_files(&folder()) {
        let text = std::fs::read_to_string(&path).expect("a vector is readable");
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        found.insert(stem(&path), json);
    }
    found.into_iter().map(|(name, json)| Vector { name, json }).collect()
}

/// The `.json` files of a folder; none if it is not there.
#[must_use]
pub fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect()
}

/// A file's name without its extension.
#[must_use]
pub fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
