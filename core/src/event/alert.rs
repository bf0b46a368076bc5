//! An alert: something that a person must know of now.

use super::Event;
use super::field::Field;
use crate::attributes::Attrs;
use crate::kind::Kind;
use crate::level::Level;
use crate::trace::TraceContext;

/// How bad it is. PagerDuty and the guide have these four words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertSeverity {
    /// Good to know.
    Info,
    /// May become a problem.
    Warning,
    /// Something fails. The severity of an alert in a batch that names none.
    #[default]
    Error,
    /// Someone must act now: PagerDuty pages for it.
    Critical,
}

impl AlertSeverity {
    /// All of them, the least severe first.
    pub const ALL: [AlertSeverity; 4] =
        [AlertSeverity::Info, AlertSeverity::Warning, AlertSeverity::Error, AlertSeverity::Critical];

    pub(crate) const NAMES: [&'static str; 4] = ["info", "warning", "error", "critical"];

    /// The spelling in rows and at PagerDuty.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            AlertSeverity::Info => "info",
            AlertSeverity::Warning => "warning",
            AlertSeverity::Error => "error",
            AlertSeverity::Critical => "critical",
        }
    }

    /// The severity with this spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<AlertSeverity> {
        AlertSeverity::ALL.into_iter().find(|severity| severity.as_str() == text)
    }

    /// The level of a log entry about it.
    pub(crate) fn level(self) -> Level {
        match self {
            AlertSeverity::Info => Level::Info,
            AlertSeverity::Warning => Level::Warning,
            AlertSeverity::Error => Level::Error,
            AlertSeverity::Critical => Level::Fatal,
        }
    }
}

/// An alert: a severity, a title, a description, and details by name.
///
/// The same title and severity within [`crate::ConfigBuilder::alert_window`] are one alert, so the title says what is wrong and what
/// differs each time stands in the details.
///
/// ```
/// use rez_monitor::{Alert, AlertSeverity};
///
/// let details = [("attempts", 3.into()), ("lastError", "Connection timeout".into())];
/// let alert = Alert::new(AlertSeverity::Critical, "Database Connection Lost")
///     .description("Unable to connect to MongoDB")
///     .details(&details);
/// # let _ = alert;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Alert<'a> {
    /// How bad it is.
    pub severity: AlertSeverity,
    /// What is wrong, at most 1,024 bytes.
    pub title: &'a str,
    /// More about it, at most 8,192 bytes; empty = none.
    pub description: &'a str,
    /// Values by name, with the limits of attributes. They are the `attrs` of the row.
    pub details: Attrs<'a>,
    /// The destinations that receive it; empty = all that accept its kind.
    pub targets: &'a [&'a str],
    /// The span in which it was raised; default: the screen that is loading.
    pub trace: Option<TraceContext>,
    /// See [`Event::at`].
    pub at_ms: Option<i64>,
}

impl<'a> Alert<'a> {
    /// An alert without description and details.
    #[must_use]
    pub fn new(severity: AlertSeverity, title: &'a str) -> Alert<'a> {
        Alert { severity, title, description: "", details: &[], targets: &[], trace: None, at_ms: None }
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: &'a str) -> Alert<'a> {
        self.description = description;
        self
    }

    /// Sets the details. Replaces earlier ones.
    #[must_use]
    pub fn details(mut self, details: Attrs<'a>) -> Alert<'a> {
        self.details = details;
        self
    }

    /// Restricts the alert to these destinations.
    #[must_use]
    pub fn targets(mut self, targets: &'a [&'a str]) -> Alert<'a> {
        self.targets = targets;
        self
    }

    /// Sets the span in which it was raised.
    #[must_use]
    pub fn trace(mut self, trace: TraceContext) -> Alert<'a> {
        self.trace = Some(trace);
        self
    }

    /// Sets when it happened, in milliseconds since 1970. See [`Event::at`]. The window counts from the call.
    #[must_use]
    pub fn at(mut self, wall_ms: i64) -> Alert<'a> {
        self.at_ms = Some(wall_ms);
        self
    }

    pub(crate) fn into_event(self) -> Event<'a> {
        let description = Some(self.description).filter(|text| !text.is_empty());
        Event::new(Kind::Alert)
            .with(Field::Title, self.title)
            .maybe(Field::Description, description)
            .with(Field::Severity, self.severity.as_str())
            .attrs(self.details)
            .targets(self.targets)
            .set_trace(self.trace)
            .set_time(self.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_severity_maps_back_from_its_spelling() {
        assert_eq!(AlertSeverity::ALL.map(AlertSeverity::as_str), AlertSeverity::NAMES);
        for severity in AlertSeverity::ALL {
            assert_eq!(AlertSeverity::parse(severity.as_str()), Some(severity));
        }
        assert_eq!(AlertSeverity::parse("Critical"), None);
    }
}
