//! What becomes of each kind at OTLP, in words: the table in the user guide.

use super::Otlp;
use crate::kind::Kind;

impl Otlp {
    /// What becomes of a kind at OTLP, in words.
    #[must_use]
    pub fn becomes(kind: Kind) -> &'static str {
        match kind {
            Kind::Crash => {
                "log `app.crash`, level FATAL, with `exception.type`, `exception.message`, `exception.stacktrace`; its breadcrumbs as logs `app.breadcrumb`"
            }
            Kind::Error => {
                "log `exception`, level ERROR, with `exception.type`, `exception.message`, `exception.stacktrace`; its breadcrumbs as logs `app.breadcrumb`"
            }
            Kind::Hang => "log `app.hang`, level ERROR; its breadcrumbs as logs `app.breadcrumb`",
            Kind::AppExit => "log `app.exit`, level ERROR; its breadcrumbs as logs `app.breadcrumb`",
            Kind::Message | Kind::Feedback => "log with the words as its body",
            Kind::Interaction => "log `app.widget.click`; other acts `app.interaction`",
            Kind::ScreenView => "log `app.screen.view`",
            Kind::Analytics => "with the purpose analytics a log: an event of its own name",
            Kind::Revenue => {
                "with the purpose analytics a log `app.revenue` with amount, currency, transaction and items"
            }
            Kind::UserProp => {
                "with the purpose analytics a log `app.user.set` for a property that is set; increments and appends are not sent"
            }
            Kind::Session => "logs `session.start`, `session.end`",
            Kind::ScreenLoad | Kind::AppStart | Kind::LongTask => "span of kind INTERNAL",
            Kind::ApiCall | Kind::ImageLoad => {
                "span of kind CLIENT with `http.*`, `url.full` (without its query), `url.template`; inside a screen load its child"
            }
            Kind::Metric => {
                "counter: a sum of deltas; gauge; distribution: a histogram with OpenTelemetry's default bounds"
            }
            Kind::Frames => "gauges `app.frames.slow`, `app.frames.frozen`, `app.frames.total`",
        }
    }
}
