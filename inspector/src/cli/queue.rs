//! `rezq status DIR` and `rezq list DIR`.

use crate::queue::{self, KindBalance, Listed, Overview, Queue, QueueError, QueueRow, Reasons, RouteBalance};
use crate::terminal::{CliError, Exit, Output, bytes, count};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use rez_monitor::{Kind, inspect};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Default limit of `rezq list`.
const ROWS: usize = 50;

#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// Folder that contains queue.db, or the folder of `rezq demo --keep`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print one JSON object per line: each `kind`, each `route`, then the `queue`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Folder that contains queue.db, or the folder of `rezq demo --keep`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Maximum number of rows, the newest ones; 0 prints all
    #[arg(long, value_name = "N", default_value_t = ROWS)]
    limit: usize,
    /// Print only this kind
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// Print one JSON object per line, with the whole event
    #[arg(long)]
    json: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| format!("expected one of {}", Kind::ALL.map(Kind::as_str).join(", ")))
}

/// Runs `rezq status`.
pub(super) fn status(args: &StatusArgs, output: &mut Output) -> Result<Exit, CliError> {
    let overview = Queue::open(&folder(&args.folder))?.overview()?;
    if args.json {
        for line in &overview.kinds {
            output.line(&tagged("kind", line.holds(), line));
        }
        for line in &overview.routes {
            output.line(&tagged("route", line.holds(), line));
        }
        let queue = serde_json::json!({"install": overview.install, "epoch": overview.epoch, "rows": overview.rows,
            "bytes": overview.bytes, "live": overview.live, "unreadable": overview.unreadable,
            "refused": overview.refused});
        output.line(&tagged("queue", overview.holds(), &queue));
    } else {
        output.line(&status_text(&overview));
    }
    Ok(match (overview.unreadable, overview.holds()) {
        (0, true) => Exit::Done,
        (0, false) => Exit::Finding,
        _ => Exit::Damaged,
    })
}

/// Runs `rezq list`.
pub(super) fn list(args: &ListArgs, output: &mut Output) -> Result<Exit, CliError> {
    let listed = Queue::open(&folder(&args.folder))?.rows(args.kind, args.limit)?;
    if args.json {
        for row in &listed.rows {
            output.line(&serde_json::to_string(row).unwrap_or_default());
        }
    } else {
        output.line(&list_text(&listed, args.kind));
    }
    if listed.unreadable > 0 && !args.json {
        let omitted = if listed.unreadable == 1 { "is" } else { "are" };
        output.line(&format!("\n{} and {omitted} omitted", unreadable(listed.unreadable)));
    }
    Ok(if listed.unreadable > 0 { Exit::Damaged } else { Exit::Done })
}

/// Returns the folder itself, or the folder of the app inside a kept demo.
fn folder(path: &Path) -> PathBuf {
    let inside = path.join("app");
    if !path.join(queue::FILE).exists() && inside.join(queue::FILE).exists() { inside } else { path.to_owned() }
}

impl From<QueueError> for CliError {
    fn from(error: QueueError) -> CliError {
        let hint = match &error {
            QueueError::Missing(_) => "pass the folder that contains queue.db, or a folder kept by `rezq demo --keep`",
            QueueError::Damaged { .. } => {
                "copy the folder before the app starts again: the app moves a damaged file to a quarantine and recovers its rows"
            }
            QueueError::OtherFormat { .. } => {
                "check the folder; if it belongs to an app, its next start moves the file to a quarantine and recovers its rows"
            }
            QueueError::Newer { .. } => "use the version of rezq that matches the app",
            QueueError::Unusable { .. } => "check that the file is readable",
        };
        CliError::open(error, hint)
    }
}

fn tagged(what: &str, holds: bool, line: &impl Serialize) -> String {
    let mut value = serde_json::json!({"line": what, "holds": holds});
    if let (Some(all), Ok(serde_json::Value::Object(own))) = (value.as_object_mut(), serde_json::to_value(line)) {
        all.extend(own);
    }
    value.to_string()
}

fn status_text(overview: &Overview) -> String {
    let Overview { install, epoch, rows, .. } = overview;
    let live = if overview.live { ", open in an app, or not closed by it" } else { "" };
    let mut out =
        format!("install {install}, epoch {epoch}, {}, {}{live}\n\n", self::rows(*rows), bytes(overview.bytes));
    out.push_str("before insertion: folded + late = stored + dropped\n");
    let mut table = table(&["", "kind", "folded", "late", "stored", "dropped", ""], &[2, 3, 4, 5]);
    for line in &overview.kinds {
        let KindBalance { kind, folded, late, stored, dropped } = line;
        let numbers = [*folded, *late, *stored, queue::total(dropped)].map(count).to_vec();
        table.add_row([vec![mark(line.holds()), kind.clone()], numbers, vec![reasons(dropped)]].concat());
    }
    push(&mut out, &table);
    out.push_str("\nper route: stored = queued + in flight + delivered + dead + unwanted + dropped\n");
    let heads = ["", "route", "stored", "queued", "in flight", "delivered", "dead", "unwanted", "dropped", ""];
    let mut table = self::table(&heads, &[2, 3, 4, 5, 6, 7, 8]);
    for line in &overview.routes {
        let RouteBalance { route, stored, queued, in_flight, delivered, dead, unwanted, dropped, .. } = line;
        let numbers = [*stored, *queued, *in_flight, *delivered, *dead, *unwanted, queue::total(dropped)];
        let numbers = numbers.map(count).to_vec();
        table.add_row([vec![mark(line.holds()), route.clone()], numbers, vec![reasons(dropped)]].concat());
    }
    push(&mut out, &table);
    out.push('\n');
    for line in &overview.routes {
        out.push_str(&format!("{}: {}\n", line.route, waiting(line)));
        for why in &line.waits {
            out.push_str(&format!("  {why}\n"));
        }
        if let Some(last) = &line.last {
            out.push_str(&format!("  last request {last}\n"));
        }
    }
    if overview.routes.is_empty() {
        out.push_str("no destination was ever declared; rows are kept within the size and age limits\n");
    }
    if !overview.refused.is_empty() {
        let refused = overview.refused.iter().map(|(reason, n)| (reason.as_str(), *n));
        out.push_str(&format!("{}\n", inspect::refused(refused)));
    }
    if overview.unreadable > 0 {
        out.push_str(&format!("{}\n", unreadable(overview.unreadable)));
    }
    out.push_str(&format!("{} {}", mark(overview.holds()), if overview.holds() { "balanced" } else { "not balanced" }));
    out
}

fn waiting(line: &RouteBalance) -> String {
    inspect::waiting(line.queued.saturating_add(line.in_flight), !line.waits.is_empty())
}

fn unreadable(n: u64) -> String {
    format!("{} {} a wrong checksum", rows(n), if n == 1 { "has" } else { "have" })
}

fn rows(n: u64) -> String {
    format!("{} {}", count(n), if n == 1 { "row" } else { "rows" })
}

fn list_text(listed: &Listed, kind: Option<Kind>) -> String {
    if listed.rows.is_empty() {
        return match kind {
            Some(kind) if listed.total > 0 => {
                format!("no row of kind `{}`; the queue has {}", kind.as_str(), rows(listed.total))
            }
            _ => "the queue is empty".to_owned(),
        };
    }
    let mut table = table(&["time", "kind", "id", "seq", "state", ""], &[3]);
    for QueueRow { seq, id, kind, ts, state, event, .. } in &listed.rows {
        let state = states(state);
        table.add_row(vec![ts.clone(), kind.clone(), id.clone(), seq.to_string(), state, inspect::title(event)]);
    }
    let mut out = String::new();
    push(&mut out, &table);
    let shown = listed.rows.len() as u64;
    out.push_str(&rows(shown));
    if let Some(kind) = kind {
        out.push_str(&format!(" of kind `{}`; the queue has {}", kind.as_str(), rows(listed.total)));
    } else if shown < listed.total {
        out.push_str(&format!(", the newest of {}; --limit 0 prints all", count(listed.total)));
    }
    out
}

/// Returns the state if it is the same on all routes, otherwise the state of each route.
fn states(state: &BTreeMap<String, String>) -> String {
    let mut all: Vec<&str> = state.values().map(String::as_str).collect();
    all.dedup();
    match all.as_slice() {
        [] => "settled".to_owned(),
        [one] => (*one).to_owned(),
        _ => state.iter().map(|(route, state)| format!("{route} {state}")).collect::<Vec<_>>().join(", "),
    }
}

fn reasons(reasons: &Reasons) -> String {
    reasons.iter().map(|(reason, n)| format!("{reason} {}", count(*n))).collect::<Vec<_>>().join(", ")
}

fn mark(holds: bool) -> String {
    if holds { "✓" } else { "✗" }.to_owned()
}

fn table(heads: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(heads);
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn push(out: &mut String, table: &Table) {
    for line in table.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview() -> Overview {
        let kind = KindBalance { kind: "error".into(), folded: 3, stored: 3, ..KindBalance::default() };
        let waits = vec!["backing off until 10:00".to_owned()];
        let route = RouteBalance {
            route: "main/rez.batch".into(),
            stored: 3,
            queued: 1,
            delivered: 2,
            waits,
            last: Some("503 at 09:59".to_owned()),
            ..RouteBalance::default()
        };
        Overview {
            install: "i".into(),
            epoch: 1,
            numbered: 3,
            rows: 1,
            bytes: 4096,
            kinds: vec![kind],
            routes: vec![route],
            ..Overview::default()
        }
    }

    #[test]
    fn each_line_of_the_balance_has_a_mark_and_each_route_says_why_it_waits() {
        let text = status_text(&overview());
        assert!(
            text.contains("main/rez.batch: 1 waiting\n  backing off until 10:00\n  last request 503 at 09:59\n"),
            "{text}"
        );
        assert!(text.ends_with("✓ balanced") && !text.contains('✗'));
        let mut wrong = overview();
        wrong.routes[0].queued = 0;
        let text = status_text(&wrong);
        assert!(text.contains("✗ main/rez.batch") || text.contains("✗  main/rez.batch"), "{text}");
        assert!(text.ends_with("✗ not balanced"));
    }

    #[test]
    fn a_json_line_has_its_type_and_whether_it_holds() {
        let overview = overview();
        let line: serde_json::Value =
            serde_json::from_str(&tagged("route", overview.routes[0].holds(), &overview.routes[0])).unwrap();
        assert_eq!((line["line"].as_str(), line["holds"].as_bool()), (Some("route"), Some(true)));
        assert_eq!((line["queued"].as_u64(), line["route"].as_str()), (Some(1), Some("main/rez.batch")));
    }

    #[test]
    fn rows_are_listed_with_a_summary() {
        let row = QueueRow {
            seq: 7,
            id: "x".into(),
            kind: "error".into(),
            ts: "2026-11-23T00:00:00.000Z".into(),
            state: [("a".to_owned(), "queued".to_owned()), ("b".to_owned(), "queued".to_owned())].into(),
            event: serde_json::json!({"type": "PaymentError", "message": "card\n declined", "level": "error"}),
            run: None,
        };
        let listed = Listed { rows: vec![row], total: 9, unreadable: 0 };
        let text = list_text(&listed, None);
        assert!(text.contains("PaymentError card declined") && text.contains("queued"), "{text}");
        assert!(text.ends_with("1 row, the newest of 9; --limit 0 prints all"));
        assert!(list_text(&listed, Some(Kind::Error)).ends_with("1 row of kind `error`; the queue has 9 rows"));
        assert_eq!(
            states(&[("a".to_owned(), "queued".to_owned()), ("b".to_owned(), "dead".to_owned())].into()),
            "a queued, b dead"
        );
    }

    #[test]
    fn an_empty_list_says_whether_the_queue_or_only_the_kind_is_empty() {
        let empty = |total| Listed { total, ..Listed::default() };
        assert_eq!(list_text(&empty(0), None), "the queue is empty");
        assert_eq!(list_text(&empty(0), Some(Kind::Crash)), "the queue is empty");
        assert_eq!(list_text(&empty(1), Some(Kind::Crash)), "no row of kind `crash`; the queue has 1 row");
        assert_eq!(list_text(&empty(1_200), Some(Kind::Crash)), "no row of kind `crash`; the queue has 1,200 rows");
    }

    #[test]
    fn the_number_of_rows_with_a_wrong_checksum_agrees_with_its_verb() {
        assert_eq!(unreadable(1), "1 row has a wrong checksum");
        assert_eq!(unreadable(2), "2 rows have a wrong checksum");
    }

    #[test]
    fn the_error_for_a_folder_without_a_queue_names_the_folder_and_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let args = StatusArgs { folder: folder.path().to_owned(), json: false };
        let error = status(&args, &mut Output::discard()).unwrap_err();
        assert_eq!(error.exit, Exit::CannotOpen);
        let text = error.to_string();
        assert!(text.contains(&folder.path().display().to_string()) && text.contains("queue.db"), "{text}");
    }

    #[test]
    fn the_folder_of_the_app_inside_a_kept_demo_is_found() {
        let kept = tempfile::tempdir().unwrap();
        std::fs::create_dir(kept.path().join("app")).unwrap();
        assert_eq!(folder(kept.path()), kept.path());
        std::fs::write(kept.path().join("app").join(queue::FILE), "").unwrap();
        assert_eq!(folder(kept.path()), kept.path().join("app"));
    }

    #[test]
    fn an_unknown_kind_is_rejected_with_the_list_of_kinds() {
        assert_eq!(kind("error"), Ok(Kind::Error));
        assert!(kind("Error").unwrap_err().contains("screen_load"));
    }
}
