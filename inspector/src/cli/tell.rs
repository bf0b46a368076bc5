//! The commands that change something: `send-now`, `mark`, `fault`, `requeue`, `drop`.
//!
//! The running app does the work. A queue whose app is not running is changed by nobody: its next start would not know why.

use super::args::{Common, event_id};
use super::line;
use crate::source::{Ask, Inspect, SourceError};
use crate::terminal::{CliError, Exit, Output};
use serde_json::{Value, json};

/// Events in one request; see `docs/guide/inspect.md`.
const IDS: usize = 100;

#[derive(Debug, clap::Args)]
pub(super) struct MarkArgs {
    #[command(flatten)]
    common: Common,
    /// Name of the moment, such as 'tapped Pay'
    #[arg(value_name = "TEXT")]
    text: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct FaultArgs {
    #[command(flatten)]
    common: Common,
    /// offline: nothing is sent; refuse: every request is answered with 503; slow: every request starts 5 s late; none
    #[arg(value_name = "FAULT", value_parser = ["none", "offline", "refuse", "slow"])]
    fault: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct EventsArgs {
    #[command(flatten)]
    common: Common,
    /// Ids or sequence numbers
    #[arg(value_name = "EVENT", required = true)]
    events: Vec<String>,
    /// Confirm that the queue is to be changed
    #[arg(long)]
    write: bool,
}

/// Sends what waits, and says what is left and why.
pub(super) fn send_now(args: &Common, output: &mut Output) -> Result<Exit, CliError> {
    let answer = tell(args, &json!({"tell": "send_now"}))?;
    let destinations = answer.get("destinations").and_then(Value::as_array).cloned().unwrap_or_default();
    for destination in &destinations {
        let text = destination.get("text").and_then(Value::as_str).unwrap_or_default();
        output.line(&if args.json { line("destination", destination, &[]) } else { text.to_owned() });
    }
    if destinations.is_empty() && !args.json {
        output.line("the app has no destination");
    }
    let left = destinations.iter().any(|one| one.get("left").and_then(Value::as_u64) != Some(0));
    Ok(if left { Exit::Finding } else { Exit::Done })
}

/// Names a moment.
pub(super) fn mark(args: &MarkArgs, output: &mut Output) -> Result<Exit, CliError> {
    let answer = tell(&args.common, &json!({"tell": "mark", "text": args.text}))?;
    let id = answer.get("id").and_then(Value::as_str).unwrap_or_default();
    output.line(&if args.common.json { line("mark", &answer, &[]) } else { format!("marked `{}` [{id}]", args.text) });
    Ok(Exit::Done)
}

/// Lets requests fail, or no longer.
pub(super) fn fault(args: &FaultArgs, output: &mut Output) -> Result<Exit, CliError> {
    let answer = tell(&args.common, &json!({"tell": "fault", "fault": args.fault}))?;
    output.line(&if args.common.json { line("fault", &answer, &[]) } else { format!("fault `{}`", args.fault) });
    Ok(Exit::Done)
}

/// Queues dead letters again.
pub(super) fn requeue(args: &EventsArgs, output: &mut Output) -> Result<Exit, CliError> {
    each(args, output, "requeue", "requeued", "queued again")
}

/// Deletes events and counts them as `cleared_by_user`.
pub(super) fn drop(args: &EventsArgs, output: &mut Output) -> Result<Exit, CliError> {
    each(args, output, "drop", "dropped", "dropped")
}

fn each(args: &EventsArgs, output: &mut Output, tell: &str, member: &str, done: &str) -> Result<Exit, CliError> {
    if !args.write {
        return Err(CliError::usage(format!("`rezq {tell}` changes the queue"), "pass --write to confirm"));
    }
    let source = args.common.source.open()?;
    let ask = Ask(&*source);
    let ids: Vec<String> = args.events.iter().map(|event| event_id(ask, event)).collect::<Result<_, _>>()?;
    let mut changed = 0;
    for ids in ids.chunks(IDS) {
        let answer = order(&*source, &json!({"tell": tell, "ids": ids}))?;
        changed += answer.get(member).and_then(Value::as_u64).unwrap_or_default();
    }
    let all = ids.len() as u64;
    output.line(&match args.common.json {
        true => line(tell, &json!({"events": all, "changed": changed}), &[]),
        false => format!("{changed} of {all} {done}"),
    });
    Ok(if changed == all { Exit::Done } else { Exit::Finding })
}

fn tell(args: &Common, request: &Value) -> Result<Value, CliError> {
    order(&*args.source.open()?, request)
}

/// Has the source do it, or the app that uses the file.
fn order(source: &dyn Inspect, request: &Value) -> Result<Value, CliError> {
    match Ask(source).raw(request) {
        Err(refused @ SourceError::Refused(_)) => match source.app() {
            Some(app) => Ok(Ask(&app).raw(request)?),
            None if can(source, request)? => Err(refused.into()),
            // Exit code 3.
            None => Err(CliError::open(
                refused,
                "open the debug endpoint of the app, or pass its address; `rezq serve` of a folder is no app",
            )),
        },
        answer => Ok(answer?),
    }
}

/// Whether the source does what the request tells. A file does nothing.
fn can(source: &dyn Inspect, request: &Value) -> Result<bool, CliError> {
    let about = Ask(source).raw(&json!({"ask": "about"}))?;
    let all = about.get("can").and_then(Value::as_array).into_iter().flatten();
    Ok(request.get("tell").is_some_and(|tell| all.into_iter().any(|one| one == tell)))
}
