//! Values with a form of their own: frames, traces, targets. One function each, from JSON to the borrowed type of the typed
//! call.

use super::json::Json;
use crate::conditions::Conditions;
use crate::event::Frame;
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::trace::TraceContext;

/// Writes a field by its form.
pub(super) fn field(encoder: &mut Encoder<'_>, field: Field, value: &Json<'_>) {
    match (field, value) {
        (Field::Frames, Json::List(values)) => {
            let frames: Vec<Frame<'_>> = values.iter().map(frame).collect();
            encoder.frames(&frames);
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

/// Names of destinations. What is no text is left out.
pub(super) fn targets(encoder: &mut Encoder<'_>, value: &Json<'_>) {
    let names: Vec<&str> = value.list().iter().filter_map(Json::str).collect();
    if !names.is_empty() {
        encoder.targets(&names);
    }
}
