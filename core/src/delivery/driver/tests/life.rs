//! Restarts in every state of a request, clocks that jump, several routes, a store that cannot be used.

use super::*;

#[test]
fn a_request_without_a_response_is_given_up_after_thirty_seconds_and_a_late_response_is_ignored() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::Error, 1);
    assert_eq!(bench.next(), limits::REQUEST_TIMEOUT);
    assert!(bench.why().contains("can be understood"));
    assert_eq!(bench.balance().in_flight, 1);
    // The late response belongs to a request that was given up.
    let late = accept(&bench.last());
    bench.wire.silent.lock().unwrap().pop().unwrap().finish(Sent::Response(late));
    bench.settle();
    assert_eq!(bench.balance().delivered, 0);
    bench.next();
    assert_eq!(body(&bench.sent()[0]), body(&bench.sent()[1]));
    assert_eq!(bench.balance().delivered, 1);
}

#[test]
fn a_transport_that_reports_connections_has_ten_seconds_to_connect() {
    for connects in [false, true] {
        let mut bench = Bench::bare();
        bench.wire = Arc::new(ScriptedTransport {
            script: Mutex::new([Turn::Silence].into()),
            usual: Mutex::new(Turn::Accept),
            sent: Mutex::default(),
            silent: Mutex::default(),
            reports_connect: true,
        });
        bench.restart("boot-a");
        bench.add("main", rez("key"));
        bench.put(Kind::Error, 1);
        if connects {
            bench.wire.silent.lock().unwrap().iter().for_each(Completion::connected);
        }
        let wait = if connects { limits::REQUEST_TIMEOUT } else { limits::CONNECT_TIMEOUT };
        assert_eq!(bench.next(), wait);
        bench.next();
        assert_eq!(bench.balance().delivered, 1);
    }
}

#[test]
fn a_route_without_a_response_does_not_delay_another() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::Error, 1);
    bench.add("other", rez("other_key"));
    assert_eq!(bench.balance_of("other/rez.batch").delivered, 1);
    assert_eq!((bench.balance().in_flight, bench.balance().delivered), (1, 0));
    bench.after(Duration::from_secs(6));
    bench.put(Kind::Error, 1);
    assert_eq!(bench.balance_of("other/rez.batch").delivered, 2);
}

#[test]
fn a_batch_in_flight_is_sent_again_after_a_restart_byte_for_byte() {
    for clean_boot in [true, false] {
        let mut bench = Bench::new();
        bench.script([Turn::Silence]);
        bench.put(Kind::Error, 3);
        // New rows are not added to it.
        bench.store_rows(Kind::Error, "{}", 2);
        bench.restart(if clean_boot { "boot-b" } else { "boot-a" });
        bench.add("main", rez("key"));
        let sent = bench.sent();
        assert_eq!(sent[0].body, sent[1].body);
        assert_eq!(bench.balance().delivered, 5);
    }
}

#[test]
fn a_batch_of_another_build_is_cut_again_with_the_same_event_ids() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::Error, 3);
    bench.restart("boot-a");
    let destination = Rez::builder("http://127.0.0.1:1", "key").purposes(&Purpose::ALL).build().unwrap();
    bench.add("main", Arc::new(Faulty(destination)));
    let sent = bench.sent();
    assert_eq!(ids(&sent[0]), ids(&sent[1]));
    assert_ne!(body(&sent[0])["batch_id"], body(&sent[1])["batch_id"]);
    assert_eq!(bench.balance().delivered, 3);
}

#[test]
fn an_at_most_once_request_that_may_have_arrived_is_never_repeated() {
    const ONE: &str = "once/once.collect";
    let ambiguous = |bench: &Bench| bench.balance_of(ONE).dropped.get("ambiguous").copied().unwrap_or(0);
    let start = |turn: Turn| {
        let mut bench = Bench::bare();
        bench.add("once", Arc::new(Once));
        bench.script([turn]);
        bench.put(Kind::Error, 2);
        bench
    };
    // Accepted, unknown, refused, not sent, outage.
    let bench = start(Turn::Response(Response { status: 200, ..Response::default() }));
    assert_eq!(bench.balance_of(ONE).delivered, 2);
    for turn in [Turn::Ambiguous, Turn::Drop, Turn::Panic, status(500)] {
        let bench = start(turn);
        assert_eq!((bench.requests(), ambiguous(&bench), bench.balance_of(ONE).queued), (1, 2, 0));
    }
    let bench = start(status(400));
    assert_eq!(bench.balance_of(ONE).dropped.get("rejected"), Some(&2));
    for turn in [Turn::NotSent, status(503)] {
        let mut bench = start(turn);
        assert_eq!((ambiguous(&bench), bench.balance_of(ONE).queued), (0, 2));
        bench.next();
        assert_eq!((ids(&bench.sent()[0]), bench.balance_of(ONE).delivered), (ids(&bench.sent()[1]), 2));
    }
    // The process dies while the transport has the request.
    let mut bench = start(Turn::Silence);
    let sending = bench.store(|store, _| store.settled().unwrap());
    assert!(sending.iter().any(|route| route.route == ONE && route.sending > 0));
    assert!(*bench.writer.superblock.lock().unwrap() > 0, "the superblock is written before the transport is called");
    bench.restart("boot-a");
    bench.add("once", Arc::new(Once));
    assert_eq!((bench.requests(), ambiguous(&bench)), (1, 2));
    // The process dies before the state `sending` is committed: nothing can have arrived.
    let mut bench = Bench::bare();
    bench.add("once", Arc::new(Once));
    bench.store_rows(Kind::Error, "{}", 2);
    bench.store(|store, now| {
        let limits = store::LeaseLimits { max_events: 9, max_bytes: 9999 };
        store
            .lease(ONE, limits, 1, &|| "b".into(), crate::store::Selector::new(&mut |_| Want::Yes), now)
            .unwrap()
            .unwrap();
    });
    bench.restart("boot-a");
    bench.add("once", Arc::new(Once));
    assert_eq!(bench.balance_of(ONE).delivered, 2);
}

#[test]
fn a_wait_survives_restarts_reboots_and_clocks_that_jump_by_a_day() {
    // (boot, jump of the wall clock, bounds of the rest of 600 s after 100 s)
    for (boot, jump, least, most) in [
        ("boot-a", 0, 500, 500),
        ("boot-a", DAY, 500, 500),
        ("boot-a", -DAY, 500, 500),
        ("boot-b", 0, 500, 500),
        ("boot-b", DAY, 0, 0),
        ("boot-b", -DAY, 600, 600),
    ] {
        let mut bench = Bench::new();
        bench.script([with(503, &[("retry-after", "600")], "")]);
        bench.put(Kind::Error, 1);
        bench.after(Duration::from_secs(100));
        bench.clock.set_wall_ms(bench.clock.wall_ms() + jump);
        bench.restart(boot);
        bench.add("main", rez("key"));
        let waited = if bench.balance().delivered == 1 { 0 } else { bench.next().as_secs() };
        assert!((least..=most).contains(&waited), "{boot} {jump}: {waited}");
        assert_eq!(bench.balance().delivered, 1);
    }
}

#[test]
fn a_wall_clock_that_jumps_does_not_change_a_wait() {
    for jump in [-DAY, DAY] {
        let mut bench = Bench::new();
        bench.script([with(429, &[("retry-after", "600")], "")]);
        bench.put(Kind::Error, 1);
        bench.clock.set_wall_ms(bench.clock.wall_ms() + jump);
        assert_eq!(bench.next(), Duration::from_secs(600));
        assert_eq!(bench.balance().delivered, 1);
        assert_eq!(bench.state().hold.map(|hold| hold.why == Why::RetryAfter), None);
    }
}

#[test]
fn a_store_that_cannot_be_used_costs_nothing_but_time() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::Error, 1);
    let store = bench.writer.store.lock().unwrap().take();
    let response = accept(&bench.last());
    bench.wire.silent.lock().unwrap().pop().unwrap().finish(Sent::Response(response));
    assert_eq!(bench.settle(), None, "no timer: the writer reports when the store can be used again");
    assert!(bench.why().contains("queue cannot be used"));
    bench.driver.event(Event::Rows([0, 1, 0, 0]));
    bench.settle();
    *bench.writer.store.lock().unwrap() = store;
    bench.driver.event(Event::StoreBack);
    bench.settle();
    assert_eq!((bench.balance().delivered, bench.requests()), (1, 1));
}

#[test]
fn a_replaced_store_is_loaded_again_and_old_responses_are_ignored() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::Error, 1);
    bench.writer.store.lock().unwrap().take();
    for file in std::fs::read_dir(bench.folder.path()).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let identity = Identity { install: "i".into(), epoch: 2, boot: "boot-a".into(), gone: Default::default() };
    let fresh = Store::open(bench.folder.path(), &identity, store::Options::default()).unwrap();
    let serial = fresh.serial();
    *bench.writer.store.lock().unwrap() = Some(fresh);
    bench.driver.store_replaced(serial);
    let response = accept(&bench.last());
    bench.wire.silent.lock().unwrap().pop().unwrap().finish(Sent::Response(response));
    bench.settle();
    assert_eq!(bench.balance().delivered, 0);
    bench.put(Kind::Error, 2);
    assert_eq!(bench.balance().delivered, 2);
}

#[test]
fn a_request_on_the_new_store_is_not_repeated_when_the_message_about_the_replacement_is_late() {
    let mut bench = Bench::new();
    bench.script([Turn::Silence]);
    bench.put(Kind::Error, 3);
    bench.driver.store_replaced(bench.store(|store, _| store.serial()));
    bench.settle();
    assert_eq!(bench.requests(), 1);
    let response = accept(&bench.last());
    bench.wire.silent.lock().unwrap().pop().unwrap().finish(Sent::Response(response));
    bench.settle();
    assert_eq!((bench.requests(), bench.balance().delivered), (1, 3));
}

#[test]
fn a_removed_destination_becomes_dormant_and_continues_when_it_returns() {
    let mut bench = Bench::new();
    bench.put(Kind::Error, 2);
    bench.driver.remove("main");
    bench.settle();
    let dormant = bench.store(|store, _| store.overview().unwrap().routes[0].dormant_since_ms);
    assert!(dormant.is_some());
    bench.after(Duration::from_secs(10));
    bench.put(Kind::Error, 3);
    assert_eq!(bench.requests(), 1);
    bench.add("main", rez("key"));
    assert_eq!((bench.balance().delivered, ids(&bench.last()).len()), (5, 3));
}

#[test]
fn a_destination_added_from_now_gets_no_earlier_event() {
    let mut bench = Bench::bare();
    bench.put(Kind::Error, 4);
    bench.driver.add("late".into(), rez("key"), store::From::Now);
    bench.settle();
    bench.put(Kind::Error, 1);
    assert_eq!(ids(&bench.last()).len(), 1);
}

#[test]
fn a_route_state_that_cannot_be_read_counts_as_none() {
    let mut bench = Bench::new();
    bench.store(|store, _| store.save_route_state(ROUTE, "{\"hold\": 7").unwrap());
    bench.restart("boot-a");
    bench.add("main", rez("key"));
    bench.put(Kind::Error, 1);
    assert_eq!(bench.balance().delivered, 1);
}
