//! Quarantine: a damaged queue is moved to a separate folder and deleted only after it was carved.
//!
//! `quarantine/<n>/` holds `queue.db`, its log and `superblock` (a copy of the ring's superblock at that moment). While files are being
//! moved in, the copy has the name `moving`.
//! `quarantine/log` has one line per quarantine with its wall clock time. It stays when the folders are deleted.

use super::error::{Result, StoreError};
use super::memory::unsigned;
use super::types::Now;
use super::{Store, names, restore};
use crate::limits;
use crate::sorted::sort_by;
use crate::sys::{fault, file, place};
use rusqlite::OptionalExtension;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Folder of the quarantines inside the queue's folder.
pub(crate) const FOLDER: &str = "quarantine";

/// Copy of the ring's superblock inside a quarantine.
pub(crate) const SUPERBLOCK: &str = "superblock";

/// The copy while files are being moved in. So there is a copy exactly if the move has begun.
const MOVING: &str = "moving";

/// The copy while it is being written.
const UNFINISHED: &str = "superblock.new";

const LOG: &str = "log";

/// Lines of the log that are kept.
const LOG_LINES: usize = 16;

/// Prepares the folder for opening the queue: frees the names of its files, then finishes a quarantine or a restore that
/// a killed process began.
pub(super) fn prepare(folder: &Path) -> Result<()> {
    names::free(folder)?;
    place::for_folder(&folder.join(FOLDER))?;
    for (_, target) in numbered(&folder.join(FOLDER))? {
        if is_moving(&target) {
            move_in(folder, &target)?;
        }
    }
    restore::finish(folder)
}

/// Moves a queue that no connection has open into a new quarantine, with a copy of the superblock. [`prepare`] finishes
/// the move if the process dies during it. Returns the quarantine's folder, named by its number.
pub(crate) fn quarantine(folder: &Path, superblock_copy: &[u8], now: Now) -> Result<PathBuf> {
    prepare(folder)?;
    let root = folder.join(FOLDER);
    file::create_folder(&root)?;
    let number = numbered(&root)?.last().map_or(1, |(number, _)| number.saturating_add(1));
    let target = root.join(number.to_string());
    fs::create_dir(&target)?;
    file::write_private(&target.join(UNFINISHED), superblock_copy)?;
    fs::rename(target.join(UNFINISHED), target.join(MOVING))?;
    file::sync_folder(&root);
    file::sync_folder(&target);
    fault::point("quarantine_begun");
    move_in(folder, &target)?;
    // Last: attempts that fail, as on a full disk, must not use up the limit. If the line cannot be written, the queue is still moved.
    let mut log = read_log(&root);
    log.push(now.wall_ms);
    let _ = write_log(&root, &log);
    fault::point("quarantined");
    Ok(target)
}

fn is_moving(quarantine: &Path) -> bool {
    place::is_folder(quarantine) && quarantine.join(MOVING).symlink_metadata().is_ok()
}

fn move_in(folder: &Path, target: &Path) -> Result<()> {
    for name in names::files() {
        let to = target.join(&name);
        place::for_file(&to)?;
        match fs::rename(folder.join(&name), to) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    file::sync_folder(target);
    file::sync_folder(folder);
    let superblock = target.join(SUPERBLOCK);
    place::for_file(&superblock)?;
    match fs::rename(target.join(MOVING), superblock) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether the folder has neither a queue nor the remains of one.
pub(crate) fn has_no_queue(folder: &Path) -> bool {
    ![super::FILE, FOLDER].iter().any(|name| folder.join(name).exists())
}

/// Number of quarantines within [`limits::QUARANTINE_WINDOW`] of now. A time in the future (a clock set back) counts if it is as near.
pub(crate) fn quarantines_lately(folder: &Path, now: Now) -> usize {
    let window = limits::QUARANTINE_WINDOW.as_millis() as u64;
    let log = read_log(&folder.join(FOLDER));
    log.iter().filter(|wall_ms| now.wall_ms.abs_diff(**wall_ms) <= window).count()
}

/// Quarantines that are still to be carved, the oldest first.
pub(crate) fn to_carve(folder: &Path) -> Result<Vec<PathBuf>> {
    let found = numbered(&folder.join(FOLDER))?;
    Ok(found.into_iter().map(|(_, path)| path).filter(|path| place::is_folder(path) && !is_moving(path)).collect())
}

/// The superblock as it was when this quarantine was made; `None` if the copy is missing.
pub(crate) fn superblock_copy(quarantine: &Path) -> Option<Vec<u8>> {
    file::read(&quarantine.join(SUPERBLOCK)).ok()
}

/// The copies of all quarantines, also of one whose move a killed process did not finish.
pub(crate) fn superblock_copies(folder: &Path) -> Vec<Vec<u8>> {
    let found = numbered(&folder.join(FOLDER)).unwrap_or_default();
    let copy = |path: &PathBuf| superblock_copy(path).or_else(|| file::read(&path.join(MOVING)).ok());
    found.iter().filter_map(|(_, path)| copy(path)).collect()
}

/// Deletes all quarantines, as part of a wipe.
pub(crate) fn discard_all(folder: &Path) -> Result<()> {
    let found = numbered(&folder.join(FOLDER))?;
    found.iter().filter(|(_, path)| place::is_folder(path)).try_for_each(|(_, path)| discard(path))
}

fn discard(quarantine: &Path) -> Result<()> {
    match fs::remove_dir_all(quarantine) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

impl Store {
    /// The page up to which a quarantine was carved, as committed by [`super::insert::Fold::carved`].
    pub(crate) fn carve_position(&self, quarantine: &Path) -> Result<u64> {
        let page: Option<i64> = self
            .db
            .prepare_cached("SELECT page FROM carve WHERE folder = ?1")?
            .query_row([carve_key(quarantine)], |row| row.get(0))
            .optional()?;
        Ok(page.map_or(0, unsigned))
    }

    /// Deletes a quarantine that was carved to its end, then its position.
    pub(crate) fn carve_done(&mut self, quarantine: &Path) -> Result<()> {
        // Until the rows found in it are synced, the folder is the only copy.
        self.checkpoint()?;
        fault::point("carve_done");
        discard(quarantine)?;
        let key = carve_key(quarantine);
        self.write(false, |tx| {
            tx.db.execute("DELETE FROM carve WHERE folder = ?1", [key])?;
            Ok(())
        })
    }
}

/// Name of a quarantine in the table `carve` and in [`super::insert::Fold::carved`]: its number.
pub(crate) fn carve_key(quarantine: &Path) -> String {
    quarantine.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Everything in the folder of quarantines whose name is a number, in order. A link in place of that folder is not
/// followed.
fn numbered(root: &Path) -> Result<Vec<(u64, PathBuf)>> {
    if !place::is_folder(root) {
        return Ok(Vec::new());
    }
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(StoreError::from)?.path();
        if let Some(number) = path.file_name().and_then(|name| name.to_str()?.parse::<u64>().ok()) {
            found.push((number, path));
        }
    }
    sort_by(&mut found, Ord::cmp);
    Ok(found)
}

fn write_log(root: &Path, log: &[i64]) -> Result<()> {
    let kept = log.get(log.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
    let text: String = kept.iter().map(|wall_ms| format!("{wall_ms}\n")).collect();
    Ok(file::write_private(&root.join(LOG), text.as_bytes())?)
}

fn read_log(root: &Path) -> Vec<i64> {
    let text = file::read(&root.join(LOG)).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(|line| line.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, NOW, identity};
    use super::super::{From, Options, Wipe};
    use super::*;
    use crate::kind::Kind;
    use crate::row::Run;

    fn open(folder: &Path) -> Result<Store> {
        Store::open(folder, &identity(), Options::default())
    }

    #[test]
    fn a_damaged_queue_is_quarantined_with_its_log_and_the_superblock_and_a_new_queue_is_created() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let Bench { folder, store, .. } = bench;
        store.close().unwrap();
        let file = fs::read(folder.path().join("queue.db")).unwrap();
        fs::write(folder.path().join("queue.db"), [&[0u8; 100], file.get(100..).unwrap()].concat()).unwrap();
        assert!(matches!(open(folder.path()).err(), Some(StoreError::Corrupt(_))));
        fs::write(folder.path().join("queue.db-wal"), b"log").unwrap();
        let aside = quarantine(folder.path(), b"superblock", NOW).unwrap();
        assert_eq!(aside, folder.path().join("quarantine/1"));
        assert_eq!(fs::read(aside.join(SUPERBLOCK)).unwrap(), b"superblock");
        assert_eq!(fs::read(aside.join("queue.db-wal")).unwrap(), b"log");
        assert!(aside.join("queue.db").exists() && !folder.path().join("queue.db").exists());
        assert!(open(folder.path()).unwrap().fold_position() == Default::default());
        assert_eq!(to_carve(folder.path()).unwrap(), [aside]);
    }

    #[test]
    fn a_quarantine_interrupted_by_a_kill_is_finished_by_the_next_open() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let Bench { folder, store, .. } = bench;
        super::super::testing::die(store);
        let log = fs::read(folder.path().join("queue.db-wal")).unwrap();
        let aside = folder.path().join("quarantine/4");
        fs::create_dir_all(&aside).unwrap();
        fs::write(aside.join(MOVING), b"superblock").unwrap();
        assert_eq!(superblock_copies(folder.path()), [b"superblock"]);
        fs::rename(folder.path().join("queue.db"), aside.join("queue.db")).unwrap();
        assert!(to_carve(folder.path()).unwrap().is_empty());
        let store = open(folder.path()).unwrap();
        assert_eq!(store.next_seq(), (3 << 40) | 1);
        assert_eq!(superblock_copy(&aside).unwrap(), b"superblock");
        assert_eq!(fs::read(aside.join("queue.db-wal")).unwrap(), log);
        assert_eq!(to_carve(folder.path()).unwrap(), [aside]);
        drop(store);
        assert_eq!(quarantine(folder.path(), b"", NOW).unwrap(), folder.path().join("quarantine/5"));
    }

    #[test]
    fn quarantines_of_the_last_week_are_counted_after_their_deletion() {
        let folder = tempfile::tempdir().unwrap();
        let day = |n: i64| Now { wall_ms: NOW.wall_ms + n * 24 * 3_600_000, ..NOW };
        assert_eq!(quarantines_lately(folder.path(), NOW), 0);
        for n in 0..3 {
            let aside = quarantine(folder.path(), b"", day(n)).unwrap();
            discard(&aside).unwrap();
        }
        assert_eq!(quarantines_lately(folder.path(), day(2)), 3);
        assert_eq!(quarantines_lately(folder.path(), day(8)), 2);
        assert_eq!(quarantines_lately(folder.path(), day(-5)), 3, "a clock set back does not forget them");
        assert_eq!(
            quarantines_lately(folder.path(), day(-900)),
            0,
            "times of a wrong clock do not close the queue for years"
        );
        assert_eq!(quarantines_lately(folder.path(), day(0)), 3, "and right ones are not forgotten in 1970");
        assert_eq!(quarantines_lately(folder.path(), day(30)), 0);
        for _ in 0..40 {
            quarantine(folder.path(), b"", day(30)).unwrap();
        }
        assert!(quarantines_lately(folder.path(), day(30)) <= LOG_LINES);
        discard_all(folder.path()).unwrap();
        assert!(to_carve(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn a_quarantine_that_fails_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        // No folder has a higher number.
        fs::create_dir_all(folder.path().join(FOLDER).join(u64::MAX.to_string())).unwrap();
        assert!(quarantine(folder.path(), b"", NOW).is_err());
        assert_eq!(quarantines_lately(folder.path(), NOW), 0);
    }

    #[test]
    fn a_quarantine_that_died_before_its_copy_was_complete_has_moved_nothing() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error; 3]);
        let Bench { folder, store, .. } = bench;
        store.close().unwrap();
        let aside = folder.path().join("quarantine/1");
        fs::create_dir_all(&aside).unwrap();
        fs::write(aside.join(UNFINISHED), b"super").unwrap();
        assert!(superblock_copies(folder.path()).is_empty());
        assert_eq!(open(folder.path()).unwrap().unsettled().unwrap(), 3);
        assert_eq!(superblock_copy(&aside), None, "nothing is expected in it");
    }

    #[test]
    fn the_carver_resumes_at_its_last_commit() {
        let mut bench = Bench::new();
        let aside = bench.folder.path().join("quarantine/1");
        fs::create_dir_all(&aside).unwrap();
        let key = carve_key(&aside);
        assert_eq!((key.as_str(), bench.store.carve_position(&aside).unwrap()), ("1", 0));
        let mut fold = bench.store.begin(false, NOW).unwrap();
        fold.carved(&key, 12, 1).unwrap();
        drop(fold);
        assert_eq!(bench.store.carve_position(&aside).unwrap(), 0);
        let mut fold = bench.store.begin(false, NOW).unwrap();
        fold.carved(&key, 13, 1).unwrap();
        fold.commit().unwrap();
        let mut bench = bench.crash();
        assert_eq!(bench.store.carve_position(&aside).unwrap(), 13);
        bench.store.carve_done(&aside).unwrap();
        assert!(!aside.exists());
        assert_eq!(bench.store.carve_position(&aside).unwrap(), 0);
    }

    #[test]
    fn an_earlier_run_is_stored_once_below_the_recorded_runs_with_the_clocks_of_its_boot() {
        let mut bench = Bench::new();
        bench.add(&[Kind::Error]);
        let run = |id: &str| Run {
            id: id.to_string(),
            boot: "old boot".to_string(),
            wall_ms: 5_000,
            mono_ms: 1_000,
            ..Run::default()
        };
        let mut fold = bench.store.begin(false, NOW).unwrap();
        let numbers = ["a", "b", "a", "run-1"].map(|id| fold.earlier_run(&run(id)).unwrap());
        fold.commit().unwrap();
        assert_eq!(numbers, [-1, -2, -1, 1]);
        assert_eq!(bench.store.runs().unwrap().last().unwrap().id, "run-1");
        let offset: i64 = bench
            .store
            .db
            .query_row("SELECT wall_offset_ms FROM boot WHERE boot = 'old boot'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(offset, 4_000);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn truncating_the_log_index_of_an_open_queue_loses_no_row_and_does_not_end_the_process() {
        let _guard = crate::sys::map::ThreadGuard::new();
        for len in [0, 100, 4_096, 20_000] {
            let mut bench = Bench::new();
            bench.add(&[Kind::Error; 50]);
            assert!(bench.store.is_index_whole());
            let index = fs::OpenOptions::new().write(true).open(bench.folder.path().join("queue.db-shm")).unwrap();
            index.set_len(len).unwrap();
            assert!(!bench.store.is_index_whole(), "{len}");
            // Recorded with the truncated index: stored durably, or refused.
            let stored = if bench.try_add(&[Kind::Error], &[], "{}").is_ok() { 51 } else { 50 };
            let Bench { folder, store, .. } = bench;
            store.abandon();
            let store = open(folder.path()).unwrap();
            assert!(store.is_index_whole(), "{len}");
            assert_eq!(store.ids(0).unwrap().len(), stored, "{len}");
            let whole: String = store.db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(whole, "ok", "{len}");
        }
    }

    #[test]
    fn a_wipe_deletes_the_quarantines() {
        let mut bench = Bench::new();
        fs::create_dir_all(bench.folder.path().join("quarantine/7")).unwrap();
        bench.store.wipe(Wipe::All, &|_| false, None, NOW).unwrap();
        assert!(to_carve(bench.folder.path()).unwrap().is_empty());
    }

    #[test]
    fn rows_already_stored_are_found_by_id() {
        let mut bench = Bench::fresh();
        let rows = bench.add(&[Kind::Error, Kind::Error]);
        bench.store.declare("main", &["x"], From::Oldest, NOW).unwrap();
        assert_eq!(bench.store.ids(0).unwrap(), [Bench::id(1), Bench::id(2)]);
        assert_eq!(bench.store.ids(rows[0]).unwrap(), [Bench::id(2)]);
    }
}
