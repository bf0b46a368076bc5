//! The table of kinds in the user guide.

use super::Ga4;
use crate::kind::Kind;

impl Ga4 {
    /// What GA4 gets of a kind, as Markdown for the user guide.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        match kind {
            Kind::Analytics => {
                "event with its own name; `transactionId` becomes `transaction_id`, items' `id` and `name` become `item_id` and `item_name`"
            }
            Kind::ScreenView => "`screen_view` with `screen_name`, `screen_class`; the end of a view is not sent",
            Kind::Revenue => "`purchase` with `value`, `currency`, `transaction_id`, `items`",
            Kind::UserProp => {
                "`user_properties`; an increment is sent as its new value, `set_once` as the value that is in place, `unset` as `null`; changes of lists and the deletion of the profile are not sent"
            }
            Kind::Interaction => "`ui_interaction` with `action`, `component`; not sent if `interactions` is false",
            Kind::ScreenLoad => "with the purpose monitoring `screen_load` with `screen_name`, `duration_ms`",
            Kind::Error | Kind::Crash => "with the purpose monitoring `sdk_error` with `fatal`, `type`, `message`",
            Kind::ApiCall => {
                "with the purpose monitoring and `api_calls` an `api_call` with method, endpoint, status, `duration_ms`"
            }
            _ => "not sent",
        }
    }
}
