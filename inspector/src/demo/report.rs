//! The result of the demo, as text or as one line of JSON.

use super::tally::{Result, is_collectors};
use crate::collector::StoredEvent;
use crate::queue::{self, Overview, Reasons, RouteBalance};
use crate::terminal::{bytes, count, millis};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Rows in each table of timings.
const SLOWEST: usize = 5;

/// Facts about the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Run {
    /// The seed.
    pub(super) seed: u64,
    /// Number of SIGKILLs.
    pub(super) kills: u64,
    /// Number of crashes of the app.
    pub(super) crashes: u64,
    /// Duration in seconds.
    pub(super) seconds: f64,
    /// Batches stored by the collector.
    pub(super) batches: u64,
    /// Requests served by the shop.
    pub(super) requests: u64,
    /// Events refused at the call, by reason.
    pub(super) refused: Reasons,
    /// Size cap of the queue in bytes.
    pub(super) cap_bytes: u64,
    /// Path of the files, if they are kept.
    pub(super) kept: Option<String>,
}

/// The output of `--json`. Scripts depend on these fields.
#[derive(Serialize)]
struct Line<'a> {
    recorded: u64,
    delivered: u64,
    queued: u64,
    in_flight: u64,
    dropped: &'a Reasons,
    duplicates_seen_by_server: u64,
    lost: u64,
    kills: u64,
    balanced: bool,
    seconds: f64,
    /// Routes of the other destinations. Absent if there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    destinations: BTreeMap<&'a str, Vec<&'a RouteBalance>>,
}

/// Returns the routes of the other destinations, by destination.
fn others(queue: &Overview) -> BTreeMap<&str, Vec<&RouteBalance>> {
    let mut others = BTreeMap::<&str, Vec<&RouteBalance>>::new();
    for route in queue.routes.iter().filter(|route| !is_collectors(route)) {
        others.entry(route.route.split('/').next().unwrap_or_default()).or_default().push(route);
    }
    others
}

/// Formats the output of `--json`.
pub(super) fn json(run: &Run, result: &Result, queue: &Overview) -> String {
    let line = Line {
        recorded: result.recorded,
        delivered: result.delivered,
        queued: result.queued,
        in_flight: result.in_flight,
        dropped: &result.dropped,
        duplicates_seen_by_server: result.duplicates,
        lost: result.lost,
        kills: run.kills,
        balanced: result.balanced,
        seconds: (run.seconds * 1000.0).round() / 1000.0,
        destinations: others(queue),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// Formats the summary.
pub(super) fn text(run: &Run, result: &Result, queue: &Overview, events: &[StoredEvent]) -> String {
    let mut out = format!("REZ Monitor demo, seed {}, {:.1} s\n\n", run.seed, run.seconds);
    let runs = run.kills.saturating_add(run.crashes).saturating_add(1);
    let notes = [
        (
            "recorded",
            result.recorded,
            format!(
                "in {runs} runs of the app ({} SIGKILL, {} crash); {} requests to the shop",
                run.kills,
                run.crashes,
                count(run.requests)
            ),
        ),
        ("delivered", result.delivered, format!("in {} batches", count(run.batches))),
        ("queued", result.queued, String::new()),
        ("in flight", result.in_flight, String::new()),
        ("dropped", queue::total(&result.dropped), reasons(&result.dropped)),
        ("refused", queue::total(&run.refused), reasons(&run.refused)),
        ("resent", result.duplicates, "stored once each".to_owned()),
        ("duplicates", result.doubled, String::new()),
        ("lost", result.lost, String::new()),
    ];
    let mut table = plain();
    for (name, n, note) in notes {
        let note = if n == 0 && name != "recorded" { String::new() } else { note };
        table.add_row(vec![name.to_owned(), count(n), note]);
    }
    right(&mut table, &[1]);
    push(&mut out, &table);
    for (title, kind, name) in [("slowest screens", "screen_load", "name"), ("slowest calls", "api_call", "endpoint")] {
        let timings = timings(events, kind, name);
        if timings.is_empty() {
            continue;
        }
        let mut table = plain();
        table.add_row(vec![title, "count", "p50", "p95", "max"]);
        for timing in timings.iter().take(SLOWEST) {
            table.add_row(vec![
                timing.name.clone(),
                count(timing.n),
                millis(timing.p50),
                millis(timing.p95),
                millis(timing.max),
            ]);
        }
        right(&mut table, &[1, 2, 3, 4]);
        out.push('\n');
        push(&mut out, &table);
    }
    destinations(&mut out, queue);
    out.push('\n');
    for route in &queue.routes {
        let _ = writeln!(
            out,
            "  {} {}: {} stored = {} queued + {} in flight + {} delivered + {} dead + {} unwanted + {} dropped",
            mark(route.holds()),
            route.route,
            count(route.stored),
            count(route.queued),
            count(route.in_flight),
            count(route.delivered),
            count(route.dead),
            count(route.unwanted),
            count(queue::total(&route.dropped)),
        );
    }
    let kinds = queue.kinds.iter().filter(|kind| kind.holds()).count();
    let all = queue.kinds.len();
    let _ = writeln!(
        out,
        "  {} {kinds} of {all} kinds: folded + late = stored + dropped before insertion",
        mark(kinds == all)
    );
    let verdict = if result.success() {
        "no event lost, no duplicates, balanced"
    } else {
        "failed: an event is lost, duplicated or unaccounted for"
    };
    let _ = write!(out, "  {} {verdict}", mark(result.success()));
    let _ = write!(out, "\n\n  size cap of the queue {}", bytes(run.cap_bytes));
    match &run.kept {
        Some(path) => {
            let _ = write!(out, "\n  inspect: rezq status {path}/app; rezq list {path}/app; {path}/collector.sqlite");
        }
        None => out.push_str("; --keep DIR keeps the files"),
    }
    out
}

/// Adds a table of the other destinations.
fn destinations(out: &mut String, queue: &Overview) {
    let others = others(queue);
    if others.is_empty() {
        return;
    }
    let mut table = plain();
    table.add_row(vec!["destination", "delivered", "waiting", "refused", "dropped", "why", "last response"]);
    for route in others.values().flatten() {
        table.add_row(vec![
            route.route.clone(),
            count(route.delivered),
            count(route.queued.saturating_add(route.in_flight)),
            count(route.dead),
            count(queue::total(&route.dropped)),
            [route.waits.join("; "), reasons(&route.dropped)].join(" ").trim().to_owned(),
            route.last.clone().unwrap_or_default(),
        ]);
    }
    right(&mut table, &[1, 2, 3, 4]);
    out.push('\n');
    push(out, &table);
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table
}

fn right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

fn push(out: &mut String, table: &Table) {
    for line in table.lines() {
        let _ = writeln!(out, " {}", line.trim_end());
    }
}

fn mark(holds: bool) -> char {
    if holds { '✓' } else { '✗' }
}

fn reasons(reasons: &Reasons) -> String {
    reasons.iter().map(|(reason, n)| format!("{reason} {}", count(*n))).collect::<Vec<_>>().join(", ")
}

/// Percentiles of one name, in microseconds.
#[derive(Debug, PartialEq, Eq)]
struct Timing {
    name: String,
    n: u64,
    p50: u64,
    p95: u64,
    max: u64,
}

/// Returns the timings of a kind by name, highest p95 first.
fn timings(events: &[StoredEvent], kind: &str, name: &str) -> Vec<Timing> {
    let mut by_name = BTreeMap::<String, Vec<u64>>::new();
    for event in events.iter().filter(|event| event.kind == kind) {
        let Ok(fields) = serde_json::from_str::<serde_json::Value>(event.event.get()) else { continue };
        let text = |key: &str| fields.get(key).and_then(serde_json::Value::as_str);
        if let (Some(name), Some(us)) = (text(name), fields.get("duration_us").and_then(serde_json::Value::as_u64)) {
            let name = text("method").map_or_else(|| name.to_owned(), |method| format!("{method} {name}"));
            by_name.entry(name).or_default().push(us);
        }
    }
    let mut timings: Vec<Timing> = by_name
        .into_iter()
        .map(|(name, mut all)| {
            all.sort_unstable();
            let at = |per_cent: usize| percentile(&all, per_cent);
            Timing { name, n: all.len() as u64, p50: at(50), p95: at(95), max: at(100) }
        })
        .collect();
    timings.sort_by(|a, b| b.p95.cmp(&a.p95).then_with(|| a.name.cmp(&b.name)));
    timings
}

/// Returns a percentile of sorted numbers, by the nearest-rank method.
fn percentile(sorted: &[u64], per_cent: usize) -> u64 {
    let rank = (sorted.len() * per_cent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::KindBalance;
    use serde_json::value::RawValue;

    fn event(kind: &str, json: &str) -> StoredEvent {
        StoredEvent {
            n: 1,
            id: String::new(),
            install: String::new(),
            seq: 1,
            kind: kind.to_owned(),
            ts: String::new(),
            time: String::new(),
            received: String::new(),
            batch_id: String::new(),
            event: RawValue::from_string(json.to_owned()).unwrap(),
        }
    }

    #[test]
    fn the_json_line_has_exactly_the_documented_fields_in_order() {
        let result = Result {
            recorded: 5,
            delivered: 4,
            dropped: Reasons::from([("collapsed".to_owned(), 1)]),
            duplicates: 2,
            balanced: true,
            ..Result::default()
        };
        let run = Run { kills: 1, seconds: 1.23456, ..Run::default() };
        assert_eq!(
            json(&run, &result, &Overview::default()),
            r#"{"recorded":5,"delivered":4,"queued":0,"in_flight":0,"dropped":{"collapsed":1},"duplicates_seen_by_server":2,"lost":0,"kills":1,"balanced":true,"seconds":1.235}"#
        );
    }

    #[test]
    fn each_other_destination_is_reported_separately() {
        let route = |route: &str, delivered, queued| RouteBalance {
            route: route.into(),
            stored: delivered + queued,
            delivered,
            queued,
            waits: vec!["unreachable".into()],
            ..RouteBalance::default()
        };
        let routes = vec![route("demo/rez.batch", 9, 0), route("ga4/ga4.collect", 5, 4)];
        let queue = Overview { routes, ..Overview::default() };
        let shown = text(&Run::default(), &Result::default(), &queue, &[]);
        let line = shown.lines().find(|line| line.contains("ga4/ga4.collect")).unwrap();
        assert!(line.contains('5') && line.contains('4') && line.contains("unreachable"), "{shown}");
        let line: serde_json::Value = serde_json::from_str(&json(&Run::default(), &Result::default(), &queue)).unwrap();
        assert_eq!(line["destinations"]["ga4"][0]["delivered"], 5);
        assert_eq!(line["destinations"].as_object().unwrap().len(), 1);
    }

    #[test]
    fn timings_are_grouped_by_name_and_the_slowest_is_first() {
        let mut events: Vec<StoredEvent> = (1..=100)
            .map(|n| event("api_call", &format!(r#"{{"method":"GET","endpoint":"/a","duration_us":{n}}}"#)))
            .collect();
        events.push(event("api_call", r#"{"method":"POST","endpoint":"/b","duration_us":5000}"#));
        events.push(event("screen_load", r#"{"name":"Home","duration_us":7}"#));
        events.push(event("api_call", r#"{"endpoint":"/broken"}"#));
        let timings = timings(&events, "api_call", "endpoint");
        assert_eq!(timings.iter().map(|timing| timing.name.as_str()).collect::<Vec<_>>(), ["POST /b", "GET /a"]);
        assert_eq!((timings[1].n, timings[1].p50, timings[1].p95, timings[1].max), (100, 50, 95, 100));
    }

    #[test]
    fn the_summary_has_marks_and_the_commands_to_inspect_the_files() {
        let good = RouteBalance { route: "demo/rez.batch".into(), stored: 1, delivered: 1, ..RouteBalance::default() };
        let kind = KindBalance { folded: 1, stored: 1, ..KindBalance::default() };
        let mut queue = Overview { numbered: 1, kinds: vec![kind], routes: vec![good], ..Overview::default() };
        let result = Result { balanced: true, recorded: 1, delivered: 1, ..Result::default() };
        let run = Run { kept: Some("/x".into()), ..Run::default() };
        let shown = text(&run, &result, &queue, &[]);
        assert!(
            shown.contains("✓ demo/rez.batch") && shown.contains("no event lost") && !shown.contains('✗'),
            "{shown}"
        );
        assert!(shown.contains("rezq status /x/app"));
        queue.routes[0].delivered = 2;
        let bad = Result { lost: 3, ..result };
        let shown = text(&run, &bad, &queue, &[]);
        assert!(shown.contains("✗ demo/rez.batch") && shown.contains("failed:"), "{shown}");
    }
}
