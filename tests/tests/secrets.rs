//! Secrets that an app records by mistake never reach the queue's files nor the server; harmless numbers do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rez_monitor_tests::kid::Kid;
use rez_monitor_tests::scene::{Scene, balance};
use rez_monitor_tests::seeded::Seeded;
use std::path::Path;

const CHILD: &str = env!("CARGO_BIN_EXE_child");
const COUNT: usize = 10_000;
/// Size cap of the queue: nothing is to be evicted, trails and all.
const CAP: u64 = 512 * 1024 * 1024;
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const TOKEN: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A card number with a right check digit.
fn card(random: &mut Random) -> String {
    let body = format!("{}{}", ["4111", "5399", "4000"][random.below(3) as usize], random.text(DIGITS, 11));
    let sum: u32 = body.bytes().rev().enumerate().map(|(at, byte)| luhn(at, u32::from(byte - b'0'))).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

type Random = Seeded;

fn luhn(at: usize, digit: u32) -> u32 {
    let doubled = if at.is_multiple_of(2) { digit * 2 } else { digit };
    if doubled > 9 { doubled - 9 } else { doubled }
}

/// The twelfth digit of an Aadhaar number: Verhoeff's scheme over the dihedral group of ten.
fn verhoeff(digits: &str) -> u32 {
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let multiply = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let mut check = 0;
    for (at, byte) in digits.bytes().rev().enumerate() {
        let digit = (0..=at % 8).fold(u32::from(byte - b'0'), |digit, _| PERMUTATION[digit as usize]);
        check = multiply(check, digit);
    }
    (0..10).find(|last| multiply(check, *last) == 0).unwrap()
}

fn groups(digits: &str, separator: &str) -> String {
    let groups: Vec<&str> = (0..digits.len()).step_by(4).map(|at| &digits[at..(at + 4).min(digits.len())]).collect();
    groups.join(separator)
}

/// A text with a secret, and the part of it that must not be found again.
fn secret(random: &mut Random) -> (String, String) {
    match random.below(8) {
        0 => {
            let mail = format!("{}.{}@{}.com", random.text(LOWER, 8), random.text(LOWER, 6), random.text(LOWER, 7));
            (format!("write to {mail} now"), mail)
        }
        1 => {
            let phone = format!("+91{}{}", 6 + random.below(4), random.text(DIGITS, 9));
            (format!("call {phone} at noon"), phone)
        }
        2 => {
            let card = card(random);
            (format!("card {card} declined"), card)
        }
        3 => {
            let card = card(random);
            let card = groups(&card, [" ", "-"][random.below(2) as usize]);
            (format!("card {card} declined"), card)
        }
        4 => {
            let pan = format!(
                "{}P{}{}{}",
                random.text(UPPER, 3),
                random.text(UPPER, 1),
                random.text(DIGITS, 4),
                random.text(UPPER, 1)
            );
            (format!("PAN {pan} was given"), pan)
        }
        5 => {
            let body = format!("{}{}", 2 + random.below(8), random.text(DIGITS, 10));
            let number = groups(&format!("{body}{}", verhoeff(&body)), " ");
            (format!("aadhaar {number} was given"), number)
        }
        6 => {
            let token = random.text(TOKEN, 40);
            (format!("Authorization: Bearer {token}"), token)
        }
        _ => {
            let signature = random.text(TOKEN, 43);
            let payload = random.text(TOKEN, 60);
            (format!("token eyJhbGciOiJIUzI1NiJ9.eyJ{payload}.{signature} expired"), signature)
        }
    }
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

/// Which of the secrets are in the bytes. Indexed by eight bytes, so that 10,000 are looked for in one pass.
fn found<'a>(secrets: &'a [(String, String)], bytes: &[u8]) -> Vec<&'a (String, String)> {
    let mut index: std::collections::HashMap<&[u8], Vec<&(String, String)>> = std::collections::HashMap::new();
    for secret in secrets {
        index.entry(&secret.1.as_bytes()[..8]).or_default().push(secret);
    }
    let mut all: Vec<&(String, String)> = Vec::new();
    for at in 0..bytes.len().saturating_sub(8) {
        for secret in index.get(&bytes[at..at + 8]).into_iter().flatten() {
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
    let scene = Scene::new(CHILD);
    println!("size cap raised to {CAP} bytes");
    let secrets: Vec<_> = (0..COUNT).map(|_| secret(&mut random)).collect();
    let texts = scene.path("texts");
    let lines: Vec<&str> = secrets.iter().map(|(text, _)| text.as_str()).collect();
    std::fs::write(&texts, lines.join("\n")).unwrap();
    // The search finds what is there.
    assert!(found(&secrets, &std::fs::read(&texts).unwrap()).len() >= COUNT);
    // Kept on the device first, then delivered.
    let options = format!("texts={} url=none cap={CAP} end=close", texts.display());
    let (code, said) = Kid::start(CHILD, &scene.args("texts", &options), None).wait();
    assert_eq!(code, Some(0), "{:?}", said.words);
    assert_eq!(said.recorded.len(), COUNT, "{:?}", said.refused);
    balance(&scene.folder());
    let leaked = found(&secrets, &bytes(&scene.folder(), "queue.db"));
    assert!(leaked.is_empty(), "{} in the queue's files, first {:?}", leaked.len(), leaked[0]);
    let said = scene.run(&format!("n=0 cap={CAP} end=flush"));
    assert_eq!(said.word("left"), Some("0"), "{:?}", said.words);
    balance(&scene.folder());
    assert_eq!(scene.collector.counts().unwrap().total, COUNT as u64);
    let leaked = found(&secrets, &bytes(&scene.folder(), "queue.db"));
    assert!(leaked.is_empty(), "{} in the queue's files after delivery, first {:?}", leaked.len(), leaked[0]);
    let leaked = found(&secrets, &bytes(scene.folder().parent().unwrap(), "collector.sqlite"));
    assert!(leaked.is_empty(), "{} at the collector, first {:?}", leaked.len(), leaked[0]);
}

#[test]
fn ten_thousand_harmless_numbers_stay_as_they_are() {
    let mut random = Seeded::of("harmless", 10);
    let scene = Scene::new(CHILD);
    let lines: Vec<String> = (0..COUNT)
        .map(|_| match random.below(5) {
            0 => format!("order RZ-{} shipped", random.text(DIGITS, 6)),
            1 => format!("total {}.{} INR", 1 + random.below(99_999), random.text(DIGITS, 2)),
            2 => format!("at 17{} ms", random.text(DIGITS, 11)),
            3 => format!("order {} paid", 1_000_000 + random.below(8_000_000)),
            _ => format!("2026-11-{:02}T{:02}:{:02}:07Z", 1 + random.below(28), random.below(24), random.below(60)),
        })
        .collect();
    let texts = scene.path("texts");
    std::fs::write(&texts, lines.join("\n")).unwrap();
    let options = format!("texts={} field=0 end=flush", texts.display());
    let (code, said) = Kid::start(CHILD, &scene.args("texts", &options), None).wait();
    assert_eq!((code, said.recorded.len()), (Some(0), COUNT), "{:?}", said.words);
    let db = rusqlite::Connection::open(scene.collector.db()).unwrap();
    let mut select = db.prepare("SELECT json FROM event").unwrap();
    let mut same = 0;
    let mut changed = Vec::new();
    for json in select.query_map([], |row| row.get::<_, String>(0)).unwrap() {
        let json = json.unwrap();
        let serial = rez_monitor_tests::scene::serial(&json).unwrap();
        let line = &lines[serial as usize];
        if json.contains(&format!("\"{line}\"")) {
            same += 1;
        } else {
            changed.push((line, json));
        }
    }
    println!("{same} of {COUNT} unchanged");
    assert_eq!(same + changed.len(), COUNT);
    assert!(changed.len() < 10, "{} changed, first {:?}", changed.len(), changed.first());
}
