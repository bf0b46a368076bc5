//! Stack trace and fingerprint as text, shared by two vendors.

use crate::json::Json;
use std::fmt::Write as _;

/// The stack trace of an error as text, innermost frame first: type and message, the frames, then the causes. `None` if the
/// error has neither frames nor a stack text nor causes.
pub(crate) fn stack(fields: &Json<'_>) -> Option<String> {
    let causes = fields.list("causes");
    let own = own_stack(fields);
    if own.is_none() && causes.is_empty() {
        return None;
    }
    let mut out = own.unwrap_or_else(|| title(fields));
    for cause in causes {
        out.push_str("\nCaused by: ");
        out.push_str(&own_stack(cause).unwrap_or_else(|| title(cause)));
    }
    Some(out)
}

/// The stack trace of an error, a cause or a thread alone.
pub(crate) fn own_stack(fields: &Json<'_>) -> Option<String> {
    let frames = fields.list("frames");
    if frames.is_empty() {
        return fields.text("stack").map(str::to_owned);
    }
    let mut out = String::with_capacity(frames.len() * 64);
    out.push_str(&title(fields));
    for frame in frames.iter().rev() {
        push_frame(&mut out, frame);
    }
    Some(out)
}

/// Type and message.
fn title(fields: &Json<'_>) -> String {
    let parts: Vec<&str> = ["type", "message"].into_iter().filter_map(|part| fields.text(part)).collect();
    parts.join(": ")
}

fn push_frame(out: &mut String, frame: &Json<'_>) {
    let function = frame.text("function").unwrap_or("<unknown>");
    // Writing to a string cannot fail.
    let _ = match frame.text("module") {
        Some(module) => write!(out, "\n    at {module}.{function}"),
        None => write!(out, "\n    at {function}"),
    };
    let _ = match (frame.text("file"), frame.int("line"), frame.int("column"), frame.int("address")) {
        (Some(file), Some(line), Some(column), _) => write!(out, " ({file}:{line}:{column})"),
        (Some(file), Some(line), None, _) => write!(out, " ({file}:{line})"),
        (Some(file), ..) => write!(out, " ({file})"),
        (None, _, _, Some(address)) => write!(out, " (0x{address:x})"),
        _ => Ok(()),
    };
}

/// The fingerprint as one text: its parts with `|` between them, where the type of the error stands for `{{ default }}`.
pub(crate) fn fingerprint(fields: &Json<'_>) -> Option<String> {
    if let Some(one) = fields.text("fingerprint") {
        return Some(one.to_owned());
    }
    let part = |part: &Json<'_>| match part {
        Json::Text(part) if part == "{{ default }}" => fields.text("type").unwrap_or_default().to_owned(),
        Json::Text(part) => part.to_string(),
        _ => String::new(),
    };
    let parts: Vec<String> = fields.list("fingerprint").iter().map(part).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("|"))
}
