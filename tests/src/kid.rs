//! A child process that records events and acknowledges them on its standard output.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Limit of every wait for a child process. Long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// The output of a child process.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Acknowledged events: (id, serial number).
    pub recorded: Vec<(String, u64)>,
    /// Refused events, by reason.
    pub refused: BTreeMap<String, u64>,
    /// All other lines.
    pub words: Vec<String>,
    ended: bool,
}

impl Said {
    /// Returns the value of the last line `name value`.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        self.words.iter().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    }

    /// Returns the value of the last line `name value` as a number. Panics if there is none.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        self.word(name).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no `{name}` in {:?}", self.words))
    }

    /// Returns true if the child printed `done`.
    #[must_use]
    pub fn done(&self) -> bool {
        self.words.iter().any(|line| line == "done")
    }

    /// Returns the number of refused events.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    fn take(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("+ ") {
            let (id, serial) = rest.split_once(' ').expect("id and serial");
            self.recorded.push((id.to_owned(), serial.parse().expect("a number")));
        } else if let Some(reason) = line.strip_prefix("- ") {
            *self.refused.entry(reason.to_owned()).or_default() += 1;
        } else {
            self.words.push(line.to_owned());
        }
    }
}

type Heard = Arc<(Mutex<Said>, Condvar)>;

/// A running child process.
pub struct Kid {
    process: Child,
    stdin: Option<ChildStdin>,
    heard: Heard,
    reader: Option<JoinHandle<()>>,
}

impl Kid {
    /// Starts the program with `name=value` arguments. `fault` is the value of `REZ_FAULT`.
    #[must_use]
    pub fn start(program: &str, args: &[String], fault: Option<&str>) -> Kid {
        let mut command = Command::new(program);
        command.args(args);
        Kid::run(command, fault)
    }

    /// Starts a command, for example the child under a tracer.
    #[must_use]
    pub fn run(mut command: Command, fault: Option<&str>) -> Kid {
        command.env_remove("REZ_FAULT").stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(fault) = fault {
            command.env("REZ_FAULT", fault);
        }
        let mut process = command.spawn().expect("the child starts");
        let pipe = process.stdout.take().expect("a pipe");
        let stdin = process.stdin.take();
        let heard = Heard::default();
        let told = Arc::clone(&heard);
        let reader = std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = String::new();
            // A line that a kill truncated is not an acknowledgement.
            while pipe.read_line(&mut line).is_ok_and(|n| n > 0) && line.ends_with('\n') {
                told.0.lock().unwrap().take(line.trim_end());
                told.1.notify_all();
                line.clear();
            }
            told.0.lock().unwrap().ended = true;
            told.1.notify_all();
        });
        Kid { process, stdin, heard, reader: Some(reader) }
    }

    /// Waits until `enough` returns true or the pipe is closed. Panics after [`PATIENCE`].
    pub fn until(&self, what: &str, enough: impl Fn(&Said) -> bool) -> Said {
        let end = Instant::now() + PATIENCE;
        let mut said = self.heard.0.lock().unwrap();
        while !enough(&said) && !said.ended {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "timed out after {PATIENCE:?}: {what}; output {:?}", said.words);
            said = self.heard.1.wait_timeout(said, left).unwrap().0;
        }
        said.clone()
    }

    /// Writes a line to the standard input of the child.
    pub fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("a pipe");
        // Fails only if the child has ended.
        let _ = writeln!(stdin, "{line}").and_then(|()| stdin.flush());
    }

    /// Returns the process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends SIGKILL and returns the output.
    pub fn kill(mut self) -> Said {
        let _ = self.process.kill();
        self.ended().1
    }

    /// Waits for the end. Returns the exit code (`None` after a signal) and the output.
    pub fn wait(mut self) -> (Option<i32>, Said) {
        self.until("the end of the child", |_| false);
        self.ended()
    }

    fn ended(&mut self) -> (Option<i32>, Said) {
        drop(self.stdin.take());
        let status = self.process.wait().expect("it ends");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends");
        }
        (status.code(), self.heard.0.lock().unwrap().clone())
    }
}

impl Drop for Kid {
    fn drop(&mut self) {
        // Fails only if the process has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
