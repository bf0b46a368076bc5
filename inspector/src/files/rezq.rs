//! An export, `.rezq`: a gzip file with one SQLite file, which is a queue with one more table `export`.
//!
//! `gzip -dc x.rezq > x.db && sqlite3 x.db` opens it without this program. The gzip trailer has a checksum and the length, so
//! an export that is cut or damaged is never taken for a whole one.

use super::create::create;
use super::error::FileError;
use super::temp;
use super::{db, place};
use crate::queue;
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use rez_monitor::inspect::{self, StoreError};
use rusqlite::{Connection, params};
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// Version of the table `export`. A file with a higher one is refused.
pub const FORMAT: u32 = 1;

/// Most bytes of an unpacked export: a small file that unpacks to terabytes must not fill the disk.
const MOST_BYTES: u64 = 4 << 30;

/// The table `export`: one row.
const TABLE: &str = "
DROP TABLE IF EXISTS export;
CREATE TABLE export (
  format INTEGER NOT NULL, made_ms INTEGER NOT NULL, made TEXT NOT NULL, source TEXT NOT NULL,
  masked INTEGER NOT NULL, salvaged INTEGER NOT NULL, rezq TEXT NOT NULL
) STRICT;
";

/// What an export says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Version of this table, [`FORMAT`].
    pub format: u32,
    /// When it was made, milliseconds since 1970.
    pub made_ms: i64,
    /// Name of the file or folder it was made from, without its folder.
    pub source: String,
    /// Personal data is hidden.
    pub masked: bool,
    /// The source was damaged: the rows were found page by page.
    pub salvaged: bool,
    /// Version of rezq that made it.
    pub rezq: String,
}

/// Adds the table `export` to a database that nobody else has open.
pub(super) fn describe(path: &Path, info: &Info) -> rusqlite::Result<()> {
    let db = Connection::open(path)?;
    db.execute_batch(TABLE)?;
    let made = rez_monitor::inspect::time(info.made_ms);
    db.execute(
        "INSERT INTO export VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![info.format, info.made_ms, made, info.source, info.masked, info.salvaged, info.rezq],
    )?;
    db.close().map_err(|(_, error)| error)
}

/// Compresses a database to a new file. Returns its size.
pub(super) fn pack(path: &Path, out: &Path) -> Result<u64, FileError> {
    let compress = |file: &File| -> io::Result<()> {
        let mut gzip = GzEncoder::new(file, Compression::default());
        io::copy(&mut File::open(path)?, &mut gzip)?;
        gzip.finish().map(|_| ())
    };
    let write = |file: &File| compress(file).map_err(|error| FileError::unwritable(out, error));
    create(out, write).map(|((), size)| size)
}

/// Unpacks an export to a new database and reads what it says of itself.
pub(super) fn unpack(file: &Path, to: &Path) -> Result<Info, FileError> {
    let wrong = |message: String| FileError::Export { path: file.to_owned(), message };
    let input = File::open(file).map_err(|error| FileError::unreadable(file, error))?;
    let mut gzip = GzDecoder::new(io::BufReader::new(input));
    let mut output = File::create(to).map_err(|error| FileError::unwritable(to, error))?;
    copy(&mut gzip, &mut output, file, to)?;
    let mut rest = Vec::new();
    // Bytes after the end are of another file.
    if gzip.into_inner().take(1).read_to_end(&mut rest).is_ok_and(|more| more > 0) {
        return Err(wrong("damaged: something follows its end".to_owned()));
    }
    let read = || -> rusqlite::Result<Info> {
        let db = db::connect(to)?;
        db.query_row("SELECT format, made_ms, source, masked, salvaged, rezq FROM export", [], |row| {
            Ok(Info {
                format: row.get(0)?,
                made_ms: row.get(1)?,
                source: row.get(2)?,
                masked: row.get(3)?,
                salvaged: row.get(4)?,
                rezq: row.get(5)?,
            })
        })
    };
    // A newer table may have other columns.
    let format = db::connect(to).and_then(|db| db::number(&db, "SELECT format FROM export"));
    match format {
        Ok(format) if format > i64::from(FORMAT) => {
            return Err(FileError::Newer { path: file.to_owned(), format: u32::try_from(format).unwrap_or(u32::MAX) });
        }
        Err(rusqlite::Error::SqliteFailure(..) | rusqlite::Error::SqlInputError { .. }) => {
            let path = file.to_owned();
            return Err(FileError::NotAQueue {
                path,
                message: "it is a compressed file, and not one of `rezq export`".to_owned(),
            });
        }
        _ => {}
    }
    read().map_err(|error| wrong(format!("damaged: {}", place::one_line(&error.to_string()))))
}

/// Copies at most [`MOST_BYTES`], and says whose error it was.
fn copy(gzip: &mut impl Read, output: &mut File, file: &Path, to: &Path) -> Result<(), FileError> {
    let wrong = |message: String| FileError::Export { path: file.to_owned(), message };
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0u64;
    loop {
        let read = match gzip.read(&mut buffer) {
            Ok(0) => return output.flush().map_err(|error| FileError::unwritable(to, error)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(wrong(format!("cut short: it ends after {} bytes", size(file))));
            }
            Err(error) => return Err(wrong(format!("damaged: {error}"))),
        };
        bytes += read as u64;
        if bytes > MOST_BYTES {
            return Err(wrong(format!("damaged: it unpacks to more than {MOST_BYTES} bytes")));
        }
        let part = buffer.get(..read).unwrap_or_default();
        output.write_all(part).map_err(|error| FileError::unwritable(to, error))?;
    }
}

fn size(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

/// Writes the file with the events that were stored lately beside a copy that has them in it. A damaged copy is read without them.
pub(super) fn unpack_recent(folder: &Path, file: &Path) -> Result<(), FileError> {
    match inspect::unpack_recent(folder) {
        Err(error @ (StoreError::Full(_) | StoreError::Unavailable(_))) => Err(FileError::of_store(file, error)),
        _ => Ok(()),
    }
}

/// Unpacks an export into a new or empty folder, as `queue.db`.
///
/// # Errors
/// The export cannot be read, or the folder is not empty or cannot be written.
pub fn import(file: &Path, folder: &Path) -> Result<Info, FileError> {
    let file = place::locate(file)?;
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(FileError::Taken(folder.join(queue::FILE)));
    }
    let temp = temp::folder()?;
    let unpacked = temp.path().join(queue::FILE);
    let info = unpack(&file, &unpacked)?;
    let to = folder.join(queue::FILE);
    // Only this user may read what is in it.
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .and_then(|()| std::fs::copy(&unpacked, &to))
        .map_err(|error| FileError::unwritable(&to, error))?;
    unpack_recent(folder, &file)?;
    Ok(info)
}
