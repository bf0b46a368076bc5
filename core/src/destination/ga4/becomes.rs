//! What becomes of each kind at GA4, in words: the table in the user guide.

use super::Ga4;
use crate::kind::Kind;

impl Ga4 {
    /// What becomes of a kind at GA4, in words.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        match kind {
            Kind::Analytics => {
                "event of that name; `transactionId` becomes `transaction_id`, items' `id` and `name` become `item_id` and `item_name`"
            }
            Kind::ScreenView => "`screen_view` with `screen_name`, `screen_class`",
            Kind::Revenue => "`purchase` with `value`, `currency`, `transaction_id`, `items`",
            Kind::UserProp => {
                "`user_properties`; an increment as its new value; what is appended to a list is not sent"
            }
            Kind::Interaction => "`ui_interaction` with `action`, `component`, unless `interactions` is off",
            Kind::ScreenLoad => "with the purpose monitoring `screen_load` with `screen_name`, `duration_ms`",
            Kind::Error | Kind::Crash => "with the purpose monitoring `sdk_error` with `fatal`, `type`, `message`",
            Kind::ApiCall => {
                "with the purpose monitoring and `api_calls` an `api_call` with method, endpoint, status, `duration_ms`"
            }
            _ => "not sent",
        }
    }
}
