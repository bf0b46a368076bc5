//! The balance of a queue.

use crate::queue::{self, KindBalance, Overview, Reasons, RouteBalance};
use crate::terminal::{bytes, count, lines, rows, table, unreadable};
use rez_monitor::inspect;

/// The balance, and why each route waits.
pub(crate) fn status(overview: &Overview) -> String {
    let Overview { install, epoch, .. } = overview;
    let live = if overview.live { ", open in an app, or not closed by it" } else { "" };
    let cap = overview.cap.map(|cap| format!(" of {}", bytes(cap))).unwrap_or_default();
    let oldest = overview.oldest_ms.map(|ms| format!(", the oldest from {}", inspect::time(ms))).unwrap_or_default();
    let mut out = format!(
        "install {install}, epoch {epoch}, {}{oldest}, {}{cap}{live}\n\n",
        rows(overview.rows),
        bytes(overview.bytes)
    );
    out.push_str("before insertion: folded + late = stored + dropped\n");
    let mut kinds = table(&["", "kind", "folded", "late", "stored", "dropped", ""], &[2, 3, 4, 5]);
    for line in &overview.kinds {
        let KindBalance { kind, folded, late, stored, dropped } = line;
        let numbers = [*folded, *late, *stored, queue::total(dropped)].map(count).to_vec();
        kinds.add_row([vec![mark(line.holds()), kind.clone()], numbers, vec![reasons(dropped)]].concat());
    }
    out.push_str(&lines(&kinds));
    out.push_str("\nper route: stored = queued + in flight + delivered + dead + unwanted + dropped\n");
    let heads = ["", "route", "stored", "queued", "in flight", "delivered", "dead", "unwanted", "dropped", ""];
    let mut routes = table(&heads, &[2, 3, 4, 5, 6, 7, 8]);
    for line in &overview.routes {
        let RouteBalance { route, stored, queued, in_flight, delivered, dead, unwanted, dropped, .. } = line;
        let numbers = [*stored, *queued, *in_flight, *delivered, *dead, *unwanted, queue::total(dropped)];
        let numbers = numbers.map(count).to_vec();
        routes.add_row([vec![mark(line.holds()), route.clone()], numbers, vec![reasons(dropped)]].concat());
    }
    out.push_str(&lines(&routes));
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
    if let Some(n) = overview.unreadable.filter(|n| *n > 0) {
        out.push_str(&format!("{}\n", unreadable(n)));
    }
    out.push_str(&format!("{} {}", mark(overview.holds()), if overview.holds() { "balanced" } else { "not balanced" }));
    out
}

fn waiting(line: &RouteBalance) -> String {
    inspect::waiting(line.queued.saturating_add(line.in_flight), !line.waits.is_empty())
}

fn reasons(reasons: &Reasons) -> String {
    reasons.iter().map(|(reason, n)| format!("{reason} {}", count(*n))).collect::<Vec<_>>().join(", ")
}

fn mark(holds: bool) -> String {
    if holds { "✓" } else { "✗" }.to_owned()
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
            cap: Some(5 << 20),
            oldest_ms: Some(0),
            kinds: vec![kind],
            routes: vec![route],
            ..Overview::default()
        }
    }

    #[test]
    fn each_line_of_the_balance_has_a_mark_and_each_route_says_why_it_waits() {
        let out = status(&overview());
        let head = "install i, epoch 1, 1 row, the oldest from 1970-01-01T00:00:00.000Z, 4.0 KiB of 5.0 MiB\n";
        assert!(out.starts_with(head), "{out}");
        assert!(
            out.contains("main/rez.batch: 1 waiting\n  backing off until 10:00\n  last request 503 at 09:59\n"),
            "{out}"
        );
        assert!(out.ends_with("✓ balanced") && !out.contains('✗'));
        let mut wrong = overview();
        wrong.routes[0].queued = 0;
        wrong.unreadable = Some(2);
        let out = status(&wrong);
        assert!(out.contains("✗ main/rez.batch") || out.contains("✗  main/rez.batch"), "{out}");
        assert!(out.ends_with("2 rows have a wrong checksum\n✗ not balanced"), "{out}");
    }
}
