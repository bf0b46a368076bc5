//! The main job, as a newcomer runs it: the program itself, its child, its collector, its shop.

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
fn the_demo_loses_and_doubles_nothing_and_its_queue_can_be_read() {
    let keep = tempfile::tempdir().unwrap();
    let folder = keep.path().join("kept");
    let folder = folder.to_str().unwrap();
    let seed = "20261123";
    println!("seed {seed}");
    let demo = rezq(&["demo", "--json", "--seed", seed, "--events", "600", "--keep", folder]);
    assert!(demo.status.success(), "{}\n{}", text(&demo.stdout), text(&demo.stderr));
    let line = text(&demo.stdout).lines().last().unwrap().to_owned();
    let said: Value = serde_json::from_str(&line).unwrap();
    let number = |name: &str| said[name].as_u64().unwrap_or_else(|| panic!("{name} in {line}"));
    let dropped: u64 = said["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert!(number("recorded") >= 600, "{line}");
    assert_eq!(number("recorded"), number("delivered") + number("queued") + number("in_flight") + dropped, "{line}");
    assert_eq!((number("lost"), said["balanced"].as_bool()), (0, Some(true)), "{line}");
    assert!(number("kills") >= 1 && said["seconds"].is_number(), "{line}");

    let app = format!("{folder}/app");
    let status = rezq(&["status", &app]);
    assert!(status.status.success(), "{}", text(&status.stderr));
    assert!(text(&status.stdout).contains("in balance"), "{}", text(&status.stdout));
    let list = rezq(&["list", &app]);
    assert!(list.status.success(), "{}", text(&list.stderr));
    assert!(std::path::Path::new(&format!("{folder}/collector.sqlite")).exists());
}
