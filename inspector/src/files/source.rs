//! A queue as a file: a folder, a copied file of any name, or an export. Always opened for reading only.

use super::copy::Files;
use super::error::FileError;
use super::place::{first_bytes, locate, one_line, parent, rows};
use super::rezq::{self, Info, unpack_recent};
use super::temp;
use super::{db, salvage};
use crate::queue;
use rez_monitor::inspect::{self, Reader, Salvage, StoreError};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The folder of an app's queue, which may be in use.
    Folder,
    /// A copied file.
    File,
    /// An export.
    Export(Info),
}

/// A queue that is open for reading.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    origin: Origin,
    /// The folder whose `queue.db` is read: the app's own or a temporary one.
    folder: PathBuf,
    /// The database as it was passed.
    file: PathBuf,
    notes: Vec<String>,
    salvage: Option<Salvage>,
    temp: Vec<TempDir>,
}

impl Source {
    /// Opens the folder of a queue, a folder of `rezq demo --keep`, `queue.db` under any name, or an export.
    ///
    /// A damaged file is read page by page: see [`Source::salvage`].
    ///
    /// # Errors
    /// Nothing at this path can be read as a queue.
    pub fn open(path: &Path) -> Result<Source, FileError> {
        Source::open_checked(path, Source::check)
    }

    /// Opens a queue without reading all of its pages, which takes 100 ms at 100,000 rows. A question can meet a damaged page later;
    /// [`Source::open`] finds it then.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub fn open_unchecked(path: &Path) -> Result<Source, FileError> {
        Source::open_checked(path, Source::check_tables)
    }

    /// Opens the bytes of a queue that came from an app. `name` names the app.
    ///
    /// # Errors
    /// They are no queue, or the temporary folder cannot be written.
    pub fn of_bytes(bytes: &[u8], name: &str) -> Result<Source, FileError> {
        let temp = temp::folder()?;
        let file = temp.path().join(queue::FILE);
        std::fs::write(&file, bytes).map_err(|error| FileError::unwritable(&file, error))?;
        unpack_recent(temp.path(), &file)?;
        let mut source = Source::open(temp.path())?;
        source.path = PathBuf::from(name);
        source.origin = Origin::File;
        source.temp.push(temp);
        Ok(source)
    }

    fn open_checked(path: &Path, check: fn(&Source) -> Result<(), StoreError>) -> Result<Source, FileError> {
        let file = locate(path)?;
        if first_bytes(&file)?.starts_with(&GZIP) {
            return Source::open_export(&file);
        }
        let files = Files::of(&file);
        let is_in_place = file.file_name().is_some_and(|name| name == queue::FILE);
        let mut source = Source {
            path: path.to_owned(),
            origin: if is_in_place { Origin::Folder } else { Origin::File },
            folder: parent(&file),
            file: file.clone(),
            notes: Vec::new(),
            salvage: None,
            temp: Vec::new(),
        };
        if !is_in_place {
            source.use_copy(files.copy()?);
            unpack_recent(&source.folder, &file)?;
        }
        match check(&source) {
            // The index of the log cannot be created or read there.
            Err(StoreError::Unavailable(message)) if is_in_place => {
                source.use_copy(files.copy()?);
                source.note(format!("SQLite cannot open the queue in its folder ({message}): a copy is read"));
                match check(&source) {
                    Err(StoreError::Corrupt(message) | StoreError::OtherFormat(message)) => {
                        source.carve(&files, &message)?;
                    }
                    checked => checked.map_err(|error| FileError::of_store(&file, error))?,
                }
            }
            Err(StoreError::Corrupt(message)) => source.carve(&files, &message)?,
            Err(StoreError::OtherFormat(message)) => source.carve(&files, &message)?,
            checked => checked.map_err(|error| FileError::of_store(&file, error))?,
        }
        if source.salvage.is_none() && files.needs_log() && !files.wal.exists() && !source.closed_cleanly() {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            source.note(format!(
                "there is no {name}-wal beside {name}, and the app had not closed the queue: the newest events may be \
                 missing; copy {name}-wal too"
            ));
        }
        Ok(source)
    }

    fn open_export(file: &Path) -> Result<Source, FileError> {
        let temp = temp::folder()?;
        let info = rezq::unpack(file, &temp.path().join(queue::FILE))?;
        unpack_recent(temp.path(), file)?;
        let source = Source {
            path: file.to_owned(),
            origin: Origin::Export(info),
            folder: temp.path().to_owned(),
            file: file.to_owned(),
            notes: Vec::new(),
            salvage: None,
            temp: vec![temp],
        };
        source.check().map_err(|error| match error {
            StoreError::Corrupt(message) => {
                FileError::Export { path: file.to_owned(), message: format!("damaged: {message}") }
            }
            other => FileError::of_store(file, other),
        })?;
        Ok(source)
    }

    /// The path as it was passed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The folder whose `queue.db` is read. Not the app's own if the source is a copy, an export, or damaged.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The app's own folder with ring and quarantines; `None` for an export or a copied file.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        (self.origin == Origin::Folder).then(|| parent(&self.file))
    }

    /// What a person must know about the way it was opened, one sentence each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How the rows of a damaged file were found; `None` if the file is whole.
    #[must_use]
    pub fn salvage(&self) -> Option<&Salvage> {
        self.salvage.as_ref()
    }

    /// Opens the queue.
    ///
    /// # Errors
    /// The file became unreadable since it was opened.
    pub fn reader(&self) -> Result<Reader, FileError> {
        Reader::open(&self.folder).map_err(|error| FileError::of_store(&self.file, error))
    }

    /// The file as it was passed: `queue.db` of a folder, the copy, or the export.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Opens the database.
    pub(super) fn connect(&self) -> Result<rusqlite::Connection, FileError> {
        db::connect(&self.folder.join(queue::FILE)).map_err(|error| FileError::unreadable(&self.file, error))
    }

    /// A copy of the queue as of one moment, also while an app writes to it.
    pub(super) fn snapshot(&self) -> Result<TempDir, FileError> {
        let temp = temp::folder()?;
        let path = temp.path().join(queue::FILE);
        let recent = inspect::recent_rows(&self.folder);
        let copied = self.connect()?.execute("VACUUM INTO ?1", [path.to_string_lossy()]);
        copied.map_err(|error| FileError::unreadable(&self.file, error))?;
        inspect::keep_recent(&path, &recent).map_err(|error| FileError::of_store(&path, error))?;
        Ok(temp)
    }

    /// A copy of the queue as of one moment, also while an app writes to it: the bytes of an SQLite file, with personal data.
    ///
    /// # Errors
    /// The queue cannot be read, or the temporary folder cannot be written.
    pub fn bytes(&self) -> Result<Vec<u8>, FileError> {
        let copied = self.snapshot()?;
        let path = copied.path().join(queue::FILE);
        std::fs::read(&path).map_err(|error| FileError::unreadable(&path, error))
    }

    /// Reads a small table: whether SQLite can work there, and whether it is a queue.
    fn check_tables(&self) -> Result<(), StoreError> {
        Reader::open(&self.folder)?.runs().map(|_| ())
    }

    /// Reads what every command needs, and checks the structure of the file.
    fn check(&self) -> Result<(), StoreError> {
        Reader::open(&self.folder)?.overview()?;
        let db = db::connect(&self.folder.join(queue::FILE))?;
        let first: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if first == "ok" { Ok(()) } else { Err(StoreError::Corrupt(one_line(&first))) }
    }

    /// Whether the app closed the queue and nothing was written since.
    fn closed_cleanly(&self) -> bool {
        self.connect().is_ok_and(|db| db::number(&db, "SELECT clean FROM fold").is_ok_and(|clean| clean == 1))
    }

    /// Finds the rows of the damaged file page by page and reads them from a new one.
    fn carve(&mut self, files: &Files, message: &str) -> Result<(), FileError> {
        let (temp, found) = salvage::carve(files)?;
        salvage::refuse_foreign(&self.file, &found)?;
        self.note(format!(
            "{} is damaged ({}): {} that wait for a destination were found page by page",
            self.file.display(),
            one_line(message),
            rows(found.rows)
        ));
        self.folder = temp.path().to_owned();
        self.temp.push(temp);
        self.salvage = Some(found);
        Ok(())
    }

    fn use_copy(&mut self, temp: TempDir) {
        self.folder = temp.path().to_owned();
        self.temp.push(temp);
    }

    fn note(&mut self, text: String) {
        self.notes.push(text);
    }
}
