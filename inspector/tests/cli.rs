//! Tests of the program `rezq`: exit codes, error messages, output.

// Clippy allows panics in test functions, but not in their helpers.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

fn rezq(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rezq")).args(arguments).output().unwrap()
}

/// Returns exit code and stderr of a command that fails.
fn fails(arguments: &[&str]) -> (Option<i32>, String) {
    let output = rezq(arguments);
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_invalid_command_line_exits_with_2_and_names_the_argument() {
    for (arguments, word) in [
        (&["demo", "--events", "0"][..], "200"),
        (&["demo", "--seed", "x"], "--seed"),
        (&["list", "/x", "--kind", "Error"], "screen_load"),
        (&["collect", "--port", "99999"], "--port"),
        (&["nothing"], "nothing"),
        (&["status"], "SOURCE"),
        (&["list", "/x", "--where", "status >"], "^"),
        (&["list", "/x", "--since", "10"], "10m"),
        (&["assert", "/x", "count(kind=error) = x"], "a whole number"),
        (&["drop", "/x", "1"], "--write"),
        (&["status", "http://example.com/"], "rezq serve"),
        (&["status", "adb:a;reboot"], "names no app"),
        (&["doctor", "adb:a;reboot"], "names no app"),
        (&["doctor", "http://example.com/"], "rezq serve"),
    ] {
        let (code, message) = fails(arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
}

#[test]
fn a_file_that_cannot_be_opened_exits_with_3_and_names_the_path_and_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for command in ["status", "list"] {
        let (code, message) = fails(&[command, path]);
        assert_eq!(code, Some(3));
        assert!(message.starts_with("rezq: ") && message.contains(path) && message.contains("--keep"), "{message}");
    }
    std::fs::write(folder.path().join("queue.db"), "text instead of a database, long enough to have a header").unwrap();
    let (code, message) = fails(&["status", path]);
    assert_eq!(code, Some(3));
    assert!(message.contains("queue.db is not a queue of REZ Monitor"), "{message}");
    let (code, message) = fails(&["demo", "--keep", path]);
    assert_eq!(code, Some(2));
    assert!(message.contains("not empty"), "{message}");
}

#[test]
fn the_collector_prints_its_address_and_serves_there() {
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
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    collector.kill().unwrap();
    collector.wait().unwrap();
    assert!(response.starts_with("HTTP/1.1 200") && response.contains(r#""total":0"#), "{response}");
}

#[test]
fn help_and_version_exit_with_0() {
    for argument in ["--help", "--version"] {
        let output = rezq(&[argument]);
        assert_eq!(output.status.code(), Some(0));
        assert!(!output.stdout.is_empty());
    }
    assert!(!String::from_utf8(rezq(&["--help"]).stdout).unwrap().contains("demo-app"));
}

#[test]
fn a_command_that_changes_something_goes_from_the_folder_to_the_endpoint_of_its_app() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let config = rez_monitor::Config::builder(path, "shop", "shop@1").sessions(false).inspector(true);
    let monitor = rez_monitor::Monitor::open(config.build().unwrap()).unwrap();
    let wait = std::time::Duration::from_secs(30);
    monitor.persist(wait).unwrap();
    let (code, message) = fails(&["mark", path, "before"]);
    assert_eq!(code, Some(3));
    assert!(message.contains("open the debug endpoint"), "{message}");
    let endpoint = rez_inspect::endpoint::Endpoint::start(&monitor, 0).unwrap();
    assert_eq!(rezq(&["mark", path, "tapped Pay"]).status.code(), Some(0));
    let unwanted = monitor.message("unwanted", rez_monitor::Level::Info, &[]).id().unwrap().to_string();
    monitor.persist(wait).unwrap();
    let dropped = rezq(&["drop", path, &unwanted, "--write"]);
    assert_eq!(String::from_utf8_lossy(&dropped.stdout), "1 of 1 dropped\n", "{dropped:?}");
    let export = folder.path().join("app.rezq");
    let exported = rezq(&["export", endpoint.url(), "-o", export.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&exported.stdout).contains("personal data is hidden"), "{exported:?}");
    let listed = String::from_utf8(rezq(&["list", export.to_str().unwrap()]).stdout).unwrap();
    assert!(listed.contains("tapped Pay") && !listed.contains("before"), "{listed}");
    assert!(!format!("{exported:?}").contains(endpoint.url()), "the token is not printed");
    let page = folder.path().join("page.html");
    let told = rezq(&["export", endpoint.url(), "--format", "html", "-o", page.to_str().unwrap()]);
    assert!(
        String::from_utf8_lossy(&told.stdout).contains("personal data is hidden; open it in a browser"),
        "{told:?}"
    );
    let page = std::fs::read_to_string(page).unwrap();
    let install = rez_inspect::source::open(path).unwrap().inspect(r#"{"ask":"about"}"#);
    let install = install.split(r#""install":""#).nth(1).unwrap().split('"').next().unwrap();
    assert!(page.contains("tapped Pay") && page.contains("</html>") && !page.contains(install));
    let (code, message) = fails(&["export", path, "--format", "html"]);
    assert!(code == Some(2) && message.contains("-o"), "{message}");
    endpoint.stop();
    // What an app that was killed leaves.
    std::fs::write(folder.path().join("endpoint.json"), r#"{"url":"http://127.0.0.1:9/?token=00"}"#).unwrap();
    assert_eq!(fails(&["mark", path, "after"]).0, Some(3));
    monitor.close(wait);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_what_waits_and_no_temporary_copy_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (app, temp, export) = (folder.path().join("app"), folder.path().join("temp"), folder.path().join("app.rezq"));
    std::fs::create_dir(&temp).unwrap();
    let config = rez_monitor::Config::builder(&app, "shop", "shop@1").sessions(false);
    let monitor = rez_monitor::Monitor::open(config.build().unwrap()).unwrap();
    let _ = monitor.message("hello", rez_monitor::Level::Info, &[]);
    monitor.close(std::time::Duration::from_secs(30));
    assert_eq!(rezq(&["export", app.to_str().unwrap(), "-o", export.to_str().unwrap()]).status.code(), Some(0));
    // An export is unpacked to a temporary folder.
    let copies = || std::fs::read_dir(&temp).unwrap().count();
    for arguments in [&["serve"][..], &["tail", "--follow"], &["mcp"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rezq"));
        command.args(arguments).arg(&export).env("TMPDIR", &temp).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // `mcp` answers; the others read nothing. The input stays open.
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n").unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        assert_eq!(copies(), 1, "{arguments:?}");
        Command::new("kill").args(["-TERM", &child.id().to_string()]).output().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
        assert_eq!(copies(), 0, "{arguments:?}");
    }
}
