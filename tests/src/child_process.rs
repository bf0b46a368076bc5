//! A child process that records events and acknowledges them on its standard output.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Limit of every wait for a child process. Long enough for a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(180);

/// The output of a child process.
#[derive(Clone, Debug, Default)]
pub struct ChildOutput {
    /// Acknowledged events: (id, serial number).
    pub recorded: Vec<(String, u64)>,
    /// Refused events, by reason.
    pub refused: BTreeMap<String, u64>,
    /// All other lines.
    pub lines: Vec<String>,
    ended: bool,
}

impl ChildOutput {
    /// Returns the value of the last line `name value`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.lines.iter().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    }

    /// Returns the value of the last line `name value` as a number. Panics if there is none.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        self.value(name).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no `{name}` in {:?}", self.lines))
    }

    /// Returns whether the child printed `done`.
    #[must_use]
    pub fn done(&self) -> bool {
        self.lines.iter().any(|line| line == "done")
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
            self.lines.push(line.to_owned());
        }
    }
}

type SharedOutput = Arc<(Mutex<ChildOutput>, Condvar)>;

/// A running child process.
pub struct ChildProcess {
    process: Child,
    stdin: Option<ChildStdin>,
    output: SharedOutput,
    reader: Option<JoinHandle<()>>,
}

impl ChildProcess {
    /// Starts the program with `name=value` arguments. `fault` is the value of `REZ_FAULT`.
    #[must_use]
    pub fn start(program: &str, args: &[String], fault: Option<&str>) -> ChildProcess {
        let mut command = Command::new(program);
        command.args(args);
        ChildProcess::run(command, fault)
    }

    /// Starts a command, for example the child under a tracer.
    #[must_use]
    pub fn run(mut command: Command, fault: Option<&str>) -> ChildProcess {
        command.env_remove("REZ_FAULT").stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(fault) = fault {
            command.env("REZ_FAULT", fault);
        }
        let mut process = command.spawn().expect("the child starts");
        let pipe = process.stdout.take().expect("a pipe");
        let stdin = process.stdin.take();
        let output = SharedOutput::default();
        let shared = Arc::clone(&output);
        let reader = std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = String::new();
            // A line that a kill truncated is not an acknowledgement.
            while pipe.read_line(&mut line).is_ok_and(|n| n > 0) && line.ends_with('\n') {
                shared.0.lock().unwrap().take(line.trim_end());
                shared.1.notify_all();
                line.clear();
            }
            shared.0.lock().unwrap().ended = true;
            shared.1.notify_all();
        });
        ChildProcess { process, stdin, output, reader: Some(reader) }
    }

    /// Waits until `enough` returns true or the pipe is closed. Panics after [`TIMEOUT`].
    pub fn until(&self, what: &str, enough: impl Fn(&ChildOutput) -> bool) -> ChildOutput {
        let end = Instant::now() + TIMEOUT;
        let mut output = self.output.0.lock().unwrap();
        while !enough(&output) && !output.ended {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "timed out after {TIMEOUT:?}: {what}; output {:?}", output.lines);
            output = self.output.1.wait_timeout(output, left).unwrap().0;
        }
        output.clone()
    }

    /// Writes a line to the standard input of the child.
    pub fn write_line(&mut self, line: &str) {
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
    pub fn kill(mut self) -> ChildOutput {
        let _ = self.process.kill();
        self.ended().1
    }

    /// Waits for the end. Returns the exit code (`None` after a signal) and the output.
    pub fn wait(mut self) -> (Option<i32>, ChildOutput) {
        self.until("the end of the child", |_| false);
        self.ended()
    }

    fn ended(&mut self) -> (Option<i32>, ChildOutput) {
        drop(self.stdin.take());
        let status = self.process.wait().expect("it ends");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends");
        }
        (status.code(), self.output.0.lock().unwrap().clone())
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // Fails only if the process has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
