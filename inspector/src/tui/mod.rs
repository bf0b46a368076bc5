//! The terminal interface of `rezq`: events, why they wait, and what can be done about it, as they come.
//!
//! `state` is what is known and shown. `update` says what a message changes, and what is to be done then; `view` draws it. Both are
//! functions without effects. `worker` asks the source on a thread of its own, and `run` has the terminal.

mod fuzzy;
mod input;
mod keys;
mod layout;
mod list;
mod message;
mod overlay;
mod page;
mod pick;
mod run;
mod state;
#[cfg(test)]
mod tests;
mod update;
mod view;
mod worker;

pub(crate) use pick::arguments;
pub(crate) use run::run;

use crate::source::Inspect;
use message::{Effect, Message};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use state::State;
use std::collections::VecDeque;

/// Draws the first screen of a source, as text. Benchmarks measure it.
#[must_use]
pub fn first_screen(source: &dyn Inspect, name: &str, width: u16, height: u16) -> String {
    let mut state = State::new(name, source.notes(), (width, height), false);
    let effects = state.start();
    drop(follow(&mut state, source, effects));
    drawn(&state)
}

/// Asks the source, without a thread, until nothing is left to be asked. Returns what else is to be done.
fn follow(state: &mut State, source: &dyn Inspect, effects: Vec<Effect>) -> Vec<Effect> {
    let mut waiting = VecDeque::from(effects);
    let mut others = Vec::new();
    while let Some(effect) = waiting.pop_front() {
        match effect {
            Effect::Ask(job) => {
                waiting.extend(update::update(state, Message::Answer(Box::new(worker::answer(source, job)))))
            }
            other => others.push(other),
        }
    }
    others
}

/// The screen as text.
fn drawn(state: &State) -> String {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(state.size.0, state.size.1));
    let Ok(_) = terminal.draw(|frame| view::draw(frame, state));
    let lines = terminal.backend().buffer().content.chunks(usize::from(state.size.0).max(1));
    lines.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n").collect()
}
