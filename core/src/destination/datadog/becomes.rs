//! What becomes of each kind at Datadog, in words: the table in the user guide.

use super::Datadog;
use crate::kind::Kind;

impl Datadog {
    /// What becomes of a kind at Datadog, in words.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        match kind {
            Kind::ScreenView | Kind::ScreenLoad | Kind::Frames => {
                "RUM view: sent again in its newest state, with a higher version, the counts of the whole screen, its loading time and its slow and frozen frames"
            }
            Kind::Error | Kind::Crash | Kind::Hang | Kind::AppExit => {
                "RUM error with its stack; breadcrumbs in `context.breadcrumbs`; with `forward_errors_to_logs` a log too"
            }
            Kind::ApiCall => "RUM resource of type `native` with `_dd.trace_id`",
            Kind::ImageLoad => "RUM resource of type `image`",
            Kind::Interaction => "RUM action `tap`, `click`, `scroll`, `swipe`, `back`, else `custom`",
            Kind::Analytics | Kind::Revenue => {
                "with the purpose analytics a custom RUM action; amount and currency in its context"
            }
            Kind::LongTask => "RUM long task; frozen above 700 ms",
            Kind::AppStart => "RUM vital `app.start`",
            Kind::Metric => "RUM vital if it has a unit of time and is no counter, else a log with name and value",
            Kind::Message | Kind::Feedback => "log",
            Kind::Session => "its id is on every event; its end ends the last view",
            Kind::UserProp => "not sent; what `setUser` said goes along as `usr`",
        }
    }
}
