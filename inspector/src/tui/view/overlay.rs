//! What stands in front of the screen.

use super::style::Styles;
use crate::tui::overlay::{WIDTH, last_top, rows};
use crate::tui::state::Overlay;
use ratatui::Frame;
use ratatui::layout::Constraint;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear};

pub(super) fn draw(frame: &mut Frame<'_>, overlay: &Overlay, top: usize, styles: Styles) {
    let screen = frame.area();
    let title = match overlay {
        Overlay::Help => "keys",
        Overlay::Lines(title, _) => title,
        Overlay::Drop(_) => "delete",
        Overlay::Fault => "let requests fail",
    };
    let rows = rows(overlay, screen.width);
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2);
    let area = screen.centered(Constraint::Max(WIDTH), Constraint::Max(height));
    frame.render_widget(Clear, area);
    let block = Block::bordered().title(format!(" {title} ")).border_style(styles.strong());
    let more = last_top(overlay, (screen.width, screen.height)) > 0;
    let block = if more { block.title_bottom(" j k scroll ") } else { block };
    let inner = block.inner(area);
    frame.render_widget(block, area);
    for (row, place) in rows.into_iter().skip(top).zip(inner.rows()) {
        frame.render_widget(Line::raw(row), place);
    }
}
