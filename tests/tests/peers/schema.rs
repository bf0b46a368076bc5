//! JSON schemas with references. Also finds members that no schema defines: the schemas permit unknown members, so a misspelt
//! name would be valid.

use jsonschema::{Draft, Registry};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Base URI of the relative references.
const BASE: &str = "https://datadog.invalid/";

/// Schemas by their path below the folder.
pub struct Schemas {
    documents: BTreeMap<String, Value>,
}

impl Schemas {
    /// Reads all `.json` files of a folder under this prefix, and more files with their own names.
    pub fn read(prefix: &str, folder: &Path, more: &[(&str, &Path)]) -> Schemas {
        let mut documents = BTreeMap::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(&next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ext| ext == "json") {
                    let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                    documents.insert(format!("{prefix}{name}"), read(&path));
                }
            }
        }
        for (name, path) in more {
            documents.insert((*name).to_owned(), read(path));
        }
        for (name, document) in &mut documents {
            document["$id"] = format!("{BASE}{name}").into();
            document["$schema"] = "http://json-schema.org/draft-07/schema#".into();
        }
        Schemas { documents }
    }

    /// Returns the faults of a value: path and message.
    pub fn problems(&self, schema: &str, value: &Value) -> Vec<(String, String)> {
        let mut registry = Registry::new();
        for (name, document) in &self.documents {
            registry = registry.add(format!("{BASE}{name}"), document.clone()).unwrap();
        }
        let registry = registry.prepare().unwrap();
        let validator = jsonschema::options()
            .with_draft(Draft::Draft7)
            .with_registry(&registry)
            .build(&self.documents[schema])
            .unwrap();
        validator.iter_errors(value).map(|error| (error.instance_path().to_string(), error.to_string())).collect()
    }

    /// Returns the paths of a value that no schema defines.
    pub fn unknown(&self, schema: &str, value: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.walk(vec![(schema.to_owned(), &self.documents[schema])], value, "$", &mut found);
        found
    }

    fn walk<'a>(&'a self, schemas: Vec<(String, &'a Value)>, value: &Value, at: &str, found: &mut Vec<String>) {
        let mut all = Vec::new();
        for schema in schemas {
            self.expand(schema, &mut all);
        }
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let mut below = Vec::new();
                    let mut open = false;
                    for (file, schema) in &all {
                        if let Some(property) = schema["properties"].get(key) {
                            below.push((file.clone(), property));
                        } else {
                            open |= !matches!(schema.get("additionalProperties"), None | Some(Value::Bool(false)));
                        }
                    }
                    match (below.is_empty(), open) {
                        (true, true) => {}
                        (true, false) => found.push(format!("{at}.{key}")),
                        _ => self.walk(below, member, &format!("{at}.{key}"), found),
                    }
                }
            }
            Value::Array(values) => {
                let items: Vec<_> = all.iter().filter_map(|(file, s)| Some((file.clone(), s.get("items")?))).collect();
                for value in values.iter().filter(|_| !items.is_empty()) {
                    self.walk(items.clone(), value, &format!("{at}[]"), found);
                }
            }
            _ => {}
        }
    }

    /// Returns the schema and all schemas that it refers to.
    fn expand<'a>(&'a self, (file, schema): (String, &'a Value), all: &mut Vec<(String, &'a Value)>) {
        if let Some(reference) = schema["$ref"].as_str() {
            self.expand(self.resolve(&file, reference), all);
        }
        for word in ["allOf", "oneOf", "anyOf"] {
            for part in schema[word].as_array().into_iter().flatten() {
                self.expand((file.clone(), part), all);
            }
        }
        all.push((file, schema));
    }

    fn resolve(&self, from: &str, reference: &str) -> (String, &Value) {
        let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let mut parts: Vec<&str> = from.split('/').collect();
        if !path.is_empty() {
            parts.pop();
            for part in path.split('/') {
                match part {
                    "." => {}
                    ".." => drop(parts.pop()),
                    part => parts.push(part),
                }
            }
        }
        let file = parts.join("/");
        let document = self.documents.get(&file).unwrap_or_else(|| panic!("{from}: {reference} leads to no {file}"));
        (file, document.pointer(pointer).unwrap_or_else(|| panic!("{from}: {reference} leads nowhere")))
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
