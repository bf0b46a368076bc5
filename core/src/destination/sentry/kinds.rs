//! What Sentry gets of each kind. `wants`, the rate limits and the user guide read the same table.

use crate::kind::Kind;

/// The form in which a row is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An `event` item.
    Event,
    /// A `transaction` item.
    Transaction,
    /// A `session` item.
    Session,
    /// A `feedback` item.
    Feedback,
    /// An entry of a `log` item.
    Log,
    /// An entry of a `trace_metric` item.
    Metric,
    /// Not sent as a row.
    Never,
}

/// Switches of the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Switches {
    /// Messages are sent as log entries.
    pub(super) messages_as_logs: bool,
    /// Analytics events are sent as log entries.
    pub(super) analytics_as_logs: bool,
}

/// The form in which rows of a kind are sent.
pub(super) fn shape(kind: Kind, switches: Switches) -> Shape {
    match kind {
        Kind::Message if switches.messages_as_logs => Shape::Log,
        Kind::Analytics if switches.analytics_as_logs => Shape::Log,
        Kind::Log => Shape::Log,
        Kind::Crash | Kind::Error | Kind::Hang | Kind::AppExit | Kind::Message | Kind::Alert => Shape::Event,
        Kind::ScreenLoad | Kind::AppStart | Kind::ApiCall | Kind::Span => Shape::Transaction,
        Kind::Session => Shape::Session,
        Kind::Feedback => Shape::Feedback,
        Kind::Metric => Shape::Metric,
        Kind::Revenue
        | Kind::ImageLoad
        | Kind::Interaction
        | Kind::ScreenView
        | Kind::Analytics
        | Kind::UserProp
        | Kind::Frames
        | Kind::LongTask => Shape::Never,
    }
}

/// What Sentry gets of a kind, as Markdown for the user guide.
pub(super) fn becomes(kind: Kind) -> &'static str {
    match kind {
        Kind::Crash => "`event`, level `fatal`, `handled: false`, with stack and breadcrumbs",
        Kind::Error => {
            "`event` with `exception`, stack and breadcrumbs; code, severity and context in `contexts.error`"
        }
        Kind::Hang => "`event`, level `error`, mechanism `AppHang`",
        Kind::AppExit => {
            "`event`, level `error`, mechanism `ApplicationExitInfo`, or `watchdog_termination` if the cause is `abnormal`"
        }
        Kind::Message => "`event` with `logentry`; with `messages_as_logs` an entry of a `log` item",
        Kind::Alert => {
            "`event` with the title as `logentry`, its severity as level (`critical`: `fatal`); description and severity in `contexts.alert`, details in `extra`"
        }
        Kind::Log => "entry of a `log` item with its level and `logger.name`",
        Kind::ScreenLoad => "`transaction` of op `ui.load` with its child spans, time to initial and full display",
        Kind::AppStart => "`transaction` of op `app.start.cold` or `app.start.warm` with its measurement",
        Kind::ApiCall => {
            "inside a screen load or span a child span `http.client`; otherwise a `transaction` of that op if slow or failed, if its trace headers were given out, or if it has a parent; otherwise not sent"
        }
        Kind::ImageLoad => "inside a screen load or span a child span `resource.img`; otherwise not sent",
        Kind::LongTask => "inside a screen load or span a child span `ui.long_task`; otherwise not sent",
        Kind::Span => {
            "`transaction` of its op with its child spans; inside a screen load or another span of the app a child span"
        }
        Kind::Session => "`session` update",
        Kind::Metric => "entry of a `trace_metric` item",
        Kind::Feedback => "`feedback` item with the id of the event that it refers to",
        Kind::Analytics => "not sent; with `analytics_as_logs` an entry of a `log` item",
        Kind::Revenue | Kind::UserProp => "not sent: Sentry has no such data",
        Kind::Interaction | Kind::ScreenView => "not sent; add a breadcrumb instead, which is sent with the next error",
        Kind::Frames => {
            "not sent alone; frame counts known when the screen has loaded are measurements of its transaction"
        }
    }
}

/// The category in which Sentry counts and limits items of this kind; `None` if they are never sent.
pub(super) fn category(kind: Kind, switches: Switches) -> Option<&'static str> {
    match shape(kind, switches) {
        Shape::Event => Some("error"),
        Shape::Transaction => Some("transaction"),
        Shape::Session => Some("session"),
        Shape::Feedback => Some("feedback"),
        Shape::Metric => Some("trace_metric"),
        Shape::Log => Some("log_item"),
        Shape::Never => None,
    }
}

/// The kinds that a rate limit of this category applies to; empty for a category that is never sent.
pub(super) fn kinds_of(limited: &str, switches: Switches) -> Vec<Kind> {
    // Ingestion counts an event without an exception as an error first and as `default` later.
    let also = |kind: Kind| match limited {
        "default" => kind == Kind::Alert || (kind == Kind::Message && !switches.messages_as_logs),
        "log_byte" => category(kind, switches) == Some("log_item"),
        _ => false,
    };
    Kind::ALL.into_iter().filter(|kind| also(*kind) || category(*kind, switches) == Some(limited)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_limits_the_kinds_that_are_sent_in_it() {
        use Kind as K;
        for (limited, logs, kinds) in [
            ("error", false, vec![K::Crash, K::Error, K::Hang, K::AppExit, K::Message, K::Alert]),
            ("error", true, vec![K::Crash, K::Error, K::Hang, K::AppExit, K::Alert]),
            ("default", false, vec![K::Message, K::Alert]),
            ("default", true, vec![K::Alert]),
            ("transaction", false, vec![K::ScreenLoad, K::AppStart, K::ApiCall, K::Span]),
            ("session", false, vec![K::Session]),
            ("feedback", false, vec![K::Feedback]),
            ("trace_metric", false, vec![K::Metric]),
            ("log_item", true, vec![K::Analytics, K::Message, K::Log]),
            ("log_byte", true, vec![K::Analytics, K::Message, K::Log]),
            ("log_item", false, vec![K::Log]),
            ("attachment", false, vec![]),
            ("replay", false, vec![]),
            ("", false, vec![]),
        ] {
            let switches = Switches { messages_as_logs: logs, analytics_as_logs: logs };
            assert_eq!(kinds_of(limited, switches), kinds, "{limited}");
        }
    }
}
