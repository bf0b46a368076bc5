//! The frames of an error or a crash, one a line.

use super::one_line;
use serde_json::Value;
use std::fmt::Write;

/// Type and message of an error or of a cause, on one line; empty if it has neither.
pub(crate) fn thrown(owner: &Value) -> String {
    let parts = [text(owner, "type"), text(owner, "message")].into_iter().filter(|part| !part.is_empty());
    one_line(&parts.collect::<Vec<_>>().join(": "))
}

/// The stack of an event, of its causes and of its threads, innermost frame first.
pub(crate) fn stack(event: &Value) -> String {
    let mut out = String::new();
    frames(&mut out, event);
    for cause in list(event, "causes") {
        let head = thrown(cause);
        let source = text(cause, "source");
        let _ = writeln!(out, "  {} {head}", if source.is_empty() { "cause" } else { source });
        frames(&mut out, cause);
    }
    for thread in list(event, "threads").filter(|thread| list(thread, "frames").next().is_some()) {
        let _ = writeln!(out, "  thread {}", one_line(text(thread, "name")));
        frames(&mut out, thread);
    }
    out.truncate(out.trim_end().len());
    out
}

fn frames(out: &mut String, owner: &Value) {
    for (place, frame) in list(owner, "frames").rev().enumerate() {
        let _ = writeln!(out, "{place:>5}  {}", line(frame));
        for other in list(frame, "ambiguous").filter_map(Value::as_str) {
            let _ = writeln!(out, "       or {other}");
        }
    }
}

fn line(frame: &Value) -> String {
    let (function, module, file) = (text(frame, "function"), text(frame, "module"), text(frame, "file"));
    let address = frame.get("address").and_then(Value::as_u64);
    let mut line = match (function, address) {
        ("", Some(address)) => format!("{address:#x}"),
        ("", None) => "(no name)".to_owned(),
        // A module of Java is the class of the method; a native one is the library.
        (function, None) if !module.is_empty() => format!("{module}.{function}"),
        (function, _) => function.to_owned(),
    };
    if !file.is_empty() {
        let _ = write!(line, "  {file}");
        for name in ["line", "column"] {
            match frame.get(name).and_then(Value::as_u64) {
                Some(number) => drop(write!(line, ":{number}")),
                None => break,
            }
        }
    } else if address.is_some() && !module.is_empty() {
        let _ = write!(line, "  {module}");
    }
    if frame.get("inlined") == Some(&Value::Bool(true)) {
        line.push_str("  (inlined)");
    }
    one_line(&line)
}

fn text<'v>(object: &'v Value, name: &str) -> &'v str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(object: &'v Value, name: &str) -> impl DoubleEndedIterator<Item = &'v Value> + ExactSizeIterator + use<'v> {
    object.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_stack_is_printed_from_its_innermost_frame_on() {
        let event = json!({
            "frames": [
                {"address": 4096, "module": "libc.so.6"},
                {"address": 8192, "module": "libapp.so", "function": "main", "file": "a.c", "line": 3, "column": 9},
                {"address": 8192, "module": "libapp.so", "function": "pay", "file": "a.c", "line": 9, "inlined": true},
            ],
            "causes": [{"type": "a.B", "message": "no", "source": "cause", "frames": [
                {"module": "shop.Cart", "function": "add", "file": "Cart.kt", "line": 7, "ambiguous": ["shop.Cart.sum"]},
                {"line": 3},
            ]}],
            "threads": [{"name": "main"}],
        });
        let lines = [
            "    0  pay  a.c:9  (inlined)",
            "    1  main  a.c:3:9",
            "    2  0x1000  libc.so.6",
            "  cause a.B: no",
            "    0  (no name)",
            "    1  shop.Cart.add  Cart.kt:7",
            "       or shop.Cart.sum",
        ];
        assert_eq!(stack(&event), lines.join("\n"));
        assert_eq!(stack(&json!({"frames": 7, "causes": [1]})), "  cause");
    }
}
