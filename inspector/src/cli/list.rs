//! `rezq list` and `rezq dead`: events, newest last.

use super::args::{Common, FilterArgs, SourceArg, done};
use super::line;
use crate::source::{Ask, Event, Page, Query};
use crate::terminal::{CliError, Exit, Output, lines, rows, table, unreadable};
use rez_monitor::inspect;

/// Default limit.
const EVENTS: usize = 50;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    source: SourceArg,
    #[command(flatten)]
    filter: FilterArgs,
    /// Maximum number of events, the newest ones; 0 prints all
    #[arg(long, value_name = "N", default_value_t = EVENTS)]
    limit: usize,
    /// Print one JSON object per line, with the whole event
    #[arg(long)]
    json: bool,
}

pub(super) fn list(args: &Args, output: &mut Output) -> Result<Exit, CliError> {
    let query = Query { limit: args.limit, json: args.json, ..args.filter.query()? };
    let source = args.source.open()?;
    let page = Ask(&*source).list(&query)?;
    if args.json {
        json(&page, output);
    } else {
        output.line(&text(&page, args.filter.is_empty()));
        if page.unreadable > 0 {
            let omitted = if page.unreadable == 1 { "is" } else { "are" };
            output.line(&format!("\n{} and {omitted} omitted", unreadable(page.unreadable)));
        }
    }
    let exit = done(&*source);
    Ok(if page.unreadable > 0 { Exit::Damaged } else { exit })
}

/// Lists dead letters, with what each server said.
pub(super) fn dead(args: &Common, output: &mut Output) -> Result<Exit, CliError> {
    let query = Query { filter: vec![("where", "state = dead".to_owned())], json: args.json, ..Query::default() };
    let source = args.source.open()?;
    let page = Ask(&*source).list(&query)?;
    if args.json {
        json(&page, output);
    } else if page.events.is_empty() {
        output.line("no destination has refused an event that is still kept");
    } else {
        for event in page.events.iter().rev() {
            output.line(&format!("{}  {}  {}  {}", inspect::time(event.wall_ms), event.kind, event.id, event.name));
            for route in event.routes.iter().filter(|route| route.state == "dead") {
                output.line(&format!("  {}: {}", route.route, route.text));
            }
        }
        // What a server refused is sent again by its device.
        let is_received = page.raw.iter().any(|event| event.get("install").is_some());
        let hint = if is_received { "" } else { "; `rezq requeue SOURCE ID --write` sends one again" };
        output.line(&format!("\n{}{hint}", rows(page.events.len() as u64)));
    }
    Ok(match done(&*source) {
        Exit::Done if !page.events.is_empty() => Exit::Finding,
        exit => exit,
    })
}

pub(super) fn json(page: &Page, output: &mut Output) {
    for event in page.raw.iter().rev() {
        output.line(&line("event", event, &[]));
    }
}

fn text(page: &Page, is_all: bool) -> String {
    if page.events.is_empty() {
        let none = if is_all { "the queue is empty" } else { "no event matches" };
        return none.to_owned();
    }
    let events = events_table(page.events.iter().rev());
    let more = if page.before.is_some() { ", the newest; --limit 0 prints all" } else { "" };
    format!("{events}{}{more}", rows(page.events.len() as u64))
}

/// A table of events.
pub(super) fn events_table<'a>(events: impl Iterator<Item = &'a Event>) -> String {
    let mut rows = table(&["time", "kind", "state", "seq", "id", "name"], &[3]);
    for Event { seq, id, kind, state, name, wall_ms, .. } in events {
        rows.add_row([&inspect::time(*wall_ms), kind, state, &seq.to_string(), id, name]);
    }
    lines(&rows)
}

/// The state if it is the same on all routes, otherwise the state of each route.
pub(super) fn states(event: &Event) -> String {
    let mut all: Vec<&str> = event.routes.iter().map(|route| route.text.as_str()).collect();
    all.dedup();
    match all.as_slice() {
        [] => event.state.clone(),
        [one] => (*one).to_owned(),
        _ => {
            let each = event.routes.iter().map(|route| format!("{} {}", route.route, route.text));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::EventRoute;

    fn event() -> Event {
        let route = |name: &str| EventRoute { route: name.into(), state: "queued".into(), text: "queued".into() };
        Event {
            seq: 7,
            id: "x".into(),
            kind: "error".into(),
            lane: "critical".into(),
            name: "PaymentError card declined".into(),
            level: None,
            wall_ms: 0,
            bytes: 10,
            state: "queued".into(),
            routes: vec![route("a"), route("b")],
            session: None,
            json: serde_json::Value::Null,
        }
    }

    #[test]
    fn events_are_listed_with_a_summary() {
        let page = Page { events: vec![event()], before: Some(7), ..Page::default() };
        let out = text(&page, true);
        assert!(out.contains("1970-01-01T00:00:00.000Z") && out.contains("PaymentError card declined"), "{out}");
        assert!(out.ends_with("1 row, the newest; --limit 0 prints all"), "{out}");
        assert_eq!([true, false].map(|all| text(&Page::default(), all)), ["the queue is empty", "no event matches"]);
    }

    #[test]
    fn a_state_that_all_routes_share_is_told_once() {
        let mut event = event();
        assert_eq!(states(&event), "queued");
        event.routes[1].text = "dead (400)".into();
        assert_eq!(states(&event), "a queued, b dead (400)");
        event.routes.clear();
        assert_eq!(states(&event), "queued");
    }
}
