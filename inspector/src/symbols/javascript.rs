//! File and line by a source map.

use super::event::{About, plain};
use super::found::{Found, SourceMap};
use super::guard::guarded;
use super::named::{Named, known, number, place, text};
use super::opened::{LONGEST, Opened, whole};
use super::{Names, Outcome};
use serde::Deserialize;
use serde_json::Value;
use sourcemap::{DecodedMap, SourceView, Token};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

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
pub(super) struct Maps(Opened<Open>);

impl Maps {
    /// The names of a frame with file, line and column.
    pub(super) fn names(&mut self, found: &Found, about: &About, frame: &Value, outcome: &mut Outcome) -> Names {
        let (file, line, column) = (text(frame, "file"), number(frame, "line"), number(frame, "column"));
        // Frames of the engine have no place.
        if about.language(frame) != "javascript" || file.is_empty() || line == 0 || file.starts_with("node:") {
            return None;
        }
        let (map, is_verified) = match choose(&found.maps, about, file)? {
            Ok(chosen) => chosen,
            Err(why) => return Some(Err(why)),
        };
        let path = map.path.display();
        let open = match self.0.get(&map.path, || Open::read(&map.path)) {
            Ok(open) => open,
            Err(why) => return Some(Err(format!("{path} cannot be read: {why}"))),
        };
        let name = function_name(text(frame, "function"));
        let named = guarded(|| Ok(open.at(line - 1, column, name))).ok().flatten();
        if !is_verified && named.is_some() {
            outcome.problem(format!("the event has no id of `{file}`: that {path} is its source map is not verified"));
        }
        let missing = || format!("{path} has no place for {file}:{line}:{column}");
        Some(named.map(|named| vec![named]).ok_or_else(missing))
    }
}

/// The function in the way in which an engine writes it: `new Cart`, `Object.pay`.
fn function_name(name: &str) -> &str {
    name.rsplit([' ', '.']).next().unwrap_or_default()
}

/// The debug id of a map; empty if it has none, cannot be read or is too long.
fn debug_id(map: &SourceMap) -> &str {
    map.debug_id.get_or_init(|| read_id(&map.path).unwrap_or_default())
}

fn read_id(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    if file.metadata().ok()?.len() > LONGEST {
        return None;
    }
    let mut reader = BufReader::new(file.take(LONGEST));
    // A server can put `)]}'` before the map.
    if reader.fill_buf().ok()?.first() == Some(&b')') {
        reader.skip_until(b'\n').ok()?;
    }
    let ids: Ids = serde_json::from_reader(reader).ok()?;
    ids.camel.or(ids.snake).map(|id| plain(&id))
}

/// The map of a bundle: by debug id, else by the id of the update, else by its name alone. The flag: whether an id says so.
fn choose<'f>(maps: &'f [SourceMap], about: &About, file: &str) -> Option<Result<(&'f SourceMap, bool), String>> {
    let base = base(file);
    let of_file = about.bundles.iter().find(|(name, _)| name == file);
    let of_base = || only(about.bundles.iter().filter(|(name, _)| self::base(name) == base));
    let is_of_name = |map: &&SourceMap| map_name(&map.path).is_some_and(|name| name == base);
    if let Some((_, id)) = of_file.or_else(of_base) {
        // An id is read from the whole file. Most maps have the name of their bundle.
        let mut likely_first = maps.iter().filter(is_of_name).chain(maps);
        if let Some(map) = likely_first.find(|map| debug_id(map) == id.as_str()) {
            return Some(Ok((map, true)));
        }
        return Some(Err(match maps.iter().find(is_of_name).or(maps.first().filter(|_| maps.len() == 1)) {
            Some(map) if debug_id(map).is_empty() => format!(
                "{} has no debug id; the event needs debug id {id} of `{file}` (`copyDebugId` writes it into a map)",
                map.path.display()
            ),
            Some(map) => format!(
                "{} has debug id {}; the event needs debug id {id} of `{file}`",
                map.path.display(),
                debug_id(map)
            ),
            None => format!("no source map with debug id {id} (`{file}`) is among the debug files"),
        }));
    }
    if about.update.is_empty() {
        return single(maps.iter().filter(is_of_name), file).map(|one| one.map(|map| (map, false)));
    }
    let of_update: Vec<&SourceMap> = maps.iter().filter(|map| is_in_folder(&map.path, &about.update)).collect();
    if let Some(one) = single(of_update.iter().copied().filter(is_of_name), file) {
        return Some(one.map(|map| (map, true)));
    }
    // A map of another name can be that of another platform.
    if let [map] = of_update[..] {
        return Some(Ok((map, false)));
    }
    let id = &about.update;
    Some(Err(format!(
        "no source map of update {id} (`{file}`) is among the debug files; put it into a folder that is named by this id"
    )))
}

/// The only map of these. An error names several.
fn single<'f>(maps: impl Iterator<Item = &'f SourceMap>, file: &str) -> Option<Result<&'f SourceMap, String>> {
    let all: Vec<&SourceMap> = maps.collect();
    match all[..] {
        [] => None,
        [map] => Some(Ok(map)),
        _ => {
            let paths: Vec<String> = all.iter().map(|map| map.path.display().to_string()).collect();
            Some(Err(format!("{} can be the map of `{file}`; give one of them", paths.join(" and "))))
        }
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
    id.len() >= 32 && plain(&path.to_string_lossy()).contains(id)
}

impl Open {
    fn read(path: &Path) -> Result<Open, String> {
        let map = sourcemap::decode_slice(&whole(path)?).map_err(|error| error.to_string())?;
        // A regular map has no functions. The bundle has their short names, whose places have the long ones.
        let is_map = path.extension().is_some_and(|extension| extension == "map");
        let bundle = is_map.then(|| path.with_extension("")).filter(|path| path.is_file());
        let bundle = bundle.and_then(|path| String::from_utf8(whole(&path).ok()?).ok());
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
