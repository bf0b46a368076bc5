//! `rezq drops`: the events that were lost, and why.

use super::args::{Common, done};
use super::line;
use crate::render;
use crate::source::Ask;
use crate::terminal::{CliError, Exit, Output};
use serde_json::Value;

pub(super) fn run(args: &Common, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    let (drops, answer) = Ask(&*source).drops()?;
    let refused = answer.get("refused").cloned().unwrap_or_default();
    if source.is_damaged() {
        return Err(CliError::finding(
            "what a damaged queue has lost is not known",
            "`rezq salvage` counts the rows that are missing",
        ));
    }
    if args.json {
        for drop in answer.get("drops").and_then(Value::as_array).into_iter().flatten() {
            output.line(&line("drop", drop, &[]));
        }
        output.line(&line("refused", &serde_json::json!({"reasons": refused}), &[]));
    } else {
        output.line(&render::drops(&drops, &refused));
    }
    Ok(done(&*source))
}
