//! The fields of a row.

use super::name;
use crate::destination::Batch;
use crate::json::split::{self, member, members};
use crate::row::{Row, Run};
use std::borrow::Cow;
use std::cell::OnceCell;

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
        let field = |name: &str| self.trace_member(name).map(split::text);
        let trace = self.get("trace").and_then(|_| field("trace_id")).unwrap_or_else(|| self.id().to_owned());
        let span = field("span_id").unwrap_or_else(|| self.own_span().to_owned());
        (trace, span, field("parent"))
    }

    /// A member of the row's trace, as JSON.
    pub(super) fn trace_member(&self, name: &str) -> Option<&'a str> {
        member(self.get("trace")?, name)
    }

    /// The screen, as JSON.
    pub(super) fn screen(&self) -> Option<&'a str> {
        member(self.get("view")?, "name").filter(|name| *name != "\"\"")
    }

    /// The user id, the anonymous id, or the id of the installation: the first one that exists.
    pub(super) fn distinct_id(&self) -> String {
        let user = self.get("user").unwrap_or_default();
        let given = |name: &str| member(user, name).map(split::text);
        let given = ["id", "anonymous"].into_iter().filter_map(given).find(|id| !id.is_empty());
        given.unwrap_or_else(|| self.install.to_owned())
    }

    /// The platform by whose rules Sentry interprets stack frames.
    pub(super) fn platform(&self) -> &'static str {
        match self.get("language") {
            Some("\"javascript\"") => {
                let node = self.run.facts.framework.as_ref().is_some_and(|framework| framework.name == "node");
                return if node { "node" } else { "javascript" };
            }
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
