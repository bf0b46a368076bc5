//! Class, method and line by the mapping of R8 or ProGuard.

use super::event::{About, mapping_id, plain};
use super::found::{Found, Mapping};
use super::guard::guarded;
use super::named::{Named, is_of_app, known, number, place, text};
use super::opened::{Opened, whole};
use super::{Names, Outcome};
use proguard::{ProguardCache, ProguardMapping, StackFrame, class_name_to_descriptor};
use serde_json::Value;
use std::path::Path;

/// Names of one frame that are looked at; R8 inlines less deep.
const NAMES: usize = 200;

/// Methods that are listed beside the first one.
const OTHERS: usize = 10;

/// Reads the first lines of a mapping. `None`: it is none.
pub(super) fn head(path: &Path, head: &[u8]) -> Option<Mapping> {
    let text = String::from_utf8_lossy(head);
    let mut ids = Vec::new();
    let mut lines = text.lines();
    let first = loop {
        let line = lines.next()?.trim_end();
        let Some(comment) = line.strip_prefix('#') else { break line };
        let (name, value) = comment.split_once(':').unwrap_or_default();
        if matches!(name.trim(), "pg_map_id" | "pg_map_hash") {
            ids.extend(value.split_whitespace().last().map(plain));
        }
    };
    let (from, to) = first.strip_suffix(':')?.split_once(" -> ")?;
    let is_name = |name: &str| !name.is_empty() && !name.contains([' ', '"', '{']);
    (is_name(from) && is_name(to)).then(|| Mapping { path: path.to_owned(), ids })
}

/// Mappings that are open, in the form in which they are searched.
#[derive(Default)]
pub(super) struct Mappings(Opened<Vec<u8>>);

/// The mapping for a frame.
enum Chosen<'f> {
    /// The frame needs none.
    None,
    /// It has the id of the event.
    Verified(&'f Mapping),
    /// The event has no id.
    Only(&'f Mapping),
    Refused(String),
}

impl Mappings {
    /// The names of all frames of a stack of Java or Kotlin. `thrown`: the class of the exception.
    pub(super) fn names(
        &mut self,
        found: &Found,
        about: &About,
        frames: &[Value],
        thrown: &str,
        outcome: &mut Outcome,
    ) -> Vec<Names> {
        let mut names: Vec<Names> = frames.iter().map(|_| None).collect();
        let of_java: Vec<(usize, &Value)> =
            frames.iter().enumerate().rev().filter(|(_, frame)| is_java(about, frame)).collect();
        // A library that was made small by itself has another mapping than the app. What has no id belongs to the first one.
        let first = of_java.iter().find_map(|(_, frame)| mapping_id(frame));
        let mut ids: Vec<Option<&str>> = Vec::new();
        for (_, frame) in &of_java {
            let own = mapping_id(frame).or(first);
            if !ids.contains(&own) {
                ids.push(own);
            }
        }
        for own in ids {
            let is_own = |frame: &Value| mapping_id(frame).or(first) == own;
            let part: Vec<(usize, &Value)> = of_java.iter().copied().filter(|(_, frame)| is_own(frame)).collect();
            for (place, named) in self.part(found, about, own, &part, thrown, outcome) {
                if let Some(name) = names.get_mut(place) {
                    *name = Some(named);
                }
            }
        }
        names
    }

    /// The names of the frames with one id of a mapping.
    fn part(
        &mut self,
        found: &Found,
        about: &About,
        own: Option<&str>,
        of_java: &[(usize, &Value)],
        thrown: &str,
        outcome: &mut Outcome,
    ) -> Vec<(usize, Result<Vec<Named>, String>)> {
        let (head, is_verified) = match choose(found, about, own) {
            Chosen::None => return Vec::new(),
            Chosen::Verified(head) => (head, true),
            Chosen::Only(head) => (head, false),
            Chosen::Refused(why) => {
                // R8 writes its id into all classes. With another id, those of the app are meant.
                let is_meant =
                    |frame: &Value| if own.is_some() { mapping_id(frame).is_some() } else { is_of_app(frame) };
                let meant = of_java.iter().filter(|(_, frame)| is_meant(frame));
                return meant.map(|(place, _)| (*place, Err(why.clone()))).collect();
            }
        };
        let result = match self.open(head) {
            Ok(bytes) => guarded(|| stack(bytes, of_java, thrown)),
            Err(why) => Err(why.clone()),
        };
        let path = head.path.display();
        let stack = match result {
            Ok(stack) => stack,
            Err(why) => {
                let why = format!("{path} cannot be read: {why}");
                return of_java.iter().map(|(place, _)| (*place, Err(why.clone()))).collect();
            }
        };
        if !is_verified && stack.iter().any(|(_, named)| !named.is_empty()) {
            outcome.problem(format!(
                "the event has no mapping id: that {path} is the mapping of its build is not verified"
            ));
        }
        if stack.iter().flat_map(|(_, named)| named).any(|named| !named.others.is_empty()) {
            let why = "a frame fits several methods of the mapping: R8 gave them one name, and the frame has no line that \
                       tells them apart";
            outcome.problem(why.to_owned());
        }
        stack.into_iter().map(|(place, named)| (place, Ok(named))).collect()
    }

    /// The name of the class of an exception.
    pub(super) fn class(&mut self, found: &Found, about: &About, owner: &Value) -> Option<String> {
        let class = text(owner, "type");
        let frames = owner.get("frames").and_then(Value::as_array);
        let is_of_java = matches!(&about.language[..], "java" | "kotlin")
            || frames.is_some_and(|frames| frames.iter().any(|frame| is_java(about, frame)));
        if class.is_empty() || !is_of_java {
            return None;
        }
        let own = frames.into_iter().flatten().find_map(|frame| mapping_id(frame).or_else(|| was_mapping_id(frame)));
        let (Chosen::Verified(head) | Chosen::Only(head)) = choose(found, about, own) else { return None };
        let bytes = self.open(head).ok()?;
        let named = guarded(|| {
            let cache = ProguardCache::parse(bytes).map_err(|error| error.to_string())?;
            Ok(cache.remap_class(class).filter(|name| *name != class).map(str::to_owned))
        });
        named.ok().flatten()
    }

    fn open(&mut self, head: &Mapping) -> Result<&Vec<u8>, &String> {
        self.0.get(&head.path, || read(&head.path))
    }
}

/// Reads a mapping, and writes it in the form in which it is searched.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let text = whole(path)?;
    let mut bytes = Vec::new();
    ProguardCache::write(&ProguardMapping::new(&text), &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn is_java(about: &About, frame: &Value) -> bool {
    matches!(about.language(frame), "java" | "kotlin") && !text(frame, "module").is_empty()
}

/// The id in a frame that has its names already.
fn was_mapping_id(frame: &Value) -> Option<&str> {
    frame.get("was").and_then(mapping_id)
}

/// The mapping with the id of a frame, else of the event.
fn choose<'f>(found: &'f Found, about: &About, own: Option<&str>) -> Chosen<'f> {
    let ids: Vec<String> = own.map(plain).into_iter().chain(about.mappings.iter().map(|id| plain(id))).collect();
    let of_id = |head: &&Mapping| ids.first().is_some_and(|id| head.ids.contains(id));
    // What R8 wrote is surer than a name.
    let is_open = |head: &&Mapping| ids.is_empty() || head.ids.is_empty();
    let of_uuid = |head: &&Mapping| is_open(head) && about.mapping_uuids.iter().any(|id| is_named(&head.path, id));
    if let Some(head) = found.mappings.iter().find(of_id).or_else(|| found.mappings.iter().find(of_uuid)) {
        return Chosen::Verified(head);
    }
    let wanted = ids.first().or(about.mapping_uuids.first());
    match (wanted, &found.mappings[..]) {
        (None, []) => Chosen::None,
        (None, [only]) => Chosen::Only(only),
        (None, _) => Chosen::Refused("the event has no mapping id: pass one mapping, that of its build".to_owned()),
        (Some(id), []) => Chosen::Refused(format!("no mapping with id {id} is among the debug files")),
        (Some(id), [first, rest @ ..]) => {
            let path = first.path.display();
            let others = match rest.len() {
                0 => String::new(),
                n => format!(" (and {n} more have other ids)"),
            };
            let has = match first.ids.first() {
                Some(id) => format!("has mapping id {id}"),
                None => "has no mapping id".to_owned(),
            };
            let hint = if ids.is_empty() { "; name the file or its folder by this id" } else { "" };
            Chosen::Refused(format!("{path}{others} {has}; the event needs mapping id {id}{hint}"))
        }
    }
}

/// Whether a file or its folder is named by an id that has no place in the file.
fn is_named(path: &Path, id: &str) -> bool {
    let names = path.components().rev().take(2);
    id.len() >= 32 && names.into_iter().any(|name| plain(&name.as_os_str().to_string_lossy()).contains(id))
}

/// The names of a stack, innermost first. A frame whose class the mapping does not have is left out.
fn stack(bytes: &[u8], frames: &[(usize, &Value)], thrown: &str) -> Result<Vec<(usize, Vec<Named>)>, String> {
    let cache = ProguardCache::parse(bytes).map_err(|error| error.to_string())?;
    let thrown = (!thrown.is_empty()).then(|| class_name_to_descriptor(cache.remap_class(thrown).unwrap_or(thrown)));
    let (mut carried, mut is_first) = (None, true);
    let mut all = Vec::new();
    for (place, frame) in frames {
        let (class, method, line) = (text(frame, "module"), text(frame, "function"), number(frame, "line") as usize);
        let obfuscated = StackFrame::with_file(class, method, line, text(frame, "file"));
        // Code that R8 moved out of several methods: its line belongs to the caller, and it has no frame of its own.
        let Some(names) =
            cache.remap_frame_with_context(&obfuscated, thrown.as_deref(), is_first && thrown.is_some(), &mut carried)
        else {
            all.push((*place, Vec::new()));
            continue;
        };
        is_first = false;
        let is_known = names.had_mappings() || cache.remap_class(class).is_some();
        let names: Vec<StackFrame<'_>> = names.take(NAMES).collect();
        if names.is_empty() && !is_known {
            continue;
        }
        // Names of a chain of inlined calls depend on the line. Without lines they are all methods that it can be.
        let anywhere = || cache.remap_frame(&StackFrame::new(class, method, u32::MAX as usize)).nth(1).is_some();
        let is_ambiguous = names.len() > 1 && (line == 0 || anywhere());
        all.push((*place, if is_ambiguous { vec![ambiguous(&names)] } else { chain(&names) }));
    }
    Ok(all)
}

/// A chain of inlined calls.
fn chain(names: &[StackFrame<'_>]) -> Vec<Named> {
    // What the compiler made is shown only where nothing else is.
    let of_source: Vec<&StackFrame<'_>> =
        match names.iter().filter(|name| !name.method_synthesized()).collect::<Vec<_>>() {
            none if none.is_empty() => names.iter().collect(),
            some => some,
        };
    let last = of_source.len().saturating_sub(1);
    let named = |(place, name): (usize, &&StackFrame<'_>)| Named {
        members: members(name, true),
        is_inlined: place < last,
        others: Vec::new(),
    };
    of_source.iter().enumerate().map(named).collect()
}

/// The first of several methods, with the others.
fn ambiguous(names: &[StackFrame<'_>]) -> Named {
    let mut others: Vec<String> = Vec::new();
    for name in names {
        let method = name.full_method();
        if !others.contains(&method) {
            others.push(method);
        }
    }
    // One method over several lines.
    let has_line = others.len() > 1;
    let members = names.first().map(|name| members(name, has_line)).unwrap_or_default();
    Named { members, is_inlined: false, others: others.into_iter().skip(1).take(OTHERS).collect() }
}

fn members(name: &StackFrame<'_>, has_line: bool) -> Vec<(&'static str, Value)> {
    let line = name.line().filter(|_| has_line).map(|line| line as u64);
    vec![
        ("module", known(Some(name.class()))),
        ("function", known(Some(name.method()))),
        ("file", known(name.file())),
        ("line", place(line)),
    ]
}
