//! `adb:PACKAGE`: an app on an Android device at the cable, or in an emulator.
//!
//! If the app has its debug endpoint open, `adb forward` leads to it, and the app answers. Else the files of its queue are copied, which
//! Android allows for a debuggable build. Nothing in the app is changed for that, and it need not run.

mod tool;

pub use tool::AdbError;

use super::folder::is_doctor;
use super::{Folder, Inspect, Remote, SourceError, address};
use crate::files;
use crate::queue;
use rez_monitor::inspect::RECENT_FILE;
use serde_json::Value;
use std::fmt;
use tempfile::TempDir;
use tool::Tool;

/// Where the SDK keeps the queue in the data of an app: `noBackupFilesDir`.
const FOLDER: &str = "no_backup/rez-monitor";

/// Attempts to copy files that the app changes meanwhile.
const ATTEMPTS: usize = 10;

/// Bytes of the header of the log. It has another salt after the log was restarted.
const LOG_HEADER: &str = "32";

/// An app on a device.
pub struct Adb {
    /// The app itself, or a copy of its files.
    source: Box<dyn Inspect>,
    note: Option<String>,
    // What the source needs.
    _forward: Option<Forward>,
    copied: Option<TempDir>,
}

impl fmt::Debug for Adb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adb").field("note", &self.note).finish_non_exhaustive()
    }
}

/// A port of this machine that leads to one of the device. Removed when it is dropped.
#[derive(Debug)]
struct Forward {
    tool: Tool,
    port: u16,
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.tool.run(&["forward", "--remove", &format!("tcp:{}", self.port)]);
    }
}

impl Adb {
    /// Opens the queue of a package, or of `PACKAGE:PROCESS`.
    ///
    /// # Errors
    /// There is no `adb`, no device, no such app, or no queue.
    pub fn open(app: &str) -> Result<Adb, SourceError> {
        let (package, process) = app.split_once(':').unwrap_or((app, ""));
        let is_name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        // A shell on the device reads it.
        if package.is_empty() || !is_name(package) || !is_name(process) {
            return Err(AdbError::Argument(format!("adb:{app}")).into());
        }
        let tool = Tool::new(package);
        let folder = if process.is_empty() { FOLDER.to_owned() } else { format!("{FOLDER}-{process}") };
        if let Some((app, forward)) = live(&tool, &folder)? {
            return Ok(Adb { source: Box::new(app), note: None, _forward: Some(forward), copied: None });
        }
        let (copied, damaged) = copy(&tool, &folder)?;
        let mut note = format!(
            "the debug endpoint of {package} is not open: this is a copy of its queue, as of {}; open the endpoint in the app to follow it",
            jiff::Timestamp::now().strftime("%H:%M:%S UTC")
        );
        if damaged {
            note.push_str(&format!("; the app changed its files in each of {ATTEMPTS} attempts, or they are damaged"));
        }
        let source = Box::new(Folder::open(copied.path())?);
        Ok(Adb { source, note: Some(note), _forward: None, copied: Some(copied) })
    }
}

impl Inspect for Adb {
    fn try_inspect(&self, request: &str) -> Result<String, SourceError> {
        let answer = self.source.try_inspect(request)?;
        let Some(copied) = self.copied.as_ref().filter(|_| is_doctor(request)) else { return Ok(answer) };
        // The copy is gone when a person reads its name, and its disk is that of this machine.
        let answer = answer.replace(&*copied.path().to_string_lossy(), "COPY-OF-THE-FOLDER");
        let mut found: Value = serde_json::from_str(&answer).unwrap_or_default();
        for part in ["findings", "facts"] {
            if let Some(all) = found.get_mut(part).and_then(Value::as_array_mut) {
                all.retain(|one| one.get("area").is_none_or(|area| area != "disk"));
            }
        }
        Ok(found.to_string())
    }

    fn snapshot(&self) -> Result<Vec<u8>, SourceError> {
        self.source.snapshot()
    }

    fn notes(&self) -> Vec<String> {
        self.note.iter().cloned().chain(self.source.notes()).collect()
    }

    fn is_damaged(&self) -> bool {
        self.source.is_damaged()
    }
}

/// The app itself, if its endpoint is open.
fn live(tool: &Tool, folder: &str) -> Result<Option<(Remote, Forward)>, SourceError> {
    let Some(file) = tool.as_app(&["cat", &format!("{folder}/{}", address::FILE)])? else { return Ok(None) };
    let Some(url) = address::parse(&String::from_utf8_lossy(&file)) else { return Ok(None) };
    let remote = Remote::new(&url)?;
    let port = tool.run(&["forward", "tcp:0", &format!("tcp:{}", remote.port())])?;
    let Ok(port) = port.parse() else { return Ok(None) };
    let forward = Forward { tool: tool.clone(), port };
    let remote = remote.through(port);
    // An app that was killed has left the file.
    let is_open = remote.try_inspect(r#"{"ask":"about"}"#).is_ok();
    Ok(is_open.then_some((remote, forward)))
}

/// Copies the files of the queue. `true` = no attempt gave a whole queue.
fn copy(tool: &Tool, folder: &str) -> Result<(TempDir, bool), SourceError> {
    let wal = format!("{folder}/{}-wal", queue::FILE);
    let mut last = Err(AdbError::Copy {
        package: tool.package.clone(),
        message: "the app changes its files all the time; stop it, or open its debug endpoint".to_owned(),
    }
    .into());
    for _ in 0..ATTEMPTS {
        let header = tool.as_app(&["head", "-c", LOG_HEADER, &wal])?;
        let copied = copy_once(tool, folder, header.is_some())?;
        // With the same log, a page that a checkpoint changed meanwhile is in the log too, which was copied after it.
        if tool.as_app(&["head", "-c", LOG_HEADER, &wal])? != header {
            continue;
        }
        last = match files::Source::open(copied.path()) {
            Ok(source) if source.salvage().is_none() => return Ok((copied, false)),
            Ok(_) => Ok((copied, true)),
            Err(error) => Err(error.into()),
        };
    }
    last
}

fn copy_once(tool: &Tool, folder: &str, has_log: bool) -> Result<TempDir, SourceError> {
    let copied = files::temp_folder()?;
    let failed = |message: String| AdbError::Copy { package: tool.package.clone(), message };
    let log = format!("{}-wal", queue::FILE);
    for name in [queue::FILE, &log, "ring.bin", RECENT_FILE] {
        let path = format!("{folder}/{name}");
        let exists = if name == log { has_log } else { tool.as_app(&["ls", &path])?.is_some() };
        if exists {
            std::fs::write(copied.path().join(name), tool.file(&path)?).map_err(|error| failed(error.to_string()))?;
        } else if name == queue::FILE {
            return Err(AdbError::NoQueue { package: tool.package.clone(), folder: folder.to_owned() }.into());
        }
    }
    Ok(copied)
}
