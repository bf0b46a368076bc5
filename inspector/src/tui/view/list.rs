//! The list of events, newest first.

use super::cell;
use super::style::Styles;
use crate::source::Event;
use crate::tui::state::{Screen, State};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use rez_monitor::inspect;

/// Columns of the state.
const STATE: usize = 9;

/// Columns of the longest kind.
const KIND: usize = 11;

/// From this many columns on, a line has the kind; from `DATED` on, the date too.
const KINDED: u16 = 60;
const DATED: u16 = 100;

/// The parts of a line: time, state, kind, name.
fn columns(width: u16) -> (std::ops::Range<usize>, usize) {
    // Of `2026-01-05T09:00:03.462Z`.
    let time = match width {
        DATED.. => 0..24,
        KINDED.. => 11..23,
        _ => 11..19,
    };
    (time, if width >= KINDED { KIND } else { 0 })
}

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, styles: Styles) {
    let mut rows = area.rows();
    let Some(head) = rows.next() else { return };
    let (time, kind) = columns(area.width);
    let kinds = if kind > 0 { format!("{:<kind$} ", "kind") } else { String::new() };
    let text = format!("{:<1$} {2:<STATE$} {kinds}name", "  time UTC", time.len() + 2, "state");
    frame.render_widget(Line::styled(text, styles.strong()), head);
    if state.list.len() == 0 {
        if let Some(row) = rows.next() {
            frame.render_widget(Line::styled(empty(state), styles.quiet()), row);
        }
        return;
    }
    for ((place, event), row) in state.list.shown(state.list.top).enumerate().zip(rows) {
        let is_selected = state.list.top + place == state.list.cursor;
        let mut line = line(event, area.width, styles);
        if is_selected {
            // The sign tells it where no terminal attribute can.
            line.spans.insert(0, Span::raw("> "));
            let is_active = state.screen == Screen::Events;
            frame.render_widget(line.style(if is_active { styles.cursor() } else { styles.strong() }), row);
        } else {
            line.spans.insert(0, Span::raw("  "));
            frame.render_widget(line, row);
        }
    }
}

fn line<'a>(event: &Event, width: u16, styles: Styles) -> Line<'a> {
    let (time, kind) = columns(width);
    let at = inspect::time(event.wall_ms);
    let mut spans = vec![
        Span::styled(format!("{:<1$} ", at.get(time.clone()).unwrap_or(&at), time.len()), Style::new()),
        Span::styled(format!("{:<STATE$} ", cell(&event.state)), styles.state(&event.state)),
    ];
    if kind > 0 {
        spans.push(Span::styled(format!("{:<kind$} ", cell(&event.kind)), styles.kind(&event.kind)));
    }
    spans.push(Span::raw(cell(&event.name)));
    Line::from(spans)
}

/// Why no event is there.
fn empty(state: &State) -> &'static str {
    if !state.list.is_read {
        "  reading"
    } else if state.list.is_filtered() {
        "  no event matches; Esc shows all"
    } else if state.list.tab > 0 {
        "  no event has this state; 1 shows all"
    } else {
        "  the queue is empty"
    }
}
