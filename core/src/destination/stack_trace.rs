//! Operating system and stack trace as text, shared by two vendors.

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

/// The stack trace as text, innermost frame first.
pub(crate) fn stack(fields: &Json<'_>) -> Option<String> {
    let frames = fields.list("frames");
    if frames.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(frames.len() * 64);
    for part in [fields.text("type"), fields.text("message")].into_iter().flatten() {
        out.push_str(if out.is_empty() { "" } else { ": " });
        out.push_str(part);
    }
    for frame in frames.iter().rev() {
        let function = frame.text("function").unwrap_or("<unknown>");
        // Writing to a string cannot fail.
        let _ = match frame.text("module") {
            Some(module) => write!(out, "\n    at {module}.{function}"),
            None => write!(out, "\n    at {function}"),
        };
        match (frame.text("file"), frame.int("line"), frame.int("column"), frame.int("address")) {
            (Some(file), Some(line), Some(column), _) => {
                let _ = write!(out, " ({file}:{line}:{column})");
            }
            (Some(file), Some(line), None, _) => {
                let _ = write!(out, " ({file}:{line})");
            }
            (Some(file), ..) => {
                let _ = write!(out, " ({file})");
            }
            (None, _, _, Some(address)) => {
                let _ = write!(out, " (0x{address:x})");
            }
            _ => {}
        }
    }
    Some(out)
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
