//! The configuration: a builder, validated once.

pub use crate::consent::Consent;
mod crashes;
mod derived;
mod development;
mod error;
mod facts;
mod test_mode;

pub use error::ConfigError;
pub(crate) use error::{check_destination, check_name};

use crate::delivery::Pace;
use crate::destination::{Destination, Named};
use crate::exit::UncleanExits;
use crate::facts::Facts;
use crate::kind::{Kind, Purpose};
use crate::level::Level;
use crate::limits;
use crate::logger::{Log, Logger};
use crate::privacy::header_is_secret;
use crate::sys::Clock;
use crate::sys::ids::Ids;
use crate::trace::{Targets, TraceStyle};
use crate::transport::{FaultSwitch, Transport};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use test_mode::TestMode;

/// Why a folder in a shared container is refused, and what to use.
const SHARED_CONTAINER: &str = "iOS ends a suspended app that holds file locks in a shared container; use a folder in the \
                                app's own container";

/// A hook that can change an event's JSON and returns whether to keep the event. Runs on a thread of its own.
pub type BeforeSend = Arc<dyn Fn(Kind, &mut serde_json::Value) -> bool + Send + Sync>;

/// A validated configuration. Create it with [`Config::builder`].
#[derive(Clone)]
pub struct Config {
    pub(crate) folder: PathBuf,
    pub(crate) app: String,
    pub(crate) release: String,
    pub(crate) dist: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) os: String,
    pub(crate) device: Option<String>,
    pub(crate) facts: Facts,
    pub(crate) destinations: Vec<Named>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) consent: [Consent; 2],
    pub(crate) slow: [Duration; 3],
    pub(crate) sampling: [f64; Kind::SLOTS],
    pub(crate) log_level: Level,
    pub(crate) alert_window: Duration,
    pub(crate) cap_bytes: u64,
    pub(crate) max_age: Duration,
    pub(crate) targets: Targets,
    pub(crate) trace_styles: Vec<TraceStyle>,
    /// Names of HTTP headers that are recorded, in lower case, none of them secret.
    pub(crate) recorded_headers: Vec<String>,
    pub(crate) sessions: bool,
    pub(crate) session_background: Duration,
    pub(crate) mask_user: bool,
    /// The privacy rules, with what the app chose of them.
    pub(crate) rules: crate::privacy::Rules,
    pub(crate) before_send: Option<BeforeSend>,
    pub(crate) logger: Option<Arc<dyn Logger>>,
    pub(crate) debug: bool,
    /// `None`: the value of `debug`.
    pub(crate) inspector: Option<bool>,
    /// Signals that end the process are captured.
    pub(crate) native_crashes: bool,
    /// What is recorded of a run that ended without a crash and without `close`.
    pub(crate) unclean_exits: UncleanExits,
    /// How soon the engine sends.
    pub(crate) pace: Pace,
    /// The seed of the ids; `None`: nobody can foresee them.
    pub(crate) seed: Option<u64>,
    /// How requests fail, for tests by hand.
    pub(crate) faults: FaultSwitch,
    pub(crate) suspended: bool,
    /// The running logger; `open` starts it.
    pub(crate) log: Log,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("folder", &self.folder).field("release", &self.release).finish_non_exhaustive()
    }
}

impl Config {
    /// A configuration for this folder (private to the app, excluded from backup, on internal storage), app name and release.
    /// Consent to both purposes is pending by default.
    pub fn builder(folder: impl Into<PathBuf>, app: impl Into<String>, release: impl Into<String>) -> ConfigBuilder {
        ConfigBuilder {
            config: Config {
                folder: folder.into(),
                app: app.into(),
                release: release.into(),
                dist: None,
                environment: None,
                os: std::env::consts::OS.to_owned(),
                device: None,
                facts: Facts::new(),
                destinations: Vec::new(),
                transport: None,
                consent: [Consent::Pending; 2],
                slow: [limits::SLOW_SCREEN, limits::SLOW_API, limits::SLOW_IMAGE],
                sampling: [1.0; Kind::SLOTS],
                log_level: Level::Info,
                alert_window: limits::ALERT_WINDOW,
                cap_bytes: limits::QUEUE_BYTES,
                max_age: limits::MAX_AGE,
                targets: Targets::default(),
                trace_styles: vec![TraceStyle::W3c],
                recorded_headers: Vec::new(),
                sessions: true,
                session_background: limits::SESSION_BACKGROUND,
                mask_user: false,
                rules: crate::privacy::Rules::default(),
                before_send: None,
                logger: None,
                debug: cfg!(debug_assertions),
                inspector: None,
                native_crashes: false,
                unclean_exits: UncleanExits::default(),
                pace: Pace::Usual,
                seed: None,
                faults: FaultSwitch::default(),
                suspended: false,
                log: Log::default(),
                clock: Clock::system(),
                ids: Ids::System,
            },
            trace_targets: Vec::new(),
            test: TestMode::default(),
        }
    }
}

/// Collects the values of a [`Config`]; [`ConfigBuilder::build`] validates them.
#[must_use]
#[derive(Debug)]
pub struct ConfigBuilder {
    config: Config,
    trace_targets: Vec<String>,
    test: TestMode,
}

impl ConfigBuilder {
    /// Sets the app's build number.
    pub fn dist(mut self, dist: impl Into<String>) -> Self {
        self.config.dist = Some(dist.into());
        self
    }

    /// Sets the environment: `production`, `staging` ...
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.config.environment = Some(environment.into());
        self
    }

    /// Sets operating system and version. Default: Rust's name of the system.
    pub fn os(mut self, os: impl Into<String>) -> Self {
        self.config.os = os.into();
        self
    }

    /// Sets facts about device, system and app. Where they have a model, or the name of a system, [`ConfigBuilder::device`] and
    /// [`ConfigBuilder::os`] do not count. [`crate::Monitor::set_facts`] replaces them later.
    pub fn facts(mut self, facts: Facts) -> Self {
        self.config.facts = facts.checked();
        self
    }

    /// Sets the device model.
    pub fn device(mut self, device: impl Into<String>) -> Self {
        self.config.device = Some(device.into());
        self
    }

    /// Adds a destination under a name that the app chooses. The name is its identity across starts.
    pub fn destination(mut self, name: impl Into<String>, destination: impl Destination) -> Self {
        self.config.destinations.push((name.into(), Arc::new(destination)));
        self
    }

    /// Uses the host's own HTTP client instead of the built-in one.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.config.transport = Some(Arc::new(transport));
        self
    }

    /// Sets the initial consent. It is used only until [`crate::Monitor::set_consent`] is called for the first time.
    pub fn consent(mut self, purpose: Purpose, consent: Consent) -> Self {
        if let Some(place) = self.config.consent.get_mut(purpose as usize) {
            *place = consent;
        }
        self
    }

    /// Sets the duration above which a screen load is slow (default 3 s, strictly greater).
    pub fn slow_screen(mut self, over: Duration) -> Self {
        self.config.slow[0] = over;
        self
    }

    /// Sets the duration above which an API call is slow and records the warning `Slow API: <endpoint>` (default 5 s, strictly
    /// greater).
    pub fn slow_api(mut self, over: Duration) -> Self {
        self.config.slow[1] = over;
        self
    }

    /// Sets the duration above which an image load is slow (default 2 s, strictly greater).
    pub fn slow_image(mut self, over: Duration) -> Self {
        self.config.slow[2] = over;
        self
    }

    /// Sets the share of sessions in which events of this kind are recorded, 0 to 1 (default 1).
    pub fn sample(mut self, kind: Kind, rate: f64) -> Self {
        if let Some(place) = self.config.sampling.get_mut(kind as usize) {
            *place = rate;
        }
        self
    }

    /// Sets the lowest level of log entries that are recorded (default info). Entries below it are refused at the call as
    /// [`crate::Reason::LogLevel`], before they are encoded, and are not counted. Messages, errors and breadcrumbs of any
    /// level are recorded.
    pub fn log_level(mut self, level: Level) -> Self {
        self.config.log_level = level;
        self
    }

    /// Sets how long the same alert, by title and severity, is stored once (default 5 minutes, at most 24 hours; zero = each alert is
    /// stored). The others are counted as `collapsed`, and the next one that is stored has their number. A restart does not end
    /// the window.
    pub fn alert_window(mut self, window: Duration) -> Self {
        self.config.alert_window = window;
        self
    }

    /// Sets the maximum size of the queue in bytes (default 20 MiB, at least 1 MiB).
    pub fn cap_bytes(mut self, bytes: u64) -> Self {
        self.config.cap_bytes = bytes;
        self
    }

    /// Sets the maximum age of rows (default 14 days, at least an hour). Crashes are kept for 30 days.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.config.max_age = age;
        self
    }

    /// Adds hosts that receive trace headers: `api.rezapp.com`, `*.rezapp.com`. None by default.
    pub fn trace_targets<T: Into<String>>(mut self, hosts: impl IntoIterator<Item = T>) -> Self {
        self.trace_targets.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Sets which trace headers are sent (default: W3C `traceparent`).
    pub fn trace_styles(mut self, styles: impl IntoIterator<Item = TraceStyle>) -> Self {
        self.config.trace_styles = styles.into_iter().collect();
        self
    }

    /// Adds names of HTTP headers whose values are recorded with an API call: `content-type`, `x-cache`. None by default. Case
    /// does not matter. The name of a header that carries credentials (`authorization`, `cookie`, `x-api-key` ...) is
    /// accepted and its value is still never recorded. At most 64 names of letters, digits and hyphens.
    pub fn recorded_headers<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.config.recorded_headers.extend(names.into_iter().map(|name| name.into().to_ascii_lowercase()));
        self
    }

    /// Sets whether sessions are recorded (default true): one starts at `open`, a new one after
    /// [`ConfigBuilder::session_background`].
    pub fn sessions(mut self, sessions: bool) -> Self {
        self.config.sessions = sessions;
        self
    }

    /// Sets how long the app may be in the background before its session ends (default 30 s, at most 24 hours). Raise it if a
    /// visit often leaves the app for longer, for example to pay in another app.
    pub fn session_background(mut self, time: Duration) -> Self {
        self.config.session_background = time;
        self
    }

    /// Sets whether `user.email` and `user.username` are masked (default false: sent as given).
    pub fn mask_user(mut self, mask: bool) -> Self {
        self.config.mask_user = mask;
        self
    }

    /// Masks IP addresses in text (default false, as the vendors do). The host of a recorded URL is kept: it is the
    /// address of a server.
    pub fn mask_ip(mut self, mask: bool) -> Self {
        self.config.rules.mask_ip = mask;
        self
    }

    /// Sets a hook that is called for each event before it is stored. Returning `false` drops the event as `filtered`. The hook
    /// runs on a thread of its own. If it panics or takes longer than a second, this event and all later ones of the run are
    /// dropped as `hook_failed`. A row that it makes larger than 64 KiB is dropped as `too_large`.
    pub fn before_send(mut self, hook: impl Fn(Kind, &mut serde_json::Value) -> bool + Send + Sync + 'static) -> Self {
        self.config.before_send = Some(Arc::new(hook));
        self
    }

    /// Opens the engine suspended (default false), as after [`crate::Monitor::suspend`]: records go into the ring, and nothing is
    /// stored, sent or passed to a hook until [`crate::Monitor::resume`]. For a host whose hook, logger or transport is ready
    /// only later than its first event. What is recorded before is in the ring even if the process is killed first.
    pub fn suspended(mut self, suspended: bool) -> Self {
        self.config.suspended = suspended;
        self
    }

    /// Validates the values.
    ///
    /// # Errors
    /// [`ConfigError`] with the field, the value and what is valid.
    pub fn build(mut self) -> Result<Config, ConfigError> {
        self.config.targets = self.check()?;
        test_mode::resolve(&self.test, &mut self.config);
        self.config.recorded_headers.retain(|name| !header_is_secret(name));
        Ok(self.config)
    }

    /// Validates the values, and returns the parsed trace targets.
    pub(crate) fn check(&self) -> Result<Targets, ConfigError> {
        let field = |field: &'static str, value: &str, why| ConfigError::Field {
            field: field.into(),
            value: value.chars().take(64).collect(),
            why,
        };
        let config = &self.config;
        let folder = config.folder.to_string_lossy();
        if config.folder.as_os_str().is_empty() {
            return Err(field("folder", "empty", "give a folder that is private to the app"));
        }
        if folder.contains("/Shared/AppGroup/") {
            return Err(field("folder", &folder, SHARED_CONTAINER));
        }
        check_name("app", &config.app)?;
        check_name("release", &config.release)?;
        if config.cap_bytes < 1024 * 1024 {
            return Err(field("cap_bytes", &config.cap_bytes.to_string(), "use at least 1 MiB (1048576)"));
        }
        if config.max_age < Duration::from_secs(3600) {
            return Err(field("max_age", &format!("{:?}", config.max_age), "use at least an hour"));
        }
        if config.session_background > limits::SESSION_BACKGROUND_MAX {
            let value = format!("{:?}", config.session_background);
            return Err(field("session_background", &value, "use at most 24 hours"));
        }
        if config.alert_window > limits::ALERT_WINDOW_MAX {
            return Err(field("alert_window", &format!("{:?}", config.alert_window), "use at most 24 hours"));
        }
        if let Some(name) = config.recorded_headers.iter().find(|name| !error::is_header(name)) {
            return Err(field(
                "recorded_headers",
                name,
                "use letters, digits and single hyphens, such as `content-type`",
            ));
        }
        if config.recorded_headers.len() > limits::ELEMENTS {
            let count = config.recorded_headers.len().to_string();
            return Err(field("recorded_headers", &count, "name at most 64 headers"));
        }
        for kind in Kind::ALL {
            let rate = config.sampling.get(kind as usize).copied().unwrap_or(1.0);
            if !(0.0..=1.0).contains(&rate) {
                let name = format!("sample({})", kind.as_str());
                return Err(ConfigError::Field {
                    field: name.into(),
                    value: rate.to_string(),
                    why: "use a rate from 0 to 1",
                });
            }
        }
        for (at, (name, _)) in config.destinations.iter().enumerate() {
            check_destination(name)?;
            if config.destinations.iter().skip(at + 1).any(|(other, _)| other == name) {
                return Err(ConfigError::Destination {
                    name: name.clone(),
                    why: "two destinations have this name; give each its own",
                });
            }
        }
        Ok(Targets::parse(self.trace_targets.iter().map(String::as_str))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_value_is_an_error_that_names_field_and_value() {
        let build = |change: fn(ConfigBuilder) -> ConfigBuilder| change(Config::builder("f", "shop", "1")).build();
        assert!(build(|b| b).is_ok());
        for (change, text) in [
            ((|b| b.cap_bytes(5)) as fn(ConfigBuilder) -> ConfigBuilder, "`cap_bytes` is 5"),
            (|b| b.sample(Kind::ApiCall, f64::NAN), "`sample(api_call)` is NaN: use a rate from 0 to 1"),
            (|b| b.max_age(Duration::ZERO), "`max_age` is 0ns"),
            (
                |b| b.session_background(Duration::from_secs(86_401)),
                "`session_background` is 86401s: use at most 24 hours",
            ),
            (|b| b.alert_window(Duration::from_secs(86_401)), "`alert_window` is 86401s: use at most 24 hours"),
            (|b| b.trace_targets(["https://x/"]), "trace_targets"),
            (|_| Config::builder("", "shop", "1"), "`folder` is empty"),
            (
                |_| Config::builder("/private/var/mobile/Containers/Shared/AppGroup/1", "shop", "1"),
                "`folder` is /private",
            ),
            (|_| Config::builder("f", "shop", "1\n2"), "`release` is 1"),
            (|_| Config::builder("f", " ", "1"), "`app` is"),
        ] {
            let error = build(change).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
