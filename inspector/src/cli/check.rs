//! `rezq check`: events against a tracking plan.

use super::args::{SourceArg, done};
use super::line;
use crate::plan::{self, Check, Finding, Plan};
use crate::source::{Ask, Query};
use crate::terminal::{CliError, Exit, Output, count, unreadable};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    /// The tracking plan; `rezq plan init` drafts one
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    #[command(flatten)]
    which: Which,
    /// Print one JSON object per line: each `finding`, then the `check`
    #[arg(long)]
    json: bool,
}

/// Which events a plan is checked with, or drafted from.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Only what was stored after the latest mark
    #[arg(long)]
    since_mark: bool,
    /// Only the session with this id
    #[arg(long, value_name = "ID")]
    session: Option<String>,
}

impl Which {
    pub(super) fn query(&self) -> Query {
        let filter = self.session.iter().map(|session| ("session", session.clone())).collect();
        Query { filter, since_mark: self.since_mark, ..Query::default() }
    }

    /// Why there is no event: a session that does not exist is more often a wrong id than an empty session.
    pub(super) fn none(&self) -> CliError {
        match &self.session {
            Some(session) => CliError::finding(
                format!("no event of session `{session}` is stored"),
                "`rezq list SOURCE --json` shows the sessions",
            ),
            None => CliError::finding("no event is stored", "record a session, then repeat the command"),
        }
    }
}

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let plan = read(&args.plan)?;
    let source = args.source.open()?;
    let check = plan::check(Ask(&*source), &args.which.query(), &plan)?;
    if check.events == 0 && args.which.session.is_some() {
        return Err(args.which.none());
    }
    for finding in &check.findings {
        output.line(&if args.json { line("finding", finding, &[]) } else { text(finding) });
    }
    let Check { events, planned, findings, .. } = &check;
    let found = findings.len() as u64;
    output.line(&if args.json {
        let check = json!({"plan": args.plan, "events": events, "planned": planned, "findings": found});
        line("check", &check, &[])
    } else {
        summary(&check)
    });
    Ok(match done(&*source) {
        Exit::Done if check.unreadable > 0 => Exit::Damaged,
        Exit::Done if found > 0 => Exit::Finding,
        exit => exit,
    })
}

/// Reads a plan from its file.
pub(super) fn read(file: &Path) -> Result<Plan, CliError> {
    let shown = file.display();
    let bytes = std::fs::read(file).map_err(|error| {
        CliError::open(format!("cannot read {shown}: {error}"), "`rezq plan init SOURCE` drafts a plan")
    })?;
    let text = String::from_utf8(bytes).map_err(|_| CliError::usage(format!("{shown} is no text in UTF-8"), ""))?;
    let wrong = |error| CliError::usage(format!("{shown}: {error}"), "docs/guide/tracking-plan.md describes a plan");
    // Editors of Windows put a byte order mark in front.
    Plan::parse(text.trim_start_matches('\u{feff}')).map_err(wrong)
}

/// One line about a finding.
pub(super) fn text(finding: &Finding) -> String {
    let place = match (&finding.id, &finding.session) {
        (Some(id), _) => format!("{id}  "),
        (None, Some(session)) => format!("session {session}  "),
        (None, None) => String::new(),
    };
    format!("✗ {place}{}", finding.text()).replace(['\n', '\r'], " ")
}

fn summary(check: &Check) -> String {
    let Check { events, planned, findings, unreadable: damaged, .. } = check;
    let found = match findings.len() as u64 {
        0 => "✓ no finding".to_owned(),
        1 => "✗ 1 finding".to_owned(),
        n => format!("✗ {} findings", count(n)),
    };
    let is = if *planned == 1 { "is" } else { "are" };
    let checked = format!("{found}: {} of {} events {is} in the plan", count(*planned), count(*events));
    if *damaged > 0 { format!("{checked}; {}", unreadable(*damaged)) } else { checked }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_whatever_the_event_has() {
        let finding = Finding {
            rule: "unknown",
            id: Some("x".to_owned()),
            name: "analytics a\nb".to_owned(),
            path: Some("attrs.c".to_owned()),
            expected: "type \"number\"".to_owned(),
            found: "7\r".to_owned(),
            nearest: Some("ab".to_owned()),
            ..Finding::default()
        };
        assert_eq!(
            text(&finding),
            "✗ x  analytics a b  attrs.c: expected type \"number\", found 7 ; did you mean `ab`?"
        );
    }
}
