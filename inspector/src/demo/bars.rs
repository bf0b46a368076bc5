//! Progress display of the demo: two bars and the current phase. Shown on a terminal only.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// Interval of the spinner.
const TICK: Duration = Duration::from_millis(100);

/// The progress bars. They draw nothing without a terminal.
pub(super) struct Bars {
    all: MultiProgress,
    phase: ProgressBar,
    recorded: ProgressBar,
    collected: ProgressBar,
}

impl Bars {
    /// Creates the bars for this number of events.
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

    /// Shows the current phase.
    pub(super) fn phase(&self, what: impl Into<String>) {
        self.phase.set_message(what.into());
    }

    /// Updates the bars. A bar grows if its position exceeds the estimate.
    pub(super) fn update(&self, recorded: u64, collected: u64) {
        for (bar, n) in [(&self.recorded, recorded), (&self.collected, collected)] {
            if bar.length().is_some_and(|length| n > length) {
                bar.set_length(n);
            }
            bar.set_position(n);
        }
    }

    /// Removes the bars.
    pub(super) fn clear(self) {
        self.phase.finish_and_clear();
        self.recorded.finish_and_clear();
        self.collected.finish_and_clear();
        // Fails only if the terminal is gone.
        let _ = self.all.clear();
    }
}
