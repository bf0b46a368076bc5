//! What the logger hears from the writer: losses, cut values, unknown targets, changed values, and what was never answered.

use super::Writer;
use super::batch::{Batch, Op};
use super::shared::{Role, Shared};
use crate::kind::{Kind, Purpose};
use crate::limits::UNANSWERED_AFTER;
use crate::logger::{Log, LogCode};
use crate::phrases::events;
use crate::reason::Reason;
use std::collections::{BTreeMap, BTreeSet};

/// What was reported in this run.
#[derive(Default)]
pub(super) struct Reported {
    /// The refusals at the gate that are reported: what earlier runs counted is not news.
    gate: BTreeMap<Reason, u64>,
    /// The bits of the purposes whose missing answer is reported.
    unanswered: u8,
    no_destination: bool,
    /// Destination of each changed value, and the change.
    notes: BTreeSet<(String, String)>,
}

impl Reported {
    pub(super) fn new(shared: &Shared) -> Reported {
        Reported { gate: refused(shared), ..Reported::default() }
    }

    /// Runs `restore`, which raises the counters of a new ring file to those of the database: that is not news either.
    pub(super) fn restoring(&mut self, shared: &Shared, restore: impl FnOnce()) {
        let before = refused(shared);
        restore();
        for (reason, n) in refused(shared) {
            let raised = n.saturating_sub(before.get(&reason).copied().unwrap_or(0));
            *self.gate.entry(reason).or_default() += raised;
        }
    }
}

/// Events refused on the calling threads, by reason.
fn refused(shared: &Shared) -> BTreeMap<Reason, u64> {
    let mut sums = BTreeMap::new();
    for (reason, _, n) in shared.ring.refusals() {
        *sums.entry(reason).or_default() += n;
    }
    sums
}

/// The code for a reason that a developer does not expect. The app asked for the others: consent, sampling, filters.
fn code(reason: Reason) -> Option<LogCode> {
    Some(match reason {
        Reason::RingFull => LogCode::RingFull,
        Reason::TooLarge => LogCode::TooLarge,
        Reason::Malformed => LogCode::Malformed,
        Reason::HookFailed => LogCode::HookFailed,
        Reason::Reentrant => LogCode::Reentrant,
        Reason::DiskFull => LogCode::DiskFull,
        _ => return None,
    })
}

/// Logs that the size cap cost rows.
pub(super) fn report_evicted(log: &Log, rows: usize) {
    if rows > 0 {
        let n = events(rows as u64);
        log.say(LogCode::Evicted, "", || format!("{n} were given up because the queue reached `cap_bytes`"));
    }
}

impl Writer {
    pub(super) fn log(&self) -> &Log {
        &self.shared.config.log
    }

    /// What was refused on the calling threads since the last look.
    pub(super) fn report_gate(&mut self) {
        if !self.log().is_on() {
            return;
        }
        let now = refused(&self.shared);
        let before = std::mem::replace(&mut self.reported.gate, now.clone());
        for (reason, n) in now {
            let more = n.saturating_sub(before.get(&reason).copied().unwrap_or(0));
            if let Some(code) = code(reason).filter(|_| more > 0) {
                self.log().say(code, reason.as_str(), || format!("{} refused at the call ({reason})", events(more)));
            }
        }
    }

    /// What a committed batch lost, cut, or cannot send.
    pub(super) fn report_batch(&mut self, batch: &Batch) {
        if !self.log().is_on() {
            return;
        }
        let mut dropped = BTreeMap::<(Reason, Option<Kind>), u64>::new();
        let mut cut = BTreeMap::<Kind, u64>::new();
        let mut targets = BTreeSet::<&str>::new();
        let mut kinds = BTreeSet::<Kind>::new();
        let mut new_run = false;
        for op in &batch.ops {
            match op {
                Op::Run(_) => new_run = true,
                Op::Drop(kind, reason) => *dropped.entry((*reason, *kind)).or_default() += 1,
                Op::Row { kind, json, targets: own, .. } => {
                    kinds.insert(*kind);
                    targets.extend(own.iter().map(String::as_str));
                    if let n @ 1.. = cut_values(json) {
                        *cut.entry(*kind).or_default() += n;
                    }
                }
                _ => {}
            }
        }
        for ((reason, kind), n) in dropped {
            if let Some(code) = code(reason) {
                let kind = kind.map_or("unknown", Kind::as_str);
                let text = || format!("{} of kind `{kind}` dropped ({reason})", events(n));
                self.log().say(code, reason.as_str(), text);
            }
        }
        for (kind, n) in cut {
            let values = if n == 1 { "value" } else { "values" };
            let were = if n == 1 { "was" } else { "were" };
            let text = || format!("{n} {values} of kind `{}` {were} cut or left out", kind.as_str());
            self.log().say(LogCode::ValueCut, kind.as_str(), text);
        }
        if new_run {
            self.report_notes();
        }
        self.report_targets(&targets);
        self.report_unanswered(&kinds);
    }

    fn report_targets(&self, targets: &BTreeSet<&str>) {
        if targets.is_empty() {
            return;
        }
        let declared = self.declared();
        for target in targets.iter().filter(|target| !declared.iter().any(|name| name == *target)) {
            // A name that no destination can have, or that the privacy rules change, is not repeated here.
            let is_name = crate::config::check_destination(target).is_ok()
                && crate::privacy::Rules::default().text(target) == **target;
            let name = if is_name { format!("`{target}`") } else { "a name that no destination can have".to_owned() };
            let text = || format!("events are meant for {name}, which is not a declared destination");
            self.log().say(LogCode::UnknownTarget, if is_name { target } else { "" }, text);
        }
    }

    /// Once per run and purpose: rows of these kinds wait for a decision that did not come within a minute.
    fn report_unanswered(&mut self, kinds: &BTreeSet<Kind>) {
        let since = self.shared.clock.mono_ms().saturating_sub(self.shared.opened_ms);
        if since < i64::try_from(UNANSWERED_AFTER.as_millis()).unwrap_or(i64::MAX)
            || !matches!(self.shared.role, Role::App)
        {
            return;
        }
        if !kinds.is_empty()
            && self.declared().is_empty()
            && !std::mem::replace(&mut self.reported.no_destination, true)
        {
            self.log().say(LogCode::NoDestination, "", || "events are stored, but no destination is declared".into());
        }
        let consent = self.shared.ring.consent();
        let answered = |purpose: &Purpose| consent.get(*purpose as usize).is_some_and(|state| *state >= 2);
        for kind in kinds {
            let Some(purpose) = kind.purposes().iter().find(|purpose| !answered(purpose)) else { continue };
            let waits = kind.purposes().iter().all(|purpose| consent.get(*purpose as usize) != Some(&2));
            if waits && self.reported.unanswered & purpose.bit() == 0 {
                self.reported.unanswered |= purpose.bit();
                let name = purpose.as_str();
                self.log().say(LogCode::ConsentPending, name, || format!("consent to {name} is still pending"));
            }
        }
    }

    /// Values of this run that a destination sends in another form, once each: what `status().notes` lists.
    pub(super) fn report_notes(&mut self) {
        // Before the first record of this run is folded, `run_row` is an earlier run.
        let run = self.run_row.as_ref().filter(|_| self.stamper.key == Some(self.shared.key));
        let Some(run) = run.filter(|_| self.log().is_on()) else { return };
        for note in self.shared.notes(run) {
            if self.reported.notes.insert((note.destination.clone(), note.what.clone())) {
                let subject = format!("{} {}", note.destination, note.field);
                self.log().say(LogCode::ValueChanged, &subject, || note.text());
            }
        }
    }

    /// The folder in use is not the configured one.
    pub(super) fn report_folder(&self) {
        let (used, wanted) = (&self.shared.folder, &self.shared.config.folder);
        if used != wanted && matches!(self.shared.role, Role::App) {
            let text = || format!("{} is used by another process; this one uses {}", wanted.display(), used.display());
            self.log().say(LogCode::FolderInUse, "", text);
        }
    }

    /// The names of the destinations that are declared now.
    fn declared(&self) -> Vec<String> {
        match self.shared.delivery.get() {
            Some(delivery) => delivery.directory().destinations().into_iter().map(|(name, _)| name).collect(),
            None => self.shared.config.destinations.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// The member `cut` of a row.
fn cut_values(json: &str) -> u64 {
    if !json.contains("\"cut\":") {
        return 0;
    }
    // A breadcrumb inside the row has the same member.
    let row: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    row.get("cut").and_then(serde_json::Value::as_u64).unwrap_or(0)
}
