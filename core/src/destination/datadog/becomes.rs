//! The table of kinds in the user guide.

use super::Datadog;
use crate::kind::Kind;

impl Datadog {
    /// What Datadog gets of a kind, as Markdown for the user guide.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        match kind {
            Kind::ScreenView | Kind::ScreenLoad | Kind::Frames => {
                "RUM view: sent again with a higher version, the counts of the whole screen, its loading time, its slow and frozen frames, and `custom_timings` and attributes of a view that the app names"
            }
            Kind::Error | Kind::Crash | Kind::Hang | Kind::AppExit => {
                "RUM error with its stack; breadcrumbs in `context.breadcrumbs`; with `forward_errors_to_logs` also a log"
            }
            Kind::ApiCall => "RUM resource of type `native` with `_dd.trace_id`",
            Kind::ImageLoad => "RUM resource of type `image`",
            Kind::Interaction => "RUM action `tap`, `click`, `scroll`, `swipe` or `back`, otherwise `custom`",
            Kind::Analytics | Kind::Revenue => {
                "with the purpose analytics a custom RUM action; amount and currency in its context"
            }
            Kind::LongTask => "RUM long task; frozen above 700 ms",
            Kind::AppStart => "RUM vital `app.start`",
            Kind::Metric => {
                "RUM vital if it has a unit of time and is not a counter, otherwise a log with name and value"
            }
            Kind::Span => {
                "RUM vital of type duration with op and status in its context; for a span without a parent also the steps `start` and `end` of an operation"
            }
            Kind::Message | Kind::Feedback => "log",
            Kind::Alert => {
                "log with the title as its text and its severity as status; severity, description and details in its context; not sent to RUM"
            }
            Kind::Log => "log with its status and `logger.name`",
            Kind::Session => "its id is part of every event; its end ends the last view",
            Kind::UserProp => "not sent; the user set with `ScopeChange::User` is sent as `usr`",
        }
    }
}
