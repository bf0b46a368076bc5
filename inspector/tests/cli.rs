//! The program as a person or a script meets it: exit codes, messages, first lines.

// A test may panic; clippy knows that of test functions only, not of their helpers.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

fn rezq(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rezq")).args(arguments).output().unwrap()
}

/// Exit code and what was said on standard error.
fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let output = rezq(arguments);
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_wrong_command_line_is_2_and_says_what_is_wrong() {
    for (arguments, word) in [
        (&["demo", "--events", "0"][..], "200"),
        (&["demo", "--seed", "x"], "--seed"),
        (&["list", "/x", "--kind", "Error"], "screen_load"),
        (&["collect", "--port", "99999"], "--port"),
        (&["nothing"], "nothing"),
        (&["status"], "DIR"),
    ] {
        let (code, said) = refused(arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
}

#[test]
fn what_cannot_be_opened_is_3_with_the_place_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for command in ["status", "list"] {
        let (code, said) = refused(&[command, path]);
        assert_eq!(code, Some(3));
        assert!(said.starts_with("rezq: ") && said.contains(path) && said.contains("--keep"), "{said}");
    }
    std::fs::write(folder.path().join("queue.db"), "words, and no database, though long enough to be one").unwrap();
    let (code, said) = refused(&["status", path]);
    assert_eq!(code, Some(3));
    assert!(said.contains("queue.db is damaged"), "{said}");
    let (code, said) = refused(&["demo", "--keep", path]);
    assert_eq!(code, Some(2));
    assert!(said.contains("not empty"), "{said}");
}

#[test]
fn the_collector_prints_its_address_first_and_answers_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut collector = Command::new(env!("CARGO_BIN_EXE_rezq"))
        .args(["collect", "--port", "0", "--db"])
        .arg(folder.path().join("c.sqlite"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(collector.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let address = first.trim().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(b"GET /v1/counts HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    collector.kill().unwrap();
    collector.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""total":0"#), "{answer}");
}

#[test]
fn help_and_version_are_0() {
    for argument in ["--help", "--version"] {
        let output = rezq(&[argument]);
        assert_eq!(output.status.code(), Some(0));
        assert!(!output.stdout.is_empty());
    }
    assert!(!String::from_utf8(rezq(&["--help"]).stdout).unwrap().contains("demo-app"));
}
