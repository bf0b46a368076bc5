//! During an outage: which rows stay in flight, what is evicted, what the status shows.

use super::*;
use crate::store::{Options, RowState};

const ROW: &str = r#"{"text":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#;

/// Evicts until the file is below the cap. Returns how many rows went.
fn evict(bench: &Bench, cap_bytes: u64) -> usize {
    bench.store(|store, now| {
        store.set_options(Options { cap_bytes, ..Options::default() });
        let mut evicted = 0;
        loop {
            match store.evict(&|_, _| true, &[], now).unwrap() {
                0 => return evicted,
                more => evicted += more,
            }
        }
    })
}

/// Stored rows of lane 1 and of the lanes after it.
fn stored(bench: &Bench) -> (u64, u64) {
    let lanes = crate::store::Reader::open(bench.folder.path()).unwrap().overview().unwrap().lanes;
    (lanes[1], lanes[2] + lanes[3])
}

#[test]
fn no_error_is_evicted_while_metrics_wait_for_the_server() {
    for (name, turn) in [
        ("no byte sent", Turn::NotSent),
        ("5xx", status(503)),
        ("no response", Turn::Ambiguous),
        ("a captive portal", with(200, &[], "<html>")),
        ("429", status(429)),
    ] {
        let mut bench = Bench::new();
        bench.usual(turn);
        let metrics = bench.store_rows(Kind::Metric, ROW, 450);
        bench.driver.event(Event::Rows([0, 0, 0, 450]));
        bench.settle();
        assert_eq!((bench.requests(), ids(&bench.last()).len()), (1, 450), "{name}");
        let mut errors = Vec::new();
        let mut evicted = 0;
        for _ in 0..60 {
            errors.extend(bench.store_rows(Kind::Error, ROW, 50));
            bench.driver.event(Event::Rows([0, 50, 0, 0]));
            evicted += evict(&bench, 1 << 19);
            bench.after(Duration::from_secs(1));
            let (kept, other) = stored(&bench);
            assert!(
                kept == errors.len() as u64 || other == 0,
                "{name}: {kept} of {} errors, {other} others",
                errors.len()
            );
        }
        assert!(evicted > 450, "{name}: the errors alone are over the cap");
        bench.usual(Turn::Accept);
        bench.after(Duration::from_secs(600));
        let account = bench.balance();
        assert_eq!((account.queued, account.in_flight, account.dead), (0, 0, 0), "{name}: {account:?}");
        assert_eq!(account.delivered as usize + evicted, 3_450, "{name}: {account:?}");
        assert_eq!(account.dropped.get("evicted_bytes"), Some(&(evicted as u64)), "{name}");
        // What was accepted was accepted once.
        let accepted: Vec<EventId> = bench
            .sent()
            .iter()
            .flat_map(ids)
            .filter(|id| matches!(bench.fate(*id).routes[..], [ref route] if matches!(route.state, RowState::Delivered { .. })))
            .collect();
        let known = |id: &&EventId| metrics.contains(id) || errors.contains(id);
        assert!(accepted.iter().all(|id| known(&id)), "{name}");
    }
}

#[test]
fn a_request_of_which_no_byte_was_sent_releases_its_rows_and_keeps_the_wait() {
    let mut bench = Bench::new();
    bench.usual(Turn::NotSent);
    let first = bench.put(Kind::Error, 2);
    assert_eq!((bench.balance().queued, bench.balance().in_flight), (2, 0));
    assert_eq!(bench.state().failures, 1);
    assert!(matches!(bench.fate(first[0]).routes[0].state, RowState::Queued));
    assert_eq!(bench.status(ROUTE).waiting, [0, 2, 0, 0]);
    let crash = bench.put(Kind::Crash, 1);
    bench.next();
    assert_eq!(bench.state().failures, 2);
    // The next request has what is most important by then.
    assert_eq!(ids(&bench.last()), [&crash[..], &first[..]].concat());
    bench.usual(Turn::Accept);
    bench.next();
    assert_eq!((bench.balance().delivered, bench.state().failures), (3, 0));
}

#[test]
fn a_batch_that_may_have_arrived_keeps_its_id_while_the_server_cannot_be_reached() {
    let mut bench = Bench::new();
    bench.script([Turn::Ambiguous, Turn::NotSent, Turn::NotSent]);
    bench.put(Kind::Metric, 1);
    bench.put(Kind::Error, 3);
    while bench.balance().delivered == 0 {
        bench.next();
    }
    let sent = bench.sent();
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|request| request.body == sent[0].body));
}

#[test]
fn rows_of_a_bisect_stay_until_its_results_are_settled_also_after_a_restart() {
    let mut bench = Bench::new();
    // One half is accepted, and the server goes away before the other half.
    bench.script([status(400), Turn::Accept]);
    bench.usual(Turn::NotSent);
    let rows = bench.store_rows(Kind::Metric, "{}", 8);
    bench.driver.event(Event::Rows([0, 0, 0, 8]));
    flush_rows(&mut bench);
    assert!(bench.state().bisect.is_some());
    for restarted in [false, true] {
        if restarted {
            bench.restart("boot-a");
            bench.add("main", rez("key"));
        }
        assert_eq!((evict(&bench, 0), bench.balance().in_flight), (0, 8), "{restarted}");
    }
    bench.usual(Turn::Accept);
    bench.after(Duration::from_secs(600));
    assert_eq!(bench.balance().delivered, 8);
    let first_half = bench.sent().iter().filter(|request| ids(request).contains(&rows[0])).count();
    assert_eq!(first_half, 2, "once in the refused batch, once in the accepted half");
}

#[test]
fn rows_that_wait_for_a_resend_can_be_evicted_after_a_restart() {
    let mut bench = Bench::new();
    bench.usual(with(503, &[("retry-after", "3600")], ""));
    bench.store_rows(Kind::Metric, "{}", 8);
    bench.driver.event(Event::Rows([0, 0, 0, 8]));
    flush_rows(&mut bench);
    bench.restart("boot-a");
    assert_eq!(evict(&bench, 0), 0, "the state of the route is not loaded");
    bench.add("main", rez("key"));
    assert_eq!((bench.balance().in_flight, evict(&bench, 0)), (8, 8));
    bench.after(Duration::from_secs(3600));
    assert_eq!((bench.requests(), bench.balance().in_flight, bench.balance().queued), (1, 0, 0));
}

fn flush_rows(bench: &mut Bench) {
    let (done, _ended) = channel();
    bench.driver.flush(done);
    bench.settle();
}

#[test]
fn rows_announced_after_the_store_was_read_are_not_counted_twice() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::Error, 2);
    // The writer stores rows and announces them; the response is handled before the announcement.
    bench.store_rows(Kind::Error, "{}", 3);
    assert!(bench.driver.context.shared.add_rows([0, 3, 0, 0]));
    let done = bench.wire.silent.lock().unwrap().pop().unwrap();
    done.finish(Sent::Response(Response { status: 503, ..Response::default() }));
    let report = bench.reports.try_iter().next().unwrap();
    bench.driver.report(report);
    bench.settle();
    let announced = bench.driver.context.shared.take_rows();
    bench.driver.event(Event::Rows(announced));
    bench.settle();
    assert_eq!(bench.status(ROUTE).waiting, [0, 5, 0, 0]);
    // The same when a lease reads the store first.
    bench.usual(Turn::NotSent);
    bench.store_rows(Kind::Error, "{}", 4);
    bench.driver.context.shared.add_rows([0, 4, 0, 0]);
    bench.next();
    let announced = bench.driver.context.shared.take_rows();
    bench.driver.event(Event::Rows(announced));
    bench.settle();
    assert_eq!(bench.status(ROUTE).waiting, [0, 9, 0, 0]);
}
