//! `rezq show` and `rezq why`: everything about one event.

use super::args::{SourceArg, done, event_id};
use super::line;
use crate::render;
use crate::source::Ask;
use crate::terminal::{CliError, Exit, Output};
use serde_json::Value;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    /// Id, start of the id, or sequence number
    #[arg(value_name = "EVENT")]
    event: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn show(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    let ask = Ask(&*source);
    let (shown, answer) = ask.show(&event_id(ask, &args.event)?)?;
    output.line(&if args.json { line("shown", &answer, &[]) } else { render::event(&shown) });
    Ok(done(&*source))
}

/// Prints one sentence for each route.
pub(super) fn why(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let source = args.source.open()?;
    let ask = Ask(&*source);
    let id = event_id(ask, &args.event)?;
    let answer = ask.raw(&serde_json::json!({"ask": "why", "id": id}))?;
    let lines = answer.get("lines").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let text = || lines.collect::<Vec<_>>().join("\n");
    output.line(&if args.json { line("why", &answer, &[("id", id.into())]) } else { text() });
    let is_known = answer.get("known") != Some(&Value::Bool(false));
    Ok(if is_known { done(&*source) } else { Exit::Finding })
}
