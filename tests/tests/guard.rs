//! Crash loops: starts that die in the engine, and kills that are no crash loop.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor_tests::scenario::{Scenario, dropped};

const CHILD: &str = env!("CARGO_BIN_EXE_child");

/// Number of quarantines so far.
fn quarantines(scenario: &Scenario) -> usize {
    std::fs::read_to_string(scenario.folder().join("quarantine/log")).unwrap_or_default().lines().count()
}

#[test]
fn three_deaths_in_one_step_of_a_start_quarantine_the_queue_and_nothing_is_lost() {
    // Right before the first commit, and after it: then the ring gives back what the moved file has too.
    for death in ["fold_commit:1", "fold_committed:1"] {
        let scenario = Scenario::new(CHILD);
        let mut recorded = scenario.run("n=300 url=none end=close").recorded;
        for life in 1..=3 {
            let output = scenario.killed_at(death, &format!("n=20 first={} url=none end=wait", life * 1000));
            recorded.extend(output.recorded);
            assert_eq!(quarantines(&scenario), 0, "after life {life}");
        }
        let found = scenario.deliver();
        assert_eq!(quarantines(&scenario), 1);
        found.has_all(&recorded);
        found.nothing_dropped();
        assert_eq!(scenario.collector.counts().unwrap().duplicates, 0, "{death}");
    }
}

#[test]
fn what_arrived_right_before_a_crash_loop_is_not_counted_as_lost() {
    // Right before the commit of a settlement and after it; starts that die before the queue is open, while its rows are read, and
    // when they store the first ones.
    for settlement in ["settlement_noted:1", "settled:1"] {
        for death in ["queue_opening:1", "queue_loading:1", "fold_commit:1"] {
            let scenario = Scenario::new(CHILD);
            let mut recorded = scenario.run("n=300 url=none end=close").recorded;
            recorded.extend(scenario.killed_at(settlement, "n=20 first=1000 end=wait").recorded);
            for life in 2..=4 {
                let output = scenario.killed_at(death, &format!("n=20 first={} url=none end=wait", life * 1000));
                recorded.extend(output.recorded);
            }
            let found = scenario.deliver();
            assert_eq!(quarantines(&scenario), 1, "{settlement}, {death}");
            found.has_all(&recorded);
            found.nothing_dropped();
        }
    }
}

#[test]
fn a_kill_while_the_queue_of_a_crash_loop_is_moved_loses_and_counts_nothing() {
    for moment in ["quarantine_begun:1", "quarantined:1"] {
        let scenario = Scenario::new(CHILD);
        let mut recorded = scenario.run("n=300 url=none end=close").recorded;
        for life in 1..=3 {
            let output =
                scenario.killed_at("queue_opening:1", &format!("n=20 first={} url=none end=wait", life * 1000));
            recorded.extend(output.recorded);
        }
        recorded.extend(scenario.killed_at(moment, "n=20 first=4000 url=none end=wait").recorded);
        let found = scenario.deliver();
        found.has_all(&recorded);
        found.nothing_dropped();
    }
}

#[test]
fn a_queue_is_moved_once_for_a_crash_loop_even_if_the_next_start_ends_before_its_first_fold() {
    let scenario = Scenario::new(CHILD);
    let mut recorded = scenario.run("n=300 url=none end=close").recorded;
    for life in 1..=3 {
        let output = scenario.killed_at("queue_opening:1", &format!("n=20 first={} url=none end=wait", life * 1000));
        recorded.extend(output.recorded);
    }
    // A new queue cannot be written: these end outside of a step of their start.
    for _ in 0..3 {
        scenario.run("n=0 url=none max_file=8192 end=close");
        assert_eq!(quarantines(&scenario), 1);
    }
    let found = scenario.deliver();
    found.has_all(&recorded);
    found.nothing_dropped();
}

#[test]
fn kills_in_changing_steps_of_a_start_quarantine_nothing() {
    let scenario = Scenario::new(CHILD);
    let mut recorded = scenario.run("n=50 url=none end=close").recorded;
    for life in 1..=12 {
        let fault = ["fold_commit:1", "fold_commit:1", "record_read:3"][life % 3];
        let output = scenario.killed_at(fault, &format!("n=20 first={} url=none end=wait", life * 1000));
        recorded.extend(output.recorded);
    }
    let found = scenario.deliver();
    assert_eq!(quarantines(&scenario), 0);
    found.has_all(&recorded);
    found.nothing_dropped();
}

#[test]
fn a_record_over_which_three_starts_died_is_skipped_and_counted() {
    let scenario = Scenario::new(CHILD);
    // Killed before anything is folded, so that each start reads the first life's records first.
    let first = scenario.killed_at("fold_commit:1", "n=100 kinds=message crumbs=0 url=none end=wait").recorded;
    for life in 1..=3 {
        // The run record, four events; the fifth event kills the process.
        scenario.killed_at("record_read:6", &format!("n=0 first={} url=none end=wait", life * 1000));
    }
    let found = scenario.deliver();
    assert_eq!(quarantines(&scenario), 0);
    assert_eq!(dropped(&found.balance), [("malformed".to_owned(), 1)].into());
    let lost: Vec<_> = first.iter().filter(|(id, _)| !found.collected.contains_key(id)).map(|(_, n)| *n).collect();
    assert_eq!(lost, [4]);
}
