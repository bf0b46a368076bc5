//! Draws a state.

mod head;
mod list;
mod overlay;
mod page;
mod style;

use super::keys;
use super::state::{Asked, Screen, State};
use crate::render::one_line;
use crate::terminal::printable;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use style::Styles;

/// Draws the screen.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State) {
    let areas = state.areas();
    let styles = Styles { is_colored: state.is_colored };
    head::draw(frame, areas.head, state, styles);
    if state.screen == Screen::Events || areas.is_wide {
        list::draw(frame, areas.list, state, styles);
    }
    if state.screen != Screen::Events || areas.is_wide {
        page::draw(frame, state, styles);
    }
    foot(frame, areas.foot, state, styles);
    if let Some(overlay) = &state.overlay {
        overlay::draw(frame, overlay, state.overlay_top, styles);
    }
}

/// What is typed, a message, or keys.
fn foot(frame: &mut Frame<'_>, area: Rect, state: &State, styles: Styles) {
    if let Some(input) = &state.input {
        let name = match input.what {
            Asked::Search => "search",
            Asked::Conditions => "conditions",
            Asked::Mark => "mark",
        };
        let prompt = format!("{name}: ");
        // The end of a long text is what is being typed.
        let room = usize::from(area.width).saturating_sub(prompt.len() + 1);
        let length = input.text.chars().count();
        let shown: String = input.text.chars().skip(length.saturating_sub(room)).collect();
        let line = Line::from(vec![Span::styled(prompt, styles.strong()), Span::raw(cell(&shown))]);
        let column = area.x.saturating_add(u16::try_from(line.width()).unwrap_or(u16::MAX)).min(area.right());
        frame.render_widget(line, area);
        frame.set_cursor_position(Position::new(column, area.y));
    } else if let Some(notice) = &state.notice {
        let style = if notice.is_bad { styles.bad() } else { styles.strong() };
        frame.render_widget(Line::styled(cell(&notice.text), style), area);
    } else {
        let hints = match state.screen {
            Screen::Events => keys::HINTS,
            Screen::Timeline => keys::TIMELINE_HINTS,
            Screen::Event | Screen::Status | Screen::Drops => keys::PAGE_HINTS,
        };
        frame.render_widget(Line::styled(fitting(hints, area.width), styles.quiet()), area);
    }
}

/// The hints that fit, each of them whole.
fn fitting(hints: &str, width: u16) -> String {
    let mut shown = String::new();
    for hint in hints.split("  ") {
        let gap = if shown.is_empty() { "" } else { "  " };
        if shown.len() + gap.len() + hint.len() > usize::from(width) {
            break;
        }
        shown.push_str(gap);
        shown.push_str(hint);
    }
    shown
}

/// A text of an app for one line.
fn cell(text: &str) -> String {
    printable(&one_line(text)).into_owned()
}
