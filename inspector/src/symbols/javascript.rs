//! File and line by a source map.

use super::event::{About, plain};
use super::found::Found;
use super::guard::guarded;
use super::named::{Named, known, number, place, text};
use super::{Names, Outcome};
use serde::Deserialize;
use serde_json::Value;
use sourcemap::{DecodedMap, SourceView, Token};
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// The longest map that is read: that of the largest apps has 100 MiB.
const MAP_BYTES: u64 = 1 << 30;

/// What a source map is known by.
#[derive(Debug)]
struct Head {
    path: PathBuf,
    debug_id: String,
}

/// The members of a map that say which one it is.
#[derive(Deserialize)]
struct Ids {
    #[serde(rename = "debugId", default)]
    camel: Option<String>,
    #[serde(rename = "debug_id", default)]
    snake: Option<String>,
}

/// A map that is open, with its bundle if that lies beside it.
struct Open {
    map: DecodedMap,
    bundle: Option<SourceView>,
}

/// Maps that are open.
#[derive(Default)]
pub(super) struct Maps {
    heads: Option<Vec<Head>>,
    open: HashMap<PathBuf, Result<Open, String>>,
}

impl Maps {
    /// The names of a frame with file, line and column.
    pub(super) fn names(&mut self, found: &Found, about: &About, frame: &Value, outcome: &mut Outcome) -> Names {
        let (file, line, column) = (text(frame, "file"), number(frame, "line"), number(frame, "column"));
        // Frames of the engine have no place.
        if about.language(frame) != "javascript" || file.is_empty() || line == 0 || file.starts_with("node:") {
            return None;
        }
        let heads = self.heads.get_or_insert_with(|| found.maps.iter().map(|path| head(path)).collect());
        let (head, is_verified) = match choose(heads, about, file)? {
            Ok(chosen) => chosen,
            Err(why) => return Some(Err(why)),
        };
        let path = head.path.clone();
        let open = self.open.entry(path.clone()).or_insert_with(|| guarded(|| Open::read(&path)));
        let open = match open {
            Ok(open) => open,
            Err(why) => return Some(Err(format!("{} cannot be read: {why}", path.display()))),
        };
        let name = function_name(text(frame, "function"));
        let named = guarded(|| Ok(open.at(line - 1, column, name))).ok().flatten();
        if !is_verified && named.is_some() {
            let path = path.display();
            outcome.problem(format!("the event has no id of `{file}`: that {path} is its source map is not verified"));
        }
        let missing = || format!("{} has no place for {file}:{line}:{column}", path.display());
        Some(named.map(|named| vec![named]).ok_or_else(missing))
    }
}

/// The function in the way in which an engine writes it: `new Cart`, `Object.pay`.
fn function_name(name: &str) -> &str {
    name.rsplit([' ', '.']).next().unwrap_or_default()
}

/// Reads the ids of a map. One that cannot be read has none, and is refused when it is asked for.
fn head(path: &Path) -> Head {
    let ids = File::open(path).ok().and_then(|file| serde_json::from_reader::<_, Ids>(BufReader::new(file)).ok());
    let debug_id = ids.and_then(|ids| ids.camel.or(ids.snake)).map(|id| plain(&id)).unwrap_or_default();
    Head { path: path.to_owned(), debug_id }
}

/// The map of a bundle: by debug id, else by the id of the update, else by its name alone. The flag: whether an id says so.
fn choose<'h>(heads: &'h [Head], about: &About, file: &str) -> Option<Result<(&'h Head, bool), String>> {
    let base = base(file);
    let of_file = about.bundles.iter().find(|(name, _)| name == file);
    let of_base = || only(about.bundles.iter().filter(|(name, _)| self::base(name) == base));
    let is_of_name = |head: &&Head| map_name(&head.path).is_some_and(|name| name == base);
    let several = |heads: &mut dyn Iterator<Item = &Head>| {
        let paths: Vec<_> = heads.map(|head| head.path.display().to_string()).collect();
        Err(format!("{} can be the map of `{file}`; give one of them", paths.join(" and ")))
    };
    if let Some((_, id)) = of_file.or_else(of_base) {
        if let Some(head) = heads.iter().find(|head| head.debug_id == *id) {
            return Some(Ok((head, true)));
        }
        return Some(Err(match heads.iter().find(is_of_name).or(heads.first().filter(|_| heads.len() == 1)) {
            Some(Head { path, debug_id }) if debug_id.is_empty() => {
                let path = path.display();
                format!(
                    "{path} has no debug id; the event needs debug id {id} of `{file}` (`copyDebugId` writes it into a map)"
                )
            }
            Some(Head { path, debug_id }) => {
                format!("{} has debug id {debug_id}; the event needs debug id {id} of `{file}`", path.display())
            }
            None => format!("no source map with debug id {id} (`{file}`) is among the debug files"),
        }));
    }
    if !about.update.is_empty() {
        let of_update = || heads.iter().filter(|head| is_in_folder(&head.path, &about.update));
        if let Some(head) = only(of_update().filter(is_of_name)) {
            return Some(Ok((head, true)));
        }
        if of_update().any(|head| is_of_name(&head)) {
            return Some(several(&mut of_update().filter(is_of_name)));
        }
        // A map of another name can be that of another platform.
        if let Some(head) = only(of_update()) {
            return Some(Ok((head, false)));
        }
        let id = &about.update;
        return Some(Err(format!(
            "no source map of update {id} (`{file}`) is among the debug files; put it into a folder that is named by this id"
        )));
    }
    match only(heads.iter().filter(is_of_name)) {
        Some(head) => Some(Ok((head, false))),
        None if heads.iter().any(|head| is_of_name(&head)) => Some(several(&mut heads.iter().filter(is_of_name))),
        None => None,
    }
}

/// The only one.
fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    all.next().filter(|_| all.next().is_none())
}

/// The name of the bundle of a map: `main.jsbundle.map` is that of `main.jsbundle`.
fn map_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.strip_suffix(".map")
}

fn base(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// Whether a file or a folder above it is named by the id of an update. `plain` removes hyphens, so a name may have some.
fn is_in_folder(path: &Path, id: &str) -> bool {
    id.len() >= 32 && path.components().any(|name| plain(&name.as_os_str().to_string_lossy()).contains(id))
}

impl Open {
    fn read(path: &Path) -> Result<Open, String> {
        let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
        if about.len() > MAP_BYTES {
            return Err("it is longer than 1 GiB".to_owned());
        }
        let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
        let map = sourcemap::decode_slice(&bytes).map_err(|error| error.to_string())?;
        // A regular map has no functions. The bundle has their short names, whose places have the long ones.
        let bundle =
            Some(path.with_extension("")).filter(|_| path.extension().is_some_and(|extension| extension == "map"));
        let is_short =
            |path: &PathBuf| std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() <= MAP_BYTES);
        let bundle = bundle.filter(is_short).and_then(|path| std::fs::read_to_string(path).ok());
        Ok(Open { map, bundle: bundle.map(SourceView::from_string) })
    }

    /// `line` counts from 0, and `column` as the engine does.
    fn at(&self, line: u32, column: u32, name: &str) -> Option<Named> {
        at(&self.map, line, column, name, self.bundle.as_ref())
    }
}

fn at(map: &DecodedMap, line: u32, column: u32, name: &str, bundle: Option<&SourceView>) -> Option<Named> {
    let (token, function) = match map {
        DecodedMap::Index(index) => {
            // Engines count columns from 1, a map from 0.
            let from = (line, column.saturating_sub(1));
            let section = index.sections().filter(|section| section.get_offset() <= from).last()?;
            let (lines, columns) = section.get_offset();
            let column = if line == lines { column.checked_sub(columns)? } else { column };
            // The bundle counts as the whole map does.
            return at(section.get_sourcemap()?, line - lines, column, name, None);
        }
        DecodedMap::Regular(map) => {
            let token = token(|line, column| map.lookup_token(line, column), line, column)?;
            (token, bundle.and_then(|bundle| bundle.get_original_function_name(token, name)))
        }
        DecodedMap::Hermes(map) => {
            let token = token(|line, column| map.lookup_token(line, column), line, column)?;
            (token, map.get_scope_for_token(token))
        }
    };
    let file = token.get_source().filter(|file| !file.is_empty())?;
    let mut members = vec![
        ("file", known(Some(file))),
        ("line", place(Some(u64::from(token.get_src_line()) + 1))),
        ("column", place(Some(u64::from(token.get_src_col()) + 1))),
    ];
    members.extend(function.filter(|name| !name.is_empty()).map(|name| ("function", Value::from(name))));
    Some(Named { members, ..Named::default() })
}

/// The entry of a map for a place. Columns of source count from 1. Those of Hermes' bytecode are offsets, which count from 0; a call
/// has an entry at its very offset.
fn token<'m>(lookup: impl Fn(u32, u32) -> Option<Token<'m>>, line: u32, column: u32) -> Option<Token<'m>> {
    let of_source = lookup(line, column.saturating_sub(1)).filter(|token| token.get_dst_line() == line);
    let is_at = |token: &Token<'m>, column: u32| token.get_dst_col() == column;
    if of_source.is_some_and(|token| is_at(&token, column.saturating_sub(1))) {
        return of_source;
    }
    let of_bytecode = lookup(line, column).filter(|token| token.get_dst_line() == line && is_at(token, column));
    of_bytecode.or(of_source)
}
