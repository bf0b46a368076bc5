//! Runs a program with a time limit, and appends its output to a log file.

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
    /// It exited with code 0.
    Succeeded,
    /// It exited with another code, or a signal ended it.
    Failed(String),
    /// It exceeded the time limit and was killed.
    TimedOut,
}

/// Runs `command` and appends stdout and stderr to `log`, in the order in which they were written.
///
/// After `limit` the program and its descendants are killed.
pub fn run(command: &mut Command, log: &Path, limit: Duration) -> io::Result<End> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let output = File::options().create(true).append(true).open(log)?;
    let errors = output.try_clone()?;
    let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn()?;
    let id = child.id();
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || wait(child, &sender));
    let end = match receiver.recv_timeout(limit) {
        Ok(end) => end,
        Err(RecvTimeoutError::Timeout) => {
            kill_with_descendants(id);
            Ok(End::TimedOut)
        }
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the waiting thread ended early")),
    };
    if waiter.join().is_err() {
        return Err(io::Error::other("the waiting thread panicked"));
    }
    end
}

/// Runs `command` with inherited streams. Returns true if it exits with code 0.
pub fn succeeds(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

/// Runs `command` without output. Returns true if the tool is installed and exits with code 0.
pub fn is_installed(command: &mut Command) -> bool {
    succeeds(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

/// Whether this program may install packages of the system.
pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn wait(mut child: Child, sender: &mpsc::Sender<io::Result<End>>) {
    let end =
        child.wait().map(|status| if status.success() { End::Succeeded } else { End::Failed(status.to_string()) });
    // The receiver is gone if the limit was exceeded.
    let _ = sender.send(end);
}

/// Kills a process and its descendants, which are found by their parent ids. Without `/proc`, kills the process alone.
fn kill_with_descendants(id: u32) {
    let mut ids = vec![id];
    // Stopped first: a running process can fork between the listing and the kill, and its child would escape.
    loop {
        signal("-STOP", &ids);
        let known = ids.len();
        let parents = parents();
        let mut next = 0;
        while let Some(parent) = ids.get(next).copied() {
            let children = parents.iter().filter(|(_, its_parent)| *its_parent == parent).map(|(child, _)| *child);
            let new: Vec<u32> = children.filter(|child| !ids.contains(child)).collect();
            ids.extend(new);
            next += 1;
        }
        if ids.len() == known {
            break;
        }
    }
    signal("-KILL", &ids);
}

/// Sends a signal; one to a process that has ended in the meantime is ignored.
fn signal(name: &str, ids: &[u32]) {
    let _ = Command::new("kill").arg(name).args(ids.iter().map(u32::to_string)).stderr(Stdio::null()).status();
}

/// Returns all processes as (id, parent id).
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

/// Parses the parent id in `/proc/N/stat`. The process name before it can contain spaces and parentheses.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};

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
    fn stdout_and_stderr_are_logged_in_order() {
        let log = log("order");
        let end = run(&mut shell("echo one; echo two >&2; echo three"), &log, Duration::from_secs(30)).unwrap();
        assert_eq!(end, End::Succeeded);
        assert_eq!(fs::read_to_string(&log).unwrap(), "one\ntwo\nthree\n");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_failing_exit_code_is_reported() {
        let log = log("bad");
        let end = run(&mut shell("exit 3"), &log, Duration::from_secs(30)).unwrap();
        assert_eq!(end, End::Failed("exit status: 3".to_string()));
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let log = log("hang");
        let end = run(&mut shell("sleep 600"), &log, Duration::from_millis(300)).unwrap();
        assert_eq!(end, End::TimedOut);
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let mut command = shell("(sleep 600; echo survived) & echo started; wait");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "started\n");
        kill_with_descendants(child.id());
        assert!(!child.wait().unwrap().success());
        // The descendants share the pipe: its end is read when the kernel has ended the last of them.
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
    }

    #[test]
    fn the_parent_is_parsed_after_a_name_with_spaces_and_parentheses() {
        assert_eq!(parent_in("42 (a ) b) S 7 42 42 0"), Some(7));
        assert_eq!(parent_in("nonsense"), None);
    }
}
