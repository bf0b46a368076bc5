//! Why an earlier process ended, as the system remembers it: `ApplicationExitInfo` of Android, `MetricKit` of Apple.

use crate::Severity;
use crate::attributes::Attrs;
use crate::event::Event;
use crate::event::field::Field;
use crate::kind::Kind;
use crate::level::Level;

/// Why the system, or the process itself, ended a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExitReason {
    /// An exception that nothing caught.
    Crash,
    /// A signal of native code.
    NativeCrash,
    /// The main thread did not respond.
    Anr,
    /// The system had no memory left.
    LowMemory,
    /// A signal that another process sent.
    Signaled,
    /// It did not start in time.
    InitializationFailure,
    /// It used too much of a resource.
    ExcessiveResourceUsage,
    /// No fault: the user, an update, the system at work. Such an exit ends the session of its run as `exited` and is no event.
    Other,
}

impl ExitReason {
    /// Every reason.
    pub const ALL: [ExitReason; 8] = [
        ExitReason::Crash,
        ExitReason::NativeCrash,
        ExitReason::Anr,
        ExitReason::LowMemory,
        ExitReason::Signaled,
        ExitReason::InitializationFailure,
        ExitReason::ExcessiveResourceUsage,
        ExitReason::Other,
    ];

    /// Its name, the `cause` of an event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ExitReason::Crash => "crash",
            ExitReason::NativeCrash => "native_crash",
            ExitReason::Anr => "anr",
            ExitReason::LowMemory => "low_memory",
            ExitReason::Signaled => "signaled",
            ExitReason::InitializationFailure => "initialization_failure",
            ExitReason::ExcessiveResourceUsage => "excessive_resource_usage",
            ExitReason::Other => "other",
        }
    }

    /// The reason with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<ExitReason> {
        ExitReason::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// The kind of the event that it becomes.
    pub(crate) fn kind(self) -> Option<Kind> {
        match self {
            ExitReason::Crash | ExitReason::NativeCrash => Some(Kind::Crash),
            ExitReason::Other => None,
            _ => Some(Kind::AppExit),
        }
    }
}

/// One process that ended, for [`Monitor::report_exits`](crate::Monitor::report_exits).
///
/// ```
/// use rez_monitor::{ExitReason, ExitReport};
///
/// let attrs = [("importance", 100.into()), ("rss_kb", 312_000.into())];
/// let exit = ExitReport::new(4711, 1_764_400_000_000, ExitReason::LowMemory).description("lmkd").attrs(&attrs);
/// # let _ = exit;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ExitReport<'a> {
    /// Id of the process; 0 = not known.
    pub pid: u32,
    /// When it ended, in milliseconds since 1970.
    pub at_ms: i64,
    /// Why.
    pub reason: ExitReason,
    /// The words of the system. They obey the privacy rules, as the text of any event.
    pub description: &'a str,
    /// What else the system knows.
    pub attrs: Attrs<'a>,
}

impl<'a> ExitReport<'a> {
    /// A process that ended at this time (milliseconds since 1970); `pid` 0 = not known.
    #[must_use]
    pub fn new(pid: u32, at_ms: i64, reason: ExitReason) -> ExitReport<'a> {
        ExitReport { pid, at_ms, reason, description: "", attrs: &[] }
    }

    /// Sets the words of the system.
    #[must_use]
    pub fn description(mut self, description: &'a str) -> ExitReport<'a> {
        self.description = description;
        self
    }

    /// Sets what else the system knows. Replaces earlier ones.
    #[must_use]
    pub fn attrs(mut self, attrs: Attrs<'a>) -> ExitReport<'a> {
        self.attrs = attrs;
        self
    }

    /// The event that it becomes; `None` if it is no fault.
    pub(crate) fn event(&self) -> Option<Event<'a>> {
        let kind = self.reason.kind()?;
        let event = Event::new(kind).with(Field::Cause, self.reason.as_str()).with(Field::Pid, i64::from(self.pid));
        let event = event.with(Field::ExitMs, self.at_ms);
        let event = match kind {
            Kind::Crash => event
                .with(Field::Type, self.reason.as_str())
                .with(Field::Level, Level::Fatal.as_str())
                .with(Field::Handled, false)
                .with(Field::Severity, Severity::Critical.as_str())
                .with(Field::Mechanism, "exit_report"),
            _ => event,
        };
        Some(event.with(Field::Message, self.description).attrs(self.attrs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_name_that_maps_back_to_it() {
        for reason in ExitReason::ALL {
            assert_eq!(ExitReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(ExitReason::parse("CRASH"), None);
    }

    #[test]
    fn what_is_no_fault_is_no_event() {
        assert!(ExitReport::new(1, 2, ExitReason::Other).event().is_none());
        let faults = ExitReason::ALL.into_iter().filter(|reason| *reason != ExitReason::Other);
        assert!(faults.into_iter().all(|reason| ExitReport::new(1, 2, reason).event().is_some()));
    }
}
