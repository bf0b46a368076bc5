//! Salvage of damaged files of a real engine: what waits and has a good checksum comes back, and nothing else.

#![allow(clippy::unwrap_used, clippy::panic)]

mod queues;

use queues::{Queue, Seeded, copy, lines, queue, run, text};
use rez_inspect::files::Source;
use rez_monitor::inspect::{Filter, Listed, Reader};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const PAGE: u64 = 4096;

/// How a file is damaged.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Bits(u64),
    Pages(u64),
    Header,
    Cut,
    Garbage,
    LogBits(u64),
    LogCut,
    LogHeader,
    Both,
}

const DAMAGES: [Damage; 11] = [
    Damage::Bits(1),
    Damage::Bits(40),
    Damage::Pages(1),
    Damage::Pages(12),
    Damage::Header,
    Damage::Cut,
    Damage::Garbage,
    Damage::LogBits(8),
    Damage::LogCut,
    Damage::LogHeader,
    Damage::Both,
];

impl Damage {
    fn apply(self, folder: &Path, random: &mut Seeded) {
        let (db, wal) = (folder.join("queue.db"), folder.join("queue.db-wal"));
        match self {
            Damage::Bits(n) => change(&db, |bytes| flip(bytes, n, random)),
            Damage::Pages(n) => change(&db, |bytes| {
                for _ in 0..n {
                    let at = (random.below(bytes.len() as u64 / PAGE) * PAGE) as usize;
                    bytes[at..at + PAGE as usize].fill(0);
                }
            }),
            Damage::Header => change(&db, |bytes| {
                let to = 16 + random.below(84) as usize;
                bytes[..to].fill(random.below(256) as u8);
            }),
            Damage::Cut => change(&db, |bytes| bytes.truncate(1 + random.below(bytes.len() as u64 - 1) as usize)),
            Damage::Garbage => change(&db, |bytes| {
                let at = random.below(bytes.len() as u64 - 3_000) as usize;
                bytes[at..at + 3_000].iter_mut().for_each(|byte| *byte = random.below(256) as u8);
            }),
            Damage::LogBits(n) => change(&wal, |bytes| flip(bytes, n, random)),
            Damage::LogCut => change(&wal, |bytes| bytes.truncate(random.below(bytes.len() as u64) as usize)),
            Damage::LogHeader => change(&wal, |bytes| bytes[..32].fill(random.below(256) as u8)),
            Damage::Both => {
                change(&db, |bytes| flip(bytes, 30, random));
                change(&wal, |bytes| flip(bytes, 30, random));
            }
        }
    }
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

fn flip(bytes: &mut [u8], n: u64, random: &mut Seeded) {
    for _ in 0..n {
        bytes[random.below(bytes.len() as u64) as usize] ^= 1 << random.below(8);
    }
}

fn rows(folder: &Path) -> BTreeMap<String, Listed> {
    let listed = Reader::open(folder).unwrap().list(&Filter::default()).unwrap();
    listed.into_iter().map(|listed| (listed.row.id.to_string(), listed)).collect()
}

/// A cell of SQLite with all columns of a row that has no targets; the checksum is that of the file.
fn cell(listed: &Listed, crc: i64) -> Vec<u8> {
    let row = &listed.row;
    let text = |text: &str| (13 + 2 * text.len() as u64, text.as_bytes().to_vec());
    let columns = [
        (0, Vec::new()),
        text(&row.id.to_string()),
        integer(i64::from(row.kind.lane().number())),
        text(row.kind.as_str()),
        integer(row.run),
        integer(row.wall_ms),
        integer(row.mono_ms),
        (0, Vec::new()),
        text(&row.json),
        integer(crc),
    ];
    let types: Vec<u8> = columns.iter().flat_map(|(kind, _)| varint(*kind)).collect();
    let mut record = varint(1 + types.len() as u64);
    record.extend(types);
    record.extend(columns.into_iter().flat_map(|(_, bytes)| bytes));
    [varint(record.len() as u64), varint(row.seq), record].concat()
}

fn integer(value: i64) -> (u64, Vec<u8>) {
    let all = value.to_be_bytes();
    let last = |n: usize| all[8 - n..].to_vec();
    match value {
        0 => (8, Vec::new()),
        1 => (9, Vec::new()),
        _ if i8::try_from(value).is_ok() => (1, last(1)),
        _ if i16::try_from(value).is_ok() => (2, last(2)),
        _ if (-(1 << 23)..1 << 23).contains(&value) => (3, last(3)),
        _ if i32::try_from(value).is_ok() => (4, last(4)),
        _ if (-(1 << 47)..1 << 47).contains(&value) => (5, last(6)),
        _ => (6, last(8)),
    }
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = vec![(value & 0x7f) as u8];
    value >>= 7;
    while value > 0 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.reverse();
    bytes
}

fn checksums(folder: &Path) -> BTreeMap<String, i64> {
    let query = "SELECT e.id, e.crc FROM inspect JOIN main.event e USING (seq)";
    let (code, output, error) = run(&["sql", text(folder), query, "--json"]);
    assert_eq!(code, Some(0), "{error}");
    let row = |line: &serde_json::Value| {
        (line["row"]["id"].as_str().unwrap().to_owned(), line["row"]["crc"].as_i64().unwrap())
    };
    lines(&output).iter().map(row).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    // The id is near the start of the cell, so that few places are compared.
    bytes.windows(part.len()).any(|window| window == part)
}

/// Rows whose cell is whole in one of the damaged files. A row that continues on other pages is not judged, nor is an old
/// copy in the unused part of an interior page, which the carver does not search.
fn whole(folder: &Path, truth: &BTreeMap<String, (Listed, Vec<u8>)>) -> BTreeSet<String> {
    let mut bytes = Vec::new();
    for page in std::fs::read(folder.join("queue.db")).unwrap().chunks(PAGE as usize) {
        bytes.extend(if [2, 5, 10].contains(&page[0]) { &[] } else { page });
    }
    // No cell begins in one file and ends in the other.
    bytes.extend([0; 9]);
    let log = std::fs::read(folder.join("queue.db-wal")).unwrap_or_default();
    for frame in log.get(32..).unwrap_or_default().chunks(PAGE as usize + 24) {
        let page = frame.get(24..).unwrap_or_default();
        bytes.extend(if page.first().is_some_and(|kind| [2, 5, 10].contains(kind)) { &[] } else { frame });
    }
    let is_whole = |(id, (_, cell)): (&String, &(Listed, Vec<u8>))| {
        (cell.len() < 1_900 && contains(&bytes, cell)).then(|| id.clone())
    };
    truth.iter().filter_map(is_whole).collect()
}

fn judge(queue: &Queue, base: &Path, wanted: &BTreeSet<String>, damage: Damage, seed: u64) -> u64 {
    let what = format!("{damage:?}, seed {seed}, {}", base.display());
    let truth: BTreeMap<String, (Listed, Vec<u8>)> = {
        let crcs = checksums(base);
        rows(base).into_iter().map(|(id, listed)| (id.clone(), (listed.clone(), cell(&listed, crcs[&id])))).collect()
    };
    assert_eq!(&truth.keys().cloned().collect::<BTreeSet<_>>(), wanted, "{what}");
    let folder = queue.root.path().join("damaged");
    let _ = std::fs::remove_dir_all(&folder);
    copy(base, &folder);
    damage.apply(&folder, &mut Seeded::new(seed));
    let expected = whole(&folder, &truth);
    let out = queue.root.path().join("out.rezq");
    let _ = std::fs::remove_file(&out);
    let (code, output, error) = run(&["salvage", text(&folder), "-o", text(&out), "--unmasked", "--json"]);
    assert_eq!(code, Some(0), "{what}: {error}");
    let report = &lines(&output)[0];
    let source = Source::open(&out).unwrap();
    let reader = source.reader().unwrap();
    assert_eq!(reader.damaged().unwrap(), 0, "{what}");
    assert!(reader.balance().unwrap().holds(), "{what}: {:?}", reader.balance());
    let back = rows(source.folder());
    assert_eq!(report["rows"].as_u64(), Some(back.len() as u64), "{what}");
    let lost: Vec<_> = expected.iter().filter(|id| !back.contains_key(*id)).collect();
    assert!(lost.is_empty(), "{what}: whole and not back: {lost:?}\n{report}");
    for (id, listed) in &back {
        assert!(!queue.delivered.contains(id), "{what}: delivered {id}");
        assert!(!queue.erased.contains(id), "{what}: erased {id}");
        assert_eq!(truth.get(id).map(|(before, _)| &before.row), Some(&listed.row), "{what}");
    }
    println!("{what}: {} of {} back, {} whole", back.len(), truth.len(), expected.len());
    report["rejected"]["settled"].as_u64().unwrap()
}

#[test]
fn every_waiting_row_with_a_good_checksum_comes_back_and_no_other_one_does() {
    let queue = queue();
    let both: BTreeSet<String> = queue.waiting.union(&queue.in_log).cloned().collect();
    let mut settled = 0;
    for damage in DAMAGES {
        for seed in 0..3 {
            settled += judge(&queue, &queue.killed, &both, damage, seed);
            settled += judge(&queue, &queue.closed, &queue.waiting, damage, 100 + seed);
        }
    }
    assert!(settled > 0, "no copy of a delivered row was in the files, so the test shows nothing");
}

#[test]
fn an_undamaged_queue_is_salvaged_whole_with_its_routes() {
    let queue = queue();
    let out = queue.root.path().join("whole.rezq");
    let (code, output, error) = run(&["salvage", text(&queue.killed), "-o", text(&out)]);
    assert_eq!(code, Some(0), "{error}");
    assert!(output.contains("330 rows that wait for a destination were found"), "{output}");
    assert!(output.contains("personal data is hidden"), "{output}");
    let query = "SELECT state, routes, count(*) AS n FROM inspect GROUP BY 1, 2";
    let (code, output, _) = run(&["sql", text(&out), query, "--json"]);
    let lines = lines(&output);
    assert_eq!((code, lines.len()), (Some(0), 1), "{output}");
    assert_eq!(lines[0]["row"]["state"], "queued");
    assert!(lines[0]["row"]["routes"].as_str().unwrap().contains("main/"), "{output}");
    assert_eq!(lines[0]["row"]["n"], 330);
}

#[test]
fn without_a_ring_only_rows_of_the_table_come_back_and_the_report_says_so() {
    let queue = queue();
    let alone = queue.root.path().join("broken.db");
    std::fs::copy(queue.closed.join("queue.db"), &alone).unwrap();
    change(&alone, |bytes| bytes[..100].fill(0));
    let out = queue.root.path().join("alone.rezq");
    let (code, output, error) = run(&["salvage", text(&alone), "-o", text(&out)]);
    assert_eq!(code, Some(0), "{error}");
    assert!(output.contains("ring.bin is not beside the file"), "{output}");
    assert_eq!(queues::ids(&out), queue.waiting);
}

#[test]
fn an_erasure_that_is_not_finished_leaves_nothing_to_salvage() {
    let root = tempfile::tempdir().unwrap();
    let app = root.path().join("app");
    let monitor = queues::open(&app, queues::OFFLINE);
    queues::record(&monitor, 20, 0);
    let before = root.path().join("before");
    copy(&app, &before);
    monitor.close(queues::WAIT);
    // The queue as it was, with the ring of a run that was asked to erase it and got no further.
    let monitor = rez_monitor::Monitor::open(queues::config(&before, queues::OFFLINE).suspended(true).build().unwrap());
    let monitor = monitor.unwrap();
    monitor.forget_user();
    let asked = root.path().join("asked");
    copy(&before, &asked);
    monitor.close(queues::WAIT);
    let out = root.path().join("out.rezq");
    let (code, output, error) = run(&["salvage", text(&asked), "-o", text(&out), "--json"]);
    assert_eq!(code, Some(0), "{error}");
    let report = &lines(&output)[0];
    assert_eq!((report["rows"].as_u64(), report["rejected"]["erased"].as_u64()), (Some(0), Some(20)), "{report}");
}

#[test]
fn a_file_that_is_no_queue_or_an_output_that_exists_exits_with_3() {
    let root = tempfile::tempdir().unwrap();
    let (words, out) = (root.path().join("words.db"), root.path().join("out.rezq"));
    std::fs::write(&words, "these are words and no database ".repeat(400)).unwrap();
    let (code, output, error) = run(&["salvage", text(&words), "-o", text(&out)]);
    assert_eq!((code, output.as_str()), (Some(3), ""));
    assert!(error.contains("words.db is not a queue"), "{error}");
    assert!(!out.exists());
    std::fs::write(&out, "kept").unwrap();
    let (code, _, error) = run(&["salvage", text(&words), "-o", text(&out)]);
    assert!(code == Some(3) && error.contains("out.rezq exists"), "{error}");
    assert_eq!(std::fs::read(&out).unwrap(), b"kept");
}
