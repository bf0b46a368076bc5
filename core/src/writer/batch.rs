//! The steps of one fold, decided before its transaction begins, so that a failed transaction is repeated unchanged.

use crate::id::EventId;
use crate::kind::Kind;
use crate::reason::Reason;
use crate::ring::reserve::Reserved;
use crate::ring::superblock::PendingWipe;
use crate::row::{Row, Run};
use crate::store::{FoldPosition, NewRow, Now, Result, Store};

/// One step of a fold.
pub(crate) enum Op {
    Run(Box<Run>),
    ClearScope,
    ClearCrumbs,
    Scope(String, Option<String>),
    Crumb(u64, String),
    /// The last value of a property of the user, as JSON; `None` removes it.
    Property(String, Option<String>),
    Intake(Option<Kind>),
    Lost(Reason, u64),
    Drop(Option<Kind>, Reason),
    Row {
        id: EventId,
        kind: Kind,
        /// The run that it belongs to, if it is not the present one.
        run: Option<Box<Run>>,
        wall_ms: i64,
        mono_ms: i64,
        targets: Vec<String>,
        json: String,
    },
    /// Adds a later report to the row of an event, if no destination has it yet.
    Amend {
        id: EventId,
        kind: Kind,
        report: String,
    },
}

impl Op {
    /// Estimate of the bytes it adds to the log.
    fn bytes(&self) -> usize {
        match self {
            Op::Row { json, .. } | Op::Crumb(_, json) | Op::Scope(_, Some(json)) => json.len(),
            Op::Amend { report, .. } => report.len(),
            _ => 64,
        }
    }
}

/// What a fold has stored.
pub(crate) struct Stored {
    /// The run of its last rows.
    pub(crate) run: i64,
    /// Number and run of each row, in the order of the steps.
    pub(crate) rows: Vec<(u64, i64)>,
    /// Rows to which a report was added.
    pub(crate) amended: Vec<Row>,
}

/// The steps of one fold, and its end position.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) ops: Vec<Op>,
    /// Position in the ring after the last record read.
    pub(crate) end: u64,
    pub(crate) folded: FoldPosition,
    /// Contains a row of lane 0 or 1.
    pub(crate) critical: bool,
    /// The wipe and the denied purposes (a bit each) as they were when the batch was begun: read once, since the
    /// superblock is protected by the append lock.
    pub(crate) wipe: Option<PendingWipe>,
    pub(crate) denied: u8,
    /// The batch ends where a wipe must be done before the next record is read.
    pub(crate) wipe_next: bool,
    /// The crash in the reserve, until its position among the records is reached.
    pub(crate) crash: Option<Reserved>,
    /// Bytes of rows, to limit the size of the transaction.
    pub(crate) bytes: usize,
}

impl Batch {
    /// Adds a change of the scope. Rows carry the scope of their moment, so only the last value of a part is stored: one
    /// among the last steps is replaced.
    pub(crate) fn set_scope(&mut self, key: &str, json: Option<String>) {
        const STEPS: usize = 32;
        for op in self.ops.iter_mut().rev().take(STEPS) {
            match op {
                Op::Scope(known, before) if known == key => return *before = json,
                Op::ClearScope => break,
                _ => {}
            }
        }
        self.ops.push(Op::Scope(key.to_owned(), json));
    }

    /// Estimate of the bytes that the steps from this one on add to the log.
    pub(crate) fn bytes_since(&self, step: usize) -> usize {
        self.ops.get(step..).map_or(0, |ops| ops.iter().map(Op::bytes).sum())
    }

    /// Adds an accepted event that is not stored.
    pub(crate) fn refuse(&mut self, kind: Option<Kind>, reason: Reason) {
        self.ops.push(Op::Intake(kind));
        self.ops.push(Op::Drop(kind, reason));
    }

    /// Turns the rows of lanes 2 and 3 into losses counted as `disk_full`. Returns whether there were any.
    pub(crate) fn give_up_less_important(&mut self) -> bool {
        let mut any = false;
        for op in &mut self.ops {
            if let Op::Row { kind, .. } = op
                && kind.lane() as u8 >= 2
            {
                *op = Op::Drop(Some(*kind), Reason::DiskFull);
                any = true;
            }
        }
        any
    }

    /// Number of rows to store.
    pub(crate) fn row_count(&self) -> u32 {
        let rows = self.ops.iter().filter(|op| matches!(op, Op::Row { .. })).count();
        u32::try_from(rows).unwrap_or(u32::MAX)
    }

    /// Number of rows per lane.
    pub(crate) fn rows(&self) -> [u64; 4] {
        let mut rows = [0; 4];
        for op in &self.ops {
            if let Op::Row { kind, .. } = op
                && let Some(lane) = rows.get_mut(kind.lane() as usize)
            {
                *lane += 1;
            }
        }
        rows
    }

    /// The rows that were stored, as a debug screen shows them.
    pub(crate) fn stored_rows<'a>(&'a self, stored: &'a Stored) -> impl Iterator<Item = Row> + 'a {
        let rows = self.ops.iter().filter_map(|op| match op {
            Op::Row { id, kind, wall_ms, mono_ms, targets, json, .. } => {
                Some((*id, *kind, *wall_ms, *mono_ms, targets, json))
            }
            _ => None,
        });
        rows.zip(&stored.rows).map(|((id, kind, wall_ms, mono_ms, targets, json), (seq, run))| Row {
            seq: *seq,
            id,
            kind,
            run: *run,
            wall_ms,
            mono_ms,
            targets: targets.clone(),
            json: json.clone(),
        })
    }

    /// Runs all steps in one transaction. `run` is the run of rows before the first [`Op::Run`].
    pub(crate) fn commit(
        &self,
        store: &mut Store,
        mut run: i64,
        boot: &str,
        gate: &[(Reason, Option<Kind>, u64)],
        now: Now,
    ) -> Result<Stored> {
        let mut fold = store.begin(self.critical, now)?;
        let mut rows = Vec::new();
        let mut amended = Vec::new();
        for op in &self.ops {
            match op {
                Op::Run(new) => run = fold.run(new)?,
                Op::ClearScope => fold.clear_scope()?,
                Op::ClearCrumbs => fold.clear_crumbs()?,
                Op::Scope(key, json) => fold.scope(key, json.as_deref())?,
                Op::Crumb(number, json) => fold.crumb(*number, run, json)?,
                Op::Property(name, json) => fold.property(name, json.as_deref())?,
                Op::Intake(kind) => fold.intake(*kind, 1)?,
                Op::Lost(reason, n) => {
                    fold.intake(None, *n)?;
                    fold.drop(None, *reason, *n)?;
                }
                Op::Drop(kind, reason) => fold.drop(*kind, *reason, 1)?,
                Op::Amend { id, kind, report } => amended.extend(fold.amend(*id, *kind, report)?),
                Op::Row { id, kind, run: of, wall_ms, mono_ms, targets, json } => {
                    let run = of.as_ref().map_or(Ok(run), |of| fold.earlier_run(of))?;
                    let seq = fold.insert(&NewRow {
                        id: *id,
                        kind: *kind,
                        run,
                        wall_ms: *wall_ms,
                        mono_ms: *mono_ms,
                        targets,
                        json,
                        late: false,
                    })?;
                    rows.push((seq, run));
                }
            }
        }
        fold.gate(gate)?;
        fold.set_position(self.folded, boot, now.wall_ms.saturating_sub(now.mono_ms))?;
        crate::sys::fault::point("fold_commit");
        fold.commit()?;
        crate::sys::fault::point("fold_committed");
        Ok(Stored { run, rows, amended })
    }
}
