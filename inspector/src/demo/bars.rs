//! What a person sees while the demo runs: two bars and a line that says what is happening, on a terminal only.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// How often the spinner turns by itself.
const TICK: Duration = Duration::from_millis(100);

/// The bars; without a terminal they draw nothing.
pub(super) struct Bars {
    all: MultiProgress,
    phase: ProgressBar,
    recorded: ProgressBar,
    collected: ProgressBar,
}

impl Bars {
    /// Bars for so many events.
    pub(super) fn new(events: u64, visible: bool) -> Bars {
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let all = MultiProgress::with_draw_target(target);
        let bar = |name: &'static str, colour: &str| {
            let style = format!("  {{prefix:<10}} {{bar:40.{colour}}} {{human_pos:>9}} / {{human_len}}");
            let style = ProgressStyle::with_template(&style).unwrap_or_else(|_| ProgressStyle::default_bar());
            all.add(ProgressBar::new(events).with_style(style).with_prefix(name))
        };
        let recorded = bar("recorded", "cyan");
        let collected = bar("delivered", "green");
        let phase = all.add(ProgressBar::new_spinner());
        if visible {
            phase.enable_steady_tick(TICK);
        }
        Bars { all, phase, recorded, collected }
    }

    /// Says what is happening now.
    pub(super) fn phase(&self, what: impl Into<String>) {
        self.phase.set_message(what.into());
    }

    /// Moves the bars; a bar whose end was only a guess grows.
    pub(super) fn at(&self, recorded: u64, collected: u64) {
        for (bar, n) in [(&self.recorded, recorded), (&self.collected, collected)] {
            if bar.length().is_some_and(|length| n > length) {
                bar.set_length(n);
            }
            bar.set_position(n);
        }
    }

    /// Takes them away before the summary.
    pub(super) fn clear(self) {
        self.phase.finish_and_clear();
        self.recorded.finish_and_clear();
        self.collected.finish_and_clear();
        // A terminal that is gone cannot be cleared; nothing depends on it.
        let _ = self.all.clear();
    }
}
