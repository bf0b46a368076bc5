//! The handle that an app holds. A call checks the gate, stamps, encodes and appends; all slower work is done by the writer
//! thread.

mod analytics;
mod batch;
mod call;
mod control;
mod exits;
mod inspect;
mod open;
mod run;
mod samplers;
mod scope;
mod screen;
pub(crate) mod session;
mod span;
mod status;
mod timing;
mod views;

pub use call::ApiCall;
pub use control::{Durability, From, WaitError};
pub use inspect::{InspectionOff, SnapshotError};
pub use scope::{ScopeChange, SuperProperties};
pub use screen::ScreenLoad;
pub use span::Span;
pub use status::{Refused, Start, Status};

use crate::Attrs;
use crate::config::Config;
use crate::event::encode::Encoder;
use crate::event::{Alert, Breadcrumb, ErrorEvent, Event, Feedback, Log, Metric, People, Revenue};
use crate::id::EventId;
use crate::kind::{Kind, Purpose};
use crate::level::Level;
use crate::limits::{RECORD_BYTES, RING_BYTES};
use crate::metrics::Summary;
use crate::reason::Reason;
use crate::ring::{Admission, Append, record};
use crate::trace::{IdGenerator, TraceContext};
use crate::writer::shared::Shared;
use session::Session;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// The result of a recording call.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The event is in the ring: it survives the process being killed.
    Recorded(EventId),
    /// The event was refused and is counted under this reason, except `log_level` and `forked`.
    Dropped(Reason),
}

impl Outcome {
    /// The id of a recorded event.
    #[must_use]
    pub fn id(self) -> Option<EventId> {
        match self {
            Outcome::Recorded(id) => Some(id),
            Outcome::Dropped(_) => None,
        }
    }
}

/// The handle of the engine. Clones refer to the same engine. All calls are thread-safe. No call blocks, allocates heap memory
/// (in the steady state) or panics unless its documentation says so.
#[derive(Clone)]
pub struct Monitor(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    session: Mutex<Session>,
    /// The same for those who only read it.
    sessions: Mutex<session::Latest>,
    /// Held while a destination is paused or resumed.
    pausing: Mutex<()>,
    /// What destinations decide about traces.
    samplers: samplers::Samplers,
    /// The run of the records that are appended from now on.
    run: Mutex<crate::row::Run>,
    /// One bit per kind that is sampled out in this session.
    sampled_out: AtomicU32,
    /// The screen that is loading. Calls made meanwhile are its child spans.
    screen: Mutex<Option<TraceContext>>,
    /// Makes the ids of traces and spans.
    ids: IdGenerator,
    /// What was known about this start at `open`.
    start: Start,
    /// The fork generation at `open`.
    forks: u32,
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Monitor").field("folder", &self.0.shared.folder).finish_non_exhaustive()
    }
}

impl Monitor {
    /// Records an event. An event that is [`Outcome::Recorded`] survives the process being killed.
    #[inline]
    pub fn record(&self, event: Event<'_>) -> Outcome {
        self.0.record(&event)
    }

    /// Records a breadcrumb. The last 100 are attached to each error. Breadcrumbs are refused, and counted, when the ring is
    /// 60 % full.
    pub fn breadcrumb(&self, crumb: Breadcrumb<'_>) {
        let inner = &*self.0;
        if inner.refused_here().is_some() {
            return;
        }
        let mut buffer = Buffer::new();
        let buffer = buffer.bytes();
        let (wall_ms, mono_us) = inner.shared.clock.now();
        let (room, _) = buffer.split_at_mut(RECORD_BYTES);
        let mut encoder = Encoder::new(room, wall_ms, mono_us);
        crumb.encode_into(&mut encoder);
        let len = encoder.finish();
        let append = Append {
            kind: record::CRUMB,
            lane: 3,
            n: 0,
            admission: Admission::Bulk,
            purposes: Purpose::Monitoring.bit(),
            body: &[],
        };
        match inner.shared.ring.append_buffer(&append, buffer, len) {
            Ok(appended) => inner.shared.wake_after_append(appended.used > RING_BYTES / 2),
            Err(reason) => inner.shared.ring.refuse(reason, None, 1),
        }
    }

    /// Records an error with the breadcrumbs recorded before it.
    pub fn error(&self, error: ErrorEvent<'_>) -> Outcome {
        self.0.record(&error.into_event(Kind::Error))
    }

    /// Records a message with a level.
    pub fn message(&self, text: &str, level: Level, attrs: Attrs<'_>) -> Outcome {
        self.0.record(&Event::message(text, level).attrs(attrs))
    }

    /// Records an entry of the app's log. See [`Log`] for a logger's name, targets, trace and time.
    pub fn log(&self, level: Level, text: &str, attrs: Attrs<'_>) -> Outcome {
        self.log_entry(Log::new(level, text).attrs(attrs))
    }

    /// Records an entry of the app's log. An entry below [`crate::ConfigBuilder::log_level`] costs a comparison and is
    /// `Dropped(LogLevel)`.
    pub fn log_entry(&self, entry: Log<'_>) -> Outcome {
        if entry.level < self.0.shared.config.log_level {
            return Outcome::Dropped(Reason::LogLevel);
        }
        self.0.record(&entry.into_event())
    }

    /// Records an alert: something that a person must know of now. The same title and severity within
    /// [`crate::ConfigBuilder::alert_window`] are stored once; the others are counted. Slack and PagerDuty tell people of it.
    ///
    /// ```
    /// use rez_monitor::{Alert, AlertSeverity, Config, Monitor};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// let monitor = Monitor::open(Config::builder(folder.path(), "shop-api", "shop-api@1.4.0").build()?)?;
    /// let details = [("attempts", 3.into()), ("lastError", "Connection timeout".into())];
    /// let alert = Alert::new(AlertSeverity::Critical, "Database Connection Lost")
    ///     .description("Unable to connect to MongoDB")
    ///     .details(&details);
    /// let outcome = monitor.alert(alert);
    /// # let _ = outcome;
    /// # monitor.close(std::time::Duration::from_secs(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn alert(&self, alert: Alert<'_>) -> Outcome {
        self.0.record(&alert.into_event())
    }

    /// Records an analytics event.
    pub fn track(&self, name: &str, attrs: Attrs<'_>) -> Outcome {
        self.0.record(&Event::analytics(name).attrs(attrs))
    }

    /// Records revenue.
    pub fn revenue(&self, revenue: Revenue<'_>) -> Outcome {
        self.0.record(&revenue.into_event())
    }

    /// Changes a property of the user, or deletes the profile.
    pub fn people(&self, people: People<'_>) -> Outcome {
        self.0.record(&people.into_event())
    }

    /// Records a value of a metric.
    pub fn metric(&self, name: &str, metric: Metric) -> Outcome {
        self.0.record(&metric.into_event(name))
    }

    /// Records feedback from a user.
    pub fn feedback(&self, feedback: Feedback<'_>) -> Outcome {
        use crate::event::field::Field;
        let about = feedback.about.map(|id| id.to_string());
        let event = Event::new(Kind::Feedback)
            .with(Field::Message, feedback.message)
            .maybe(Field::Name, feedback.name)
            .maybe(Field::Email, feedback.email)
            .maybe(Field::About, about.as_deref());
        self.0.record(&event)
    }

    /// The generator of trace, span and event ids, seeded by the operating system at [`Monitor::open`]. For callers that
    /// measure on their own and record a timing with [`crate::Timing::trace`].
    #[must_use]
    pub fn ids(&self) -> IdGenerator {
        self.0.ids.clone()
    }

    /// Returns last value, count and quantiles of the durations recorded in this run, by name (`screen_<name>_load`,
    /// `api_<endpoint>`). Allocates.
    #[must_use]
    pub fn metrics(&self) -> Vec<Summary> {
        self.0.shared.metrics.summaries()
    }

    /// Clears all values and names of [`Monitor::metrics`].
    pub fn clear_metrics(&self) {
        self.0.shared.metrics.clear();
    }
}

impl Inner {
    /// Whether this process is a forked child of the one that opened the engine.
    #[inline]
    fn is_forked(&self) -> bool {
        self.forks != crate::sys::fork::generation()
    }

    /// The reason why this thread or process cannot record.
    #[inline]
    fn refused_here(&self) -> Option<Reason> {
        if self.is_forked() {
            // The ring belongs to the parent process: a child must not write to it, not even to count the refusal.
            return Some(Reason::Forked);
        }
        crate::writer::is_ours().then_some(Reason::Reentrant)
    }

    #[inline]
    pub(crate) fn record(&self, event: &Event<'_>) -> Outcome {
        self.record_at(event.kind(), self.shared.clock.now(), |encoder| event.encode_into(encoder))
    }

    /// Records an event that happened at `(wall_ms, mono_us)`; `write` adds its fields. Without an [`Event`] in between,
    /// each field is copied once.
    #[inline]
    fn record_at(&self, kind: Kind, (wall_ms, mono_us): (i64, i64), write: impl FnOnce(&mut Encoder<'_>)) -> Outcome {
        if let Some(reason) = self.refused_here() {
            if reason == Reason::Reentrant {
                self.shared.ring.refuse(reason, Some(kind), 1);
            }
            return Outcome::Dropped(reason);
        }
        if self.is_sampled_out(kind) {
            self.shared.ring.refuse(Reason::Sampled, Some(kind), 1);
            return Outcome::Dropped(Reason::Sampled);
        }
        let mut buffer = Buffer::new();
        let buffer = buffer.bytes();
        let (room, _) = buffer.split_at_mut(RECORD_BYTES);
        let mut encoder = Encoder::new(room, wall_ms, mono_us);
        write(&mut encoder);
        let len = encoder.finish();
        let lane = kind.lane();
        let append = Append {
            kind: kind as u8,
            lane: lane as u8,
            n: 1,
            admission: Admission::of_lane(lane),
            purposes: kind.purpose_bits(),
            body: &[],
        };
        match self.shared.ring.append_buffer(&append, buffer, len) {
            Ok(appended) => {
                self.shared.wake_after_append(append.lane <= 1 || appended.used > RING_BYTES / 2);
                Outcome::Recorded(self.shared.key.id(wall_ms, appended.ticket, 0))
            }
            Err(reason) => {
                self.shared.ring.refuse(reason, Some(kind), 1);
                Outcome::Dropped(reason)
            }
        }
    }

    /// Whether this kind is sampled out in this session.
    #[inline]
    fn is_sampled_out(&self, kind: Kind) -> bool {
        self.sampled_out.load(Ordering::Relaxed) & kind.bit() != 0
    }

    /// Decides which kinds are sampled out in this session.
    fn decide_sampling(&self, session: &str) {
        let seed = crc32fast::hash(session.as_bytes());
        let mut out = 0;
        for kind in Kind::ALL {
            let rate = self.shared.config.sampling.get(kind as usize).copied().unwrap_or(1.0);
            let share = f64::from(crc32fast::hash(&[seed.to_le_bytes(), (kind as u32).to_le_bytes()].concat()))
                / f64::from(u32::MAX);
            if rate < 1.0 && share >= rate {
                out |= kind.bit();
            }
        }
        self.sampled_out.store(out, Ordering::Relaxed);
    }
}

/// A record, and the bytes that its checksum needs behind it.
const BUFFER_BYTES: usize = RECORD_BYTES + record::TAIL;

/// An uninitialised buffer for one record on the caller's stack.
struct Buffer(MaybeUninit<[u8; BUFFER_BYTES]>);

impl Buffer {
    #[inline]
    fn new() -> Buffer {
        Buffer(MaybeUninit::uninit())
    }

    #[inline]
    fn bytes(&mut self) -> &mut [u8; BUFFER_BYTES] {
        // SAFETY: the encoder only writes, and only written bytes are read; any bit pattern is a valid byte.
        unsafe { &mut *self.0.as_mut_ptr() }
    }
}

impl Monitor {
    /// Changes the scope: user, tags, contexts, feature flags, foreground or session.
    pub fn scope(&self, change: ScopeChange<'_>) {
        if self.0.refused_here().is_none() {
            scope::apply(&self.0, change);
        }
    }

    /// Opens the engine: creates the folder, takes its lock and maps the ring, in about 100 us. The database is opened on the
    /// writer thread while records already wait in the ring. A folder that cannot be used is not an error: see
    /// [`Status::store`].
    ///
    /// # Errors
    /// [`crate::ConfigError::System`] if the system provides neither memory nor a thread.
    pub fn open(config: Config) -> Result<Monitor, crate::ConfigError> {
        open::open(config)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod trace_property;
