//! A text with its title: an event, a session, the balance, the losses.

use super::cell;
use super::style::Styles;
use crate::render;
use crate::tui::state::{Screen, State};
use ratatui::Frame;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders};

pub(super) fn draw(frame: &mut Frame<'_>, state: &State, styles: Styles) {
    let areas = state.areas();
    frame.render_widget(Block::new().borders(Borders::LEFT).border_style(styles.quiet()), areas.line);
    let mut rows = areas.page.rows();
    let Some(head) = rows.next() else { return };
    let (title, page, cursor) = match state.screen {
        Screen::Events | Screen::Event => ("Event", state.detail.as_ref().map(|detail| &detail.page), None),
        Screen::Timeline => {
            let cursor = state.story.as_ref().map(|story| story.cursor + render::HEAD);
            ("Timeline", state.story.as_ref().map(|story| &story.page), cursor)
        }
        Screen::Status => ("Status", Some(&state.status), None),
        Screen::Drops => ("Drops", Some(&state.drops), None),
    };
    let name = state.detail.as_ref().filter(|_| title == "Event").map(|detail| cell(&detail.target.name));
    let title = Line::from(vec![
        Span::styled(format!(" {title} "), styles.cursor()),
        Span::styled(format!(" {}", name.unwrap_or_default()), styles.strong()),
    ]);
    frame.render_widget(title, head);
    let Some(page) = page else { return };
    let (width, height) = areas.text();
    for ((line, text), row) in page.shown(width, height).into_iter().zip(rows) {
        let is_selected = cursor == Some(line);
        frame.render_widget(Line::styled(text, if is_selected { styles.cursor() } else { Style::new() }), row);
    }
}
