//! The frame of every request: rows grouped by the run they were recorded in, each run a resource.

use super::attributes::Attributes;
use super::names::resource as names;
use super::wire::{Tag, Wire};
use crate::destination::Batch;
use crate::destination::text::split_os;
use crate::row::{Row, Run};

/// The members that frame the records of one signal.
pub(super) struct Frame {
    /// `resourceLogs` and its like.
    pub(super) resources: Tag,
    /// `scopeLogs` and its like.
    pub(super) scopes: Tag,
}

/// The rows by run, in the order in which the runs first come.
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

/// One resource with what `records` writes.
pub(super) fn resource<W: Wire>(w: &mut W, frame: &Frame, batch: &Batch<'_>, run: i64, records: impl FnOnce(&mut W)) {
    w.item(frame.resources, |w| {
        w.message(Tag(1, "resource"), |w| {
            Attributes::list(w, Tag(1, "attributes"), |a| {
                if let Some(run) = batch.runs.iter().find(|known| known.number == run) {
                    describe(a, run);
                }
                a.text(names::INSTALLATION, Some(batch.install).filter(|id| !id.is_empty()));
                a.text(names::SDK_NAME, Some("rez-monitor"));
                a.text(names::SDK_LANGUAGE, Some("rust"));
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

fn describe<W: Wire>(a: &mut Attributes<'_, W>, run: &Run) {
    a.text(names::SERVICE_NAME, Some(&run.app));
    a.text(names::SERVICE_VERSION, Some(&run.release));
    a.text(names::SERVICE_INSTANCE, Some(&run.id));
    a.text(names::ENVIRONMENT, run.environment.as_deref());
    let (name, version) = split_os(&run.os);
    a.text(names::OS_NAME, Some(name).filter(|name| !name.is_empty()));
    a.text(names::OS_VERSION, version);
    a.text(names::DEVICE_MODEL, run.device.as_deref());
    a.text(names::BUILD, run.dist.as_deref());
}
