//! Where the parts of the screen are.

use ratatui::layout::{Constraint, Layout, Rect};

/// From this many columns on, the event stands beside the list.
const WIDE: u16 = 110;

/// Below this many columns the lanes have a line of their own, and only the chosen tab has its name.
pub(super) const NARROW: u16 = 60;

/// The parts of the screen. A part that does not fit is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Areas {
    /// Source, counts, reasons, tabs.
    pub(super) head: Rect,
    /// The list of events, with its heads.
    pub(super) list: Rect,
    /// A text with its title: beside the list, or in its place.
    pub(super) page: Rect,
    /// Keys, messages, input.
    pub(super) foot: Rect,
    /// The line between list and page.
    pub(super) line: Rect,
    /// Whether list and page stand side by side.
    pub(super) is_wide: bool,
}

impl Areas {
    /// The areas of a screen. `head`: lines of the head.
    pub(super) fn new((width, height): (u16, u16), head: u16) -> Areas {
        let screen = Rect::new(0, 0, width, height);
        // The foot and some rows of the list come before the head.
        let head = head.min(height.saturating_sub(4));
        let [head, body, foot] =
            Layout::vertical([Constraint::Length(head), Constraint::Fill(1), Constraint::Length(1)]).areas(screen);
        let is_wide = width >= WIDE;
        if !is_wide {
            return Areas { head, list: body, page: body, foot, line: Rect::ZERO, is_wide };
        }
        let [list, line, page] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Fill(1)]).areas(body);
        Areas { head, list, page, foot, line, is_wide }
    }

    /// Rows of the list.
    pub(super) fn rows(&self) -> usize {
        usize::from(self.list.height.saturating_sub(1))
    }

    /// Columns and rows of a text, without its title.
    pub(super) fn text(&self) -> (usize, usize) {
        (usize::from(self.page.width), usize::from(self.page.height.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_screen_shows_list_and_event_side_by_side_and_a_small_one_has_a_list_at_least() {
        assert!(Areas::new((160, 40), 4).is_wide && !Areas::new((80, 24), 4).is_wide);
        assert_eq!(Areas::new((80, 24), 4).rows(), 18);
        let small = Areas::new((20, 5), 4);
        assert_eq!((small.head.height, small.list.height, small.foot.height), (1, 3, 1));
        for size in [(0, 0), (1, 1), (3, 2)] {
            let areas = Areas::new(size, 5);
            assert!(areas.list.height <= size.1 && areas.page.width <= size.0);
        }
    }
}
