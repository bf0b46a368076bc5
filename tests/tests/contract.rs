//! Runs the contract vectors, and compares rows and requests with the expected files.
//!
//! `REZ_BLESS=1 cargo test -p rez-monitor-tests --test contract` updates the expected files, which must be reviewed before
//! they are committed. `REZ_BLESS=rows,sentry` updates only these. `REZ_VECTORS=span_,trace_` runs only the vectors whose names
//! start with one of these.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor_tests::contract::batch::without_ids;
use rez_monitor_tests::contract::destinations::{ALL, Entry, SERVER};
use rez_monitor_tests::contract::world::World;
use rez_monitor_tests::contract::{Vector, expected, folder, json_files, server_vectors, show, stem, vectors, wire};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// Minimum number of vectors.
const LEAST: usize = 40;

/// The calls of the example app in the guide. Each must be in a vector.
const GUIDE: [&str; 38] = [
    "initSentry",
    "logError",
    "logMessage",
    "setUser",
    "clearUser",
    "addBreadcrumb",
    "initDatadog",
    "trackScreenLoad",
    "trackAPICall",
    "trackImageLoad",
    "trackInteraction",
    "handleError",
    "handleNetworkError",
    "logScreenView",
    "logEvent",
    "setUserProperty",
    "setUserId",
    "logPurchase",
    "logAddToCart",
    "logRemoveFromCart",
    "logBeginCheckout",
    "logSearch",
    "logShare",
    "logSignUp",
    "logLogin",
    "logStoreView",
    "logProductView",
    "logBillUpload",
    "logCashbackEarned",
    "logReferralSent",
    "setEnabled",
    "initialize",
    "track",
    "identify",
    "setUserProperties",
    "incrementUserProperty",
    "trackRevenue",
    "reset",
];

/// Returns true if this expected file is updated instead of compared.
fn blessed(what: &str) -> bool {
    std::env::var("REZ_BLESS").is_ok_and(|output| output == "1" || output.split(',').any(|name| name == what))
}

/// Compares a result with the expected file, or updates the file.
fn check(what: &str, name: &str, found: &Value, problems: &mut Vec<String>) {
    let path = expected(what, name);
    if blessed(what) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, show::pretty(found)).unwrap();
        return;
    }
    match std::fs::read_to_string(&path).ok().map(|text| serde_json::from_str::<Value>(&text)) {
        Some(Ok(written)) if written == *found => {}
        Some(Ok(written)) => problems.push(format!("{what}/{name}: {}", difference("", &written, found))),
        Some(Err(error)) => problems.push(format!("{what}/{name}: {error}")),
        None => problems.push(format!("{what}/{name}: nothing is written down; run with REZ_BLESS={what} and read it")),
    }
}

/// Returns the first difference between two values.
fn difference(at: &str, written: &Value, found: &Value) -> String {
    match (written, found) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            let key = keys.into_iter().find(|key| one.get(*key) != other.get(*key));
            let Some(key) = key else { return format!("{at} is the same") };
            let null = Value::Null;
            let [one, other] = [one, other].map(|map| map.get(key).unwrap_or(&null));
            difference(&format!("{at}/{key}"), one, other)
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let place = one.iter().zip(other).position(|(one, other)| one != other).unwrap_or(0);
            difference(&format!("{at}/{place}"), &one[place], &other[place])
        }
        _ => format!("at {at} there is {found}, written down is {written}"),
    }
}

/// Returns those of the vectors that are chosen by name; all of them by default.
fn chosen(mut vectors: Vec<Vector>) -> Vec<Vector> {
    let chosen = std::env::var("REZ_VECTORS").unwrap_or_default();
    vectors.retain(|vector| chosen.split(',').any(|start| vector.name.starts_with(start)));
    vectors
}

fn run(vector: &Vector, entry: &Entry, problems: &mut Vec<String>) {
    let name = &vector.name;
    let world = match World::play(vector, entry.accept) {
        Ok(world) => world,
        Err(error) => return problems.push(format!("{name}: {error}")),
    };
    match world.rows() {
        Ok(rows) => check("rows", name, &rows, problems),
        Err(error) => return problems.push(format!("{name}: {error}")),
    }
    let requests = match world.requests(entry, vector) {
        Ok(requests) => requests,
        Err(error) => return problems.push(format!("{name}: {}: {error}", entry.name)),
    };
    for (route, requests) in &requests {
        let wanted = vector.wanted().contains(route);
        if wanted == requests.is_empty() {
            problems.push(format!("{name}: {route} sent {} requests, `wanted` says {wanted}", requests.len()));
        }
    }
    let shown = requests.iter().map(|(route, requests)| (*route, requests.iter().map(wire::show).collect::<Vec<_>>()));
    check(entry.name, name, &json!(shown.collect::<std::collections::BTreeMap<_, _>>()), problems);
}

#[test]
fn every_vector_results_in_the_expected_rows_and_requests() {
    run_all(&chosen(vectors()), ALL);
}

#[test]
fn every_vector_of_servers_results_in_the_expected_rows_and_requests_at_their_destinations_too() {
    let vectors = chosen(server_vectors());
    run_all(&vectors, ALL);
    run_all(&vectors, SERVER);
}

fn run_all(vectors: &[Vector], entries: &[Entry]) {
    let mut problems = Vec::new();
    for vector in vectors {
        for entry in entries {
            run(vector, entry, &mut problems);
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    println!("{} vectors on {} destinations", vectors.len(), entries.len());
}

#[test]
fn every_vector_results_in_the_same_rows_through_batches() {
    let mut problems = Vec::new();
    for vector in chosen(vectors().into_iter().chain(server_vectors()).collect()) {
        let name = &vector.name;
        let world = World::play_batches(&vector, ALL[0].accept);
        let found = match world.and_then(|world| world.rows()) {
            Ok(rows) => without_ids(&rows),
            Err(error) => {
                problems.push(format!("{name}: {error}"));
                continue;
            }
        };
        let written = std::fs::read_to_string(expected("rows", name)).ok();
        let written = written.and_then(|text| serde_json::from_str(&text).ok()).map(|rows| without_ids(&rows));
        match written {
            Some(written) if written == found => {}
            Some(written) => problems.push(format!("{name}: {}", difference("", &written, &found))),
            None => problems.push(format!("{name}: no expected rows")),
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn there_are_enough_vectors_and_one_for_each_call_of_the_guide() {
    let vectors = vectors();
    assert!(vectors.len() >= LEAST, "{} vectors", vectors.len());
    let made: BTreeSet<&str> = vectors.iter().filter_map(|vector| vector.json["guide"].as_str()).collect();
    let missing: Vec<_> = GUIDE.iter().filter(|call| !made.contains(*call)).collect();
    assert!(missing.is_empty(), "no vector has the calls {missing:?}");
    for vector in &vectors {
        assert!(vector.json["what"].is_string() && vector.json["wanted"].is_array(), "{}", vector.name);
    }
}

#[test]
fn every_expected_file_belongs_to_a_vector() {
    let names: BTreeSet<String> = vectors().into_iter().chain(server_vectors()).map(|vector| vector.name).collect();
    let known: BTreeSet<&str> = ALL.iter().chain(SERVER).map(|entry| entry.name).chain(["rows"]).collect();
    for entry in std::fs::read_dir(folder().join("expected")).unwrap() {
        let folder = entry.unwrap().path();
        assert!(known.contains(stem(&folder).as_str()), "{} belongs to no destination", folder.display());
        for file in json_files(&folder) {
            assert!(names.contains(&stem(&file)), "{} belongs to no vector", file.display());
        }
        for file in json_files(&folder.join("server")) {
            assert!(names.contains(&format!("server/{}", stem(&file))), "{} belongs to no vector", file.display());
        }
    }
}

#[test]
fn a_changed_byte_is_detected() {
    let written = json!({"rez.batch": [{"crc32": "00", "json": {"a": [1, 2]}}]});
    let found = json!({"rez.batch": [{"crc32": "00", "json": {"a": [1, 3]}}]});
    assert_eq!(difference("", &written, &found), "at /rez.batch/0/json/a/1 there is 3, written down is 2");
    assert!(!Path::new(&expected("rez", "no such vector")).exists());
}
