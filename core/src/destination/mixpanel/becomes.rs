//! The table of kinds in the user guide.

use super::Mixpanel;
use crate::kind::Kind;

impl Mixpanel {
    /// What Mixpanel gets of a kind, as Markdown for the user guide.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        match kind {
            Kind::Analytics => "event with its own name and attributes",
            Kind::ScreenView => "event `Screen View` with `screen_name`, `screen_class`; the end of a view is not sent",
            Kind::ScreenLoad => "with the purpose monitoring an event `Screen Load` with `screen_name`, `duration_ms`",
            Kind::UserProp => {
                "`$set`, `$set_once`, `$unset`, `$union`, `$remove`, `$delete`; `$add` for an increment; `$append`"
            }
            Kind::Revenue => "`$append` to `$transactions`; with items or a transaction id also an event `Purchase`",
            Kind::Error => "with the purpose monitoring and `errors` an event `App Error`",
            Kind::Crash => "with the purpose monitoring and `errors` an event `App Crash`",
            Kind::Interaction => "with `interactions` an event `Interaction` with `action`, `component`",
            Kind::ApiCall => {
                "with the purpose monitoring and `api_calls` an event `API Call` with method, endpoint, status, `duration_ms`"
            }
            _ => "not sent",
        }
    }
}
