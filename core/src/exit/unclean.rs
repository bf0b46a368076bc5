//! What to record of a run that ended without a crash and without `close`.

/// What the engine records of an earlier run that ended without a crash and without `close`, see
/// [`ConfigBuilder::unclean_exits`](crate::ConfigBuilder::unclean_exits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UncleanExits {
    /// An `app_exit` with the cause `abnormal`, if the app was in the foreground.
    #[default]
    Recorded,
    /// The same, but first the engine waits up to 10 s for [`Monitor::report_exits`](crate::Monitor::report_exits), which knows better.
    AwaitReport,
    /// Nothing: a debugger is attached, which ends processes.
    Ignored,
}

impl UncleanExits {
    /// Every value, with its name in the settings.
    pub(crate) const NAMES: [&str; 3] = ["recorded", "await_report", "ignored"];

    /// The value with this name.
    pub(crate) fn parse(name: &str) -> Option<UncleanExits> {
        match name {
            "recorded" => Some(UncleanExits::Recorded),
            "await_report" => Some(UncleanExits::AwaitReport),
            "ignored" => Some(UncleanExits::Ignored),
            _ => None,
        }
    }
}
