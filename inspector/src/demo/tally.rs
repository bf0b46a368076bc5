//! Compares the events that the app acknowledged with the events found in the queue and at the collector.

use super::engine::COLLECTOR;
use crate::queue::{self, Overview, Reasons, RouteBalance};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The events that the app acknowledged.
#[derive(Clone, Debug, Default)]
pub(super) struct Acknowledged {
    /// Kind by id.
    ids: HashMap<String, String>,
    /// Refused at the call, by reason.
    pub(super) refused: Reasons,
}

impl Acknowledged {
    /// Adds an acknowledged event.
    pub(super) fn add(&mut self, id: String, kind: String) {
        self.ids.insert(id, kind);
    }

    /// Adds a refused event.
    pub(super) fn refuse(&mut self, reason: String) {
        let n = self.refused.entry(reason).or_default();
        *n = n.saturating_add(1);
    }

    /// Returns the number of acknowledged events.
    pub(super) fn len(&self) -> u64 {
        self.ids.len() as u64
    }

    /// Returns the acknowledged events that are in neither set, by kind.
    fn missing(&self, collected: &HashSet<String>, queued: &HashSet<String>) -> BTreeMap<&str, u64> {
        let mut missing = BTreeMap::new();
        for (id, kind) in &self.ids {
            if !collected.contains(id) && !queued.contains(id) {
                let n: &mut u64 = missing.entry(kind.as_str()).or_default();
                *n = n.saturating_add(1);
            }
        }
        missing
    }
}

/// The state after the run.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// The balance of the queue.
    pub(super) queue: Overview,
    /// Ids of rows still in the queue.
    pub(super) queued: HashSet<String>,
    /// Ids at the collector.
    pub(super) collected: HashSet<String>,
    /// Events that arrived at the collector more than once.
    pub(super) duplicates: u64,
}

/// The result of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Result {
    /// Events folded from the ring.
    pub(super) recorded: u64,
    /// Rows delivered to the collector, counted by the queue.
    pub(super) delivered: u64,
    /// Rows that wait.
    pub(super) queued: u64,
    /// Rows in a request without a response.
    pub(super) in_flight: u64,
    /// Events dropped before insertion or on the route, including dead letters.
    pub(super) dropped: Reasons,
    /// Events that arrived more than once.
    pub(super) duplicates: u64,
    /// Acknowledged events that were not found.
    pub(super) lost: u64,
    /// Events at the collector in excess of those delivered: stored twice under two ids.
    pub(super) doubled: u64,
    /// Every line of the balance holds, and no event is doubled.
    pub(super) balanced: bool,
}

/// Returns true for routes of the collector. The result covers only these; other destinations are reported separately.
pub(super) fn is_collectors(route: &RouteBalance) -> bool {
    route.route.split('/').next() == Some(COLLECTOR)
}

impl Result {
    /// Computes the result.
    pub(super) fn of(acknowledged: &Acknowledged, found: &Found) -> Result {
        let mut result = Result { duplicates: found.duplicates, ..Result::default() };
        for kind in &found.queue.kinds {
            result.recorded = result.recorded.saturating_add(kind.folded);
            result.add_dropped(&kind.dropped);
        }
        for route in found.queue.routes.iter().filter(|route| is_collectors(route)) {
            result.delivered = result.delivered.saturating_add(route.delivered);
            result.queued = result.queued.saturating_add(route.queued);
            result.in_flight = result.in_flight.saturating_add(route.in_flight);
            result.add_dropped(&route.dropped);
            if route.dead > 0 {
                result.add_dropped(&Reasons::from([("rejected".to_owned(), route.dead)]));
            }
        }
        // A drop before insertion accounts for a missing event of its own kind only. A drop of unknown kind (damage, or a
        // drop on the route) accounts for any.
        let dropped_of = |kind: &str| {
            let of_kind = found.queue.kinds.iter().filter(|line| line.kind == kind);
            of_kind.fold(0_u64, |sum, line| sum.saturating_add(queue::total(&line.dropped)))
        };
        let collectors = found.queue.routes.iter().filter(|route| is_collectors(route));
        let on_routes = collectors.map(|route| queue::total(&route.dropped));
        let mut any = on_routes.fold(dropped_of("unknown"), u64::saturating_add);
        for (kind, missing) in acknowledged.missing(&found.collected, &found.queued) {
            let dropped = dropped_of(kind);
            let unexplained = missing.saturating_sub(dropped);
            let by_any = unexplained.min(any);
            any = any.saturating_sub(by_any);
            result.lost = result.lost.saturating_add(unexplained.saturating_sub(by_any));
        }
        let most = result.delivered.saturating_add(result.in_flight);
        result.doubled = (found.collected.len() as u64).saturating_sub(most);
        result.balanced = found.queue.holds() && result.doubled == 0 && result.recorded >= acknowledged.len();
        result
    }

    /// Returns true if no event is lost or doubled and the balance holds.
    pub(super) fn success(&self) -> bool {
        self.balanced && self.lost == 0 && self.doubled == 0
    }

    fn add_dropped(&mut self, reasons: &Reasons) {
        for (reason, n) in reasons {
            let sum = self.dropped.entry(reason.clone()).or_default();
            *sum = sum.saturating_add(*n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::KindBalance;

    fn ids(ids: &[&str]) -> HashSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    /// Four events: one delivered, one queued, one collapsed, and one acknowledged before the pipe broke.
    fn example() -> (Acknowledged, Found) {
        let mut acknowledged = Acknowledged::default();
        for (id, kind) in [("a", "error"), ("b", "metric"), ("c", "error")] {
            acknowledged.add(id.to_owned(), kind.to_owned());
        }
        let collapsed = Reasons::from([("collapsed".to_owned(), 1)]);
        let kinds = vec![
            KindBalance { kind: "error".into(), folded: 3, stored: 2, dropped: collapsed, ..KindBalance::default() },
            KindBalance { kind: "metric".into(), folded: 1, stored: 1, ..KindBalance::default() },
        ];
        let routes = vec![RouteBalance {
            route: "demo/rez.batch".into(),
            stored: 3,
            queued: 1,
            delivered: 2,
            ..RouteBalance::default()
        }];
        let found = Found {
            queue: Overview { numbered: 3, kinds, routes, ..Overview::default() },
            queued: ids(&["b"]),
            collected: ids(&["a", "d"]),
            duplicates: 5,
        };
        (acknowledged, found)
    }

    #[test]
    fn a_run_without_loss_succeeds_with_the_numbers_of_the_queue() {
        let (acknowledged, found) = example();
        let result = Result::of(&acknowledged, &found);
        assert!(result.success());
        let numbers = (result.recorded, result.delivered, result.queued, result.in_flight, result.duplicates);
        assert_eq!(numbers, (4, 2, 1, 0, 5));
        assert_eq!(result.dropped, Reasons::from([("collapsed".to_owned(), 1)]));
    }

    #[test]
    fn an_acknowledged_event_that_is_not_found_is_lost() {
        let (mut acknowledged, mut found) = example();
        acknowledged.add("e".into(), "metric".into());
        let result = Result::of(&acknowledged, &found);
        assert_eq!(result.lost, 1);
        assert!(!result.success());
        // The collapsed error does not account for a metric; a drop of unknown kind does.
        let power_loss = Reasons::from([("power_loss".to_owned(), 1)]);
        let unknown = KindBalance { kind: "unknown".into(), folded: 1, dropped: power_loss, ..KindBalance::default() };
        found.queue.kinds.push(unknown);
        assert_eq!(Result::of(&acknowledged, &found).lost, 0);
    }

    #[test]
    fn more_events_at_the_collector_than_delivered_are_doubled() {
        let (acknowledged, mut found) = example();
        found.collected.insert("f".into());
        let result = Result::of(&acknowledged, &found);
        assert_eq!(result.doubled, 1);
        assert!(!result.success() && !result.balanced);
    }

    #[test]
    fn events_that_wait_for_another_destination_do_not_change_the_result() {
        let (acknowledged, mut found) = example();
        let before = Result::of(&acknowledged, &found);
        let other = RouteBalance { route: "ga4/ga4.collect".into(), stored: 3, queued: 3, ..RouteBalance::default() };
        found.queue.routes.push(other);
        assert_eq!(Result::of(&acknowledged, &found), before);
        found.queue.routes[1].queued = 2;
        assert!(!Result::of(&acknowledged, &found).balanced, "its own balance must hold");
    }

    #[test]
    fn a_balance_that_does_not_hold_is_detected() {
        let (acknowledged, mut found) = example();
        found.queue.routes[0].queued = 2;
        assert!(!Result::of(&acknowledged, &found).success());
    }

    #[test]
    fn more_acknowledged_than_recorded_is_not_balanced() {
        let (mut acknowledged, mut found) = example();
        for n in 0..2 {
            acknowledged.add(format!("x{n}"), "metric".into());
            found.queued.insert(format!("x{n}"));
        }
        assert!(!Result::of(&acknowledged, &found).balanced);
    }
}
