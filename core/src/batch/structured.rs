//! Values with a form of their own: stacks, users, traces, targets. One function each, from JSON to the borrowed type of the typed
//! call.

use super::fields::conform;
use super::json::Json;
use crate::event::conditions::Conditions;
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::event::{Cause, Frame, Language, Thread};
use crate::trace::TraceContext;
use std::borrow::Cow;

/// Writes a field by its form.
pub(super) fn field(encoder: &mut Encoder<'_>, field: Field, value: &Json<'_>) {
    match (field, value) {
        (Field::Frames, Json::List(values)) => {
            let frames: Vec<Frame<'_>> = values.iter().map(frame).collect();
            encoder.frames_field(&frames);
        }
        (Field::Causes, Json::List(values)) => {
            let stacks: Vec<Vec<Frame<'_>>> = values.iter().map(stack).collect();
            let causes: Vec<Cause<'_>> =
                values.iter().zip(&stacks).map(|(value, frames)| cause(value, frames)).collect();
            encoder.causes(&causes);
        }
        (Field::Threads, Json::List(values)) => {
            let stacks: Vec<Vec<Frame<'_>>> = values.iter().map(stack).collect();
            let threads: Vec<Thread<'_>> =
                values.iter().zip(&stacks).map(|(value, frames)| thread(value, frames)).collect();
            encoder.threads(&threads);
        }
        (Field::Fingerprint, Json::List(values)) => {
            let parts: Vec<&str> = values.iter().filter_map(Json::str).collect();
            encoder.names_field(Field::Fingerprint, &parts);
        }
        (Field::Conditions, value) => {
            if let Some(conditions) = Conditions::from_json(&value.to_serde()) {
                conditions.encode_into(encoder);
            }
        }
        (Field::Context | Field::Attrs, Json::Map(entries)) => encoder.map_field(field, entries),
        _ => encoder.node_field(field, value),
    }
}

/// A frame; members that are missing or of another type are unknown.
pub(super) fn frame<'j>(value: &'j Json<'_>) -> Frame<'j> {
    let text = |name: &str| value.get(name).and_then(Json::str).unwrap_or_default();
    let number = |name: &str| value.get(name).and_then(Json::whole).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    Frame {
        function: text("function"),
        module: text("module"),
        file: text("file"),
        line: number("line"),
        column: number("column"),
        address: value.get("address").map_or(0, address),
        in_app: value.get("in_app") == Some(&Json::Bool(true)),
        language: value.get("language").and_then(Json::str).and_then(Language::parse),
    }
}

/// The frames of a cause or a thread.
fn stack<'j>(value: &'j Json<'_>) -> Vec<Frame<'j>> {
    value.get("frames").map(|frames| frames.list().iter().map(frame).collect()).unwrap_or_default()
}

/// A cause; a parent that is no index is the error itself.
fn cause<'j>(value: &'j Json<'_>, frames: &'j [Frame<'j>]) -> Cause<'j> {
    let text = |name: &str| value.get(name).and_then(Json::str);
    let parent = value.get("parent").and_then(Json::whole).and_then(|parent| usize::try_from(parent).ok());
    Cause::new(text("type").unwrap_or_default(), text("message").unwrap_or_default())
        .frames(frames)
        .parent(parent.unwrap_or(0))
        .source(text("source").unwrap_or("cause"))
        .group(is_true(value, "group"))
}

fn thread<'j>(value: &'j Json<'_>, frames: &'j [Frame<'j>]) -> Thread<'j> {
    Thread {
        id: value.get("id").map_or(0, address),
        name: value.get("name").and_then(Json::str).unwrap_or_default(),
        crashed: is_true(value, "crashed"),
        main: is_true(value, "main"),
        frames,
    }
}

fn is_true(value: &Json<'_>, name: &str) -> bool {
    value.get(name) == Some(&Json::Bool(true))
}

/// The user and the tags of the event itself. Counts them as cut if they are no objects.
pub(super) fn own_scope(encoder: &mut Encoder<'_>, json: &Json<'_>, cut: &mut u64) {
    let is_unfit = |name: &str| json.get(name).is_some_and(|value| *value != Json::Null && value.entries().is_none());
    *cut += u64::from(is_unfit("user")) + u64::from(is_unfit("tags"));
    if let Some(user) = json.get("user").filter(|user| user.entries().is_some()) {
        let mut member = |name: &'static str, field: Field| {
            let value = user.get(name).and_then(|value| conform(field, None, value, cut));
            (Cow::Borrowed(name), value.map_or(Json::Null, Cow::into_owned))
        };
        let members = [
            member("id", Field::Name),
            member("email", Field::Email),
            member("username", Field::Username),
            member("extra", Field::Extra),
        ];
        encoder.map_field(Field::User, &members);
    }
    if let Some(tags) = json.get("tags").and_then(Json::entries).filter(|tags| !tags.is_empty()) {
        encoder.map_field(Field::Tags, tags);
    }
}

/// An address: a number, or text such as `0x7f00`, since JavaScript has no integers of 64 bits.
fn address(value: &Json<'_>) -> u64 {
    match value {
        Json::U64(number) => *number,
        Json::Str(text) => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).unwrap_or(0),
            None => text.parse().unwrap_or(0),
        },
        other => other.whole().and_then(|number| u64::try_from(number).ok()).unwrap_or(0),
    }
}

/// A trace, in the form of a row: `{trace_id, span_id, parent?, sampled?}`. `None` if an id has another form or is zero.
pub(super) fn trace(value: &Json<'_>) -> Option<TraceContext> {
    let text = |name: &str| value.get(name).and_then(Json::str);
    let trace_id = text("trace_id")?;
    let context = TraceContext::from_hex(trace_id, text("span_id")?)?;
    let parent = text("parent").and_then(|parent| TraceContext::from_hex(trace_id, parent));
    let sampled = match value.get("sampled") {
        Some(Json::Bool(sampled)) => Some(*sampled),
        _ => None,
    };
    Some(context.with_parent(parent.map_or(0, |parent| parent.span_id())).with_sampled(sampled))
}

/// The destinations that an event is for: a list of names or one name; empty = all. What is no text in the list is left out
/// and counted. `None` if there is no name left: to send the event to all destinations would be the opposite of what was meant.
pub(super) fn targets<'j>(json: &'j Json<'_>, cut: &mut u64) -> Option<Vec<&'j str>> {
    let names = match json.get("targets") {
        None | Some(Json::Null) => return Some(Vec::new()),
        Some(Json::List(values)) if values.is_empty() => return Some(Vec::new()),
        Some(Json::List(values)) => {
            let names: Vec<&str> = values.iter().filter_map(Json::str).collect();
            *cut += (values.len() - names.len()) as u64;
            names
        }
        Some(value) => value.str().into_iter().collect(),
    };
    (!names.is_empty()).then_some(names)
}
