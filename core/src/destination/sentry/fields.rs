//! A row as the encoders of this room see it, and what all of its payloads say.

use super::raw::{self, Object, members};
use crate::destination::Batch;
use crate::row::{Row, Run};
use std::cell::OnceCell;

/// Bytes of an environment's name at Sentry.
const ENVIRONMENT_BYTES: usize = 64;

/// Contexts of the app that are no contexts: names of files and images with their debug ids.
const DEBUG_IDS: &str = "debug_ids";
const DEBUG_IMAGES: &str = "debug_images";

/// A row taken apart.
pub(super) struct Fields<'a> {
    pub(super) row: &'a Row,
    pub(super) run: &'a Run,
    pub(super) install: &'a str,
    members: Vec<(&'a str, &'a str)>,
    trail: Vec<&'a str>,
    simple: OnceCell<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(batch: &Batch<'a>, row: &'a Row, unknown: &'a Run) -> Fields<'a> {
        let run = batch.runs.iter().find(|run| run.number == row.run).unwrap_or(unknown);
        let (members, trail) = raw::members_and_list(&row.json, "trail");
        Fields { row, run, install: batch.install, members, trail, simple: OnceCell::new() }
    }

    /// The breadcrumbs, oldest first.
    pub(super) fn trail(&self) -> &[&'a str] {
        &self.trail
    }

    /// A field as JSON; `null` counts as none.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.members.iter().find(|(key, _)| *key == name)?;
        (found.1 != "null").then_some(found.1)
    }

    /// A text field.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).map(raw::text).unwrap_or_default()
    }

    /// A whole number.
    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// The event's id as Sentry spells it.
    pub(super) fn id(&self) -> &str {
        self.simple.get_or_init(|| self.row.id.simple())
    }

    /// An id of a span that is this event itself: the random half of its id.
    pub(super) fn own_span(&self) -> &str {
        self.id().get(16..).unwrap_or_default()
    }

    /// Trace, span and parent: the row's, else made of its id.
    pub(super) fn trace(&self) -> (String, String, Option<String>) {
        let field = |name: &str| members(self.get("trace")?).find(|(key, _)| *key == name).map(|(_, id)| raw::text(id));
        let trace = self.get("trace").and_then(|_| field("trace_id")).unwrap_or_else(|| self.id().to_owned());
        let span = field("span_id").unwrap_or_else(|| self.own_span().to_owned());
        (trace, span, field("parent"))
    }

    /// The screen, as JSON.
    pub(super) fn screen(&self) -> Option<&'a str> {
        members(self.get("view")?).find(|(key, _)| *key == "name").map(|(_, name)| name).filter(|name| *name != "\"\"")
    }

    /// Who: the user's id, else the one the device gave somebody not named, else the installation's.
    pub(super) fn distinct_id(&self) -> String {
        let user = self.get("user").unwrap_or_default();
        let given = |name: &str| members(user).find(|(key, _)| *key == name).map(|(_, id)| raw::text(id));
        let given = ["id", "anonymous"].into_iter().filter_map(given).find(|id| !id.is_empty());
        given.unwrap_or_else(|| self.install.to_owned())
    }

    /// The language or system whose rules Sentry reads frames by.
    pub(super) fn platform(&self) -> &'static str {
        let frames = self.get("frames").unwrap_or_default();
        let mut files = raw::elements(frames).flat_map(members).filter(|(key, _)| *key == "file");
        let script = |(_, file): (&str, &str)| {
            let name = file.trim_matches('"');
            [".js", ".jsx", ".ts", ".tsx", ".mjs", ".bundle", ".jsbundle", ".hbc"].iter().any(|end| name.ends_with(end))
        };
        if frames.contains("\"address\":") {
            return "native";
        }
        if files.any(script) {
            return "javascript";
        }
        let os = self.run.os.to_ascii_lowercase();
        match os.split([' ', '/']).next().unwrap_or_default() {
            "android" => "java",
            "ios" | "ipados" | "macos" | "tvos" | "watchos" | "visionos" => "cocoa",
            _ => "native",
        }
    }

    /// Environment, in a form Sentry takes: no blanks, no slashes, at most 64 bytes.
    pub(super) fn environment(&self) -> Option<String> {
        let given = self.run.environment.as_deref()?;
        let fine = |c: char| if c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\') { '-' } else { c };
        let name: String = given.chars().map(fine).collect();
        let cut = name.get(..name.floor_char_boundary(ENVIRONMENT_BYTES)).unwrap_or_default();
        (!cut.is_empty()).then(|| cut.to_owned())
    }
}

/// What event, transaction and feedback share. `contexts` writes the payload's own ones and names them.
pub(super) fn common(out: &mut Object<'_>, fields: &Fields<'_>, own: &[&str], contexts: impl FnOnce(&mut Object<'_>)) {
    let run = fields.run;
    out.text("platform", fields.platform());
    if !run.release.is_empty() {
        out.text("release", &run.release);
    }
    if let Some(dist) = &run.dist {
        out.text("dist", dist);
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
            all.raw(name, context);
        }
        let free = |name: &str| !own.contains(&name) && !members(given).any(|(key, _)| key == name);
        if free("os") && !run.os.is_empty() {
            let (name, version) = run.os.split_once(' ').unwrap_or((&run.os, ""));
            all.object("os", |os| {
                os.text("name", name);
                if !version.is_empty() {
                    os.text("version", version);
                }
            });
        }
        if free("device")
            && let Some(model) = &run.device
        {
            all.object("device", |device| device.text("model", model));
        }
        if free("app") && !run.app.is_empty() {
            all.object("app", |app| {
                app.text("app_name", &run.app);
                app.time("app_start_time", run.wall_ms);
            });
        }
        rez(all, fields);
    });
    out.maybe("extra", fields.get("attrs"));
    debug_meta(out, given);
}

/// What only we know of a row, under a name of our own.
fn rez(out: &mut Object<'_>, fields: &Fields<'_>) {
    out.object("rez", |rez| {
        rez.maybe("session", fields.get("session"));
        rez.text("run", &fields.run.id);
        rez.text("install", fields.install);
        rez.number("seq", fields.row.seq);
        for name in ["collapsed_before", "cut"] {
            rez.maybe(name, fields.get(name));
        }
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
            user.maybe(name, Some(value));
        }
        if members(given).any(|(name, _)| !known(name)) {
            user.object("data", |data| {
                members(given).filter(|(name, _)| !known(name)).for_each(|(name, value)| data.raw(name, value));
            });
        }
    });
}

/// Tags under names Sentry takes: letters, digits and `_.:-`; what else stands in a name becomes `_`. No line breaks in values.
fn tags(out: &mut Object<'_>, fields: &Fields<'_>) {
    let Some(given) = fields.get("tags") else { return };
    let mut seen: Vec<String> = Vec::new();
    out.object("tags", |tags| {
        for (name, value) in members(given).filter(|(_, value)| value.starts_with('"') && *value != "\"\"") {
            let fine = |c: char| if c.is_ascii_alphanumeric() || "_.:-".contains(c) { c } else { '_' };
            let name: String = raw::text(&format!("\"{name}\"")).chars().map(fine).collect();
            if name.is_empty() || seen.contains(&name) {
                continue;
            }
            if value.contains('\\') {
                tags.text(&name, &raw::text(value).replace(['\n', '\r'], " "));
            } else {
                tags.raw(&name, value);
            }
            seen.push(name);
        }
    });
}

/// Debug ids: of source maps by file name, of native images with their address.
fn debug_meta(out: &mut Object<'_>, contexts: &str) {
    let of = |name: &str| members(contexts).find(|(key, _)| *key == name).map_or("", |(_, value)| value);
    let (files, images) = (of(DEBUG_IDS), of(DEBUG_IMAGES));
    if files.is_empty() && images.is_empty() {
        return;
    }
    let files = members(files).map(|(file, id)| (file, id, true));
    let images = members(images).map(|(file, image)| (file, image, false));
    out.object("debug_meta", |meta| {
        meta.array("images", |out| {
            raw::push_list(out, files.chain(images), |out, (file, value, script)| {
                Object::write(out, |image| {
                    if script {
                        image.raw("type", "\"sourcemap\"");
                        image.raw("debug_id", value);
                    } else {
                        members(value).for_each(|(name, value)| image.raw(name, value));
                    }
                    image.raw("code_file", &format!("\"{file}\""));
                });
            });
        });
    });
}
