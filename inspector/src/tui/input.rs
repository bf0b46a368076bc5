//! What a key does.

use super::list::TABS;
use super::message::{Effect, Job};
use super::overlay::{FAULTS, last_top};
use super::page::Page;
use super::state::{Asked, Input, Overlay, Screen, State, Story};
use crate::render::one_line;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rez_monitor::inspect::Conditions;

/// Columns that a table moves sideways.
const PAN: isize = 8;

/// Handles a key.
pub(super) fn key(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    state.notice = None;
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if is_control => return vec![Effect::Quit],
        KeyCode::Char('z') if is_control => return vec![Effect::Stop],
        _ => {}
    }
    if let Some(overlay) = state.overlay.take() {
        return in_front(state, overlay, key.code);
    }
    if state.input.is_some() {
        return typed(state, key.code, is_control);
    }
    let page = isize::try_from(state.areas().text().1).unwrap_or(isize::MAX);
    match key.code {
        KeyCode::Char('d') if is_control => return step(state, page / 2),
        KeyCode::Char('u') if is_control => return step(state, -page / 2),
        _ if is_control => return Vec::new(),
        KeyCode::Char('j') | KeyCode::Down => return step(state, 1),
        KeyCode::Char('k') | KeyCode::Up => return step(state, -1),
        KeyCode::PageDown | KeyCode::Char(' ') => return step(state, page),
        KeyCode::PageUp => return step(state, -page),
        KeyCode::Char('g') | KeyCode::Home => return step(state, isize::MIN),
        KeyCode::Char('G') | KeyCode::End => return end(state),
        KeyCode::Char('h') | KeyCode::Left => pan(state, -PAN),
        KeyCode::Char('l') | KeyCode::Right => pan(state, PAN),
        KeyCode::Enter => return enter(state),
        KeyCode::Esc => return back(state),
        KeyCode::Char('/') => ask(state, Asked::Search),
        KeyCode::Char('f') => ask(state, Asked::Conditions),
        KeyCode::Char(c @ '1'..='6') => return tab(state, c),
        KeyCode::Char('e') => state.screen = Screen::Events,
        KeyCode::Char('t') => return timeline(state),
        KeyCode::Char('s') => {
            state.screen = Screen::Status;
            return vec![Effect::Ask(Job::Status)];
        }
        KeyCode::Char('d') => {
            state.screen = Screen::Drops;
            return vec![Effect::Ask(Job::Drops)];
        }
        KeyCode::Char('w') => return of_event(state, Job::Why),
        KeyCode::Char('y') => return of_event(state, Job::Copy),
        KeyCode::Char('r') => return state.refresh(),
        KeyCode::Char('q') => return vec![Effect::Quit],
        KeyCode::Char('?') => state.show(Overlay::Help),
        KeyCode::Char('S') if can(state, "send_now") => {
            state.say("sending; this can take as long as the servers do");
            return vec![Effect::Ask(Job::SendNow)];
        }
        KeyCode::Char('m') if can(state, "mark") => ask(state, Asked::Mark),
        KeyCode::Char('x') if can(state, "fault") => state.show(Overlay::Fault),
        KeyCode::Char('R') if can(state, "requeue") => return of_event(state, Job::Requeue),
        KeyCode::Char('D') if can(state, "drop") => match state.target() {
            Some(target) => state.show(Overlay::Drop(target)),
            None => state.warn(NO_EVENT),
        },
        _ => {}
    }
    Vec::new()
}

const NO_EVENT: &str = "no event is selected";

/// Whether the source can be told this. If not, it is said why.
fn can(state: &mut State, what: &str) -> bool {
    let can = state.about.can.iter().any(|one| one == what);
    if !can {
        state.warn("only a running app can do that: open its address instead of its folder");
    }
    can
}

/// Only `y` deletes, and only the first letter of a fault chooses it.
fn in_front(state: &mut State, overlay: Overlay, code: KeyCode) -> Vec<Effect> {
    let last = last_top(&overlay, state.size);
    let by = match code {
        KeyCode::Char('j') | KeyCode::Down => 1,
        KeyCode::Char('k') | KeyCode::Up => -1,
        _ => 0,
    };
    match overlay {
        overlay if by != 0 && last > 0 => {
            state.overlay_top = state.overlay_top.saturating_add_signed(by).min(last);
            state.overlay = Some(overlay);
            Vec::new()
        }
        Overlay::Fault => {
            let chosen =
                FAULTS.iter().find(|(fault, _)| code == KeyCode::Char(fault.chars().next().unwrap_or_default()));
            chosen.map(|(fault, _)| Effect::Ask(Job::Fault(fault))).into_iter().collect()
        }
        Overlay::Drop(target) if code == KeyCode::Char('y') => vec![Effect::Ask(Job::Drop(target.id))],
        _ => Vec::new(),
    }
}

fn of_event(state: &mut State, job: fn(String) -> Job) -> Vec<Effect> {
    match state.target() {
        Some(target) => vec![Effect::Ask(job(target.id))],
        None => {
            state.warn(NO_EVENT);
            Vec::new()
        }
    }
}

fn ask(state: &mut State, what: Asked) {
    let text = match what {
        Asked::Search => state.list.search.clone(),
        Asked::Conditions => state.list.conditions.clone(),
        Asked::Mark => String::new(),
    };
    if what != Asked::Mark {
        state.screen = Screen::Events;
    }
    state.input = Some(Input { what, text });
}

/// A key while a text is typed.
fn typed(state: &mut State, code: KeyCode, is_control: bool) -> Vec<Effect> {
    let Some(mut input) = state.input.take() else { return Vec::new() };
    match code {
        KeyCode::Esc => {
            if input.what == Asked::Search {
                state.list.search("");
            }
            return Vec::new();
        }
        KeyCode::Enter => return done(state, input),
        KeyCode::Backspace => drop(input.text.pop()),
        KeyCode::Char('u') if is_control => input.text.clear(),
        KeyCode::Char(c) if !is_control => input.text.push(c),
        _ => {}
    }
    if input.what == Asked::Search {
        state.list.search(&input.text);
    }
    state.input = Some(input);
    Vec::new()
}

/// A pasted text goes where a text is typed. Elsewhere it does nothing: its characters are no keys.
pub(super) fn paste(state: &mut State, text: &str) {
    let Some(input) = state.input.as_mut().filter(|_| state.overlay.is_none()) else { return };
    input.text.push_str(one_line(text).trim());
    if input.what == Asked::Search {
        state.list.search(&input.text);
    }
}

fn done(state: &mut State, input: Input) -> Vec<Effect> {
    let text = input.text.trim();
    match input.what {
        Asked::Search => Vec::new(),
        Asked::Mark if text.is_empty() => Vec::new(),
        Asked::Mark => vec![Effect::Ask(Job::Mark(text.to_owned()))],
        Asked::Conditions => match Conditions::parse(text) {
            Ok(_) => {
                text.clone_into(&mut state.list.conditions);
                restart(state)
            }
            Err(error) => {
                // With a caret under the place.
                state.show(Overlay::Lines("conditions", error.to_string().lines().map(str::to_owned).collect()));
                state.input = Some(input);
                Vec::new()
            }
        },
    }
}

fn tab(state: &mut State, digit: char) -> Vec<Effect> {
    let tab = digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).unwrap_or(1).saturating_sub(1);
    state.list.tab = tab.min(TABS.len() - 1);
    state.screen = Screen::Events;
    restart(state)
}

fn restart(state: &mut State) -> Vec<Effect> {
    state.list.restart();
    vec![Effect::Ask(Job::Events(state.list.query()))]
}

fn back(state: &mut State) -> Vec<Effect> {
    match state.screen {
        Screen::Event => state.screen = state.opened_from,
        Screen::Events if !state.list.search.is_empty() => state.list.search(""),
        Screen::Events if !state.list.conditions.is_empty() => {
            state.list.conditions.clear();
            return restart(state);
        }
        _ => state.screen = Screen::Events,
    }
    Vec::new()
}

fn enter(state: &mut State) -> Vec<Effect> {
    if !matches!(state.screen, Screen::Events | Screen::Timeline) {
        return Vec::new();
    }
    let Some(target) = state.target() else { return Vec::new() };
    state.opened_from = state.screen;
    state.screen = Screen::Event;
    match &state.detail {
        Some(detail) if detail.target.id == target.id => vec![Effect::Ask(Job::Show(target.id))],
        _ => vec![state.open(target)],
    }
}

/// The session of the event.
fn timeline(state: &mut State) -> Vec<Effect> {
    let session = match state.screen {
        Screen::Timeline => return Vec::new(),
        Screen::Event => state.detail.as_ref().and_then(|detail| detail.session.clone()),
        _ => state.list.selected().and_then(|event| event.session.clone()),
    };
    let Some(session) = session else {
        state.warn("the event has no session: none was open when it was recorded");
        return Vec::new();
    };
    let at = match state.screen {
        Screen::Event => state.detail.as_ref().map(|detail| detail.target.id.clone()),
        _ => state.list.selected().map(|event| event.id.clone()),
    };
    state.screen = Screen::Timeline;
    state.story = Some(Story { session: session.clone(), moments: Vec::new(), cursor: 0, at, page: Page::default() });
    vec![Effect::Ask(Job::Session(session))]
}

fn step(state: &mut State, by: isize) -> Vec<Effect> {
    let (width, rows) = state.areas().text();
    match state.screen {
        Screen::Events => state.list.step(by),
        Screen::Timeline => {
            if let Some(story) = &mut state.story {
                story.cursor = story.cursor.saturating_add_signed(by).min(story.moments.len().saturating_sub(1));
                story.reach(rows);
            }
        }
        _ => {
            if let Some(page) = state.page() {
                page.scroll(by, width, rows);
            }
        }
    }
    Vec::new()
}

fn end(state: &mut State) -> Vec<Effect> {
    if state.screen != Screen::Events {
        return step(state, isize::MAX);
    }
    if state.list.go_to_end() { vec![Effect::Ask(Job::Events(state.list.query()))] } else { Vec::new() }
}

fn pan(state: &mut State, by: isize) {
    let (width, _) = state.areas().text();
    if let Some(page) = state.page() {
        page.pan(by, width);
    }
}
