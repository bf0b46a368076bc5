//! `rezq diff --by name`: how often each name comes on both sides.

use super::super::args::done;
use super::super::line;
use super::Args;
use crate::diff::{Named, arrived, during, names, open_collector};
use crate::render::one_line;
use crate::source::{Ask, Event, Query};
use crate::terminal::{CliError, Exit, Output, count, lines, table};
use serde_json::json;

pub(super) fn run(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    if args.route.is_some() {
        return Err(CliError::usage("--route is for --by id", "names are compared whatever their routes"));
    }
    let collector = open_collector(&args.server, args.key.as_deref())?;
    let source = args.source.open()?;
    let since_ms = args.since.map(|since| jiff::Timestamp::now().as_millisecond().saturating_sub(since));
    let here = ours(args, Ask(&*source), since_ms)?;
    let mut there = arrived(Ask(&*collector), args.protocol, since_ms)?;
    if let Some(session) = &args.session {
        if here.is_empty() {
            let hint = "`rezq list SOURCE --json` shows the sessions";
            return Err(CliError::finding(format!("no event of session `{session}` is stored"), hint));
        }
        there = during(&here, there);
    }
    let all = names(&here, &there);
    print(args, &all, output);
    Ok(match done(&*source) {
        Exit::Done if all.iter().any(|one| one.here != one.there) => Exit::Finding,
        exit => exit,
    })
}

/// The events of our own library: all of a queue, and at a collector those of our own protocol.
fn ours(args: &Args, ask: Ask<'_>, since_ms: Option<i64>) -> Result<Vec<Event>, CliError> {
    let mut filter = Vec::new();
    filter.extend(args.session.iter().map(|session| ("session", session.clone())));
    if ask.is_collector()? {
        filter.push(("where", "received.protocol = rez".to_owned()));
    }
    let mut events = Vec::new();
    ask.each(&Query { filter, since_ms, ..Query::default() }, |event| events.push(event))?;
    Ok(events)
}

fn print(args: &Args, all: &[Named], output: &mut Output) {
    let sum = |of: fn(&Named) -> u64| all.iter().map(of).fold(0, u64::saturating_add);
    let (here, there) = (sum(|one| one.here), sum(|one| one.there));
    let only_here = all.iter().filter(|one| one.there == 0).count() as u64;
    let only_there = all.iter().filter(|one| one.here == 0).count() as u64;
    let same = all.iter().filter(|one| one.here == one.there).count() as u64;
    if args.json {
        all.iter().for_each(|one| output.line(&line("name", one, &[])));
        let totals = json!({"names": all.len(), "same": same, "only_here": only_here, "only_there": only_there,
            "different": all.len() as u64 - same - only_here - only_there, "here": here, "there": there});
        return output.line(&line("diff", &totals, &[]));
    }
    let mut rows = table(&["", "kind", "name", "here", "there", ""], &[3, 4]);
    for Named { kind, name, here, there } in all {
        let (mark, told) = match (here, there) {
            (here, there) if here == there => ("✓", ""),
            (_, 0) => ("✗", "only here"),
            (0, _) => ("✗", "only there"),
            _ => ("✗", "another number"),
        };
        rows.add_row([mark.to_owned(), kind.clone(), one_line(name), count(*here), count(*there), told.to_owned()]);
    }
    if !all.is_empty() {
        output.line(lines(&rows).trim_end());
    }
    let by = args.protocol.unwrap_or("other libraries");
    output.line(&format!("\n{} events here, {} at the server by {by}", count(here), count(there)));
    let mark = if same == all.len() as u64 { "✓" } else { "✗" };
    output.line(&format!(
        "{mark} {} of {} names the same; {} only here, {} only there",
        count(same),
        count(all.len() as u64),
        count(only_here),
        count(only_there)
    ));
}
