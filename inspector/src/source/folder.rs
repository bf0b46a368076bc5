//! A queue in files of this machine.

use super::{Inspect, Remote, SourceError, address};
use crate::files::{self, FileError, Source};
use rez_monitor::inspect::{Reader, StoreError};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A queue in a folder, a copied file or an export, opened for reading only. Works while an app writes to it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    source: Source,
    reader: Reader,
}

impl Open {
    fn new(source: Source) -> Result<Open, FileError> {
        let reader = source.reader()?;
        Ok(Open { source, reader })
    }

    fn inspect(&mut self, request: &str) -> Result<String, StoreError> {
        // An app may have opened the queue since, or replaced it.
        if !self.reader.live() || !self.reader.is_in_place() {
            self.reader = Reader::open(self.source.folder())?;
        }
        self.reader.inspect(request)
    }
}

impl Folder {
    /// Opens the queue; see [`Source::open`].
    ///
    /// # Errors
    /// There is no queue, or it cannot be read.
    pub fn open(path: &Path) -> Result<Folder, FileError> {
        let open = Mutex::new(Open::new(Source::open_unchecked(path)?)?);
        Ok(Folder { path: path.to_owned(), open })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request asks what is wrong: the files are examined, not only their rows.
pub(super) fn is_doctor(request: &str) -> bool {
    serde_json::from_str(request).is_ok_and(|request: Value| request == json!({"ask": "doctor"}))
}

impl Inspect for Folder {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        if is_doctor(request) {
            let found = files::doctor(&Source::open(&self.path)?, jiff::Timestamp::now().as_millisecond())?;
            return Ok(json!(found).to_string());
        }
        let open = &mut *self.lock();
        let failed = |error: StoreError| FileError::of_store(&self.path, error);
        match open.inspect(request) {
            // The damaged page was not read before: the rows are found page by page now.
            Err(StoreError::Corrupt(_)) if open.source.salvage().is_none() => {
                *open = Open::new(Source::open(&self.path)?)?;
                Ok(open.inspect(request).map_err(failed)?)
            }
            answer => Ok(answer.map_err(failed)?),
        }
    }

    fn snapshot(&self) -> Result<Vec<u8>, SourceError> {
        Ok(self.lock().source.bytes()?)
    }

    fn app(&self) -> Option<Remote> {
        let home = self.lock().source.home()?;
        let app = Remote::new(&address::read(&home.join(address::FILE))?).ok()?;
        // An app that was killed has left the file.
        app.try_inspect(r#"{"ask":"about"}"#).is_ok().then_some(app)
    }

    fn notes(&self) -> Vec<String> {
        self.lock().source.notes().to_vec()
    }

    fn is_damaged(&self) -> bool {
        self.lock().source.salvage().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::FILE;
    use rez_monitor::{Config, Monitor};
    use std::time::Duration;

    const WAIT: Duration = Duration::from_secs(30);

    fn open(folder: &Path) -> Monitor {
        Monitor::open(Config::builder(folder, "shop", "shop@1").sessions(false).build().unwrap()).unwrap()
    }

    #[test]
    fn an_app_that_starts_later_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        open(&folder).close(WAIT);
        let source = Folder::open(dir.path()).unwrap();
        let names = || source.inspect(r#"{"ask":"list"}"#).matches("\"seq\"").count();
        assert_eq!(names(), 0);
        let monitor = open(&folder);
        for n in 1..4 {
            let _ = monitor.message("hello", rez_monitor::Level::Info, &[]);
            monitor.persist(WAIT).unwrap();
            assert_eq!(names(), n);
        }
        monitor.close(WAIT);
        assert_eq!(names(), 3);
        assert!(source.notes().is_empty() && !source.is_damaged());
    }

    #[test]
    fn a_queue_that_is_replaced_is_followed_and_has_another_version() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("app");
        let version = |source: &Folder| source.inspect(r#"{"ask":"version"}"#);
        let about = |source: &Folder| source.inspect(r#"{"ask":"about"}"#);
        let first = open(&folder);
        first.persist(WAIT).unwrap();
        let source = Folder::open(&folder).unwrap();
        let before = (version(&source), about(&source));
        assert_eq!(version(&source), before.0, "nothing has changed");
        let _ = first.message("one", rez_monitor::Level::Info, &[]);
        first.persist(WAIT).unwrap();
        let then = version(&source);
        assert_ne!(then, before.0);
        // As if the app's data were deleted and the app started again.
        first.close(WAIT);
        std::fs::rename(&folder, dir.path().join("old")).unwrap();
        let second = open(&folder);
        second.persist(WAIT).unwrap();
        assert_ne!(about(&source), before.1, "the new installation");
        assert!(![before.0, then].contains(&version(&source)));
        second.close(WAIT);
    }

    #[test]
    fn a_folder_without_a_queue_and_a_file_that_is_none_are_errors_that_name_the_path() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(FileError::NoQueue(path)) if path == dir.path()));
        std::fs::write(dir.path().join(FILE), "words, and no database at all, but long enough to have a header")
            .unwrap();
        let error = Folder::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("queue.db"), "{error}");
    }
}
