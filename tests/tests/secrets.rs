//! Secrets that an app records by mistake reach neither the files of the queue nor the server; harmless texts do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor_tests::child_process::ChildProcess;
use rez_monitor_tests::harmless;
use rez_monitor_tests::plants::plants;
use rez_monitor_tests::scenario::{Scenario, balance};
use rez_monitor_tests::seeded::Seeded;
use std::path::Path;

const CHILD: &str = env!("CARGO_BIN_EXE_child");
const COUNT: usize = 10_000;
/// Bytes of a secret by which it is indexed.
const KEY: usize = 8;
/// Size cap of the queue in bytes: nothing is evicted, the breadcrumb trails included.
const CAP: u64 = 512 * 1024 * 1024;
/// Texts with a secret of every kind, one line each, and the parts that must not be found again.
fn secrets(random: &mut Seeded) -> Vec<(String, String)> {
    let mut all = Vec::with_capacity(COUNT);
    while all.len() < COUNT {
        let lines = plants(random).into_iter().filter(|plant| !plant.text.contains('\n') && plant.secret.len() >= KEY);
        all.extend(lines.map(|plant| (plant.text, plant.secret)));
    }
    all.truncate(COUNT);
    all
}

/// Every byte of the files whose names begin like this.
fn bytes(folder: &Path, start: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with(start) {
            all.extend(std::fs::read(entry.path()).unwrap());
        }
    }
    all
}

/// The secrets that are in the bytes. An index of their first bytes lets one pass look for all of them.
fn found<'a>(secrets: &'a [(String, String)], bytes: &[u8]) -> Vec<&'a (String, String)> {
    let mut index: std::collections::HashMap<&[u8], Vec<&(String, String)>> = std::collections::HashMap::new();
    for secret in secrets {
        index.entry(&secret.1.as_bytes()[..KEY]).or_default().push(secret);
    }
    let mut all: Vec<&(String, String)> = Vec::new();
    for at in 0..bytes.len().saturating_sub(KEY) {
        for secret in index.get(&bytes[at..at + KEY]).into_iter().flatten() {
            if bytes[at..].starts_with(secret.1.as_bytes()) {
                all.push(secret);
            }
        }
    }
    all
}

#[test]
fn ten_thousand_planted_secrets_are_found_nowhere() {
    let mut random = Seeded::of("secrets", 9);
    let scenario = Scenario::new(CHILD);
    println!("size cap raised to {CAP} bytes");
    let secrets = secrets(&mut random);
    let texts = scenario.path("texts");
    let lines: Vec<&str> = secrets.iter().map(|(text, _)| text.as_str()).collect();
    std::fs::write(&texts, lines.join("\n")).unwrap();
    // The search itself works.
    assert!(found(&secrets, &std::fs::read(&texts).unwrap()).len() >= COUNT);
    // Stored on the device, then delivered.
    let options = format!("texts={} url=none cap={CAP} end=close", texts.display());
    let (code, child) = ChildProcess::start(CHILD, &scenario.args("texts", &options), None).wait();
    assert_eq!(code, Some(0), "{:?}", child.lines);
    assert_eq!(child.recorded.len(), COUNT, "{:?}", child.refused);
    balance(&scenario.folder());
    let leaked = found(&secrets, &bytes(&scenario.folder(), "queue.db"));
    assert!(leaked.is_empty(), "{} in the queue's files, first {:?}", leaked.len(), leaked[0]);
    let child = scenario.run(&format!("n=0 cap={CAP} end=flush"));
    assert_eq!(child.value("left"), Some("0"), "{:?}", child.lines);
    balance(&scenario.folder());
    assert_eq!(scenario.collector.counts().unwrap().total, COUNT as u64);
    let leaked = found(&secrets, &bytes(&scenario.folder(), "queue.db"));
    assert!(leaked.is_empty(), "{} in the queue's files after delivery, first {:?}", leaked.len(), leaked[0]);
    let leaked = found(&secrets, &bytes(scenario.folder().parent().unwrap(), "collector.sqlite"));
    assert!(leaked.is_empty(), "{} at the collector, first {:?}", leaked.len(), leaked[0]);
}

#[test]
fn at_most_three_of_ten_thousand_harmless_texts_change_on_their_way() {
    let mut random = Seeded::of("harmless", 10);
    let scenario = Scenario::new(CHILD);
    let lines: Vec<String> = (0..COUNT).map(|_| harmless::text(&mut random)).collect();
    let texts = scenario.path("texts");
    std::fs::write(&texts, lines.join("\n")).unwrap();
    let options = format!("texts={} field=1 end=flush", texts.display());
    let (code, child) = ChildProcess::start(CHILD, &scenario.args("texts", &options), None).wait();
    assert_eq!((code, child.recorded.len()), (Some(0), COUNT), "{:?}", child.lines);
    let db = rusqlite::Connection::open(scenario.collector.db()).unwrap();
    let mut select = db.prepare("SELECT text FROM event WHERE code IS NULL").unwrap();
    let mut same = 0;
    let mut changed = Vec::new();
    for json in select.query_map([], |row| row.get::<_, String>(0)).unwrap() {
        let json = json.unwrap();
        let serial = rez_monitor_tests::scenario::serial(&json).unwrap();
        let line = serde_json::json!(lines[serial as usize]).to_string();
        if json.contains(&line) {
            same += 1;
        } else {
            changed.push((line, json));
        }
    }
    println!("{same} of {COUNT} unchanged");
    assert_eq!(same + changed.len(), COUNT);
    assert!(changed.len() <= 3, "{} changed, first {:?}", changed.len(), changed.first());
}
