//! The events that were stored lately, so that an inspector can show what is delivered and no longer in the queue.
//!
//! Only while inspection is on. They are in memory, and as JSON lines in the file `recent.ndjson` beside the queue, so that a copy of
//! the folder and the next run have them too. The file has no promise: what cannot be written to it is missing there.

use crate::id::EventId;
use crate::limits::{RECENT_BYTES, RECENT_EVENTS};
use crate::row::Row;
use crate::store::recent::{kept_recent, line, read_line};
use crate::store::{FILE, Result};
use crate::sys::file;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Name of the file.
pub const RECENT_FILE: &str = "recent.ndjson";

/// The newest rows, oldest first.
///
/// Rows and file have a lock each: a call of the app takes that of the rows, and never waits for the disk.
#[derive(Default)]
pub(crate) struct Recent {
    rows: Mutex<Rows>,
    /// Only the writer's thread uses it.
    file: Mutex<Kept>,
}

#[derive(Default)]
struct Rows {
    rows: VecDeque<Row>,
    bytes: usize,
}

#[derive(Default)]
struct Kept {
    folder: PathBuf,
    file: Option<File>,
    written: usize,
}

impl Recent {
    /// Reads the file of a folder. A line that is cut or damaged is left out.
    pub(crate) fn read(folder: &Path) -> Recent {
        let recent = Recent::default();
        recent.rows().load(folder);
        recent
    }

    /// Keeps the rows of the file, and writes to it from now on.
    pub(crate) fn keep_in(&self, folder: &Path) {
        if self.rows().rows.is_empty() {
            self.rows().load(folder);
        }
        *self.file() = Kept { folder: folder.to_owned(), file: None, written: 0 };
        self.rewrite();
    }

    /// Deletes the file of a folder.
    pub(crate) fn discard(folder: &Path) {
        // Usually there is none.
        let _ = std::fs::remove_file(folder.join(RECENT_FILE));
    }

    /// Adds rows. The oldest ones make room for them. Called on the writer's thread only, since it writes to the file.
    pub(crate) fn add(&self, added: impl Iterator<Item = Row>) {
        let mut lines = String::new();
        {
            let rows = &mut *self.rows();
            for row in added {
                lines.push_str(&line(&row));
                rows.push(row);
            }
        }
        if self.file().append(&lines).is_none() {
            self.rewrite();
        }
    }

    /// Forgets what is in memory, on any thread. [`Recent::erase`] follows on the writer's.
    pub(crate) fn forget(&self) {
        *self.rows() = Rows::default();
    }

    /// Forgets everything, also in the file, and waits until the disk has done it.
    pub(crate) fn erase(&self) {
        self.forget();
        self.file().empty(true);
    }

    /// Empties the file, since a full disk has no room for it. `true` = that freed space.
    pub(crate) fn give_up_file(&self) -> bool {
        let kept = &mut *self.file();
        let had = kept.written > 0;
        kept.empty(false);
        kept.file = None;
        had
    }

    /// Forgets these events. Called on the writer's thread only.
    pub(crate) fn remove(&self, ids: &[EventId]) {
        self.rows().retain(|row| !ids.contains(&row.id));
        self.rewrite();
    }

    /// Replaces rows by what became of them. Called on the writer's thread only.
    pub(crate) fn replace(&self, changed: &[Row]) {
        for row in &mut self.rows().rows {
            if let Some(changed) = changed.iter().find(|changed| changed.id == row.id) {
                row.json.clone_from(&changed.json);
            }
        }
        self.rewrite();
    }

    /// The row of an event.
    pub(crate) fn get(&self, id: EventId) -> Option<Row> {
        self.rows().rows.iter().rev().find(|row| row.id == id).cloned()
    }

    /// All rows, oldest first.
    pub(crate) fn all(&self) -> Vec<Row> {
        self.rows().rows.iter().cloned().collect()
    }

    /// At most `most` rows that `wanted` accepts, newest first.
    pub(crate) fn select(&self, most: usize, wanted: impl Fn(&Row) -> bool) -> Vec<Row> {
        self.rows().rows.iter().rev().filter(|row| wanted(row)).take(most).cloned().collect()
    }

    /// Replaces the file by one with the rows in memory.
    fn rewrite(&self) {
        let lines: String = self.rows().rows.iter().map(line).collect();
        self.file().replace(&lines);
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self) -> MutexGuard<'_, Kept> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn push(&mut self, row: Row) {
        self.bytes = self.bytes.saturating_add(row.json.len());
        self.rows.push_back(row);
        while self.rows.len() > RECENT_EVENTS || (self.bytes > RECENT_BYTES && self.rows.len() > 1) {
            if let Some(oldest) = self.rows.pop_front() {
                self.bytes = self.bytes.saturating_sub(oldest.json.len());
            }
        }
    }

    fn retain(&mut self, stays: impl Fn(&Row) -> bool) {
        self.rows.retain(stays);
        self.bytes = self.rows.iter().map(|row| row.json.len()).sum();
    }

    fn load(&mut self, folder: &Path) {
        let content = file::read(&folder.join(RECENT_FILE)).unwrap_or_default();
        content.split(|byte| *byte == b'\n').filter_map(read_line).for_each(|row| self.push(row));
    }
}

impl Kept {
    /// `None` = the file is long enough to be replaced.
    fn append(&mut self, lines: &str) -> Option<()> {
        let Some(file) = &mut self.file else { return Some(()) };
        if self.written.saturating_add(lines.len()) > 2 * RECENT_BYTES {
            return None;
        }
        self.written += lines.len();
        if file.write_all(lines.as_bytes()).is_err() {
            // The disk is full. The queue needs the space more than this file.
            self.empty(false);
            self.file = None;
        }
        Some(())
    }

    /// Puts a new file in the place of the old one, so that a reader never sees half of it.
    fn replace(&mut self, lines: &str) {
        if self.folder.as_os_str().is_empty() {
            return;
        }
        let (path, new) = (self.folder.join(RECENT_FILE), self.folder.join(format!("{RECENT_FILE}.new")));
        let written = || {
            crate::sys::place::for_file(&path)?;
            let mut file = file::open_private(&new)?;
            file.set_len(0)?;
            file.write_all(lines.as_bytes())?;
            std::fs::rename(&new, &path)?;
            Ok::<File, std::io::Error>(file)
        };
        self.file = written().ok();
        self.written = lines.len();
        if self.file.is_none() {
            self.empty(false);
            let _ = std::fs::remove_file(&new);
        }
    }

    fn empty(&mut self, is_synced: bool) {
        self.written = 0;
        let emptied = self.file.as_mut().is_some_and(|file| {
            let emptied = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
            emptied.and_then(|_| if is_synced { file.sync_data() } else { Ok(()) }).is_ok()
        });
        if !emptied && !self.folder.as_os_str().is_empty() {
            Recent::discard(&self.folder);
        }
    }
}

/// The rows of a folder's [`RECENT_FILE`], oldest first.
#[must_use]
pub fn recent_rows(folder: &Path) -> Vec<Row> {
    Recent::read(folder).all()
}

/// Writes the [`RECENT_FILE`] beside a copy of a queue in this folder, if the copy has the rows.
///
/// # Errors
/// The copy cannot be read, or the file cannot be written.
pub fn unpack_recent(folder: &Path) -> Result<()> {
    let rows = kept_recent(&folder.join(FILE))?;
    if !rows.is_empty() {
        std::fs::write(folder.join(RECENT_FILE), rows.iter().map(line).collect::<String>())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    fn row(seq: u64, bytes: usize) -> Row {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&seq.to_be_bytes());
        let json = "x".repeat(bytes);
        Row {
            seq,
            id: EventId::from_bytes(id),
            kind: Kind::Error,
            run: 1,
            wall_ms: 0,
            mono_ms: 0,
            targets: Vec::new(),
            json,
        }
    }

    fn seqs(recent: &Recent) -> Vec<u64> {
        recent.select(usize::MAX, |_| true).iter().map(|row| row.seq).collect()
    }

    #[test]
    fn the_newest_rows_are_kept_within_both_limits() {
        let recent = Recent::default();
        recent.add((0..RECENT_EVENTS as u64 * 10).map(|seq| row(seq, 1)));
        let last = RECENT_EVENTS as u64 * 10;
        assert_eq!(seqs(&recent), (last - RECENT_EVENTS as u64..last).rev().collect::<Vec<_>>());
        recent.forget();
        recent.add((0..5).map(|seq| row(seq, RECENT_BYTES / 3)));
        assert_eq!(seqs(&recent), [4, 3, 2]);
        recent.add([row(9, RECENT_BYTES * 2)].into_iter());
        assert_eq!(seqs(&recent), [9], "one row stays, however large");
        recent.add([row(10, 1)].into_iter());
        assert_eq!(seqs(&recent), [10]);
    }

    #[test]
    fn a_row_is_found_by_its_id_until_all_is_forgotten() {
        let recent = Recent::default();
        recent.add([row(7, 4)].into_iter());
        assert_eq!(recent.get(row(7, 0).id).map(|row| row.json.len()), Some(4));
        assert!(recent.get(row(8, 0).id).is_none());
        recent.forget();
        assert!(recent.get(row(7, 0).id).is_none());
    }

    #[test]
    fn the_next_run_and_a_copy_of_the_folder_have_the_rows_and_a_damaged_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(RECENT_FILE);
        let recent = Recent::default();
        recent.keep_in(folder.path());
        recent.add((0..4).map(|seq| Row { targets: vec!["team".to_owned()], ..row(seq, 10) }));
        recent.add([row(4, 10)].into_iter());
        assert_eq!(seqs(&Recent::read(folder.path())), [4, 3, 2, 1, 0]);
        assert_eq!(Recent::read(folder.path()).get(row(1, 0).id).unwrap().targets, ["team"]);
        drop(recent);
        let content = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<String> = content.lines().map(str::to_owned).collect();
        lines[1] = lines[1].replacen("xxx", "xyx", 1);
        lines[3] = lines[3].chars().take(30).collect();
        lines.push("\u{0}".to_owned());
        std::fs::write(&path, lines.join("\n")).unwrap();
        let next = Recent::default();
        next.keep_in(folder.path());
        assert_eq!(seqs(&next), [4, 2, 0]);
        next.add([row(9, 1)].into_iter());
        assert_eq!(seqs(&Recent::read(folder.path())), [9, 4, 2, 0]);
    }

    #[test]
    fn what_is_erased_is_in_no_byte_of_the_file_and_what_follows_is() {
        let folder = tempfile::tempdir().unwrap();
        let recent = Recent::default();
        recent.keep_in(folder.path());
        recent.add([row(1, 9)].into_iter());
        recent.forget();
        recent.erase();
        assert_eq!(std::fs::read(folder.path().join(RECENT_FILE)).unwrap(), b"");
        recent.add([row(2, 3)].into_iter());
        assert_eq!(seqs(&Recent::read(folder.path())), [2]);
        Recent::discard(folder.path());
        Recent::discard(folder.path());
        assert!(seqs(&Recent::read(folder.path())).is_empty());
    }

    #[test]
    fn the_file_stays_below_twice_the_limit_and_a_folder_that_cannot_be_used_costs_nothing_but_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let recent = Recent::default();
        recent.keep_in(folder.path());
        for seq in 0..40 {
            recent.add([row(seq, RECENT_BYTES / 9)].into_iter());
            let length = std::fs::metadata(folder.path().join(RECENT_FILE)).unwrap().len();
            assert!(length <= 2 * RECENT_BYTES as u64, "{length}");
        }
        assert_eq!(seqs(&Recent::read(folder.path())), seqs(&recent));
        let lost = Recent::default();
        lost.keep_in(&folder.path().join("missing"));
        lost.add([row(1, 1)].into_iter());
        assert_eq!(seqs(&lost), [1]);
    }

    #[test]
    fn what_is_removed_or_given_up_on_a_full_disk_is_in_no_byte_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let recent = Recent::default();
        recent.keep_in(folder.path());
        assert!(!recent.give_up_file(), "an empty file frees nothing");
        recent.keep_in(folder.path());
        recent.add((1..4).map(|seq| row(seq, 3)));
        recent.remove(&[row(2, 0).id]);
        assert_eq!(seqs(&Recent::read(folder.path())), [3, 1]);
        assert!(recent.give_up_file());
        assert_eq!(std::fs::read(folder.path().join(RECENT_FILE)).unwrap(), b"");
        recent.add([row(5, 3)].into_iter());
        assert_eq!((seqs(&Recent::read(folder.path())), seqs(&recent)), (vec![], vec![5, 3, 1]));
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 1, "no other file is left");
    }
}
