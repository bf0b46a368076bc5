//! A text that is longer than the screen.

use crate::terminal::printable;
use ratatui::text::Span;

/// A text, and the part of it that is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    lines: Vec<String>,
    /// Whether long lines go on in the next row. Lines of a table do not.
    is_wrapped: bool,
    top: usize,
    left: usize,
}

impl Page {
    /// A text whose long lines are wrapped.
    pub(super) fn wrapped() -> Page {
        Page { is_wrapped: true, ..Page::default() }
    }

    /// Replaces the text. The place stays.
    pub(super) fn set(&mut self, text: &str) {
        self.lines = printable(text).lines().map(|line| line.replace('\t', "  ")).collect();
    }

    /// Moves by rows, as far as there are any.
    pub(super) fn scroll(&mut self, by: isize, width: usize, height: usize) {
        let last = self.rows(width).len().saturating_sub(height);
        self.top = self.top.min(last).saturating_add_signed(by).min(last);
    }

    /// Moves by columns. A wrapped text has none out of sight.
    pub(super) fn pan(&mut self, by: isize, width: usize) {
        let longest = self.lines.iter().map(|line| self::width(line)).max().unwrap_or_default();
        let last = if self.is_wrapped { 0 } else { longest.saturating_sub(width) };
        self.left = self.left.saturating_add_signed(by).min(last);
    }

    /// Brings a line into sight.
    pub(super) fn reach(&mut self, line: usize, height: usize) {
        self.top = window(self.top, line, height);
    }

    /// The rows in sight, with the number of the line that each belongs to.
    pub(super) fn shown(&self, width: usize, height: usize) -> Vec<(usize, String)> {
        let rows = self.rows(width);
        let top = self.top.min(rows.len().saturating_sub(height));
        rows.into_iter().skip(top).take(height).collect()
    }

    fn rows(&self, width: usize) -> Vec<(usize, String)> {
        let numbered = self.lines.iter().enumerate();
        if self.is_wrapped {
            return numbered.flat_map(|(at, line)| wrap(line, width).into_iter().map(move |row| (at, row))).collect();
        }
        numbered.map(|(at, line)| (at, line.chars().skip(self.left).collect())).collect()
    }
}

/// The first row of a window of this height in which the cursor is, near the one that was first before.
pub(super) fn window(top: usize, cursor: usize, height: usize) -> usize {
    top.clamp((cursor + 1).saturating_sub(height.max(1)), cursor)
}

/// Columns of a text.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// The rows of a line: broken after a space where there is one, else anywhere. The rows after the first one are indented as its text.
pub(super) fn wrap(line: &str, columns: usize) -> Vec<String> {
    let indent = " ".repeat(text_begins(line, columns));
    let mut rows = Vec::new();
    let (mut row, mut used) = (String::new(), 0);
    for c in line.chars() {
        let wide = width(c.encode_utf8(&mut [0; 4]));
        let begun = row.trim_start();
        if used + wide > columns && c == ' ' && !begun.is_empty() {
            rows.push(std::mem::replace(&mut row, indent.clone()));
            used = width(&row);
            continue;
        }
        if used + wide > columns && !begun.is_empty() {
            let place = begun.rfind(' ').map(|at| row.len() - begun.len() + at + 1);
            let rest = row.split_off(place.unwrap_or(row.len()));
            row.truncate(row.trim_end().len());
            rows.push(std::mem::replace(&mut row, format!("{indent}{}", rest.trim_start())));
            used = width(&row);
        }
        row.push(c);
        used += wide;
    }
    rows.push(row);
    rows
}

/// Bytes of the longest name of a line: some keys in the help.
const NAME: usize = 15;

/// Where the rows after the first one begin: below the text after a name, as in `  why       text`, where there is room for it, else two
/// columns after the indentation.
fn text_begins(line: &str, columns: usize) -> usize {
    let indent = line.len() - line.trim_start_matches(' ').len();
    if indent == 0 {
        return 0;
    }
    let named = line.get(indent..).and_then(|rest| rest.split_once("  ")).filter(|(name, _)| name.len() <= NAME);
    let begin = named.map(|(_, rest)| width(line) - width(rest.trim_start_matches(' ')));
    begin.filter(|begin| *begin <= columns / 4).unwrap_or(indent + 2).min(columns / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_after_a_space_or_anywhere_and_no_word_is_lost() {
        assert_eq!(wrap("ab cd ef", 5), ["ab cd", "ef"]);
        assert_eq!(wrap("ab cd ef", 4), ["ab", "cd", "ef"]);
        assert_eq!(wrap("abcdefg", 4), ["abcd", "efg"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("\u{4f60}\u{597d}\u{4f60}", 4), ["\u{4f60}\u{597d}", "\u{4f60}"]);
        let line = "  one  two, three \u{e4}\u{4f60}";
        for columns in 0..30 {
            let rows = wrap(line, columns).concat();
            assert_eq!(rows.replace(' ', ""), line.replace(' ', ""), "{columns}");
        }
    }

    #[test]
    fn the_rows_after_the_first_one_are_indented_as_its_text() {
        assert_eq!(
            wrap("  w   one two three, and four five six", 24),
            ["  w   one two three, and", "      four five six"]
        );
        assert_eq!(wrap("  why   one two three", 16), ["  why   one two", "    three"], "narrow");
        assert_eq!(wrap("    \"name\": \"a b c\"", 14), ["    \"name\": \"a", "      b c\""]);
        assert_eq!(
            wrap("        abcdefghij", 9),
            ["        a", "    bcdef", "    ghij"],
            "at most half of the columns"
        );
    }

    #[test]
    fn a_text_scrolls_to_its_end_and_not_further() {
        let mut page = Page::wrapped();
        page.set("one\ntwo\nthree\nfour");
        page.scroll(99, 10, 3);
        assert_eq!(page.shown(10, 3).first(), Some(&(1, "two".to_owned())));
        page.scroll(-99, 10, 3);
        assert_eq!(page.shown(10, 3).first(), Some(&(0, "one".to_owned())));
        page.scroll(99, 10, 1);
        page.set("short");
        assert_eq!(page.shown(10, 3), [(0, "short".to_owned())], "a text that got shorter is shown");
    }

    #[test]
    fn a_table_moves_sideways_as_far_as_its_longest_line() {
        let mut page = Page::default();
        page.set("0123456789\nab");
        page.pan(99, 4);
        assert_eq!(page.shown(4, 2), [(0, "6789".to_owned()), (1, String::new())]);
        page.pan(-99, 4);
        assert_eq!(page.shown(4, 1), [(0, "0123456789".to_owned())]);
    }

    #[test]
    fn no_control_character_of_an_event_is_in_a_text() {
        let mut page = Page::wrapped();
        page.set("a\u{1b}[2J\u{9b}\u{202e}\tb\r\nc");
        let shown: String = page.shown(80, 9).into_iter().map(|(_, row)| row).collect();
        assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown:?}");
    }

    #[test]
    fn the_window_follows_the_cursor_only_where_it_has_to() {
        assert_eq!([window(0, 4, 5), window(0, 5, 5), window(3, 4, 5), window(3, 2, 5)], [0, 1, 3, 2]);
        assert_eq!(window(7, 3, 0), 3);
    }
}
