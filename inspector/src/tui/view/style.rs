//! Colors. Each thing they tell is also told by a word or a sign.

use ratatui::style::{Color, Modifier, Style};

/// The styles of a screen, with colors or without.
#[derive(Clone, Copy)]
pub(super) struct Styles {
    pub(super) is_colored: bool,
}

impl Styles {
    fn color(self, color: Color) -> Style {
        if self.is_colored { Style::new().fg(color) } else { Style::new() }
    }

    /// Of the state of an event, or of a count of this name.
    pub(super) fn state(self, state: &str) -> Style {
        match state {
            "queued" | "waiting" => self.color(Color::Yellow),
            "dead" | "refused" => self.color(Color::Red),
            "dropped" => self.color(Color::Magenta),
            "delivered" => self.color(Color::Green),
            _ => Style::new(),
        }
    }

    /// Of the kind of an event.
    pub(super) fn kind(self, kind: &str) -> Style {
        let is_bad = matches!(kind, "crash" | "error" | "hang" | "app_exit" | "alert");
        if is_bad { self.color(Color::Red) } else { self.color(Color::Cyan) }
    }

    pub(super) fn bad(self) -> Style {
        self.color(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn good(self) -> Style {
        self.color(Color::Green)
    }

    /// What matters less.
    pub(super) fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Of the line under the cursor.
    pub(super) fn cursor(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
