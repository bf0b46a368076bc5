//! The members that events, transactions and feedback share: release, user, tags and contexts.

use super::fields::Fields;
use super::{device, name};
use crate::json::split::{self, member, members};
use crate::json::{Escaped, Object};
use crate::support_code::support_code;

/// The tag with the support code of the session.
const SUPPORT_CODE: &str = "support_code";

/// Contexts of the app that are sent as debug ids of files and images instead.
const DEBUG_IDS: &str = "debug_ids";
const DEBUG_IMAGES: &str = "debug_images";

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
        sdk.text("name", device::sdk(run));
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
        device::contexts(all, fields, free);
        rez(all, fields);
    });
    out.json_if_some("extra", fields.get("attrs"));
    debug_meta(out, given, fields.get(DEBUG_IMAGES).unwrap_or_default());
}

/// The context `rez`: session, run, installation and row number.
fn rez(out: &mut Object<'_>, fields: &Fields<'_>) {
    out.object("rez", |rez| {
        rez.json_if_some("session", fields.get("session"));
        rez.text("run", &fields.run.id);
        rez.text("install", fields.install);
        rez.number("seq", fields.row.seq);
        for name in ["collapsed_before", "cut", "since_start_ms", "since_screen_ms", "reports"] {
            rez.json_if_some(name, fields.get(name));
        }
        device::rest(rez, fields);
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
    let given = fields.get("tags");
    let session = fields.get("session").map(split::text);
    let code = session.as_deref().and_then(support_code);
    if given.is_none() && code.is_none() {
        return;
    }
    let given = given.unwrap_or_default();
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
        // Sentry searches tags, and not the context that has the session.
        if let Some(code) = code.filter(|_| !seen.iter().any(|name| name == SUPPORT_CODE)) {
            tags.text(SUPPORT_CODE, code);
        }
    });
}

/// Debug ids of source maps, by file name, and of native images, with their address: those that the app set, and `own` of a native
/// crash.
fn debug_meta(out: &mut Object<'_>, contexts: &str, own: &str) {
    let of = |name: &str| member(contexts, name).unwrap_or_default();
    let (files, images) = (of(DEBUG_IDS), of(DEBUG_IMAGES));
    if files.is_empty() && images.is_empty() && own.is_empty() {
        return;
    }
    let files = members(files).map(|(file, id)| (file, id, true));
    let given = members(images).filter(|(file, _)| !members(own).any(|(name, _)| name == *file));
    let images = members(own).chain(given).map(|(file, image)| (file, image, false));
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
