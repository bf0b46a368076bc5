//! The demo app's use of the `rez-monitor` API.

use super::args::AppArgs;
use super::child::Line;
use super::pipe::Pipe;
use super::visit::Recorder;
use crate::terminal::CliError;
use rez_monitor::destination::Rez;
use rez_monitor::{
    ApiCall, Breadcrumb, Config, Consent, Durability, ErrorEvent, Event, Kind, Metric, Monitor, Outcome, People,
    Purpose, Revenue, ScopeChange, ScreenLoad, StartKind, Timing, User,
};
use std::time::{Duration, Instant};

/// Threshold for slow calls and screens. Much lower than the defaults, which would make the demo slow.
const SLOW: Duration = Duration::from_millis(50);

/// Name of the collector as a destination.
pub(super) const COLLECTOR: &str = "demo";

/// Limit of one flush, and of the close.
const FLUSH: Duration = Duration::from_secs(10);

/// A monitor, and the pipe that acknowledges its events.
pub(super) struct Engine<'a> {
    pipe: &'a mut Pipe,
    monitor: Monitor,
    screen: Option<ScreenLoad>,
    call: Option<ApiCall>,
}

impl<'a> Engine<'a> {
    /// Opens the monitor on the folder of the app.
    pub(super) fn open(args: &AppArgs, pipe: &'a mut Pipe) -> Result<Engine<'a>, CliError> {
        let started = Instant::now();
        let fail = |error: &dyn std::fmt::Display| {
            CliError::open(
                format!("the demo app cannot start: {error}"),
                "it is started by `rezq demo`; check the addresses passed with --destination",
            )
        };
        let rez = Rez::builder(&args.collector, "demo").purposes(&Purpose::ALL).build().map_err(|e| fail(&e))?;
        let mut config = Config::builder(&args.folder, "shop", "shop@1.4.0+77")
            .destination(COLLECTOR, rez)
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted)
            .cap_bytes(args.cap_bytes)
            .slow_screen(SLOW)
            .slow_api(SLOW)
            .slow_image(SLOW);
        for target in &args.destinations {
            config = config.destination(target.name, target.build().map_err(|e| fail(&e))?);
        }
        let config = config.build().map_err(|e| fail(&e))?;
        let monitor = Monitor::open(config).map_err(|e| fail(&e))?;
        monitor.scope(ScopeChange::User(Some(User { id: Some("u-4711"), ..User::default() })));
        let mut engine = Engine { pipe, monitor, screen: None, call: None };
        let outcome = engine.monitor.timing(Timing::app_start(StartKind::Cold, started.elapsed()));
        engine.acknowledge(Kind::AppStart, outcome);
        Ok(engine)
    }

    /// Returns the pipe.
    pub(super) fn pipe(&mut self) -> &mut Pipe {
        self.pipe
    }

    fn acknowledge(&mut self, kind: Kind, outcome: Outcome) {
        self.pipe.write(&match outcome {
            Outcome::Recorded(id) => Line::Recorded(id.to_string(), kind.as_str().to_owned()),
            Outcome::Dropped(reason) => Line::Refused(reason.to_string()),
        });
    }

    /// Records a fatal error of the app.
    pub(super) fn crash(&mut self) {
        let error = ErrorEvent::new("OutOfStock", "the last item was sold twice");
        let outcome = match self.monitor.fatal(error, Duration::from_millis(500)) {
            Durability::Synced(id) | Durability::InRing(id) => Outcome::Recorded(id),
            Durability::Dropped(reason) => Outcome::Dropped(reason),
        };
        self.acknowledge(Kind::Crash, outcome);
    }

    /// Flushes once. Returns how many events are left and why, or `None` if none are.
    pub(super) fn flush(&mut self) -> Option<String> {
        match self.monitor.flush(FLUSH) {
            Ok(report) => report.into_iter().find(|one| one.left > 0).map(|one| {
                let why = one.held.map_or_else(|| "in flight".to_owned(), |held| held.why);
                format!("({} left for `{}`: {why})", one.left, one.destination)
            }),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Closes the monitor.
    pub(super) fn close(self) -> &'a mut Pipe {
        self.monitor.close(FLUSH);
        self.pipe
    }
}

impl Recorder for Engine<'_> {
    fn screen(&mut self, name: &str) {
        self.screen = Some(self.monitor.screen(name));
    }
    fn screen_shown(&mut self) {
        if let Some(screen) = self.screen.take() {
            let outcome = screen.finish();
            self.acknowledge(Kind::ScreenLoad, outcome);
        }
    }
    fn call(&mut self, method: &str, url: &str) {
        self.call = Some(self.monitor.api_call(method, url));
    }
    fn responded(&mut self, status: u16, bytes: u64) {
        if let Some(call) = self.call.take() {
            let outcome = call.finish(status, bytes);
            self.acknowledge(Kind::ApiCall, outcome);
        }
    }
    fn failed(&mut self, error: &str) {
        if let Some(call) = self.call.take() {
            let outcome = call.fail(error);
            self.acknowledge(Kind::ApiCall, outcome);
        }
    }
    fn crumb(&mut self, crumb: Breadcrumb<'_>) {
        self.monitor.breadcrumb(crumb);
    }
    fn event(&mut self, event: Event<'_>) {
        let outcome = self.monitor.record(event);
        self.acknowledge(event.kind(), outcome);
    }
    fn error(&mut self, error: ErrorEvent<'_>) {
        let outcome = self.monitor.error(error);
        self.acknowledge(Kind::Error, outcome);
    }
    fn timing(&mut self, kind: Kind, timing: Timing<'_>) {
        let outcome = self.monitor.timing(timing);
        self.acknowledge(kind, outcome);
    }
    fn revenue(&mut self, revenue: Revenue<'_>) {
        let outcome = self.monitor.revenue(revenue);
        self.acknowledge(Kind::Revenue, outcome);
    }
    fn people(&mut self, people: People<'_>) {
        let outcome = self.monitor.people(people);
        self.acknowledge(Kind::UserProp, outcome);
    }
    fn metric(&mut self, name: &str, metric: Metric) {
        let outcome = self.monitor.metric(name, metric);
        self.acknowledge(Kind::Metric, outcome);
    }
}
