//! The parts of a RUM error that are lists: causes, threads and feature flags; and the type of its stack.

use super::super::stack_trace::own_stack;
use super::origin::{System, framework, is_react_native};
use crate::json::{Json, Object, push_text};
use crate::row::Run;

/// The causes. Datadog has no tree, so they are listed in the order of the chain.
pub(super) fn causes(o: &mut Object<'_>, fields: &Json<'_>) {
    let causes = fields.list("causes");
    if causes.is_empty() {
        return;
    }
    o.array("causes", causes, |out, cause| {
        Object::write(out, |o| {
            o.text("message", cause.text("message").unwrap_or_default());
            o.text_if_some("type", cause.text("type"));
            o.text_if_some("stack", own_stack(cause).as_deref());
            o.text("source", "source");
        });
    });
}

/// The threads. Datadog requires a name and a stack of each.
pub(super) fn threads(o: &mut Object<'_>, fields: &Json<'_>) {
    let threads = fields.list("threads");
    if threads.is_empty() {
        return;
    }
    o.array("threads", threads, |out, thread| {
        Object::write(out, |o| {
            match thread.text("name") {
                Some(name) => o.text("name", name),
                None => o.text("name", &format!("Thread {}", thread.int("id").unwrap_or(0))),
            }
            o.flag("crashed", thread.is("crashed"));
            // The thread of the error has its stack there.
            let of_the_error = || thread.is("crashed").then(|| own_stack(fields)).flatten();
            let stack = own_stack(thread).or_else(of_the_error).unwrap_or_default();
            push_text(o.name("stack"), stack.trim_start());
        });
    });
}

/// The last values of the feature flags, by name.
pub(super) fn feature_flags(o: &mut Object<'_>, fields: &Json<'_>) {
    let flags = fields.list("flags");
    if flags.is_empty() {
        return;
    }
    o.object("feature_flags", |o| {
        for flag in flags {
            if let Some(name) = flag.text("flag") {
                o.value_if_some(name, flag.get("result"));
            }
        }
    });
}

/// The format of a stack, by its language, else by the operating system. Datadog defines the values; `None` if none applies.
pub(super) fn source_type(system: System, run: Option<&Run>, fields: &Json<'_>) -> Option<&'static str> {
    match (fields.text("language"), system) {
        (Some("javascript"), System::Android | System::Ios) => Some("react-native"),
        (Some("javascript"), System::Other) if is_react_native(run) => Some("react-native"),
        (Some("javascript"), System::Other) if framework(run) == Some("node") => None,
        (Some("javascript"), System::Other) => Some("browser"),
        (Some("java"), _) => Some("android"),
        (Some("native"), System::Android) => Some("ndk"),
        (Some("cocoa"), System::Android) => Some("ios"),
        _ => system.source_type(run),
    }
}
