//! The demo's app on the engine: the only file of the demo that knows it.

use super::app::{AppArgs, Pipe};
use super::child::Line;
use super::visit::Recorder;
use crate::terminal::CliError;
use rez_monitor::destination::Rez;
use rez_monitor::{
    ApiCall, Breadcrumb, Config, Consent, Durability, ErrorEvent, Event, Kind, Metric, Monitor, Outcome, People,
    Purpose, Revenue, ScopeChange, ScreenLoad, StartKind, Timing, User,
};
use std::time::{Duration, Instant};

/// Calls and screens over these are slow here: the guide's seconds would make the demo one of patience.
const SLOW: Duration = Duration::from_millis(50);

/// The collector's name among the destinations.
pub(super) const COLLECTOR: &str = "demo";

/// Longest wait of one flush, and of the close.
const FLUSH: Duration = Duration::from_secs(10);

/// The engine and the pipe on which its promises are told.
pub(super) struct Engine<'a> {
    pipe: &'a mut Pipe,
    monitor: Monitor,
    screen: Option<ScreenLoad>,
    call: Option<ApiCall>,
}

impl<'a> Engine<'a> {
    /// Opens the engine on the app's folder.
    pub(super) fn open(args: &AppArgs, pipe: &'a mut Pipe) -> Result<Engine<'a>, CliError> {
        let began = Instant::now();
        let wrong = |error: &dyn std::fmt::Display| CliError::open(format!("the demo's app cannot start: {error}"), "");
        let rez = Rez::builder(&args.collector, "demo").purposes(&Purpose::ALL).build().map_err(|e| wrong(&e))?;
        let mut config = Config::builder(&args.folder, "shop", "shop@1.4.0+77")
            .destination(COLLECTOR, rez)
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted)
            .cap_bytes(args.cap_bytes)
            .slow_screen(SLOW)
            .slow_api(SLOW)
            .slow_image(SLOW);
        for target in &args.destinations {
            config = config.destination(target.name, target.build().map_err(|e| wrong(&e))?);
        }
        let config = config.build().map_err(|e| wrong(&e))?;
        let monitor = Monitor::open(config).map_err(|e| wrong(&e))?;
        monitor.scope(ScopeChange::User(Some(User { id: Some("u-4711"), ..User::default() })));
        let mut engine = Engine { pipe, monitor, screen: None, call: None };
        let outcome = engine.monitor.timing(Timing::app_start(StartKind::Cold, began.elapsed()));
        engine.tell(Kind::AppStart, outcome);
        Ok(engine)
    }

    /// The pipe.
    pub(super) fn pipe(&mut self) -> &mut Pipe {
        self.pipe
    }

    fn tell(&mut self, kind: Kind, outcome: Outcome) {
        self.pipe.tell(&match outcome {
            Outcome::Recorded(id) => Line::Recorded(id.to_string(), kind.as_str().to_owned()),
            Outcome::Dropped(reason) => Line::Refused(reason.to_string()),
        });
    }

    /// Records the app's own fatal error.
    pub(super) fn crash(&mut self) {
        let error = ErrorEvent::new("OutOfStock", "the last item was sold twice");
        let outcome = match self.monitor.fatal(error, Duration::from_millis(500)) {
            Durability::Synced(id) | Durability::InRing(id) => Outcome::Recorded(id),
            Durability::Dropped(reason) => Outcome::Dropped(reason),
        };
        self.tell(Kind::Crash, outcome);
    }

    /// One try to deliver everything; what is left and why.
    pub(super) fn flush(&mut self) -> Option<String> {
        match self.monitor.flush(FLUSH) {
            Ok(report) => report.into_iter().find(|one| one.left > 0).map(|one| {
                let why = one.held.map_or_else(|| "under way".to_owned(), |held| held.why);
                format!("{} events wait for `{}`: {why}", one.left, one.destination)
            }),
            Err(error) => Some(error.to_string()),
        }
    }

    /// Closes the queue.
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
            let o = screen.finish();
            self.tell(Kind::ScreenLoad, o);
        }
    }
    fn call(&mut self, method: &str, url: &str) {
        self.call = Some(self.monitor.api_call(method, url));
    }
    fn answered(&mut self, status: u16, bytes: u64) {
        if let Some(call) = self.call.take() {
            let o = call.finish(status, bytes);
            self.tell(Kind::ApiCall, o);
        }
    }
    fn failed(&mut self, error: &str) {
        if let Some(call) = self.call.take() {
            let o = call.fail(error);
            self.tell(Kind::ApiCall, o);
        }
    }
    fn crumb(&mut self, crumb: Breadcrumb<'_>) {
        self.monitor.breadcrumb(crumb);
    }
    fn event(&mut self, event: Event<'_>) {
        let o = self.monitor.record(event);
        self.tell(event.kind(), o);
    }
    fn error(&mut self, error: ErrorEvent<'_>) {
        let o = self.monitor.error(error);
        self.tell(Kind::Error, o);
    }
    fn timing(&mut self, kind: Kind, timing: Timing<'_>) {
        let o = self.monitor.timing(timing);
        self.tell(kind, o);
    }
    fn revenue(&mut self, revenue: Revenue<'_>) {
        let o = self.monitor.revenue(revenue);
        self.tell(Kind::Revenue, o);
    }
    fn people(&mut self, people: People<'_>) {
        let o = self.monitor.people(people);
        self.tell(Kind::UserProp, o);
    }
    fn metric(&mut self, name: &str, metric: Metric) {
        let o = self.monitor.metric(name, metric);
        self.tell(Kind::Metric, o);
    }
}
