//! Operating system, stack trace and fingerprint as text, shared by two vendors.

use crate::json::Json;
use crate::row::Run;
use std::fmt::Write as _;

/// `Android 15` is a name and a version; `linux` is a name.
pub(crate) fn split_os(os: &str) -> (&str, Option<&str>) {
    match os.trim().rsplit_once(' ') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => (name.trim(), Some(version)),
        _ => (os.trim(), None),
    }
}

/// Name and version of the system of a run.
pub(crate) fn system(run: &Run) -> (&str, Option<&str>) {
    match &run.facts.os_name {
        Some(name) => (name, run.facts.os_version.as_deref()),
        None => split_os(&run.os),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operating_system_is_split_into_name_and_version() {
        assert_eq!(split_os("Android 15"), ("Android", Some("15")));
        assert_eq!(split_os("Windows Server 2025"), ("Windows Server", Some("2025")));
        assert_eq!(split_os("linux"), ("linux", None));
        assert_eq!(split_os("Red Hat"), ("Red Hat", None));
        assert_eq!(split_os(""), ("", None));
    }
}
