//! Errors and crashes: type, message, stack and severity.

use super::field::Field;
use super::{Cause, Language, Thread, User};
use super::{Details, Event};
use crate::attributes::Attrs;
use crate::event::conditions::Conditions;
use crate::kind::Kind;
use crate::level::Level;
use crate::trace::TraceContext;

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
    /// Address of the instruction, for a server that has the symbols.
    pub address: u64,
    /// Whether the frame is the app's own code rather than a library's.
    pub in_app: bool,
    /// Its language, if it differs from that of the stack.
    pub language: Option<Language>,
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
    fingerprints: &'a [&'a str],
    level: Option<Level>,
    language: Option<Language>,
    stack: Option<&'a str>,
    causes: &'a [Cause<'a>],
    group: bool,
    threads: &'a [Thread<'a>],
    tags: Attrs<'a>,
    user: Option<User<'a>>,
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
            fingerprints: &[],
            level: None,
            language: None,
            stack: None,
            causes: &[],
            group: false,
            threads: &[],
            tags: &[],
            user: None,
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

    /// Sets a fingerprint of several parts; it replaces [`ErrorEvent::fingerprint`]. The part `{{ default }}` stands for
    /// the fingerprint that the error has without one, so that an app can divide an issue further. At most 64 parts.
    ///
    /// ```
    /// use rez_monitor::ErrorEvent;
    ///
    /// let error = ErrorEvent::new("HttpError", "503").fingerprints(&["{{ default }}", "checkout"]);
    /// # let _ = error;
    /// ```
    #[must_use]
    pub fn fingerprints(mut self, parts: &'a [&'a str]) -> Self {
        self.fingerprints = parts;
        self
    }

    /// Sets the level. Default: `error`; `fatal` for a crash and for severity `Critical`. Kind and lane do not change.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Sets the language of the stack. Default: not given; a destination then derives it from the frames and the operating
    /// system.
    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.language = Some(language);
        self
    }

    /// Sets the stack as text, for a stack that cannot be parsed into frames. At most 8,192 bytes are kept.
    #[must_use]
    pub fn stack(mut self, text: &'a str) -> Self {
        self.stack = Some(text);
        self
    }

    /// Sets what led to the error. At most 10 causes are kept.
    #[must_use]
    pub fn causes(mut self, causes: &'a [Cause<'a>]) -> Self {
        self.causes = causes;
        self
    }

    /// Sets whether the error is a group of exceptions, such as an `AggregateError`. Default: false.
    #[must_use]
    pub fn group(mut self, group: bool) -> Self {
        self.group = group;
        self
    }

    /// Sets the threads at the time of the error. At most 64 are kept.
    #[must_use]
    pub fn threads(mut self, threads: &'a [Thread<'a>]) -> Self {
        self.threads = threads;
        self
    }

    /// Sets tags of this error alone; see [`Event::tags`].
    #[must_use]
    pub fn tags(mut self, tags: Attrs<'a>) -> Self {
        self.tags = tags;
        self
    }

    /// Sets the user of this error alone; see [`Event::user`].
    #[must_use]
    pub fn user(mut self, user: User<'a>) -> Self {
        self.user = Some(user);
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
        let level = self.level.unwrap_or(match (kind, self.severity) {
            (Kind::Crash, _) | (_, Severity::Critical) => Level::Fatal,
            _ => Level::Error,
        });
        let fingerprint = self.fingerprint.filter(|_| self.fingerprints.is_empty());
        Event::new(kind)
            .with(Field::Type, self.kind)
            .with(Field::Message, self.message)
            .with(Field::Level, level.as_str())
            .with(Field::Handled, self.handled && kind != Kind::Crash)
            .with(Field::Severity, self.severity.as_str())
            .maybe(Field::Code, self.code)
            .maybe(Field::Mechanism, self.mechanism)
            .maybe(Field::Fingerprint, fingerprint)
            .maybe(Field::Language, self.language.map(Language::as_str))
            .maybe(Field::Group, self.group.then_some(true))
            .maybe(Field::Stack, self.stack)
            .set_frames(self.frames)
            .set_details(Details { causes: self.causes, threads: self.threads, fingerprints: self.fingerprints })
            .tags(self.tags)
            .set_user(self.user)
            .set_context(self.context)
            .set_trace(self.trace)
            .set_time(self.at_ms)
            .attrs(self.attrs)
            .targets(self.targets)
            .set_conditions(self.conditions)
    }
}
