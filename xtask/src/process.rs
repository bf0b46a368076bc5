//! Runs one program, keeps all it says in a file, and ends it and its children when its time is over.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// With exit code 0.
    Good,
    /// With another exit code, or by a signal.
    Bad(String),
    /// It was killed because it did not end in time.
    OutOfTime,
}

/// Runs `command`; both its streams are appended to `log` in the order they were written.
pub fn run(command: &mut Command, log: &Path, limit: Duration) -> io::Result<End> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let output = File::options().create(true).append(true).open(log)?;
    let errors = output.try_clone()?;
    let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn()?;
    let id = child.id();
    let (tell, told) = mpsc::channel();
    let waiter = thread::spawn(move || wait(child, &tell));
    let end = match told.recv_timeout(limit) {
        Ok(end) => end,
        Err(RecvTimeoutError::Timeout) => {
            kill_with_descendants(id);
            Ok(End::OutOfTime)
        }
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the waiting thread ended early")),
    };
    if waiter.join().is_err() {
        return Err(io::Error::other("the waiting thread panicked"));
    }
    end
}

/// Runs `command` with our own streams; true if it ended well.
pub fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// Runs `command` unseen, to learn whether a tool is there.
pub fn is_there(command: &mut Command) -> bool {
    succeeds(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

fn wait(mut child: Child, tell: &mpsc::Sender<io::Result<End>>) {
    let end = child.wait().map(|status| if status.success() { End::Good } else { End::Bad(status.to_string()) });
    // Nobody listens after the limit: then the end is known already.
    let _ = tell.send(end);
}

/// Kills a process of ours and everything below it, found by parent so that nothing else is hit. Where there is no
/// `/proc`, only the process itself.
fn kill_with_descendants(id: u32) {
    let mut doomed = vec![id];
    let parents = parents();
    let mut next = 0;
    while let Some(parent) = doomed.get(next).copied() {
        doomed.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        next += 1;
    }
    // A failure means that it ended by itself meanwhile.
    let _ = Command::new("kill").arg("-KILL").args(doomed.iter().map(u32::to_string)).status();
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((id, parent_in(&stat)?))
        })
        .collect()
}

/// The parent in a line of `/proc/N/stat`; the name before it may hold spaces and brackets.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("xtask-{}-{name}.log", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_kept_in_order() {
        let log = log("order");
        let end = run(&mut shell("echo one; echo two >&2; echo three"), &log, Duration::from_secs(30)).unwrap();
        assert_eq!(end, End::Good);
        assert_eq!(fs::read_to_string(&log).unwrap(), "one\ntwo\nthree\n");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_bad_exit_is_told_apart() {
        let log = log("bad");
        let end = run(&mut shell("exit 3"), &log, Duration::from_secs(30)).unwrap();
        assert_eq!(end, End::Bad("exit status: 3".to_string()));
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let log = log("hang");
        let end = run(&mut shell("sleep 600 & echo $!; wait"), &log, Duration::from_millis(300)).unwrap();
        assert_eq!(end, End::OutOfTime);
        let child: u32 = fs::read_to_string(&log).unwrap().trim().parse().unwrap();
        let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "still there: {state}");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn the_parent_is_read_behind_a_name_with_spaces_and_brackets() {
        assert_eq!(parent_in("42 (a ) b) S 7 42 42 0"), Some(7));
        assert_eq!(parent_in("nonsense"), None);
    }
}
