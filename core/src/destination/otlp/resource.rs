//! The structure of every request: rows grouped by run, each run as a resource.

use super::attributes::Attributes;
use super::device;
use super::names::resource as names;
use super::wire::{Tag, Wire};
use crate::destination::Batch;
use crate::row::{Row, Run};

/// The outer fields of a request of one signal.
pub(super) struct Frame {
    /// `resourceLogs`, `resourceSpans` or `resourceMetrics`.
    pub(super) resources: Tag,
    /// `scopeLogs`, `scopeSpans` or `scopeMetrics`.
    pub(super) scopes: Tag,
}

/// The rows grouped by run, in the order of the first row of each run.
pub(super) fn by_run<'a>(rows: &'a [Row]) -> Vec<(i64, Vec<&'a Row>)> {
    let mut groups: Vec<(i64, Vec<&'a Row>)> = Vec::new();
    for row in rows {
        match groups.iter_mut().find(|(run, _)| *run == row.run) {
            Some((_, group)) => group.push(row),
            None => groups.push((row.run, vec![row])),
        }
    }
    groups
}

/// A resource with the records that `records` writes.
pub(super) fn resource<W: Wire>(w: &mut W, frame: &Frame, batch: &Batch<'_>, run: i64, records: impl FnOnce(&mut W)) {
    w.item(frame.resources, |w| {
        w.message(Tag(1, "resource"), |w| {
            Attributes::list(w, Tag(1, "attributes"), |a| {
                let run = batch.runs.iter().find(|known| known.number == run);
                if let Some(run) = run {
                    describe(a, run);
                }
                a.text(names::INSTALLATION, Some(batch.install).filter(|id| !id.is_empty()));
                a.text(names::SDK_NAME, Some("rez-monitor"));
                let framework = run.and_then(|run| run.facts.framework.as_ref());
                a.text(names::SDK_LANGUAGE, Some(super::device::sdk_language(framework)));
                a.text(names::SDK_VERSION, Some(env!("CARGO_PKG_VERSION")));
            });
        });
        w.list(frame.scopes, |w| {
            w.item(frame.scopes, |w| {
                w.message(Tag(1, "scope"), |w| {
                    w.text(Tag(1, "name"), "rez-monitor");
                    w.text(Tag(2, "version"), env!("CARGO_PKG_VERSION"));
                });
                records(w);
            });
        });
    });
}

/// The parts of a release: `shop@1.4.0+77` is version `1.4.0+77` of `shop`. A release without a name is a version.
fn name_and_version(release: &str) -> (Option<&str>, &str) {
    match release.rsplit_once('@') {
        Some((name, version)) if !version.is_empty() => (Some(name).filter(|name| !name.is_empty()), version),
        _ => (None, release),
    }
}

fn describe<W: Wire>(a: &mut Attributes<'_, W>, run: &Run) {
    let (name, version) = name_and_version(&run.release);
    a.text(names::SERVICE_NAME, Some(run.app.as_str()).filter(|app| !app.is_empty()).or(name));
    a.text(names::SERVICE_VERSION, Some(version));
    a.text(names::SERVICE_INSTANCE, Some(&run.id));
    a.text(names::ENVIRONMENT, run.environment.as_deref());
    device::describe(a, run);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_release_is_what_follows_the_name() {
        for (release, name, version) in [
            ("shop@1.4.0+77", Some("shop"), "1.4.0+77"),
            ("@scope/shop@1.4.0", Some("@scope/shop"), "1.4.0"),
            ("1.4.0+77", None, "1.4.0+77"),
            ("@1.4.0", None, "1.4.0"),
            ("shop@", None, "shop@"),
            ("", None, ""),
        ] {
            assert_eq!(name_and_version(release), (name, version), "{release}");
        }
    }
}
