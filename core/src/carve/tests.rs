//! The carver against real files, made by SQLite and then damaged.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::*;

const EPOCH: u64 = 1 << 40;
const PAGE: usize = 4096;

/// Stands for the store's function; what it is does not matter here.
fn crc(row: &Candidate<'_>) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    for number in [row.seq as i64, i64::from(row.lane), row.run, row.wall_ms, row.mono_ms] {
        hash.update(&number.to_be_bytes());
    }
    for text in [row.id, row.kind, row.targets.unwrap_or("-"), row.json] {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize()
}

fn candidate(found: &Found) -> Candidate<'_> {
    Candidate {
        seq: found.seq,
        id: &found.id,
        lane: found.lane,
        kind: &found.kind,
        run: found.run,
        wall_ms: found.wall_ms,
        mono_ms: found.mono_ms,
        targets: found.targets.as_deref(),
        json: &found.json,
    }
}

/// Row n with a JSON text of `size` bytes. Content that no other row has, so that pages cannot be mixed up.
fn row(n: u64, size: usize) -> Found {
    let mut json = format!("{{\"n\":{n},\"text\":\"");
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while json.len() + 2 < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        json.push(char::from(b'a' + (state % 26) as u8));
    }
    json.push_str("\"}");
    let lane = (n % 4) as u8;
    let mut found = Found {
        seq: EPOCH + n,
        id: format!("019f0c1e-7c1e-7a53-9b0e-{n:012x}"),
        lane,
        kind: ["crash", "error", "screen_load", "metric"][usize::from(lane)].to_owned(),
        run: 1 + (n / 1000) as i64,
        wall_ms: 1_795_400_000_000 + n as i64,
        mono_ms: n as i64 * 100,
        targets: n.is_multiple_of(5).then(|| "[\"ga4\"]".to_owned()),
        json,
        crc: 0,
        origin: Origin::Tree,
    };
    found.crc = crc(&candidate(&found));
    found
}

struct Queue {
    folder: TempDir,
    connection: Connection,
}

impl Queue {
    fn new() -> Queue {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join(DATABASE)).unwrap();
        connection
            .execute_batch(
                "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
                 PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF;
                 CREATE TABLE event(seq INTEGER PRIMARY KEY, id TEXT NOT NULL, lane INTEGER NOT NULL,
                   kind TEXT NOT NULL, run INTEGER NOT NULL, wall_ms INTEGER NOT NULL, mono_ms INTEGER NOT NULL,
                   targets TEXT, json TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
                 CREATE INDEX event_lane ON event(lane, seq);
                 CREATE TABLE crumb(slot INTEGER PRIMARY KEY, number INTEGER, run INTEGER, json TEXT) STRICT;",
            )
            .unwrap();
        Queue { folder, connection }
    }

    fn insert(&self, rows: impl IntoIterator<Item = Found>) {
        let rows: Vec<_> = rows.into_iter().collect();
        for batch in rows.chunks(100) {
            self.connection.execute_batch("BEGIN").unwrap();
            for row in batch {
                self.write("INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", row);
            }
            self.connection.execute("INSERT OR REPLACE INTO crumb VALUES (1, 2, 3, 'x')", []).unwrap();
            self.connection.execute_batch("COMMIT").unwrap();
        }
    }

    fn write(&self, sql: &str, row: &Found) {
        self.connection
            .prepare(sql)
            .unwrap()
            .execute(params![
                row.seq as i64,
                row.id,
                row.lane,
                row.kind,
                row.run,
                row.wall_ms,
                row.mono_ms,
                row.targets,
                row.json,
                row.crc
            ])
            .unwrap();
    }

    fn run(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    fn checkpoint(&self) {
        self.run("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// The files as a process leaves them that dies now.
    fn killed(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in [DATABASE, WAL] {
            fs::copy(self.folder.path().join(name), folder.path().join(name)).unwrap();
        }
        folder
    }
}

/// A queue of `count` rows, all in the database file.
fn settled(count: u64, size: usize) -> TempDir {
    let queue = Queue::new();
    queue.insert((0..count).map(|n| row(n, size)));
    queue.checkpoint();
    queue.killed()
}

fn damage(folder: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = folder.join(name);
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Where some leaf of table `event` begins.
fn event_leaf(bytes: &[u8]) -> usize {
    (20 * PAGE..).step_by(PAGE).find(|at| bytes[*at] == 0x0d && bytes[at + 4] > 5).unwrap()
}

fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }
}

fn garble(bytes: &mut [u8], seed: u64) {
    let mut noise = noise(seed);
    bytes.iter_mut().for_each(|byte| *byte = noise());
}

/// Everything, by seq; every row is checked against its CRC and for having come once only.
fn carve(folder: &Path) -> BTreeMap<u64, Found> {
    let mut carver = Carver::open(folder).unwrap();
    let mut rows = BTreeMap::new();
    let mut from = Some(0);
    while let Some(position) = from {
        let step = carver.step(position, 16, &crc);
        for found in step.records {
            assert_eq!(crc(&candidate(&found)), found.crc);
            assert_eq!(rows.insert(found.seq, found), None, "offered twice");
        }
        assert!(step.next_page.is_none_or(|next| next > position));
        from = step.next_page;
    }
    rows
}

fn by_origin(rows: &BTreeMap<u64, Found>, origin: Origin) -> usize {
    rows.values().filter(|row| row.origin == origin).count()
}

/// The carved rows are these, column by column; where they were found is not compared.
fn assert_rows(carved: &BTreeMap<u64, Found>, wanted: impl IntoIterator<Item = Found>) {
    let wanted: Vec<_> = wanted.into_iter().collect();
    assert_eq!(carved.len(), wanted.len());
    for row in wanted {
        let found = &carved[&row.seq];
        assert_eq!(Found { origin: row.origin, ..found.clone() }, row);
    }
}

#[test]
fn an_intact_file_gives_all_its_rows() {
    let carved = carve(settled(5000, 275).path());
    assert_eq!(by_origin(&carved, Origin::Tree), 5000);
    assert_rows(&carved, (0..5000).map(|n| row(n, 275)));
}

#[test]
fn a_garbled_header_costs_no_row() {
    let folder = settled(5000, 275);
    damage(folder.path(), DATABASE, |bytes| garble(&mut bytes[..100], 1));
    assert_rows(&carve(folder.path()), (0..5000).map(|n| row(n, 275)));
}

#[test]
fn a_garbled_first_page_costs_no_row() {
    let folder = settled(5000, 275);
    damage(folder.path(), DATABASE, |bytes| garble(&mut bytes[..PAGE], 2));
    assert_rows(&carve(folder.path()), (0..5000).map(|n| row(n, 275)));
}

#[test]
fn a_file_cut_to_70_percent_gives_more_than_60_percent() {
    let folder = settled(5000, 275);
    damage(folder.path(), DATABASE, |bytes| bytes.truncate(bytes.len() * 7 / 10 + 1234));
    let carved = carve(folder.path());
    assert!(carved.len() > 3000, "{}", carved.len());
    assert!(carved.values().all(|found| *found == row(found.seq - EPOCH, 275)));
}

#[test]
fn a_random_page_costs_its_own_rows_only() {
    let folder = settled(5000, 275);
    damage(folder.path(), DATABASE, |bytes| {
        let leaf = event_leaf(bytes);
        garble(&mut bytes[leaf..leaf + PAGE], 3);
    });
    let carved = carve(folder.path());
    assert!((4980..5000).contains(&carved.len()), "{}", carved.len());
    let lost: Vec<_> = (0..5000).filter(|n| !carved.contains_key(&(EPOCH + n))).collect();
    assert_eq!(lost.len() as u64, lost[lost.len() - 1] - lost[0] + 1, "one page holds neighbours");
}

#[test]
fn a_leaf_with_a_garbled_header_and_pointer_array_keeps_its_rows() {
    for (from, to) in [(0, 1), (3, 5), (0, 8), (8, 12), (0, 32)] {
        let folder = settled(500, 275);
        damage(folder.path(), DATABASE, |bytes| {
            let leaf = event_leaf(bytes);
            garble(&mut bytes[leaf + from..leaf + to], 4);
        });
        let carved = carve(folder.path());
        assert_rows(&carved, (0..500).map(|n| row(n, 275)));
        // A count that is too high still reaches them all by pointers.
        assert!(by_origin(&carved, Origin::Loose) > 0 || from == 3, "{from}..{to}");
    }
}

#[test]
fn a_pointer_that_repeats_its_neighbour_costs_no_row() {
    let folder = settled(500, 275);
    damage(folder.path(), DATABASE, |bytes| {
        let leaf = event_leaf(bytes);
        // Of two cells of one size, so that the page still adds up.
        let at = |n: usize| leaf + 8 + 2 * n;
        let size = |bytes: &[u8], n: usize| {
            let offset = usize::from(u16::from_be_bytes([bytes[at(n)], bytes[at(n) + 1]]));
            record::cell(&bytes[leaf..leaf + PAGE], offset).unwrap().size
        };
        let (a, b) = (0..6)
            .flat_map(|a| (0..6).map(move |b| (a, b)))
            .find(|(a, b)| a < b && size(bytes, *a) == size(bytes, *b))
            .unwrap();
        bytes.copy_within(at(a)..at(a) + 2, at(b));
    });
    assert_rows(&carve(folder.path()), (0..500).map(|n| row(n, 275)));
}

#[test]
fn a_leaf_cut_in_the_middle_gives_the_cells_that_are_left() {
    let folder = settled(500, 275);
    let mut leaf = 0;
    damage(folder.path(), DATABASE, |bytes| {
        leaf = event_leaf(bytes);
        bytes.truncate(leaf);
    });
    let without = carve(folder.path()).len();
    let folder = settled(500, 275);
    damage(folder.path(), DATABASE, |bytes| bytes.truncate(leaf + 3000));
    let with = carve(folder.path()).len();
    assert!((without + 3..without + 9).contains(&with), "{without}, {with}");
}

#[test]
fn large_rows_come_whole_from_a_log_without_its_header() {
    let queue = Queue::new();
    queue.insert((0..50).map(|n| row(n, 20 * 1024)));
    let folder = queue.killed();
    fs::remove_file(folder.path().join(DATABASE)).unwrap();
    damage(folder.path(), WAL, |bytes| garble(&mut bytes[..32], 10));
    let carved = carve(folder.path());
    assert_rows(&carved, (0..50).map(|n| row(n, 20 * 1024)));
    assert_eq!(by_origin(&carved, Origin::Stale), 50);
}

#[test]
fn bit_flips_in_payloads_cost_exactly_the_rows_they_hit() {
    let folder = settled(1000, 275);
    let hit = [17, 400, 401, 999];
    damage(folder.path(), DATABASE, |bytes| {
        for n in hit {
            let json = row(n, 275).json;
            let at = bytes.windows(json.len()).position(|window| window == json.as_bytes()).unwrap();
            bytes[at + 100] ^= 0x10;
        }
    });
    assert_rows(&carve(folder.path()), (0..1000).filter(|n| !hit.contains(n)).map(|n| row(n, 275)));
}

#[test]
fn rows_of_20_kib_come_with_their_overflow_chains() {
    let folder = settled(200, 20 * 1024);
    assert_rows(&carve(folder.path()), (0..200).map(|n| row(n, 20 * 1024)));
    damage(folder.path(), DATABASE, |bytes| garble(&mut bytes[..PAGE], 5));
    assert_rows(&carve(folder.path()), (0..200).map(|n| row(n, 20 * 1024)));
}

#[test]
fn rows_of_every_size_up_to_the_cap_are_carved() {
    let sizes = [60, 3900, 3990, 4000, 4010, 4100, 8190, 12_300, crate::limits::ROW_BYTES];
    let queue = Queue::new();
    let rows = || sizes.iter().enumerate().map(|(n, size)| row(n as u64, *size));
    queue.insert(rows());
    assert_rows(&carve(queue.killed().path()), rows());
    queue.checkpoint();
    assert_rows(&carve(queue.killed().path()), rows());
}

#[test]
fn an_overflow_chain_that_runs_in_a_circle_ends_and_costs_its_row() {
    let folder = settled(3, 20 * 1024);
    damage(folder.path(), DATABASE, |bytes| {
        let text = row(1, 20 * 1024).json;
        let at = bytes.windows(64).position(|window| window == &text.as_bytes()[6000..6064]).unwrap() / PAGE;
        bytes[at * PAGE..at * PAGE + 4].copy_from_slice(&(at as u32 + 1).to_be_bytes());
    });
    assert_rows(&carve(folder.path()), [0, 2].map(|n| row(n, 20 * 1024)));
}

#[test]
fn the_log_alone_gives_what_is_in_it() {
    for size in [275, 20 * 1024] {
        let queue = Queue::new();
        queue.insert((0..200).map(|n| row(n, size)));
        let folder = queue.killed();
        fs::remove_file(folder.path().join(DATABASE)).unwrap();
        let carved = carve(folder.path());
        assert_rows(&carved, (0..200).map(|n| row(n, size)));
        assert_eq!(by_origin(&carved, Origin::Tree), 200);
    }
}

#[test]
fn rows_newer_than_the_database_come_from_the_log() {
    for size in [275, 20 * 1024] {
        let queue = Queue::new();
        queue.insert((0..300).map(|n| row(n, size)));
        queue.checkpoint();
        queue.insert((300..400).map(|n| row(n, size)));
        let folder = queue.killed();
        assert!(fs::metadata(folder.path().join(WAL)).unwrap().len() > 0);
        assert_rows(&carve(folder.path()), (0..400).map(|n| row(n, size)));
        damage(folder.path(), DATABASE, |bytes| garble(&mut bytes[..PAGE], 6));
        assert_rows(&carve(folder.path()), (0..400).map(|n| row(n, size)));
        fs::remove_file(folder.path().join(WAL)).unwrap();
        assert_rows(&carve(folder.path()), (0..300).map(|n| row(n, size)));
    }
}

#[test]
fn an_updated_row_has_its_newest_content() {
    let queue = Queue::new();
    queue.insert((0..300).map(|n| row(n, 275)));
    queue.checkpoint();
    let newer = |n: u64| {
        let mut found = Found { json: row(n + 7, 400).json, ..row(n, 275) };
        found.crc = crc(&candidate(&found));
        found
    };
    for n in [3, 150, 299] {
        queue.write("REPLACE INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", &newer(n));
    }
    let wanted = || (0..300).map(|n| if [3, 150, 299].contains(&n) { newer(n) } else { row(n, 275) });
    assert_rows(&carve(queue.killed().path()), wanted());
    queue.checkpoint();
    assert_rows(&carve(queue.killed().path()), wanted());
}

#[test]
fn a_deleted_row_is_no_row_of_the_table_any_more() {
    let queue = Queue::new();
    queue.insert((0..1000).map(|n| row(n, 275)));
    queue.checkpoint();
    queue.run(&format!("DELETE FROM event WHERE seq < {}", EPOCH + 700));
    for _ in 0..2 {
        let carved = carve(queue.killed().path());
        let live = || carved.values().filter(|found| found.origin == Origin::Tree).cloned();
        assert_eq!(live().map(|found| found.seq).collect::<Vec<_>>(), (EPOCH + 700..EPOCH + 1000).collect::<Vec<_>>());
        assert!(by_origin(&carved, Origin::Loose) > 0, "free pages still hold deleted rows, which are offered as such");
        queue.checkpoint();
    }
    queue.run("PRAGMA incremental_vacuum");
    let carved = carve(queue.killed().path());
    assert_eq!(by_origin(&carved, Origin::Tree), 300, "pages behind the end of the database are not live");
}

#[test]
fn frames_behind_a_damaged_one_still_give_their_rows() {
    let queue = Queue::new();
    queue.insert((0..100).map(|n| row(n, 275)));
    queue.checkpoint();
    for n in 100..400 {
        queue.insert([row(n, 275)]);
    }
    let folder = queue.killed();
    damage(folder.path(), WAL, |bytes| garble(&mut bytes[32 + 24 + 4120..][..512], 7));
    let sql: i64 = {
        let copy = tempfile::tempdir().unwrap();
        for name in [DATABASE, WAL] {
            fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        let connection = Connection::open(copy.path().join(DATABASE)).unwrap();
        connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap()
    };
    assert!(sql < 110, "SQLite itself: {sql}");
    assert_rows(&carve(folder.path()), (0..400).map(|n| row(n, 275)));
    damage(folder.path(), WAL, |bytes| garble(&mut bytes[..32], 8));
    let carved = carve(folder.path());
    assert_rows(&carved, (0..400).map(|n| row(n, 275)));
    assert_eq!(by_origin(&carved, Origin::Stale), 300);
}

#[test]
fn frames_of_an_older_generation_add_rows_and_replace_none() {
    let queue = Queue::new();
    queue.insert((0..60).map(|n| row(n, 275)));
    queue.run("PRAGMA wal_checkpoint(RESTART)");
    // The new generation overwrites the log's first frames; old images of row 0's page stay behind them.
    let newer = Found { json: row(99, 275).json, ..row(0, 275) };
    let newer = Found { crc: crc(&candidate(&newer)), ..newer };
    queue.write("REPLACE INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", &newer);
    queue.run(&format!("DELETE FROM event WHERE seq = {}", EPOCH + 59));
    let folder = queue.killed();
    let carved = carve(folder.path());
    assert_eq!(carved[&EPOCH].json, newer.json);
    assert_eq!(carved[&(EPOCH + 59)].origin, Origin::Stale, "deleted since: the caller's marks decide");
    assert_eq!(by_origin(&carved, Origin::Tree), 59);
    // And where the database is gone, they are all there is.
    fs::remove_file(folder.path().join(DATABASE)).unwrap();
    let carved = carve(folder.path());
    assert_eq!(carved.len(), 60);
    assert_eq!(carved[&EPOCH].json, newer.json);
}

#[test]
fn what_a_rolled_back_transaction_left_does_not_replace_a_row() {
    let queue = Queue::new();
    queue.insert((0..10).map(|n| row(n, 275)));
    queue.run("PRAGMA cache_size = 1; BEGIN");
    for n in 10..400 {
        let other = Found { json: row(n + 1000, 275).json, ..row(n, 275) };
        let other = Found { crc: crc(&candidate(&other)), ..other };
        queue.write("INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", &other);
    }
    queue.run("ROLLBACK");
    queue.insert((10..20).map(|n| row(n, 275)));
    let carved = carve(queue.killed().path());
    for n in 0..20 {
        assert_eq!(carved[&(EPOCH + n)], row(n, 275));
    }
    assert!(carved.values().skip(20).all(|found| found.origin == Origin::Stale));
    assert!(carved.len() > 20, "the spilled frames are there and are offered as what they are");
}

#[test]
fn a_carve_goes_on_where_another_process_stopped_and_repeats_a_step_to_the_row() {
    let queue = Queue::new();
    queue.insert((0..500).map(|n| row(n, 275)));
    queue.checkpoint();
    queue.run(&format!("DELETE FROM event WHERE seq < {}", EPOCH + 100));
    queue.insert((500..600).map(|n| row(n, 275)));
    let folder = queue.killed();
    damage(folder.path(), DATABASE, |bytes| garble(&mut bytes[10 * PAGE..10 * PAGE + 40], 9));
    let mut steady = Carver::open(folder.path()).unwrap();
    let mut from = Some(0);
    while let Some(position) = from {
        let step = steady.step(position, 5, &crc);
        let mut fresh = Carver::open(folder.path()).unwrap();
        assert_eq!(fresh.step(position, 5, &crc), step, "after a restart");
        assert_eq!(fresh.step(position, 5, &crc), step, "after a commit that failed");
        from = step.next_page;
    }
    assert_eq!(steady.step(steady.end(), 5, &crc), Step { records: Vec::new(), next_page: None });
    assert_eq!(steady.step(u32::MAX, 0, &crc).next_page, None);
}

#[test]
fn a_step_of_large_rows_ends_early() {
    let folder = settled(200, 20 * 1024);
    let mut carver = Carver::open(folder.path()).unwrap();
    let mut from = Some(0);
    while let Some(position) = from {
        let step = carver.step(position, u32::MAX, &crc);
        let bytes: usize = step.records.iter().map(|found| found.json.len()).sum();
        assert!(bytes < STEP_BYTES + 200 * 1024, "{bytes}");
        from = step.next_page;
    }
}

#[test]
fn folders_that_hold_nothing_useful_give_nothing() {
    let folder = tempfile::tempdir().unwrap();
    assert!(carve(folder.path()).is_empty());
    for bytes in [Vec::new(), vec![0x0d], vec![0; 5 * PAGE], vec![0xff; 3 * PAGE + 7], vec![0x0d; 9 * PAGE]] {
        fs::write(folder.path().join(DATABASE), &bytes).unwrap();
        fs::write(folder.path().join(WAL), &bytes).unwrap();
        assert!(carve(folder.path()).is_empty());
    }
}

#[test]
fn another_page_size_is_taken_from_the_header() {
    let queue = Queue::new();
    queue.insert((0..300).map(|n| row(n, 1500)));
    queue.run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE; PRAGMA page_size = 1024; VACUUM");
    fs::write(queue.folder.path().join(WAL), b"").unwrap();
    assert_rows(&carve(queue.killed().path()), (0..300).map(|n| row(n, 1500)));
}

/// One change to a file.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(prop::sample::Index, u8),
    Garble(prop::sample::Index, usize, u64),
    Copy(prop::sample::Index, prop::sample::Index, usize),
    Zero(prop::sample::Index, usize),
    Cut(prop::sample::Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 1..=255u8).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        (at(), 1..6000usize, any::<u64>()).prop_map(|(at, bytes, seed)| Mutation::Garble(at, bytes, seed)),
        (at(), at(), 1..6000usize).prop_map(|(from, to, bytes)| Mutation::Copy(from, to, bytes)),
        (at(), 1..6000usize).prop_map(|(at, bytes)| Mutation::Zero(at, bytes)),
        at().prop_map(Mutation::Cut),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match mutation {
        Mutation::Flip(at, bits) => bytes[at.index(length)] ^= bits,
        Mutation::Garble(at, size, seed) => {
            let at = at.index(length);
            garble(&mut bytes[at..length.min(at + size)], *seed);
        }
        Mutation::Copy(from, to, size) => {
            let (from, to) = (from.index(length), to.index(length));
            let size = (*size).min(length - from).min(length - to);
            bytes.copy_within(from..from + size, to);
        }
        Mutation::Zero(at, size) => {
            let at = at.index(length);
            bytes[at..length.min(at + size)].fill(0);
        }
        Mutation::Cut(at) => bytes.truncate(at.index(length)),
    }
}

fn mixed_row(n: u64) -> Found {
    row(n, if n.is_multiple_of(10) { 9000 } else { 275 })
}

/// A database and a log with rows of both sizes, deleted rows and an older generation.
fn mixed() -> &'static [Vec<u8>; 2] {
    static FILES: std::sync::OnceLock<[Vec<u8>; 2]> = std::sync::OnceLock::new();
    FILES.get_or_init(|| {
        let queue = Queue::new();
        queue.insert((0..120).map(mixed_row));
        queue.run(&format!("DELETE FROM event WHERE seq < {}", EPOCH + 40));
        queue.run("PRAGMA wal_checkpoint(RESTART)");
        queue.insert((120..140).map(mixed_row));
        let folder = queue.killed();
        [DATABASE, WAL].map(|name| fs::read(folder.path().join(name)).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// `carve` itself checks each row's CRC and that none comes twice.
    #[test]
    fn no_damage_makes_it_panic_or_return_a_row_that_was_never_written(
        database in prop::collection::vec(mutation(), 0..6),
        wal in prop::collection::vec(mutation(), 0..6),
    ) {
        let [mut database_bytes, mut wal_bytes] = mixed().clone();
        database.iter().for_each(|change| mutate(&mut database_bytes, change));
        wal.iter().for_each(|change| mutate(&mut wal_bytes, change));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DATABASE), &database_bytes).unwrap();
        fs::write(folder.path().join(WAL), &wal_bytes).unwrap();
        for (seq, found) in carve(folder.path()) {
            let n = seq - EPOCH;
            prop_assert_eq!(&found.json, &mixed_row(n).json);
        }
    }

    /// Pages of pure noise behind good type bytes: the walks of pointers, free blocks and chains end.
    #[test]
    fn leaf_pages_of_noise_end_and_give_nothing(seed in any::<u64>(), count in any::<u16>(), pages in 1..8usize) {
        let mut bytes = vec![0; pages * PAGE];
        garble(&mut bytes, seed);
        for page in bytes.chunks_mut(PAGE) {
            page[0] = 0x0d;
            page[3..5].copy_from_slice(&(count % 2100).to_be_bytes());
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(DATABASE), &bytes).unwrap();
        fs::write(folder.path().join(WAL), &bytes).unwrap();
        prop_assert!(carve(folder.path()).is_empty());
    }
}
