//! `rezq doctor` of a running app: each finding names what mends it, and what was mended is no finding any more.

#![allow(clippy::unwrap_used)]

use rez_inspect::endpoint::Endpoint;
use rez_inspect::source::Folder;
use rez_inspect::web::Server;
use rez_monitor::destination::Rez;
use rez_monitor::{Clock, Config, Consent, Level, Monitor, Purpose};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(60);

const NOW_MS: i64 = 1_767_603_600_000;

/// Exit code and output of `rezq doctor`.
fn doctor(source: &str) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rezq")).args(["doctor", source]).output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// An app that has a destination if `url` is one, without a session of its own.
fn open(folder: &Path, clock: &Clock, url: Option<&str>) -> Monitor {
    let mut config = Config::builder(folder, "shop", "shop@1")
        .consent(Purpose::Monitoring, Consent::Granted)
        .consent(Purpose::Analytics, Consent::Granted)
        .clock(clock.clone())
        .sessions(false)
        .inspector(true);
    if let Some(url) = url {
        config = config.destination("team", Rez::builder(url, "key").build().unwrap());
    }
    Monitor::open(config.build().unwrap()).unwrap()
}

#[test]
fn an_app_says_which_part_of_it_is_wrong_and_what_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(NOW_MS, 5_000_000);
    let monitor = open(folder.path(), &clock, None);
    let endpoint = Endpoint::start(&monitor, 0).unwrap();
    let (code, text) = doctor(endpoint.url());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("✗ route: no destination is declared: nothing is sent\n  name one"), "{text}");
    assert!(text.contains("✓ store: the queue is open") && text.contains("✓ checksums: 0 rows"), "{text}");

    // The date was wrong when this was recorded.
    clock.set_wall_ms(NOW_MS + 86_400_000);
    let _ = monitor.message("tomorrow", Level::Info, &[]);
    clock.set_wall_ms(NOW_MS);
    let _ = monitor.message("today", Level::Info, &[]);
    let _ = monitor.record_batch("no json");
    monitor.persist(WAIT).unwrap();
    let (_, text) = doctor(endpoint.url());
    assert!(text.contains("✗ clock: 1 row from the future by the clock of the device\n  check the clock"), "{text}");
    assert!(text.contains("✗ refused: 1 at the call, malformed: It could not be read.\n  correct"), "{text}");

    let db = rusqlite::Connection::open(folder.path().join("queue.db")).unwrap();
    assert_eq!(db.execute("UPDATE event SET crc = crc + 1 WHERE json LIKE '%today%'", []).unwrap(), 1);
    drop(db);
    let (code, text) = doctor(endpoint.url());
    assert!(text.contains("✗ checksums: 1 of 2 rows with a wrong checksum"), "{text}");
    assert_eq!(code, Some(4), "damaged, and the rest was examined");
    endpoint.stop();
    monitor.close(WAIT);
}

#[test]
fn a_fault_and_a_server_that_cannot_be_reached_are_findings_until_they_are_mended() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let clock = Clock::manual(NOW_MS, 5_000_000);
    let monitor = open(folder.path(), &clock, Some(&format!("http://{nowhere}")));
    let endpoint = Endpoint::start(&monitor, 0).unwrap();
    // The destination is declared by now.
    monitor.flush(WAIT).unwrap();
    let (code, text) = doctor(endpoint.url());
    assert_eq!(code, Some(0), "{text}");
    let _ = monitor.inspect(r#"{"tell": "fault", "fault": "slow"}"#, WAIT);
    let (code, text) = doctor(endpoint.url());
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.starts_with("✗ fault: the fault `slow` is in effect: requests fail\n  `rezq fault SOURCE none`\n"),
        "{text}"
    );
    let _ = monitor.inspect(r#"{"tell": "fault", "fault": "none"}"#, WAIT);
    let _ = monitor.message("hello", Level::Info, &[]);
    monitor.flush(WAIT).unwrap();
    let (code, text) = doctor(endpoint.url());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("✗ route: team/rez.batch: 1 waiting; the server could not be reached"), "{text}");
    assert!(text.contains("then `rezq send-now SOURCE`"), "{text}");
    endpoint.stop();
    monitor.close(WAIT);
}

#[test]
fn what_serves_a_folder_examines_its_files_and_what_does_not_answer_exits_with_3() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), &Clock::manual(NOW_MS, 5_000_000), None).close(WAIT);
    let server = Server::start(([127, 0, 0, 1], 0).into(), Arc::new(Folder::open(folder.path()).unwrap())).unwrap();
    let path = folder.path().to_str().unwrap();
    // The free space of the disk changes meanwhile.
    let without_disk = |(code, text): (Option<i32>, String)| {
        (code, text.lines().filter(|line| !line.contains("disk: ")).map(str::to_owned).collect::<Vec<_>>())
    };
    let (code, lines) = without_disk(doctor(server.url()));
    assert_eq!((code, &lines), (Some(0), &without_disk(doctor(path)).1));
    assert_eq!(lines[0], "✓ integrity: SQLite finds no error");
    let url = server.url().to_owned();
    server.stop();
    let (code, text) = doctor(&url);
    assert!(code == Some(3) && text.contains("does not answer"), "{text}");
}
