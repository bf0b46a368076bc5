//! The program `adb` of Android's platform tools.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Why `adb` gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdbError {
    /// The argument names no package.
    #[error("`{0}` names no app; pass adb:PACKAGE, or adb:PACKAGE:PROCESS for another process of the app")]
    Argument(String),
    /// There is no such program.
    #[error("cannot run adb: {0}; install Android's platform tools and add them to PATH, or set ANDROID_HOME")]
    Missing(String),
    /// There is no device, more than one, or one that does not allow it.
    #[error("adb: {0}; connect one device with USB debugging, or name it in ANDROID_SERIAL (`adb devices` lists them)")]
    Device(String),
    /// The app is not installed, or its build is not debuggable.
    #[error("{0}; install a debuggable build of the app, since Android lets nobody else read its files")]
    App(String),
    /// The app has no queue.
    #[error("{package} has no queue in {folder} on the device; start the app with the SDK once")]
    NoQueue {
        /// The package.
        package: String,
        /// The folder in the data of the app.
        folder: String,
    },
    /// The files cannot be copied.
    #[error("cannot copy the queue of {package} from the device: {message}")]
    Copy {
        /// The package.
        package: String,
        /// What went wrong.
        message: String,
    },
}

/// The program, and the app whose files it reads.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    program: PathBuf,
    pub(super) package: String,
}

impl Tool {
    pub(super) fn new(package: &str) -> Tool {
        let homes = ["ANDROID_HOME", "ANDROID_SDK_ROOT"].map(std::env::var_os);
        let program = find(std::env::var_os("PATH"), homes).unwrap_or_else(|| PathBuf::from("adb"));
        Tool { program, package: package.to_owned() }
    }

    fn output(&self, args: &[&str]) -> Result<Output, AdbError> {
        let run = Command::new(&self.program).args(args).stdin(Stdio::null()).output();
        run.map_err(|error| AdbError::Missing(error.to_string()))
    }

    /// Runs `adb` itself. Returns what it prints.
    pub(super) fn run(&self, args: &[&str]) -> Result<String, AdbError> {
        let output = self.output(args)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(AdbError::Device(reason(&output.stderr))) }
    }

    /// Runs a command as the app, in the folder of its data. `Ok(None)` = the command itself failed, as for a missing file.
    pub(super) fn as_app(&self, command: &[&str]) -> Result<Option<Vec<u8>>, AdbError> {
        let output = self.output(&[&["shell", "-T", "run-as", &self.package], command].concat())?;
        if output.status.success() {
            return Ok(Some(output.stdout));
        }
        let why = reason(&output.stderr);
        if let Some(told) = why.strip_prefix("run-as: ") {
            return Err(AdbError::App(told.to_owned()));
        }
        // `adb` speaks of itself; the command on the device names itself.
        let is_adb = why.starts_with("adb: ") || why.starts_with("error: ") || why.starts_with("* ");
        if is_adb {
            Err(AdbError::Device(why.trim_start_matches("adb: ").trim_start_matches("error: ").to_owned()))
        } else {
            Ok(None)
        }
    }

    /// The content of a file of the app. `exec-out` passes bytes on as they are.
    pub(super) fn file(&self, path: &str) -> Result<Vec<u8>, AdbError> {
        let output = self.output(&["exec-out", "run-as", &self.package, "cat", path])?;
        if output.status.success() { Ok(output.stdout) } else { Err(AdbError::Device(reason(&output.stderr))) }
    }
}

/// What it says of itself, or the last line of what was printed: `adb` may tell before that it starts its server, and after it what to do.
fn reason(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_own = |line: &&str| ["adb: ", "error: ", "run-as: "].iter().any(|start| line.starts_with(start));
    let own = lines.clone().find(is_own);
    let line = own.or_else(|| lines.next_back()).unwrap_or("it failed and printed nothing");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// `adb` on PATH, else in the SDK.
fn find(path: Option<OsString>, homes: [Option<OsString>; 2]) -> Option<PathBuf> {
    let name = format!("adb{}", std::env::consts::EXE_SUFFIX);
    let in_path = path.iter().flat_map(std::env::split_paths).map(|folder| folder.join(&name));
    let in_sdk = homes.into_iter().flatten().map(|home| PathBuf::from(home).join("platform-tools").join(&name));
    in_path.chain(in_sdk).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_on_path_is_preferred_to_the_one_of_the_sdk() {
        let dir = tempfile::tempdir().unwrap();
        let name = format!("adb{}", std::env::consts::EXE_SUFFIX);
        let (on_path, tools) = (dir.path().join("bin"), dir.path().join("sdk/platform-tools"));
        for folder in [&on_path, &tools] {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(&name), b"").unwrap();
        }
        let sdk = || [None, Some(dir.path().join("sdk").into_os_string())];
        assert_eq!(find(Some(on_path.clone().into_os_string()), sdk()), Some(on_path.join(&name)));
        assert_eq!(find(Some(dir.path().as_os_str().to_owned()), sdk()), Some(tools.join(&name)));
        assert_eq!(find(None, [None, None]), None);
    }

    #[test]
    fn the_reason_is_what_adb_says_of_itself_or_the_last_line_without_escapes() {
        let printed =
            b"* daemon not running; starting now at tcp:5037\n* daemon started\nadb: no devices/emulators found\n";
        assert_eq!(reason(printed), "adb: no devices/emulators found");
        let printed =
            b"adb: device unauthorized.\nTry 'adb kill-server'.\nOtherwise check for a dialog on your device.\n";
        assert_eq!(reason(printed), "adb: device unauthorized.");
        assert_eq!(reason(b"\x1b[31mbad"), "[31mbad");
        assert_eq!(reason(b"\n"), "it failed and printed nothing");
    }
}
