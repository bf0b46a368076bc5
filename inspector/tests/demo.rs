//! End-to-end tests of `rezq demo`: the program, its app process, its collector and its shop.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value;
use std::process::{Command, Output};

fn rezq(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rezq")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_demo_loses_and_duplicates_no_event_and_its_queue_can_be_inspected() {
    let keep = tempfile::tempdir().unwrap();
    let folder = keep.path().join("kept");
    let folder = folder.to_str().unwrap();
    let seed = "20261123";
    println!("seed {seed}");
    let demo = rezq(&["demo", "--json", "--seed", seed, "--events", "600", "--keep", folder]);
    assert!(demo.status.success(), "{}\n{}", text(&demo.stdout), text(&demo.stderr));
    let line = text(&demo.stdout).lines().last().unwrap().to_owned();
    let result: Value = serde_json::from_str(&line).unwrap();
    let number = |name: &str| result[name].as_u64().unwrap_or_else(|| panic!("{name} in {line}"));
    let dropped: u64 = result["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert!(number("recorded") >= 600, "{line}");
    assert_eq!(number("recorded"), number("delivered") + number("queued") + number("in_flight") + dropped, "{line}");
    assert_eq!((number("lost"), result["balanced"].as_bool()), (0, Some(true)), "{line}");
    assert!(number("kills") >= 1 && result["seconds"].is_number(), "{line}");
    assert_eq!((number("queued"), number("in_flight")), (0, 0), "the close sends the end of the last session: {line}");

    let app = format!("{folder}/app");
    let status = rezq(&["status", &app]);
    assert!(status.status.success(), "{}", text(&status.stderr));
    assert!(text(&status.stdout).contains("balanced"), "{}", text(&status.stdout));
    let list = rezq(&["list", &app]);
    assert!(list.status.success(), "{}", text(&list.stderr));
    assert!(std::path::Path::new(&format!("{folder}/collector.sqlite")).exists());
}

/// Responds with 204 to every request, as Google does, and counts requests.
fn google() -> (String, std::sync::Arc<std::sync::atomic::AtomicU64>) {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let count = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(&stream);
            let (mut line, mut length) = (String::new(), 0_u64);
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                let lower = line.to_ascii_lowercase();
                length = lower.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
                line.clear();
            }
            let _ = std::io::copy(&mut reader.take(length), &mut std::io::sink());
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let _ = (&stream).write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        }
    });
    (address, count)
}

#[test]
fn the_demo_also_sends_its_events_to_another_destination_and_reports_it_separately() {
    let (address, count) = google();
    let target = format!("ga4=s3cret:G-1@http://{address}");
    let demo = rezq(&["demo", "--json", "--seed", "7", "--events", "600", "--destination", &target]);
    assert!(demo.status.success(), "{}\n{}", text(&demo.stdout), text(&demo.stderr));
    let line = text(&demo.stdout).lines().last().unwrap().to_owned();
    let result: Value = serde_json::from_str(&line).unwrap();
    let route = &result["destinations"]["ga4"][0];
    assert_eq!(route["route"].as_str(), Some("ga4/ga4.collect"), "{line}");
    // The close sends the end of the last session.
    assert_eq!(route["queued"].as_u64(), Some(0), "{line}");
    assert!(
        route["delivered"].as_u64().unwrap() > 100 && count.load(std::sync::atomic::Ordering::SeqCst) > 4,
        "{line}"
    );
    assert_eq!((result["lost"].as_u64(), result["balanced"].as_bool()), (Some(0), Some(true)), "{line}");
    assert!(!line.contains("s3cret"), "the key is printed: {line}");
}

#[test]
fn an_invalid_destination_is_rejected_before_the_demo_starts() {
    for (target, message) in [
        ("ga4=s:G-1@http://ga.example.com", "http is allowed to a loopback address only"),
        ("mixpanel=http://127.0.0.1:1", "missing token"),
        ("statsd=x", "is not a destination"),
    ] {
        let demo = rezq(&["demo", "--destination", target]);
        assert_eq!(demo.status.code(), Some(2), "{target}");
        assert!(text(&demo.stderr).contains(message), "{target}: {}", text(&demo.stderr));
    }
}
