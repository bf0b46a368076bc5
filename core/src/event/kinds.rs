//! The arguments of the typed calls.

use super::field::Field;
use super::{Event, micros};
use crate::attributes::{Attrs, Value};
use crate::conditions::Conditions;
use crate::kind::Kind;
use crate::level::Level;
use crate::trace::TraceContext;
use std::time::Duration;

/// One frame of a stack. Unknown text is empty, unknown numbers are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Function or method.
    pub function: &'a str,
    /// Module, package or library.
    pub module: &'a str,
    /// Source file.
    pub file: &'a str,
    /// Line in it, from 1.
    pub line: u32,
    /// Column in it, from 1.
    pub column: u32,
    /// Instruction address, for symbols to be found later.
    pub address: u64,
    /// The app's own code, not a library's.
    pub in_app: bool,
}

/// The effect of an error on the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Hardly noticed.
    Low,
    /// Noticed.
    #[default]
    Medium,
    /// Something important failed.
    High,
    /// The app cannot continue.
    Critical,
}

impl Severity {
    /// The spelling in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// An error, handled or not.
///
/// ```
/// use rez_monitor::{ErrorEvent, Severity};
///
/// let context = [("status", 402.into())];
/// let error = ErrorEvent::new("PaymentError", "card declined")
///     .code("PAYMENT_ERROR")
///     .severity(Severity::High)
///     .context(&context);
/// # let _ = error;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ErrorEvent<'a> {
    kind: &'a str,
    message: &'a str,
    frames: &'a [Frame<'a>],
    handled: bool,
    severity: Severity,
    code: Option<&'a str>,
    context: Attrs<'a>,
    attrs: Attrs<'a>,
    mechanism: Option<&'a str>,
    fingerprint: Option<&'a str>,
    targets: &'a [&'a str],
    trace: Option<TraceContext>,
    at_ms: Option<i64>,
    conditions: Option<&'a Conditions>,
}

impl<'a> ErrorEvent<'a> {
    /// An error of this type (class name) with this message; handled, of medium severity.
    #[must_use]
    pub fn new(kind: &'a str, message: &'a str) -> ErrorEvent<'a> {
        ErrorEvent {
            kind,
            message,
            frames: &[],
            handled: true,
            severity: Severity::Medium,
            code: None,
            context: &[],
            attrs: &[],
            mechanism: None,
            fingerprint: None,
            targets: &[],
            trace: None,
            at_ms: None,
            conditions: None,
        }
    }

    /// Sets the stack, outermost frame first. Only the innermost 50 frames are kept.
    #[must_use]
    pub fn frames(mut self, frames: &'a [Frame<'a>]) -> Self {
        self.frames = frames;
        self
    }

    /// Sets whether the app caught the error.
    #[must_use]
    pub fn handled(mut self, handled: bool) -> Self {
        self.handled = handled;
        self
    }

    /// Sets the severity. `Critical` also sets the level `fatal`; the lane does not change.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Sets the app's own code, such as `NETWORK_ERROR`.
    #[must_use]
    pub fn code(mut self, code: &'a str) -> Self {
        self.code = Some(code);
        self
    }

    /// Sets named contexts, each a map.
    #[must_use]
    pub fn context(mut self, context: Attrs<'a>) -> Self {
        self.context = context;
        self
    }

    /// Sets attributes, as on any event.
    #[must_use]
    pub fn attrs(mut self, attrs: Attrs<'a>) -> Self {
        self.attrs = attrs;
        self
    }

    /// Sets what caught the error: `generic`, `onerror`, `promise` ...
    #[must_use]
    pub fn mechanism(mut self, mechanism: &'a str) -> Self {
        self.mechanism = Some(mechanism);
        self
    }

    /// Sets the fingerprint. Errors with the same fingerprint count as one error. Default: type, code and innermost frame.
    #[must_use]
    pub fn fingerprint(mut self, fingerprint: &'a str) -> Self {
        self.fingerprint = Some(fingerprint);
        self
    }

    /// Restricts it to these destinations.
    #[must_use]
    pub fn targets(mut self, targets: &'a [&'a str]) -> Self {
        self.targets = targets;
        self
    }

    /// Sets the span in which it happened. Default: the screen that is loading, if there is one.
    #[must_use]
    pub fn trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Sets when the error happened, in milliseconds since 1970; see [`Event::at`].
    #[must_use]
    pub fn at(mut self, wall_ms: i64) -> Self {
        self.at_ms = Some(wall_ms);
        self
    }

    /// Sets the conditions at its moment. They take the place of the last known ones ([`crate::Monitor::conditions`]).
    #[must_use]
    pub fn conditions(mut self, conditions: &'a Conditions) -> Self {
        self.conditions = Some(conditions);
        self
    }

    pub(crate) fn into_event(self, kind: Kind) -> Event<'a> {
        let level = match (kind, self.severity) {
            (Kind::Crash, _) | (_, Severity::Critical) => Level::Fatal,
            _ => Level::Error,
        };
        Event::new(kind)
            .with(Field::Type, self.kind)
            .with(Field::Message, self.message)
            .with(Field::Level, level.as_str())
            .with(Field::Handled, self.handled && kind != Kind::Crash)
            .with(Field::Severity, self.severity.as_str())
            .maybe(Field::Code, self.code)
            .maybe(Field::Mechanism, self.mechanism)
            .maybe(Field::Fingerprint, self.fingerprint)
            .set_frames(self.frames)
            .set_context(self.context)
            .set_trace(self.trace)
            .set_time(self.at_ms)
            .attrs(self.attrs)
            .targets(self.targets)
            .set_conditions(self.conditions)
    }
}

/// A breadcrumb: a note of what happened before an error. The last 100 are attached to each error.
#[derive(Clone, Copy, Debug)]
pub struct Breadcrumb<'a> {
    /// `default`, `http`, `navigation`, `user` ...
    pub kind: &'a str,
    /// The part of the app: `performance`, `api`, `user.action` ...
    pub category: &'a str,
    /// What happened.
    pub message: &'a str,
    /// The level.
    pub level: Level,
    /// Additional data.
    pub data: Attrs<'a>,
    /// When it happened, in milliseconds since 1970; `None` = at the call. Breadcrumbs keep the order of the calls. See
    /// [`Event::at`] for times that are ignored.
    pub at_ms: Option<i64>,
}

impl<'a> Breadcrumb<'a> {
    /// A crumb of type `default` and level `info`.
    #[must_use]
    #[inline]
    pub fn new(category: &'a str, message: &'a str) -> Breadcrumb<'a> {
        Breadcrumb { kind: "default", category, message, level: Level::Info, data: &[], at_ms: None }
    }

    /// Sets the type.
    #[must_use]
    #[inline]
    pub fn kind(mut self, kind: &'a str) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the level.
    #[must_use]
    #[inline]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets additional data.
    #[must_use]
    #[inline]
    pub fn data(mut self, data: Attrs<'a>) -> Self {
        self.data = data;
        self
    }

    /// Sets when it happened, in milliseconds since 1970.
    #[must_use]
    #[inline]
    pub fn at(mut self, wall_ms: i64) -> Self {
        self.at_ms = Some(wall_ms);
        self
    }

    #[inline]
    pub(crate) fn encode_into(&self, encoder: &mut super::encode::Encoder<'_>) {
        if let Some(at_ms) = self.at_ms {
            encoder.time(at_ms);
        }
        encoder.text_field(Field::Type, self.kind);
        encoder.text_field(Field::Category, self.category);
        encoder.text_field(Field::Message, self.message);
        encoder.text_field(Field::Level, self.level.as_str());
        if !self.data.is_empty() {
            encoder.field(Field::Data, Value::Map(self.data));
        }
    }
}

/// What a [`Timing`] measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimingKind {
    /// A screen from navigation to display.
    ScreenLoad,
    /// Process start to first screen.
    AppStart,
    /// An HTTP exchange.
    ApiCall,
    /// An image fetched and decoded.
    ImageLoad,
    /// The main thread was busy for a long time.
    LongTask,
}

/// How an app started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartKind {
    /// The process was started.
    Cold,
    /// The process was running, the screen was not.
    Warm,
}

/// A duration that the caller measured.
///
/// ```
/// use rez_monitor::Timing;
/// use std::time::Duration;
///
/// let call = Timing::api_call("GET", "https://api.rezapp.com/products/17?page=2", Duration::from_millis(120))
///     .status(200)
///     .bytes(0, 18_211);
/// # let _ = call;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Timing<'a> {
    pub(crate) kind: TimingKind,
    pub(crate) name: &'a str,
    pub(crate) method: &'a str,
    pub(crate) duration: Duration,
    pub(crate) start_wall_ms: Option<i64>,
    pub(crate) at_ms: Option<i64>,
    pub(crate) initial: Option<Duration>,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: Option<(u64, u64)>,
    pub(crate) error: Option<&'a str>,
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) attrs: Attrs<'a>,
    pub(crate) targets: &'a [&'a str],
    pub(crate) trace: Option<TraceContext>,
}

impl<'a> Timing<'a> {
    #[inline]
    fn new(kind: TimingKind, name: &'a str, duration: Duration) -> Timing<'a> {
        Timing {
            kind,
            name,
            method: "",
            duration,
            start_wall_ms: None,
            at_ms: None,
            initial: None,
            status: None,
            bytes: None,
            error: None,
            endpoint: None,
            attrs: &[],
            targets: &[],
            trace: None,
        }
    }

    /// A screen load.
    #[must_use]
    #[inline]
    pub fn screen_load(name: &'a str, duration: Duration) -> Timing<'a> {
        Timing::new(TimingKind::ScreenLoad, name, duration)
    }

    /// An app start.
    #[must_use]
    #[inline]
    pub fn app_start(kind: StartKind, duration: Duration) -> Timing<'a> {
        let word = if kind == StartKind::Cold { "cold" } else { "warm" };
        Timing::new(TimingKind::AppStart, word, duration)
    }

    /// An HTTP exchange. The query of the URL never leaves the process.
    #[must_use]
    #[inline]
    pub fn api_call(method: &'a str, url: &'a str, duration: Duration) -> Timing<'a> {
        Timing { method, ..Timing::new(TimingKind::ApiCall, url, duration) }
    }

    /// An image load.
    #[must_use]
    #[inline]
    pub fn image_load(url: &'a str, duration: Duration) -> Timing<'a> {
        Timing::new(TimingKind::ImageLoad, url, duration)
    }

    /// A long task on the main thread.
    #[must_use]
    #[inline]
    pub fn long_task(name: &'a str, duration: Duration) -> Timing<'a> {
        Timing::new(TimingKind::LongTask, name, duration)
    }

    /// Sets the start, in milliseconds since 1970. Default: the end minus the duration. See [`Event::at`] for times that are
    /// ignored.
    #[must_use]
    #[inline]
    pub fn started_at(mut self, wall_ms: i64) -> Self {
        self.start_wall_ms = Some(wall_ms);
        self
    }

    /// Sets the end, in milliseconds since 1970. Default: the start plus the duration; without a start the time of the call.
    #[must_use]
    #[inline]
    pub fn at(mut self, wall_ms: i64) -> Self {
        self.at_ms = Some(wall_ms);
        self
    }

    /// Sets the time until the first frame of a screen.
    #[must_use]
    #[inline]
    pub fn initial_display(mut self, after: Duration) -> Self {
        self.initial = Some(after);
        self
    }

    /// Sets the HTTP status.
    #[must_use]
    #[inline]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Sets the bytes sent and received.
    #[must_use]
    #[inline]
    pub fn bytes(mut self, sent: u64, received: u64) -> Self {
        self.bytes = Some((sent, received));
        self
    }

    /// Sets why there was no response.
    #[must_use]
    #[inline]
    pub fn error(mut self, error: &'a str) -> Self {
        self.error = Some(error);
        self
    }

    /// Sets the name under which `metrics()` counts an API call. Default: a template of the URL.
    #[must_use]
    #[inline]
    pub fn endpoint(mut self, endpoint: &'a str) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Sets attributes, as on any event.
    #[must_use]
    #[inline]
    pub fn attrs(mut self, attrs: Attrs<'a>) -> Self {
        self.attrs = attrs;
        self
    }

    /// Restricts it to these destinations.
    #[must_use]
    #[inline]
    pub fn targets(mut self, targets: &'a [&'a str]) -> Self {
        self.targets = targets;
        self
    }

    /// Sets its span, for a caller that measures on its own: the span of this timing, whose parent is another span of the
    /// app or of a server. An explicit parent takes precedence over the screen that is loading.
    ///
    /// ```
    /// use rez_monitor::{IdGenerator, Timing};
    /// use std::time::Duration;
    ///
    /// let ids = IdGenerator::from_seed([7; 16]);
    /// let screen = ids.root();
    /// let call = screen.child(&ids);
    /// let call = Timing::api_call("GET", "https://api.rezapp.com/cart", Duration::from_millis(120)).trace(call);
    /// let screen = Timing::screen_load("Cart", Duration::from_millis(300)).trace(screen);
    /// # let _ = (call, screen);
    /// ```
    #[must_use]
    #[inline]
    pub fn trace(mut self, trace: TraceContext) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The duration in whole microseconds.
    pub(crate) fn micros(&self) -> u64 {
        micros(self.duration)
    }
}

/// Revenue.
#[derive(Clone, Copy, Debug)]
pub struct Revenue<'a> {
    /// The amount, in units of the currency.
    pub amount: f64,
    /// ISO 4217 code; empty if the app has one currency that needs no code.
    pub currency: &'a str,
    /// The app's id of the transaction.
    pub transaction_id: Option<&'a str>,
    /// What was bought: a list of maps.
    pub items: &'a [Value<'a>],
    /// Sets attributes, as on any event.
    pub attrs: Attrs<'a>,
    /// The destinations that receive it; empty = all that accept its kind.
    pub targets: &'a [&'a str],
}

impl<'a> Revenue<'a> {
    /// Revenue without transaction and items.
    #[must_use]
    pub fn new(amount: f64, currency: &'a str) -> Revenue<'a> {
        Revenue { amount, currency, transaction_id: None, items: &[], attrs: &[], targets: &[] }
    }

    pub(crate) fn into_event(self) -> Event<'a> {
        let items = (!self.items.is_empty()).then_some(Value::List(self.items));
        Event::new(Kind::Revenue)
            .with(Field::Amount, self.amount)
            .maybe(Field::Currency, (!self.currency.is_empty()).then_some(self.currency))
            .maybe(Field::TransactionId, self.transaction_id)
            .maybe(Field::Items, items)
            .attrs(self.attrs)
            .targets(self.targets)
    }
}

/// A change of a property of the user.
#[derive(Clone, Copy, Debug)]
pub enum People<'a> {
    /// Sets a value.
    Set(&'a str, Value<'a>),
    /// Adds to a number. The row also carries the new absolute value.
    Increment(&'a str, f64),
    /// Appends a value to a list.
    Append(&'a str, Value<'a>),
}

impl<'a> People<'a> {
    pub(crate) fn into_event(self) -> Event<'a> {
        let event = Event::new(Kind::UserProp);
        match self {
            People::Set(name, value) => event.with(Field::Op, "set").with(Field::Name, name).with(Field::Value, value),
            People::Increment(name, by) => {
                event.with(Field::Op, "increment").with(Field::Name, name).with(Field::By, by)
            }
            People::Append(name, value) => {
                event.with(Field::Op, "append").with(Field::Name, name).with(Field::Value, value)
            }
        }
    }
}

/// The value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// Adds to a sum.
    Counter(f64),
    /// The current value.
    Gauge(f64),
    /// One sample of a distribution.
    Distribution(f64),
}

impl Metric {
    pub(crate) fn into_event(self, name: &str) -> Event<'_> {
        let (word, value) = match self {
            Metric::Counter(value) => ("counter", value),
            Metric::Gauge(value) => ("gauge", value),
            Metric::Distribution(value) => ("distribution", value),
        };
        Event::new(Kind::Metric).with(Field::Name, name).with(Field::Type, word).with(Field::Value, value)
    }
}

/// Feedback from a user about the app.
#[derive(Clone, Copy, Debug)]
pub struct Feedback<'a> {
    /// The text.
    pub message: &'a str,
    /// The name of the user, if given.
    pub name: Option<&'a str>,
    /// The address for an answer, if given. Sent as given.
    pub email: Option<&'a str>,
    /// The event it is about.
    pub about: Option<crate::EventId>,
}

/// The user of the app.
#[derive(Clone, Copy, Debug, Default)]
pub struct User<'a> {
    /// The app's id of the user.
    pub id: Option<&'a str>,
    /// Sent as given, unless the configuration masks it.
    pub email: Option<&'a str>,
    /// Sent as given, unless the configuration masks it.
    pub username: Option<&'a str>,
    /// Other properties.
    pub extra: Attrs<'a>,
}
