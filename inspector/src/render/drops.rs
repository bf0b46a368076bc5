//! The events that were lost.

use crate::source::Lost;
use crate::terminal::{count, lines, table};
use serde_json::Value;
use std::collections::BTreeMap;

/// The losses by day, route, kind and reason, and what each reason means.
pub(crate) fn drops(drops: &[Lost], refused: &Value) -> String {
    let refused: BTreeMap<&str, u64> = refused
        .as_object()
        .into_iter()
        .flatten()
        .map(|(reason, n)| (reason.as_str(), n.as_u64().unwrap_or_default()))
        .collect();
    let mut out = String::new();
    if drops.is_empty() {
        out.push_str("no event was lost after it was accepted");
    } else {
        let mut days = table(&["day", "route", "kind", "reason", "events"], &[4]);
        for Lost { day, route, kind, reason, n, .. } in drops {
            let route = route.as_deref().unwrap_or("before any route");
            days.add_row([day.as_str(), route, kind, reason, &count(*n)]);
        }
        out.push_str(&lines(&days));
        let meanings: BTreeMap<&str, &str> =
            drops.iter().filter_map(|drop| Some((drop.reason.as_str(), drop.text.as_deref()?))).collect();
        for (reason, meaning) in meanings {
            out.push_str(&format!("\n{reason}: {meaning}"));
        }
    }
    if !refused.is_empty() {
        out.push_str(&format!("\n\n{}", rez_monitor::inspect::refused(refused)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_has_its_reason_and_each_reason_is_explained_once() {
        let lost = |route: Option<&str>, n| Lost {
            day: "2026-11-29".into(),
            route: route.map(str::to_owned),
            kind: "error".into(),
            reason: "collapsed".into(),
            n,
            text: Some("A repetition.".into()),
        };
        let out = drops(&[lost(None, 1_200), lost(Some("team/rez.batch"), 1)], &serde_json::json!({"consent": 3}));
        assert!(out.contains("before any route") && out.contains("1,200") && out.contains("team/rez.batch"), "{out}");
        assert_eq!(out.matches("A repetition.").count(), 1);
        assert!(out.contains("3 events") || out.contains("consent"), "{out}");
        assert_eq!(drops(&[], &serde_json::json!({})), "no event was lost after it was accepted");
    }
}
