//! `rezq export`, `import`, `ring`, `doctor` and `sql`, and what can be a source: the real program on queues of a real engine.

#![allow(clippy::unwrap_used, clippy::panic)]

mod queues;

use queues::{DEVICE, EMAIL, OFFLINE, Queue, USER, WAIT, config, copy, ids, lines, open, queue, record, run, text};
use rez_inspect::files::Source;
use rez_monitor::inspect::{Filter, RowState, title};
use rez_monitor::{Monitor, ScopeChange};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Everything that waits in the folder of a killed app.
fn waiting(queue: &Queue) -> BTreeSet<String> {
    queue.waiting.union(&queue.in_log).cloned().collect()
}

fn export(queue: &Queue, name: &str, more: &[&str]) -> PathBuf {
    let out = queue.root.path().join(name);
    let (code, output, error) = run(&[&["export", text(&queue.killed), "-o", text(&out)], more].concat());
    assert_eq!(code, Some(0), "{output}{error}");
    out
}

/// The SQLite file inside an export, as `gzip -dc` gives it.
fn unpacked(export: &Path) -> Vec<u8> {
    let output = std::process::Command::new("gzip").arg("-dc").arg(export).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn count(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

/// Changes bytes of a file.
fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn an_export_holds_every_row_and_no_byte_of_the_user_or_the_device() {
    let queue = queue();
    let (masked, unmasked) = (export(&queue, "masked.rezq", &[]), export(&queue, "all.rezq", &["--unmasked"]));
    let source = Source::open(&queue.killed).unwrap();
    let install = source.reader().unwrap().overview().unwrap().install;
    for secret in [EMAIL, USER, DEVICE, install.as_str()] {
        assert_eq!(count(&unpacked(&masked), secret), 0, "{secret}");
        assert!(count(&unpacked(&unmasked), secret) > 0, "{secret}");
    }
    for file in [&masked, &unmasked] {
        let source = Source::open(file).unwrap();
        let reader = source.reader().unwrap();
        assert_eq!((ids(file), reader.damaged().unwrap()), (waiting(&queue), 0), "{}", file.display());
        assert!(reader.balance().unwrap().holds());
    }
}

#[test]
fn an_export_is_a_compressed_sqlite_file_that_says_what_it_is() {
    let queue = queue();
    let file = export(&queue, "x.rezq", &[]);
    let db = queue.root.path().join("x.db");
    std::fs::write(&db, unpacked(&file)).unwrap();
    let db = rusqlite::Connection::open(&db).unwrap();
    let row = db.query_row("SELECT format, source, masked, salvaged, rezq FROM export", [], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, bool>(2)?,
            row.get::<_, bool>(3)?,
            row.get::<_, String>(4)?,
        ))
    });
    assert_eq!(row.unwrap(), (1, "killed".to_owned(), true, false, env!("CARGO_PKG_VERSION").to_owned()));
    let whole: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
}

#[test]
fn an_export_that_is_cut_or_changed_exits_with_3_and_gives_no_row() {
    let queue = queue();
    let file = export(&queue, "x.rezq", &[]);
    let len = std::fs::metadata(&file).unwrap().len() as usize;
    let bad = queue.root.path().join("bad.rezq");
    for cut in [3, 11, len / 2, len - 5, len - 1] {
        std::fs::write(&bad, &std::fs::read(&file).unwrap()[..cut]).unwrap();
        let (code, output, error) = run(&["sql", text(&bad), "SELECT 1"]);
        assert_eq!((code, output.as_str()), (Some(3), ""), "{cut}");
        assert!(
            error.contains("bad.rezq is cut short") && error.contains("export the queue again"),
            "{cut} of {len}: {error}"
        );
    }
    for bit in (0..200).map(|n| n * (len * 8 - 200) / 200 + 160) {
        std::fs::copy(&file, &bad).unwrap();
        change(&bad, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        // A match can point to another copy of the same bytes: then nothing of the queue has changed.
        let is_same = || unpacked(&bad) == unpacked(&file);
        assert!(Source::open(&bad).is_err() || is_same(), "bit {bit} of {}", len * 8);
    }
    std::fs::copy(&file, &bad).unwrap();
    change(&bad, |bytes| bytes.push(0));
    let (code, _, error) = run(&["doctor", text(&bad)]);
    assert!(code == Some(3) && error.contains("something follows its end"), "{error}");
}

#[test]
fn a_compressed_file_of_another_program_or_of_a_newer_version_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let plain = root.path().join("notes.txt");
    std::fs::write(&plain, "some notes").unwrap();
    assert!(std::process::Command::new("gzip").arg(&plain).status().unwrap().success());
    let (code, _, error) = run(&["doctor", text(&root.path().join("notes.txt.gz"))]);
    assert!(code == Some(3) && error.contains("not one of `rezq export`"), "{error}");
    let newer = root.path().join("newer");
    let db = rusqlite::Connection::open(&newer).unwrap();
    db.execute_batch("CREATE TABLE export (format INTEGER, other TEXT); INSERT INTO export VALUES (9, 'x')").unwrap();
    db.close().unwrap();
    assert!(std::process::Command::new("gzip").arg(&newer).status().unwrap().success());
    let (code, _, error) = run(&["doctor", text(&root.path().join("newer.gz"))]);
    assert!(code == Some(3) && error.contains("has format 9"), "{error}");
}

#[test]
fn an_import_is_a_folder_that_every_command_reads() {
    let queue = queue();
    let file = export(&queue, "x.rezq", &[]);
    let folder = queue.root.path().join("imported");
    let (code, output, error) = run(&["import", text(&file), text(&folder), "--json"]);
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(
        (lines(&output)[0]["line"].as_str(), lines(&output)[0]["export"]["masked"].as_bool()),
        (Some("import"), Some(true))
    );
    assert_eq!(ids(&folder), waiting(&queue));
    let (code, output, error) = run(&["status", text(&folder)]);
    assert_eq!(code, Some(0), "{output}{error}");
    let (code, _, error) = run(&["import", text(&file), text(&folder)]);
    assert!(code == Some(3) && error.contains("exists"), "{error}");
}

#[test]
fn events_are_exported_as_json_lines_and_as_a_table_without_personal_data() {
    let queue = queue();
    let (code, output, error) = run(&["export", text(&queue.killed), "--format", "ndjson"]);
    assert_eq!(code, Some(0), "{error}");
    let events = lines(&output);
    let found: BTreeSet<String> = events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((events[0]["line"].as_str(), found), (Some("event"), waiting(&queue)));
    assert!(events.iter().all(|event| event["json"].is_object() && event["state"] == "queued"));
    assert_eq!(count(output.as_bytes(), EMAIL) + count(output.as_bytes(), USER), 0);
    let table = queue.root.path().join("events.csv");
    let (code, ..) = run(&["export", text(&queue.killed), "--format", "csv", "-o", text(&table), "--unmasked"]);
    assert_eq!(code, Some(0));
    let table = std::fs::read_to_string(&table).unwrap();
    assert!(table.starts_with("seq,id,kind,lane,name,level,wall_ms,ts,session,bytes,state,routes,json\n"));
    assert!(table.lines().count() == waiting(&queue).len() + 1 && table.contains(EMAIL));
    let (code, _, error) = run(&["export", text(&queue.killed)]);
    assert!(code == Some(2) && error.contains("with -o"), "{error}");
}

#[test]
fn a_queue_is_found_in_its_folder_in_that_of_a_demo_and_under_any_name_with_its_log() {
    let queue = queue();
    let root = queue.root.path();
    let kept = root.join("kept");
    std::fs::create_dir(&kept).unwrap();
    copy(&queue.killed, &kept.join("app"));
    let copied = root.join("from the phone #1.db");
    std::fs::copy(queue.killed.join("queue.db"), &copied).unwrap();
    std::fs::copy(queue.killed.join("queue.db-wal"), root.join("from the phone #1.db-wal")).unwrap();
    for source in [&queue.killed, &kept, &queue.killed.join("queue.db"), &copied] {
        let (code, output, error) = run(&["sql", text(source), "SELECT count(*) AS n FROM inspect", "--json"]);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{}", source.display());
        assert_eq!(lines(&output)[0]["row"]["n"], waiting(&queue).len(), "{}", source.display());
    }
    std::fs::remove_file(root.join("from the phone #1.db-wal")).unwrap();
    let (code, _, error) = run(&["sql", text(&copied), "SELECT 1"]);
    assert_eq!(code, Some(0));
    assert!(error.contains("the newest events may be missing") && error.contains("#1.db-wal"), "{error}");
    std::fs::copy(queue.closed.join("queue.db"), &copied).unwrap();
    let (_, _, error) = run(&["sql", text(&copied), "SELECT 1"]);
    assert_eq!(error, "", "closed cleanly: nothing is missing");
}

#[test]
fn a_folder_in_which_sqlite_cannot_work_is_copied_first() {
    let queue = queue();
    // SQLite cannot create the index of the log here. A folder without permission to write is the same to a user who is
    // not root.
    std::os::unix::fs::symlink("/nowhere/queue.db-shm", queue.killed.join("queue.db-shm")).unwrap();
    let (code, output, error) = run(&["sql", text(&queue.killed), "SELECT id FROM inspect", "--json"]);
    assert_eq!(code, Some(0), "{error}");
    let lines = lines(&output);
    assert!(lines[0]["text"].as_str().unwrap().contains("a copy is read"), "{output}");
    assert_eq!(lines.len(), waiting(&queue).len() + 1);
}

#[test]
fn a_damaged_file_is_read_page_by_page_and_exits_with_4() {
    let queue = queue();
    change(&queue.closed.join("queue.db"), |bytes| bytes[..100].fill(0xa5));
    let (code, output, error) = run(&["sql", text(&queue.closed), "SELECT count(*) AS n FROM inspect"]);
    assert_eq!(code, Some(4), "{output}{error}");
    assert!(
        error.contains("queue.db is damaged") && error.contains("250 rows") && output.contains("250"),
        "{error}{output}"
    );
    assert_eq!(ids(&queue.closed), queue.waiting);
    let out = queue.root.path().join("x.rezq");
    let (code, ..) = run(&["export", text(&queue.closed), "-o", text(&out)]);
    assert_eq!(code, Some(4));
    let (code, output, _) = run(&["doctor", text(&queue.closed)]);
    assert_eq!(code, Some(4));
    assert!(output.contains("✗ file:") && output.contains("rezq salvage"), "{output}");
}

#[test]
fn what_cannot_be_opened_exits_with_3_and_says_what_to_do() {
    let queue = queue();
    let root = queue.root.path();
    let newer = root.join("newer.db");
    std::fs::copy(queue.closed.join("queue.db"), &newer).unwrap();
    change(&newer, |bytes| bytes[60..64].copy_from_slice(&77u32.to_be_bytes()));
    let other = root.join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    let words = root.join("words.db");
    std::fs::write(&words, "words").unwrap();
    let empty = root.join("empty");
    std::fs::create_dir(&empty).unwrap();
    let pipe = root.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for (path, what, hint) in [
        (&newer, "has format 77", "version of rezq"),
        (&other, "is not a queue", "rezq export"),
        (&words, "is not a queue", "rezq export"),
        (&empty, "there is no queue.db", "--keep"),
        (&root.join("nowhere"), "there is no file or folder", "check the path"),
        (&pipe, "not a regular file", "may read"),
    ] {
        for command in
            [&["doctor", text(path)][..], &["sql", text(path), "SELECT 1"], &["export", text(path), "-o", "/x.rezq"]]
        {
            let (code, output, error) = run(command);
            assert_eq!((code, output.as_str()), (Some(3), ""), "{command:?}: {error}");
            assert!(error.contains(what) && error.contains(hint), "{command:?}: {error}");
        }
    }
    let (code, _, error) = run(&["export", text(&queue.closed), "-o", text(&root.join("no/such/folder/x.rezq"))]);
    assert!(code == Some(3) && error.contains("has room"), "{error}");
}

#[test]
fn the_view_has_the_names_and_states_of_the_reader() {
    let root = tempfile::tempdir().unwrap();
    let app = root.path().join("app");
    // The server takes what it gets, except that its first answer never comes: one batch stays in flight.
    let monitor = open(&app, OFFLINE);
    record(&monitor, 40, 0);
    monitor.flush(WAIT).unwrap();
    record(&monitor, 40, 100);
    let copied = root.path().join("copied");
    copy(&app, &copied);
    monitor.close(WAIT);
    // A dead letter and a parked row; the cursor has passed one of them.
    let db = rusqlite::Connection::open(copied.join("queue.db")).unwrap();
    let seqs: Vec<i64> = {
        let mut select = db.prepare("SELECT seq FROM event WHERE lane = 1 ORDER BY seq").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    db.execute("INSERT OR REPLACE INTO cursor SELECT number, 1, ?1 FROM route WHERE name LIKE 'main/%'", [seqs[3]])
        .unwrap();
    db.execute(
        "INSERT OR REPLACE INTO inflight SELECT number, 'b', '[[],[' || ?1 || '],[],[]]', 1, 'prepared', 0 FROM route",
        [seqs[5]],
    )
    .unwrap();
    drop(db);
    let source = Source::open(&copied).unwrap();
    let listed = source.reader().unwrap().list(&Filter::default()).unwrap();
    let (code, output, error) = run(&["sql", text(&copied), "SELECT * FROM inspect ORDER BY seq", "--json"]);
    assert_eq!(code, Some(0), "{error}");
    let lines: Vec<_> = lines(&output).into_iter().filter(|line| line["line"] == "row").collect();
    assert_eq!(lines.len(), listed.len());
    let mut states = BTreeSet::new();
    for (line, listed) in lines.iter().zip(&listed) {
        let row = &line["row"];
        let json: serde_json::Value = serde_json::from_str(&listed.row.json).unwrap();
        assert_eq!((row["seq"].as_u64(), row["name"].as_str()), (Some(listed.row.seq), Some(title(&json).as_str())));
        let routes: serde_json::Value = serde_json::from_str(row["routes"].as_str().unwrap()).unwrap();
        let expected: serde_json::Map<String, serde_json::Value> =
            listed.routes.iter().map(|fate| (fate.route.clone(), word(&fate.state).into())).collect();
        assert_eq!(routes, serde_json::Value::Object(expected), "{}", listed.row.seq);
        states.insert(row["state"].as_str().unwrap().to_owned());
        states.extend(listed.routes.iter().map(|fate| word(&fate.state).to_owned()));
    }
    assert_eq!(states.into_iter().collect::<Vec<_>>(), ["in_flight", "queued", "settled"]);
}

fn word(state: &RowState) -> &'static str {
    match state {
        RowState::Queued => "queued",
        RowState::Parked { .. } => "parked",
        RowState::InFlight { .. } => "in_flight",
        RowState::Dead { .. } => "dead",
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_guide_lists_every_column_of_the_view() {
    let guide = include_str!("../../docs/guide/queue-files.md");
    for (column, _) in rez_inspect::files::VIEW {
        assert!(guide.contains(&format!("`{column}`")), "{column}");
    }
}

#[test]
fn a_query_that_writes_attaches_or_takes_too_long_is_refused_and_a_wrong_one_is_shown() {
    let queue = queue();
    let source = text(&queue.killed);
    let target = queue.root.path().join("stolen.db");
    let (attach, vacuum) =
        (format!("ATTACH '{}' AS x", target.display()), format!("VACUUM INTO '{}'", target.display()));
    for query in [
        "DELETE FROM event",
        "WITH a AS (SELECT 1) DELETE FROM event",
        "PRAGMA query_only = OFF",
        "PRAGMA wal_checkpoint",
        "DELETE FROM event RETURNING seq",
        &attach,
        &vacuum,
        "BEGIN",
        "SELECT 1; DELETE FROM event",
        "CREATE TABLE x (y)",
        "",
        "EXPLAIN DELETE FROM event; DELETE FROM event",
    ] {
        let (code, output, error) = run(&["sql", source, query]);
        assert_eq!((code, output.as_str()), (Some(2), ""), "{query}: {error}");
        assert!(error.contains("only a query that reads"), "{query}: {error}");
    }
    assert!(!target.exists());
    let (code, _, error) = run(&["sql", source, "SELECT seq, nme FROM inspect"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("no such column: nme\n  SELECT seq, nme FROM inspect\n              ^"), "{error}");
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    let (code, _, error) = run(&["sql", source, endless, "--time-limit", "1"]);
    assert!(code == Some(2) && error.contains("stopped after 1 s"), "{error}");
    assert_eq!(ids(&queue.killed), waiting(&queue));
}

#[test]
fn the_ring_of_a_running_app_is_shown_without_personal_data() {
    let root = tempfile::tempdir().unwrap();
    let app = root.path().join("app");
    let monitor = Monitor::open(config(&app, OFFLINE).suspended(true).build().unwrap()).unwrap();
    monitor.scope(ScopeChange::User(Some(rez_monitor::User {
        email: Some(EMAIL),
        id: Some(USER),
        ..Default::default()
    })));
    for n in 0..5 {
        let _ = monitor.error(rez_monitor::ErrorEvent::new("PaymentError", &format!("declined {n} for {EMAIL}")));
    }
    let batch = format!(
        r#"{{"v":1,"items":[{{"scope":"user","id":"{USER}","email":"{EMAIL}"}},{{"kind":"analytics","name":"pay","user":{{"id":"{USER}"}}}}]}}"#
    );
    assert!(monitor.record_batch(&batch));
    let (code, output, error) = run(&["ring", text(&app), "--json"]);
    assert_eq!(code, Some(0), "{error}");
    let lines = lines(&output);
    assert!(output.contains(r#""scope":"user""#) && output.contains(r#""name":"pay""#), "{output}");
    let errors: Vec<_> = lines.iter().filter(|line| line["what"] == "error").collect();
    assert_eq!(errors.len(), 5, "{output}");
    assert_eq!(errors[4]["title"], "PaymentError declined 4 for [email]");
    assert!(
        lines.iter().any(|line| line["what"] == "scope") && lines.iter().any(|line| line["what"] == "run"),
        "{output}"
    );
    assert_eq!(count(output.as_bytes(), EMAIL) + count(output.as_bytes(), USER), 0, "{output}");
    let ring = lines.last().unwrap();
    assert_eq!((ring["line"].as_str(), ring["closed"].as_bool()), (Some("ring"), Some(false)));
    assert_eq!(ring["superblock"]["consent"][0], "granted");
    let (_, table, _) = run(&["ring", text(&app.join("ring.bin"))]);
    assert!(
        table.contains("PaymentError declined 4 for [email]") && table.contains("consent: monitoring granted"),
        "{table}"
    );
    monitor.close(WAIT);
}

#[test]
fn a_damaged_ring_exits_with_4_and_a_file_that_is_none_with_3() {
    let root = tempfile::tempdir().unwrap();
    let app = root.path().join("app");
    let monitor = Monitor::open(config(&app, OFFLINE).suspended(true).build().unwrap()).unwrap();
    for n in 0..5 {
        let _ = monitor.error(rez_monitor::ErrorEvent::new("PaymentError", &format!("declined {n}")));
    }
    let copied = root.path().join("copied");
    copy(&app, &copied);
    monitor.close(WAIT);
    let ring = copied.join("ring.bin");
    let mut bytes = Vec::new();
    std::fs::File::open(&ring).unwrap().read_to_end(&mut bytes).unwrap();
    let at = bytes.windows(10).position(|window| window == b"declined 2").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&ring, &bytes).unwrap();
    let (code, output, _) = run(&["ring", text(&copied)]);
    assert_eq!(code, Some(4), "{output}");
    assert!(output.contains("cannot be read: 1") && output.contains("declined 4"), "{output}");
    bytes.truncate(5_000);
    std::fs::write(&ring, &bytes).unwrap();
    let (code, output, error) = run(&["ring", text(&copied)]);
    assert_eq!((code, output.as_str()), (Some(3), ""));
    assert!(error.contains("is not a ring"), "{error}");
}

#[test]
fn the_doctor_finds_nothing_in_a_queue_that_was_closed() {
    let queue = queue();
    let (code, output, error) = run(&["doctor", text(&queue.closed), "--json"]);
    assert_eq!(code, Some(0), "{output}{error}");
    let lines = lines(&output);
    let areas: BTreeSet<&str> = lines.iter().filter_map(|line| line["area"].as_str()).collect();
    let all =
        ["balance", "ballast", "checksums", "clock", "disk", "free list", "integrity", "log", "quarantine", "ring"];
    assert_eq!(areas.into_iter().collect::<Vec<_>>(), all);
    let last = lines.last().unwrap();
    assert_eq!(
        (last["line"].as_str(), last["findings"].as_u64(), last["damaged"].as_bool()),
        (Some("doctor"), Some(0), Some(false))
    );
}

#[test]
fn each_finding_of_the_doctor_names_what_mends_it() {
    let queue = queue();
    let root = queue.root.path();
    let with = |name: &str, change: &dyn Fn(&Path)| {
        let folder = root.join(name);
        copy(&queue.closed, &folder);
        change(&folder);
        let (code, output, error) = run(&["doctor", text(&folder)]);
        (code, format!("{output}{error}"))
    };
    let sql = |folder: &Path, sql: &str| {
        rusqlite::Connection::open(folder.join("queue.db")).unwrap().execute_batch(sql).unwrap();
    };
    type Case<'a> = (&'a str, &'a dyn Fn(&Path), i32, &'a str, &'a str);
    let cases: [Case<'_>; 8] = [
        (
            "crc",
            &|folder| sql(folder, "UPDATE event SET crc = crc + 1 WHERE seq % 50 = 0"),
            4,
            "with a wrong checksum",
            "rezq salvage",
        ),
        (
            "future",
            &|folder| sql(folder, "UPDATE run SET boot = 'x'; UPDATE event SET wall_ms = wall_ms + 9000000000"),
            4,
            "from the future",
            "check the clock",
        ),
        (
            "balance",
            &|folder| sql(folder, "UPDATE tally SET folded = folded + 5"),
            1,
            "not accounted for",
            "rezq status",
        ),
        ("erase", &|folder| sql(folder, "UPDATE fold SET erase = 1"), 1, "the user erased", "open the app"),
        (
            "ring",
            &|folder| std::fs::remove_file(folder.join("ring.bin")).unwrap(),
            1,
            "ring.bin cannot be read",
            "copy the whole folder",
        ),
        (
            "log",
            &|folder| change(&folder.join("queue.db-wal"), |bytes| bytes.truncate(0)),
            1,
            "on a full disk",
            "free disk space",
        ),
        (
            "long",
            &|folder| change(&folder.join("queue.db-wal"), |bytes| bytes.resize(9 << 20, 0)),
            1,
            "queue.db-wal has 9,437,184 bytes",
            "read transaction",
        ),
        (
            "aside",
            &|folder| {
                let aside = folder.join("quarantine/3");
                std::fs::create_dir_all(&aside).unwrap();
                std::fs::copy(folder.join("queue.db"), aside.join("queue.db")).unwrap();
            },
            1,
            "waits for its recovery",
            "quarantine/3 -o",
        ),
    ];
    for (name, change, exit, what, mend) in cases {
        let (code, output) = with(name, change);
        assert!(code == Some(exit) && output.contains(what) && output.contains(mend), "{name}: {code:?} {output}");
    }
}

/// Sets a flag when it is dropped, also by a failed assertion: the thread that waits for it must end.
struct Stop(std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn exports_of_a_queue_that_is_written_at_full_speed_are_consistent() {
    let root = tempfile::tempdir().unwrap();
    let app = root.path().join("app");
    let monitor = open(&app, OFFLINE);
    record(&monitor, 50, 0);
    let stopped = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        let stop = Stop(stopped.clone());
        scope.spawn(|| {
            let mut n = 0;
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                n += 500;
                record(&monitor, 100, n);
            }
        });
        for n in 0..8 {
            let out = root.path().join(format!("{n}.rezq"));
            let (code, output, error) = run(&["export", text(&app), "-o", text(&out)]);
            assert_eq!(code, Some(0), "{n}: {output}{error}");
            let source = Source::open(&out).unwrap();
            let reader = source.reader().unwrap();
            assert!(reader.balance().unwrap().holds() && reader.damaged().unwrap() == 0, "{n}");
            assert!(reader.overview().unwrap().rows >= 50, "{n}");
            let (code, output, error) = run(&["ring", text(&app)]);
            assert_eq!(code, Some(0), "{n}: {output}{error}");
        }
        drop(stop);
    });
    monitor.close(WAIT);
}
