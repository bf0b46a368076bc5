//! Checks requests to Sentry with the vendor's schemas and types, and compares them with the vendor's library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod broken;
mod checks;
mod difference;

use checks::Checker;
use rez_monitor_tests::contract::destinations::entry;
use rez_monitor_tests::contract::world::World;
use rez_monitor_tests::contract::{vectors, wire};

/// Returns the bodies of all vectors, with their names.
fn bodies() -> Vec<(String, Vec<u8>)> {
    let sentry = entry("sentry").unwrap();
    let mut bodies = Vec::new();
    for vector in vectors() {
        let world = World::play(&vector, sentry.accept).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        let requests = world.requests(sentry, &vector).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        bodies.extend(requests.values().flatten().map(|request| (vector.name.clone(), wire::plain(request))));
    }
    bodies
}

#[test]
fn every_body_of_the_vectors_is_valid() {
    let checker = Checker::new();
    let bodies = bodies();
    let mut items = std::collections::BTreeMap::new();
    for (name, body) in &bodies {
        let problems = checker.problems(body);
        assert!(problems.is_empty(), "{name}: {problems:#?}\n{}", String::from_utf8_lossy(body));
        for (header, _) in checks::items(body).unwrap().1 {
            *items.entry(header["type"].as_str().unwrap().to_owned()).or_insert(0_u32) += 1;
        }
    }
    println!("{} bodies: {items:?}", bodies.len());
    for kind in ["event", "transaction", "session", "feedback", "client_report", "log", "trace_metric"] {
        assert!(items.contains_key(kind), "no vector makes an item of type {kind}");
    }
}

#[test]
fn the_event_schema_of_the_vendor_is_available() {
    if Checker::new().has_vendors_schema() {
        return;
    }
    rez_monitor_tests::skipped("sentry-event-schema", "../shared/peers/sentry/event.schema.json is not there");
}

#[test]
fn an_invalid_body_is_rejected() {
    let checker = Checker::new();
    for sound in broken::valid() {
        assert_eq!(checker.problems(&sound), Vec::<String>::new(), "{}", String::from_utf8_lossy(&sound));
    }
    let mut accepted = Vec::new();
    for broken in broken::all() {
        if broken.needs_vendors_schema && !checker.has_vendors_schema() {
            continue;
        }
        let problems = checker.problems(&broken.body);
        if !problems.iter().any(|problem| problem.contains(broken.because)) {
            accepted.push(format!("{}: {problems:?}", broken.name));
        }
    }
    assert!(accepted.is_empty(), "not refused for its fault: {accepted:#?}");
}
