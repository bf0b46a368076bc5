//! Runs the interface in the terminal.

use super::message::{Effect, Message};
use super::state::State;
use super::update::update;
use super::view;
use super::worker::Worker;
use crate::source::{Inspect, SourceError};
use crate::terminal::{CliError, on_end};
use ratatui::DefaultTerminal;
use ratatui::crossterm::clipboard::CopyToClipboard;
use ratatui::crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, Event, KeyEventKind};
use ratatui::crossterm::execute;
#[cfg(unix)]
use ratatui::crossterm::terminal::{EnterAlternateScreen, enable_raw_mode};
#[cfg(unix)]
use ratatui::{Terminal, backend::CrosstermBackend};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long the first answer may take before the screen is shown without it.
const FIRST_ANSWER: Duration = Duration::from_secs(2);

/// How long an answer may take before the screen says so.
const SLOW: Duration = Duration::from_secs(3);

/// Between two looks at the time.
const TICK: Duration = Duration::from_secs(1);

/// Bytes that a terminal accepts for its clipboard, encoded. xterm has this limit.
const CLIPBOARD: usize = 74_994;

/// Why the interface ended without being asked to.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
    #[error("the thread that asks the source has ended; this is a fault of rezq")]
    Worker,
}

/// Shows a source until `q` is pressed or a signal comes. `wrong` turns an error of the source into one of the command.
pub(crate) fn run(source: Arc<dyn Inspect>, name: &str, wrong: fn(SourceError) -> CliError) -> Result<(), CliError> {
    let cannot = |error: RunError| CliError::open(error, "`rezq list` and the other commands need no terminal");
    let (say, messages) = channel();
    let notes = source.notes();
    let answers = say.clone();
    let worker = Worker::start(source, move |answer| drop(answers.send(Message::Answer(Box::new(answer)))));
    let worker = worker.map_err(|error| cannot(error.into()))?;
    let is_colored = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut state = State::new(name, notes, (0, 0), is_colored);
    for effect in state.start() {
        perform(effect, &mut state, &worker).map_err(cannot)?;
    }
    // A source that does not answer is an error of the command, before the terminal is touched.
    match messages.recv_timeout(FIRST_ANSWER) {
        Ok(Message::Answer(answer)) if answer.result.is_err() => {
            return answer.result.map(drop).map_err(wrong);
        }
        Ok(message) => drop(say.send(message)),
        Err(_) => {}
    }
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(CliError::usage("`rezq tui` needs a terminal", "`rezq list` and the other commands need none"));
    }
    let mut session = Session { state, worker, messages };
    // A panic restores the terminal before it prints.
    let ended =
        ratatui::try_init().map_err(RunError::Terminal).and_then(|mut terminal| session.run(&mut terminal, &say));
    // Each of them, also where the one before it failed.
    let restored = execute!(io::stdout(), DisableBracketedPaste).and(ratatui::try_restore());
    ended.and(restored.map_err(RunError::Terminal)).map_err(cannot)
}

struct Session {
    state: State,
    worker: Worker,
    messages: Receiver<Message>,
}

impl Session {
    fn run(&mut self, terminal: &mut DefaultTerminal, say: &Sender<Message>) -> Result<(), RunError> {
        execute!(io::stdout(), EnableBracketedPaste)?;
        let size = terminal.size()?;
        let mut next = Some(Message::Resize(size.width, size.height));
        read_keys(say.clone())?;
        let end = say.clone();
        let _signals = on_end(move || drop(end.send(Message::End)))?;
        loop {
            while let Some(message) = next {
                for effect in update(&mut self.state, message) {
                    if effect == Effect::Stop {
                        stop(terminal)?;
                    } else if perform(effect, &mut self.state, &self.worker)? {
                        return Ok(());
                    }
                }
                next = self.messages.try_recv().ok();
            }
            if self.worker.has_ended() {
                return Err(RunError::Worker);
            }
            terminal.draw(|frame| {
                // The terminal may have another size since the last message.
                self.state.size = (frame.area().width, frame.area().height);
                view::draw(frame, &self.state);
            })?;
            next = self.wait();
        }
    }

    fn wait(&self) -> Option<Message> {
        match self.messages.recv_timeout(TICK) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => Some(self.worker.busy()).filter(|busy| *busy >= SLOW).map(Message::Busy),
            Err(RecvTimeoutError::Disconnected) => Some(Message::End),
        }
    }
}

/// True if the interface is to end.
fn perform(effect: Effect, state: &mut State, worker: &Worker) -> Result<bool, RunError> {
    match effect {
        Effect::Ask(job) => worker.ask(job).map_err(|_| RunError::Worker)?,
        Effect::Copy(text) if text.len().div_ceil(3).saturating_mul(4) > CLIPBOARD => {
            state.warn("too long for the clipboard of a terminal: use `rezq show SOURCE EVENT --json`");
        }
        Effect::Copy(text) => {
            state
                .say(format!("{} of JSON sent to the terminal's clipboard", crate::terminal::bytes(text.len() as u64)));
            execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?;
        }
        // The terminal is needed for it.
        Effect::Stop => {}
        Effect::Quit => return Ok(true),
    }
    Ok(false)
}

/// Gives the terminal back to the shell, and takes it again when the shell goes on with the program.
#[cfg(unix)]
fn stop(terminal: &mut DefaultTerminal) -> io::Result<()> {
    terminal.show_cursor()?;
    execute!(io::stdout(), DisableBracketedPaste)?;
    ratatui::try_restore()?;
    // The whole job: a shell that waits for one of its programs waits for all of them. Without job control nothing stops.
    let stopped = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
    // Another one, which knows nothing of what was drawn. `clear` would ask for the place of the cursor, whose answer the keys' thread takes.
    *terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    Ok(stopped?)
}

#[cfg(not(unix))]
fn stop(_: &mut DefaultTerminal) -> io::Result<()> {
    Ok(())
}

/// Reads keys on a thread of its own. It ends with the program.
fn read_keys(say: Sender<Message>) -> io::Result<()> {
    let read = move || {
        loop {
            let message = match event::read() {
                Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => Message::Key(key),
                Ok(Event::Paste(text)) => Message::Paste(text),
                Ok(Event::Resize(width, height)) => Message::Resize(width, height),
                Ok(_) => continue,
                Err(_) => Message::End,
            };
            let is_end = matches!(message, Message::End);
            if say.send(message).is_err() || is_end {
                return;
            }
        }
    };
    std::thread::Builder::new().name("rezq-keys".to_owned()).spawn(read).map(drop)
}
