//! The demo's app on the engine: the only file of the demo that knows it.

use super::app::{AppArgs, Pipe};
use super::visit::Recorder;
use crate::cli::CliError;
use rez_monitor::{Breadcrumb, ErrorEvent, Event, Kind, Metric, People, Revenue, Timing};

/// The engine and the pipe on which its promises are told.
pub(super) struct Engine<'a> {
    pipe: &'a mut Pipe,
}

impl<'a> Engine<'a> {
    /// Opens the engine on the app's folder.
    pub(super) fn open(args: &AppArgs, pipe: &'a mut Pipe) -> Result<Engine<'a>, CliError> {
        let (folder, collector, cap) = (args.folder.display(), &args.collector, args.cap_bytes);
        let _ = Engine { pipe };
        Err(CliError::open(format!("no engine for {folder}, {collector}, {cap} bytes"), ""))
    }

    /// The pipe.
    pub(super) fn pipe(&mut self) -> &mut Pipe {
        self.pipe
    }

    /// Records the app's own fatal error.
    pub(super) fn crash(&mut self) {}

    /// One try to deliver everything; what is left and why.
    pub(super) fn flush(&mut self) -> Option<String> {
        None
    }

    /// Closes the queue.
    pub(super) fn close(self) -> &'a mut Pipe {
        self.pipe
    }
}

impl Recorder for Engine<'_> {
    fn screen(&mut self, _name: &str) {}

    fn screen_shown(&mut self) {}

    fn call(&mut self, _method: &str, _url: &str) {}

    fn answered(&mut self, _status: u16, _bytes: u64) {}

    fn failed(&mut self, _error: &str) {}

    fn crumb(&mut self, _crumb: Breadcrumb<'_>) {}

    fn event(&mut self, _event: Event<'_>) {}

    fn error(&mut self, _error: ErrorEvent<'_>) {}

    fn timing(&mut self, _kind: Kind, _timing: Timing<'_>) {}

    fn revenue(&mut self, _revenue: Revenue<'_>) {}

    fn people(&mut self, _people: People<'_>) {}

    fn metric(&mut self, _name: &str, _metric: Metric) {}
}
