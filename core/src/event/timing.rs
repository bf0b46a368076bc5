//! Durations that the caller measured: screens, starts, API calls, images and long tasks.

use super::micros;
use crate::attributes::Attrs;
use crate::trace::TraceContext;
use std::time::Duration;

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

impl StartKind {
    /// The spelling in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StartKind::Cold => "cold",
            StartKind::Warm => "warm",
        }
    }
}

/// Names and values of HTTP headers.
type Headers<'a> = &'a [(&'a str, &'a str)];

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
    pub(crate) request_headers: Headers<'a>,
    pub(crate) response_headers: Headers<'a>,
    pub(crate) trace: Option<TraceContext>,
}

impl<'a> Timing<'a> {
    /// A timing of any kind. `name` is the name of a screen or task, the URL of a call or image, or `cold` or `warm` of an app
    /// start.
    #[must_use]
    #[inline]
    pub fn new(kind: TimingKind, name: &'a str, duration: Duration) -> Timing<'a> {
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
            request_headers: &[],
            response_headers: &[],
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
        Timing::new(TimingKind::AppStart, kind.as_str(), duration)
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

    /// Sets the start, in milliseconds since 1970. Default: the end minus the duration. See [`crate::Event::at`] for times that are
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

    /// Sets the HTTP method of an API call.
    #[must_use]
    #[inline]
    pub fn method(mut self, method: &'a str) -> Self {
        self.method = method;
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

    /// Sets the headers of an API call's request: names and values. Only those are recorded that
    /// [`crate::ConfigBuilder::recorded_headers`] names and that carry no credentials; the names of the configuration are
    /// written. If a name occurs twice, the last value counts.
    #[must_use]
    #[inline]
    pub fn request_headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.request_headers = headers;
        self
    }

    /// The same for the response.
    #[must_use]
    #[inline]
    pub fn response_headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.response_headers = headers;
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
