//! A plan checks what arrives at a collector.

use super::Plan;
use super::check::{Finding, check};
use crate::collector::Rules;
use crate::source::{Ask, Event, Query, SourceError};
use serde_json::Value;

/// Rules over several events.
const TOGETHER: [&str; 3] = ["required", "count", "order"];

/// Only what the collector accepted is compared with the others.
const ACCEPTED: &str = "received.rejected = null";

impl Rules for Plan {
    fn of_event(&self, event: Event) -> Vec<Value> {
        let without_place = |finding: Finding| Finding { id: None, seq: None, session: None, ..finding };
        self.findings(event).into_iter().map(|finding| told(&without_place(finding))).collect()
    }

    fn of_all(&self, ask: Ask<'_>) -> Result<Vec<Value>, SourceError> {
        let query = Query { filter: vec![("where", ACCEPTED.to_owned())], ..Query::default() };
        let findings = check(ask, &query, self)?.findings;
        Ok(findings.iter().filter(|finding| TOGETHER.contains(&finding.rule)).map(told).collect())
    }
}

/// A finding with a sentence about it.
fn told(finding: &Finding) -> Value {
    let mut value = serde_json::to_value(finding).unwrap_or_default();
    value["text"] = finding.text().into();
    value
}
