//! `rezq doctor`: what is wrong with a queue or a running app, and what mends it.

use super::args::Common;
use super::line;
use crate::files::{self, Source};
use crate::source::{self, Ask};
use crate::terminal::{CliError, Exit, Output};
use rez_monitor::inspect::doctor::Diagnosis;
use serde_json::json;
use std::path::Path;

pub(super) fn run(args: &Common, output: &mut Output) -> Result<Exit, CliError> {
    let diagnosis = diagnosis(args)?;
    let damaged = diagnosis.is_damaged();
    let Diagnosis { findings, facts } = &diagnosis;
    for finding in findings {
        output.line(&if args.json {
            line("finding", finding, &[])
        } else {
            format!("✗ {}: {}\n  {}", finding.area, finding.text, finding.mend)
        });
    }
    for fact in facts {
        output.line(&if args.json { line("fact", fact, &[]) } else { format!("✓ {}: {}", fact.area, fact.text) });
    }
    if args.json {
        output.line(&line("doctor", &json!({"findings": findings.len(), "damaged": damaged}), &[]));
    }
    Ok(match (findings.is_empty(), damaged) {
        (_, true) => Exit::Damaged,
        (false, false) => Exit::Finding,
        (true, false) => Exit::Done,
    })
}

/// An app examines itself. What a person must know about the way to it goes to standard error.
fn diagnosis(args: &Common) -> Result<Diagnosis, CliError> {
    let argument = &args.source.source;
    if source::is_address(argument) {
        let source = source::open(argument)?;
        let found = Ask(&*source).doctor()?;
        source.notes().iter().for_each(|note| eprintln!("rezq: {note}"));
        return Ok(found);
    }
    let source = Source::open(Path::new(argument))?;
    Ok(files::doctor(&source, jiff::Timestamp::now().as_millisecond())?)
}
