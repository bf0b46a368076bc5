//! Exceptions, stack frames and threads of an event.
//!
//! Sentry lists the exceptions of a chain from the innermost cause to the error itself. `exception_id` counts the other
//! way: 0 is the error, `n` its n-th cause, and `parent_id` names the exception that a cause belongs to.

use super::fields::Fields;
use crate::json::Object;
use crate::json::split::{elements, member, members};
use crate::kind::Kind;

/// The members `exception` and `threads`.
pub(super) fn write(event: &mut Object<'_>, fields: &Fields<'_>) {
    let causes: Vec<&str> = elements(fields.get("causes").unwrap_or_default()).collect();
    let threads: Vec<&str> = elements(fields.get("threads").unwrap_or_default()).collect();
    event.object("exception", |exception| {
        // The error is the last one.
        exception.array("values", (0..=causes.len()).rev(), |out, id| {
            match id.checked_sub(1).and_then(|at| causes.get(at)) {
                Some(cause) => push_cause(out, id, cause),
                None => push_error(out, fields, !causes.is_empty(), &threads),
            }
        });
    });
    if !threads.is_empty() {
        event.object("threads", |object| object.array("values", threads, push_thread));
    }
}

/// The error itself, which has `in_chain` causes.
fn push_error(out: &mut String, fields: &Fields<'_>, in_chain: bool, threads: &[&str]) {
    let (kind, mechanism, handled) = match fields.row.kind {
        Kind::Hang => ("\"AppHang\"", "\"AppHang\"", true),
        Kind::AppExit => {
            let cause = fields.get("cause").unwrap_or("\"AppExit\"");
            // Nobody reported it, and Sentry's own clients name that after the guess that it is.
            let guessed = cause == "\"abnormal\"";
            (cause, if guessed { "\"watchdog_termination\"" } else { "\"ApplicationExitInfo\"" }, false)
        }
        kind => {
            let handled = kind != Kind::Crash && fields.get("handled") != Some("false");
            (fields.get("type").unwrap_or("\"Error\""), fields.get("mechanism").unwrap_or("\"generic\""), handled)
        }
    };
    Object::write(out, |value| {
        value.json("type", kind);
        value.json("value", fields.get("message").unwrap_or("\"\""));
        value.object("mechanism", |out| {
            out.json("type", mechanism);
            out.flag("handled", handled);
            if in_chain {
                out.number("exception_id", 0);
            }
            if fields.is("group") {
                out.flag("is_exception_group", true);
            }
            if let Some(micros) = fields.int("duration_us") {
                out.object("data", |data| data.number("duration_ms", micros / 1_000));
            }
        });
        let crashed = threads.iter().find(|thread| member(thread, "crashed") == Some("true"));
        if let Some(id) = crashed.and_then(|thread| member(thread, "id")) {
            value.json("thread_id", id);
        }
        push_stack(value, fields.frames().iter().copied());
    });
}

fn push_cause(out: &mut String, id: usize, cause: &str) {
    let group = member(cause, "group") == Some("true");
    Object::write(out, |value| {
        value.json("type", member(cause, "type").unwrap_or("\"Error\""));
        value.json("value", member(cause, "message").unwrap_or("\"\""));
        value.object("mechanism", |out| {
            out.text("type", "chained");
            out.flag("handled", true);
            out.json_if_some("source", member(cause, "source"));
            out.number("exception_id", id);
            out.json("parent_id", member(cause, "parent").unwrap_or("0"));
            if group {
                out.flag("is_exception_group", true);
            }
        });
        push_stack(value, elements(member(cause, "frames").unwrap_or_default()));
    });
}

fn push_thread(out: &mut String, thread: &str) {
    Object::write(out, |value| {
        for name in ["id", "name", "crashed", "main"] {
            value.json_if_some(name, member(thread, name).filter(|value| *value != "\"\""));
        }
        value.json_if_some("current", member(thread, "crashed"));
        push_stack(value, elements(member(thread, "frames").unwrap_or_default()));
    });
}

fn push_stack<'a>(object: &mut Object<'_>, frames: impl Iterator<Item = &'a str>) {
    let mut frames = frames.peekable();
    if frames.peek().is_some() {
        object.object("stacktrace", |stack| stack.array("frames", frames, frame));
    }
}

/// A stack frame. Both the row and Sentry list the outermost frame first.
fn frame(out: &mut String, frame: &str) {
    let native = members(frame).any(|(name, _)| name == "address");
    Object::write(out, |out| {
        for (name, value) in members(frame) {
            match name {
                "function" | "in_app" => out.json(name, value),
                "module" if native => out.json("package", value),
                "module" => out.json(name, value),
                "file" => out.json("filename", value),
                "line" => out.json("lineno", value),
                "column" => out.json("colno", value),
                "language" => out.json("platform", value),
                "address" => {
                    if let Ok(address) = value.parse::<u64>() {
                        out.text("instruction_addr", &format!("{address:#x}"));
                    }
                }
                _ => {}
            }
        }
    });
}
