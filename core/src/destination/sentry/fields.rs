//! The fields of a row, and what all payloads share.

use super::name;
use crate::destination::Batch;
use crate::json::split::{self, members};
use crate::json::{Escaped, Object};
use crate::row::{Row, Run};
use std::borrow::Cow;
use std::cell::OnceCell;

/// Contexts of the app that are sent as debug ids of files and images instead.
const DEBUG_IDS: &str = "debug_ids";
const DEBUG_IMAGES: &str = "debug_images";

/// The fields of a row, as JSON.
pub(super) struct Fields<'a> {
    pub(super) row: &'a Row,
    pub(super) run: &'a Run,
    pub(super) install: &'a str,
    members: Vec<(&'a str, &'a str)>,
    trail: Vec<&'a str>,
    frames: Vec<&'a str>,
    simple: OnceCell<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(batch: &Batch<'a>, row: &'a Row, unknown: &'a Run) -> Fields<'a> {
        let run = batch.runs.iter().find(|run| run.number == row.run).unwrap_or(unknown);
        let (members, [trail, frames]) = split::members_and_lists(&row.json, ["trail", "frames"]);
        Fields { row, run, install: batch.install, members, trail, frames, simple: OnceCell::new() }
    }

    /// The breadcrumbs, oldest first.
    pub(super) fn trail(&self) -> &[&'a str] {
        &self.trail
    }

    /// The stack frames, outermost first.
    pub(super) fn frames(&self) -> &[&'a str] {
        &self.frames
    }

    /// A field as JSON; `None` for `null`.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.members.iter().find(|(key, _)| *key == name)?;
        (found.1 != "null").then_some(found.1)
    }

    /// A string field, unescaped; empty if it is missing.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).map(split::text).unwrap_or_default()
    }

    /// An integer field.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The id of the event, without dashes.
    pub(super) fn id(&self) -> &str {
        self.simple.get_or_init(|| self.row.id.simple())
    }

    /// A span id derived from the event: the random half of its id.
    pub(super) fn own_span(&self) -> &str {
        self.id().get(16..).unwrap_or_default()
    }

    /// Trace, span and parent of the row, or ids derived from the event's id.
    pub(super) fn trace(&self) -> (String, String, Option<String>) {
        let field =
            |name: &str| members(self.get("trace")?).find(|(key, _)| *key == name).map(|(_, id)| split::text(id));
        let trace = self.get("trace").and_then(|_| field("trace_id")).unwrap_or_else(|| self.id().to_owned());
        let span = field("span_id").unwrap_or_else(|| self.own_span().to_owned());
        (trace, span, field("parent"))
    }

    /// A member of the row's trace, as JSON.
    pub(super) fn trace_member(&self, name: &str) -> Option<&'a str> {
        members(self.get("trace")?).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The screen, as JSON.
    pub(super) fn screen(&self) -> Option<&'a str> {
        members(self.get("view")?).find(|(key, _)| *key == "name").map(|(_, name)| name).filter(|name| *name != "\"\"")
    }

    /// The user id, the anonymous id, or the id of the installation: the first one that exists.
    pub(super) fn distinct_id(&self) -> String {
        let user = self.get("user").unwrap_or_default();
        let given = |name: &str| members(user).find(|(key, _)| *key == name).map(|(_, id)| split::text(id));
        let given = ["id", "anonymous"].into_iter().filter_map(given).find(|id| !id.is_empty());
        given.unwrap_or_else(|| self.install.to_owned())
    }

    /// The platform by whose rules Sentry interprets stack frames.
    pub(super) fn platform(&self) -> &'static str {
        match self.get("language") {
            Some("\"javascript\"") => return "javascript",
            Some("\"java\"") => return "java",
            Some("\"native\"") => return "native",
            Some("\"cocoa\"") => return "cocoa",
            _ => {}
        }
        let is_script = |file: &str| {
            let name = file.trim_matches('"');
            [".js", ".jsx", ".ts", ".tsx", ".mjs", ".bundle", ".jsbundle", ".hbc"].iter().any(|end| name.ends_with(end))
        };
        let mut script = false;
        for (key, value) in self.frames.iter().flat_map(|frame| members(frame)) {
            match key {
                "address" => return "native",
                "file" => script |= is_script(value),
                _ => {}
            }
        }
        if script {
            return "javascript";
        }
        let os = self.run.os.to_ascii_lowercase();
        match os.split([' ', '/']).next().unwrap_or_default() {
            "android" => "java",
            "ios" | "ipados" | "macos" | "tvos" | "watchos" | "visionos" => "cocoa",
            _ => "native",
        }
    }

    /// The release of the run under a name that Sentry accepts.
    pub(super) fn release(&self) -> Option<Cow<'a, str>> {
        name::release(&self.run.release)
    }

    /// The environment of the run under a name that Sentry accepts.
    pub(super) fn environment(&self) -> Option<Cow<'a, str>> {
        name::environment(self.run.environment.as_deref()?)
    }
}

/// What events, transactions and feedback share. `contexts` writes the contexts of the payload itself, whose names are
/// `own`.
pub(super) fn common(out: &mut Object<'_>, fields: &Fields<'_>, own: &[&str], contexts: impl FnOnce(&mut Object<'_>)) {
    let run = fields.run;
    out.text("platform", fields.platform());
    if let Some(release) = fields.release() {
        out.text("release", &release);
    }
    if let Some(dist) = name::dist(run) {
        out.text("dist", &dist);
    }
    if let Some(environment) = fields.environment() {
        out.text("environment", &environment);
    }
    out.object("sdk", |sdk| {
        sdk.text("name", super::SDK);
        sdk.text("version", env!("CARGO_PKG_VERSION"));
    });
    user(out, fields);
    tags(out, fields);
    let given = fields.get("contexts").unwrap_or_default();
    out.object("contexts", |all| {
        contexts(all);
        let taken = |name: &str| own.contains(&name) || matches!(name, "trace" | "rez" | DEBUG_IDS | DEBUG_IMAGES);
        for (name, context) in members(given).filter(|(name, context)| !taken(name) && context.starts_with('{')) {
            all.json(Escaped(name), context);
        }
        let free = |name: &str| !own.contains(&name) && !members(given).any(|(key, _)| key == name);
        super::device::contexts(all, fields, free);
        rez(all, fields);
    });
    out.json_if_some("extra", fields.get("attrs"));
    debug_meta(out, given);
}

/// The context `rez`: session, run, installation and row number.
fn rez(out: &mut Object<'_>, fields: &Fields<'_>) {
    out.object("rez", |rez| {
        rez.json_if_some("session", fields.get("session"));
        rez.text("run", &fields.run.id);
        rez.text("install", fields.install);
        rez.number("seq", fields.row.seq);
        for name in ["collapsed_before", "cut"] {
            rez.json_if_some(name, fields.get(name));
        }
        super::device::rest(rez, fields);
    });
}

fn user(out: &mut Object<'_>, fields: &Fields<'_>) {
    let given = fields.get("user").unwrap_or_default();
    let known = |name: &str| matches!(name, "id" | "email" | "username" | "name" | "ip_address" | "anonymous");
    out.object("user", |user| {
        if !members(given).any(|(name, id)| name == "id" && id != "null") {
            user.text("id", &fields.distinct_id());
        }
        for (name, value) in members(given).filter(|(name, _)| known(name) && *name != "anonymous") {
            user.json_if_some(Escaped(name), Some(value));
        }
        if members(given).any(|(name, _)| !known(name)) {
            user.object("data", |data| {
                members(given)
                    .filter(|(name, _)| !known(name))
                    .for_each(|(name, value)| data.json(Escaped(name), value));
            });
        }
    });
}

/// Tags. Sentry accepts letters, digits and `_.:-` in a name, others become `_`. Line breaks in values become blanks.
fn tags(out: &mut Object<'_>, fields: &Fields<'_>) {
    let Some(given) = fields.get("tags") else { return };
    let mut seen: Vec<String> = Vec::new();
    out.object("tags", |tags| {
        for (name, value) in members(given).filter(|(_, value)| value.starts_with('"') && *value != "\"\"") {
            let valid = |c: char| if c.is_ascii_alphanumeric() || "_.:-".contains(c) { c } else { '_' };
            let name: String = split::text(&format!("\"{name}\"")).chars().map(valid).collect();
            if name.is_empty() || seen.contains(&name) {
                continue;
            }
            if value.contains('\\') {
                tags.text(&name, &split::text(value).replace(['\n', '\r'], " "));
            } else {
                tags.json(&name, value);
            }
            seen.push(name);
        }
    });
}

/// Debug ids of source maps, by file name, and of native images, with their address.
fn debug_meta(out: &mut Object<'_>, contexts: &str) {
    let of = |name: &str| members(contexts).find(|(key, _)| *key == name).map_or("", |(_, value)| value);
    let (files, images) = (of(DEBUG_IDS), of(DEBUG_IMAGES));
    if files.is_empty() && images.is_empty() {
        return;
    }
    let files = members(files).map(|(file, id)| (file, id, true));
    let images = members(images).map(|(file, image)| (file, image, false));
    out.object("debug_meta", |meta| {
        meta.array("images", files.chain(images), |out, (file, value, script)| {
            Object::write(out, |image| {
                if script {
                    image.text("type", "sourcemap");
                    image.json("debug_id", value);
                } else {
                    members(value).for_each(|(name, value)| image.json(Escaped(name), value));
                }
                image.json("code_file", &format!("\"{file}\""));
            });
        });
    });
}
