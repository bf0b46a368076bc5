//! The table of kinds in the user guide.

use super::Otlp;
use crate::kind::Kind;

impl Otlp {
    /// What an OTLP endpoint gets of a kind, as Markdown for the user guide.
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
            Kind::Message | Kind::Feedback => "log with the text as its body",
            Kind::Alert => {
                "log `app.alert` with its severity (critical: FATAL), the title as its body, `app.alert.severity`, `app.alert.description`, `app.alert.collapsed_before`; details as attributes"
            }
            Kind::Log => "log with its severity (TRACE to FATAL), the text as its body and `app.logger.name`",
            Kind::Interaction => "log `app.widget.click`; other actions `app.interaction`",
            Kind::ScreenView => {
                "log `app.screen.view`; the end of a view that the app named `app.screen.end` with its duration"
            }
            Kind::Analytics => "with the purpose analytics a log: an event with its own name",
            Kind::Revenue => {
                "with the purpose analytics a log `app.revenue` with amount, currency, transaction and items"
            }
            Kind::UserProp => {
                "with the purpose analytics a log `app.user.set` (also for `set_once`), `app.user.unset` or `app.user.delete`; increments and changes of lists are not sent"
            }
            Kind::Session => "logs `session.start`, `session.end`",
            Kind::ScreenLoad | Kind::AppStart | Kind::LongTask => "span of kind INTERNAL",
            Kind::Span => "span of kind INTERNAL with its parent; status ERROR if it failed or was cancelled",
            Kind::ApiCall | Kind::ImageLoad => {
                "span of kind CLIENT with `http.*`, `url.full` (without its query), `url.template`; inside a screen load or a span a child of it"
            }
            Kind::Metric => {
                "counter: a delta sum; gauge; distribution: a histogram with OpenTelemetry's default bounds"
            }
            Kind::Frames => "gauges `app.frames.slow`, `app.frames.frozen`, `app.frames.total`",
        }
    }
}
