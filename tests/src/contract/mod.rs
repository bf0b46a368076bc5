//! Contract vectors: calls, and the exact rows and requests that result. `tests/contract/README.md` describes the files,
//! which all language bindings run. Those in the folder `server` run in Rust alone: they have calls and destinations of servers.

mod args;
pub mod batch;
pub mod calls;
pub mod destinations;
pub mod rows;
pub mod show;
mod traces;
pub mod wire;
pub mod world;

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A vector.
#[derive(Debug)]
pub struct Vector {
    /// The path of the file in the folder of the vectors, without `.json`.
    pub name: String,
    /// The content of the file.
    pub json: Value,
}

impl Vector {
    /// Returns the routes that must send at least one of its rows.
    #[must_use]
    pub fn wanted(&self) -> Vec<&str> {
        self.json["wanted"].as_array().map(|all| all.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    /// Returns the calls.
    #[must_use]
    pub fn calls(&self) -> &[Value] {
        self.json["calls"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// Returns the folder of the vectors.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contract")
}

/// Returns the path of an expected result: the rows, or the requests of a destination.
#[must_use]
pub fn expected(what: &str, name: &str) -> PathBuf {
    folder().join("expected").join(what).join(format!("{name}.json"))
}

/// Returns the vectors that every language runs, sorted by name.
#[must_use]
pub fn vectors() -> Vec<Vector> {
    read(&folder(), "")
}

/// Returns the vectors of servers, sorted by name.
#[must_use]
pub fn server_vectors() -> Vec<Vector> {
    read(&folder().join("server"), "server/")
}

fn read(folder: &Path, prefix: &str) -> Vec<Vector> {
    let mut found = BTreeMap::new();
    for path in json_files(folder) {
        let text = std::fs::read_to_string(&path).expect("a vector is readable");
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        found.insert(format!("{prefix}{}", stem(&path)), json);
    }
    found.into_iter().map(|(name, json)| Vector { name, json }).collect()
}

/// Returns the `.json` files of a folder. Empty if the folder does not exist.
#[must_use]
pub fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect()
}

/// Returns a file name without its extension.
#[must_use]
pub fn stem(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
