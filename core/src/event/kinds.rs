//! The arguments of the typed calls, in the field's own words.

use super::field::Field;
use super::{Event, micros};
use crate::attributes::{Attrs, Value};
use crate::kind::Kind;
use crate::level::Level;
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

/// How bad an error is for the user (the guide's four steps).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Hardly noticed.
    Low,
    /// Noticed.
    #[default]
    Medium,
    /// Something important failed.
    High,
    /// The app cannot go on.
    Critical,
}

impl Severity {
    /// The one spelling.
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
        }
    }

    /// Its stack, outermost frame first; of more than 50 the innermost are kept.
    #[must_use]
    pub fn frames(mut self, frames: &'a [Frame<'a>]) -> Self {
        self.frames = frames;
        self
    }

    /// Whether the app caught it.
    #[must_use]
    pub fn handled(mut self, handled: bool) -> Self {
        self.handled = handled;
        self
    }

    /// How bad it is. `Critical` gives the level `fatal`, as the guide's handler does; the lane stays the kind's.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The app's own code for it, such as `NETWORK_ERROR`.
    #[must_use]
    pub fn code(mut self, code: &'a str) -> Self {
        self.code = Some(code);
        self
    }

    /// What the app knew about it.
    #[must_use]
    pub fn context(mut self, context: Attrs<'a>) -> Self {
        self.context = context;
        self
    }

    /// Attributes, as on any event.
    #[must_use]
    pub fn attrs(mut self, attrs: Attrs<'a>) -> Self {
        self.attrs = attrs;
        self
    }

    /// What caught it: `generic`, `onerror`, `promise` ...
    #[must_use]
    pub fn mechanism(mut self, mechanism: &'a str) -> Self {
        self.mechanism = Some(mechanism);
        self
    }

    /// Errors with the same fingerprint are one error; the default is made of type, code and innermost frame.
    #[must_use]
    pub fn fingerprint(mut self, fingerprint: &'a str) -> Self {
        self.fingerprint = Some(fingerprint);
        self
    }

    /// Only these destinations get it.
    #[must_use]
    pub fn targets(mut self, targets: &'a [&'a str]) -> Self {
        self.targets = targets;
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
            .attrs(self.attrs)
            .targets(self.targets)
    }
}

/// A step on the way to an error; the last 100 go with each error.
#[derive(Clone, Copy, Debug)]
pub struct Breadcrumb<'a> {
    /// `default`, `http`, `navigation`, `user` ...
    pub kind: &'a str,
    /// What part of the app: `performance`, `api`, `user.action` ...
    pub category: &'a str,
    /// What happened.
    pub message: &'a str,
    /// How bad.
    pub level: Level,
    /// Details.
    pub data: Attrs<'a>,
}

impl<'a> Breadcrumb<'a> {
    /// A crumb of type `default` and level `info`.
    #[must_use]
    #[inline]
    pub fn new(category: &'a str, message: &'a str) -> Breadcrumb<'a> {
        Breadcrumb { kind: "default", category, message, level: Level::Info, data: &[] }
    }

    /// Its type.
    #[must_use]
    #[inline]
    pub fn kind(mut self, kind: &'a str) -> Self {
        self.kind = kind;
        self
    }

    /// Its level.
    #[must_use]
    #[inline]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Its details.
    #[must_use]
    #[inline]
    pub fn data(mut self, data: Attrs<'a>) -> Self {
        self.data = data;
        self
    }

    #[inline]
    pub(crate) fn encode_into(&self, encoder: &mut super::encode::Encoder<'_>) {
        encoder.text_field(Field::Type, self.kind);
        encoder.text_field(Field::Category, self.category);
        encoder.text_field(Field::Message, self.message);
        encoder.text_field(Field::Level, self.level.as_str());
        if !self.data.is_empty() {
            encoder.field(Field::Data, Value::Map(self.data));
        }
    }
}

/// What a [`Timing`] measured.
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
    /// The main thread busy for long.
    LongTask,
}

/// How an app started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartKind {
    /// From nothing.
    Cold,
    /// The process was there, the screen was not.
    Warm,
}

/// Something the caller measured itself.
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
    pub(crate) initial: Option<Duration>,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: Option<(u64, u64)>,
    pub(crate) error: Option<&'a str>,
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) attrs: Attrs<'a>,
    pub(crate) targets: &'a [&'a str],
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
            initial: None,
            status: None,
            bytes: None,
            error: None,
            endpoint: None,
            attrs: &[],
            targets: &[],
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

    /// An HTTP exchange; the query of the URL never leaves the process.
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

    /// When it began, milliseconds since 1970; the default is now minus its duration.
    #[must_use]
    #[inline]
    pub fn started_at(mut self, wall_ms: i64) -> Self {
        self.start_wall_ms = Some(wall_ms);
        self
    }

    /// Time until the first frame of a screen.
    #[must_use]
    #[inline]
    pub fn initial_display(mut self, after: Duration) -> Self {
        self.initial = Some(after);
        self
    }

    /// HTTP status.
    #[must_use]
    #[inline]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Bytes sent and received.
    #[must_use]
    #[inline]
    pub fn bytes(mut self, sent: u64, received: u64) -> Self {
        self.bytes = Some((sent, received));
        self
    }

    /// Why there was no answer.
    #[must_use]
    #[inline]
    pub fn error(mut self, error: &'a str) -> Self {
        self.error = Some(error);
        self
    }

    /// The name under which `metrics()` counts an API call; the default is a template of the URL.
    #[must_use]
    #[inline]
    pub fn endpoint(mut self, endpoint: &'a str) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Attributes, as on any event.
    #[must_use]
    #[inline]
    pub fn attrs(mut self, attrs: Attrs<'a>) -> Self {
        self.attrs = attrs;
        self
    }

    /// Only these destinations get it.
    #[must_use]
    #[inline]
    pub fn targets(mut self, targets: &'a [&'a str]) -> Self {
        self.targets = targets;
        self
    }

    /// The duration in whole microseconds.
    pub(crate) fn micros(&self) -> u64 {
        micros(self.duration)
    }
}

/// Money received.
#[derive(Clone, Copy, Debug)]
pub struct Revenue<'a> {
    /// How much, in units of the currency.
    pub amount: f64,
    /// ISO 4217 code; empty = the app's own, unsaid.
    pub currency: &'a str,
    /// The shop's id of the transaction.
    pub transaction_id: Option<&'a str>,
    /// What was bought: a list of maps.
    pub items: &'a [Value<'a>],
    /// Attributes, as on any event.
    pub attrs: Attrs<'a>,
    /// Only these destinations get it.
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

/// What happens to a property of the user.
#[derive(Clone, Copy, Debug)]
pub enum People<'a> {
    /// It has this value now.
    Set(&'a str, Value<'a>),
    /// It grows by this much; the row also says the new absolute value.
    Increment(&'a str, f64),
    /// This value is added to its list.
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

/// A value of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// Adds to a sum.
    Counter(f64),
    /// The present value.
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

/// Words of a user about the app.
#[derive(Clone, Copy, Debug)]
pub struct Feedback<'a> {
    /// The words.
    pub message: &'a str,
    /// Who says it, if they said so.
    pub name: Option<&'a str>,
    /// Where to answer, if they said so. Goes as given.
    pub email: Option<&'a str>,
    /// The event it is about.
    pub about: Option<crate::EventId>,
}

/// Who uses the app.
#[derive(Clone, Copy, Debug, Default)]
pub struct User<'a> {
    /// The app's id of the user.
    pub id: Option<&'a str>,
    /// Goes as given, unless the configuration masks it.
    pub email: Option<&'a str>,
    /// Goes as given, unless the configuration masks it.
    pub username: Option<&'a str>,
    /// Anything else the app knows.
    pub extra: Attrs<'a>,
}
