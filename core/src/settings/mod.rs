//! The settings of a monitor as one flat record of strings, numbers, switches and lists, for languages that have no builder
//! of ours and for JSON.
//!
//! | file | idea |
//! | --- | --- |
//! | this one | the record, and the way from it to a [`ConfigBuilder`] |
//! | `table` | what a row of the table means |
//! | `destination` | the record of a destination, and the way from it to a destination |
//! | `platform` | the settings of the platform layers, with their defaults |
//! | `json` | JSON to record, record to JSON Schema |
//! | `error` | errors that name a setting as the app's language spells it |

mod destination;
mod error;
mod json;
mod platform;
mod table;

pub use destination::DestinationSettings;
pub use error::{SettingsError, Spelling, nearest};
pub use json::schema;
pub use platform::{Platform, PlatformSettings};
pub use table::{Setting, Shape};

use crate::config::{Config, ConfigBuilder, ConfigError, Consent};
use crate::destination::Named;
use crate::exit::UncleanExits;
use crate::kind::{Kind, Purpose};
use crate::level::Level;
use crate::trace::TraceStyle;
use destination::set;
use error::{Fault, hidden};
use std::time::Duration;
use table::record;

/// Most destinations in one configuration. No app is known to use more than ten.
const DESTINATIONS: usize = 32;

/// The longest duration that a threshold takes: an hour.
const HOUR_MS: i64 = 3_600_000;

const DAY_MS: i64 = 24 * HOUR_MS;

/// An event that seems older has a wrong clock.
const AGE_MS: i64 = crate::limits::AGE_UNKNOWN_DAYS * DAY_MS;

fn kinds() -> Vec<&'static str> {
    Kind::ALL.map(Kind::as_str).to_vec()
}

record! {
    /// The settings of a monitor. Every member can be left out, except `folder`, `app` and `release`.
    ///
    /// The first part is what the engine itself needs; [`Config::from_settings`] turns it into a [`ConfigBuilder`], to which a
    /// transport, a logger and hooks can be added. The rest is for the platform layers (Android, iOS, JavaScript), which read
    /// it with its defaults by [`Settings::platform`]; the engine ignores it.
    ///
    /// Durations end in `_ms` (milliseconds) or `_us` (microseconds), sizes in `_bytes`.
    ///
    /// ```
    /// use rez_monitor::{Config, DestinationSettings, Settings, Spelling};
    ///
    /// let settings = Settings {
    ///     folder: Some("/data/app/queue".into()),
    ///     app: Some("shop".into()),
    ///     release: Some("shop@1.4.0+52".into()),
    ///     slow_api_ms: Some(3_000),
    ///     destinations: vec![DestinationSettings {
    ///         name: Some("team".into()),
    ///         kind: Some("rez".into()),
    ///         endpoint: Some("https://in.example.com".into()),
    ///         key: Some("write-key".into()),
    ///         ..DestinationSettings::default()
    ///     }],
    ///     ..Settings::default()
    /// };
    /// let config = Config::from_settings(&settings, Spelling::Snake)?.build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[derive(Debug)]
    Settings {
        folder: Text(4096) = "required", "Where the queue is stored: private to the app, on internal storage, excluded from backup.";
        app: Text(200) = "required", "The app's name, on every event of the run.";
        release: Text(200) = "required", "The app's version, sent as given: `shop@1.4.0+52`.";
        dist: Text(200) = "none", "The build number.";
        environment: Text(200) = "none", "`production`, `staging` and so on.";
        os: Text(200) = "Rust's name of the system", "Operating system and version: `Android 15`.";
        device: Text(200) = "none", "The device model.";
        debug: Switch = "what the face knows: true in a debug build", "Whether the logger is used.";
        inspector: Switch = "the value of `debug`", "Whether a debug screen of the app may read the queue and let requests fail. It keeps the last 1,000 events in memory.";
        test_mode: Switch = "false", "Each event is sent at once, and no wait of the engine's own choice is longer than a second. For builds of testers and UI tests. While `debug` or `inspector` is on, the environment variable `REZ_TEST` is the default.";
        test_seed: Integer(0, (1 << 53) - 1) = "none", "In test mode: the ids of installation, runs and sessions are made from this number, so that a test that begins with an empty folder sees the same ones each time.";
        native_crashes: Switch = "false", "Signals that end the process (`SIGSEGV`, `SIGABRT` and so on) become a crash at the next start. Linux and Android.";
        unclean_exits: OneOf(&UncleanExits::NAMES) = "recorded", "What is recorded of a run that ended without a crash and without `close`: `recorded` = an `app_exit` if it was in the foreground; `await_report` = the same, after the host has reported what the system remembers; `ignored` = nothing, while a debugger is attached.";
        consent_monitoring: OneOf(&["pending", "granted", "denied"]) = "pending", "Consent to monitoring until `set_consent` is called for the first time.";
        consent_analytics: OneOf(&["pending", "granted", "denied"]) = "pending", "Consent to analytics until `set_consent` is called for the first time.";
        slow_screen_ms: Integer(0, HOUR_MS) = "3000", "A screen load that takes longer is slow.";
        slow_api_ms: Integer(0, HOUR_MS) = "5000", "An API call that takes longer is slow.";
        slow_image_ms: Integer(0, HOUR_MS) = "2000", "An image load that takes longer is slow.";
        sample_rates: Rates(kinds) = "1 for every kind", "Share of sessions in which a kind is recorded, by its name: `{\"frames\": 0.1}`.";
        log_level: OneOf(&Level::NAMES) = "info", "The lowest level of log entries that are recorded; those below are refused before they are encoded.";
        alert_window_ms: Integer(0, DAY_MS) = "300000", "How long the same alert, by title and severity, is stored once; 0 = each alert is stored.";
        cap_bytes: Integer(1_048_576, 1 << 40) = "20971520", "Maximum size of the queue.";
        max_age_ms: Integer(HOUR_MS, AGE_MS) = "1209600000", "Maximum age of a row, 14 days; crashes are kept for 30 days.";
        trace_targets: List(256) = "none", "Hosts that receive trace headers: `api.rezapp.com`, `*.rezapp.com`.";
        recorded_headers: List(64) = "none", "Names of HTTP headers whose values are recorded with an API call. The value of one that carries credentials is never recorded.";
        trace_styles: SomeOf(&["w3c", "sentry", "datadog"]) = "w3c", "Which trace headers are sent.";
        sessions: Switch = "true", "Whether sessions are recorded.";
        session_background_ms: Integer(0, DAY_MS) = "30000", "How long the app may be in the background before its session ends. The value of Sentry's mobile SDKs.";
        mask_user: Switch = "false", "Mask `user.email` and `user.username`.";
        mask_ip: Switch = "false", "Mask IP addresses in text.";
        destinations: Destinations(DESTINATIONS) = "none", "Where events are sent.";
        hangs: Switch = "true", "Record when the main thread does not respond.";
        hang_ms: Integer(100, HOUR_MS) = "5000 on Android, 2000 on iOS, 5000 elsewhere", "Time without a response of the main thread that is a hang. 5 s is Android's own limit, used by Sentry and Datadog; 2 s is the value of Sentry's iOS SDK.";
        errors: Switch = "true", "Record uncaught errors and exceptions.";
        rejections: Switch = "true", "Record promise rejections that nobody handles (JavaScript).";
        exits: Switch = "true", "Import why the system ended earlier processes (Android's `ApplicationExitInfo`, MetricKit's crash reports).";
        app_start: Switch = "true", "Record the app start.";
        app_start_max_ms: Integer(1_000, HOUR_MS) = "60000", "An app start that takes longer is not recorded: the app was started in the background. The value of Sentry's SDKs.";
        screens: Switch = "true", "Record screen loads from navigation.";
        screen_max_ms: Integer(1_000, HOUR_MS) = "30000", "A screen load that takes longer is cancelled. The deadline of Sentry's SDKs.";
        images: Switch = "true", "Record image loads of the components of the platform layer.";
        network: Switch = "true", "Record HTTP calls of the clients that the platform layer instruments.";
        interactions: Switch = "true", "Record taps: the component's label, never a text or an input.";
        frames: Switch = "true", "Record slow and frozen frames.";
        slow_frame_us: Integer(1_000, 1_000_000) = "16667", "A frame that takes longer is slow: one frame at 60 Hz, as Datadog's SDKs count.";
        frozen_frame_ms: Integer(50, 60_000) = "700", "A frame that takes longer is frozen. The value of Android vitals, Sentry and Datadog.";
        long_tasks: Switch = "true", "Record when the JavaScript thread or the main thread is busy for long.";
        long_task_ms: Integer(16, HOUR_MS) = "100", "A task that takes longer is long. The value of Datadog's native SDKs.";
        breadcrumb_lifecycle: Switch = "true", "Breadcrumbs: the app enters the foreground or the background.";
        breadcrumb_navigation: Switch = "true", "Breadcrumbs: the user navigates.";
        breadcrumb_touch: Switch = "true", "Breadcrumbs: taps.";
        breadcrumb_network: Switch = "true", "Breadcrumbs: HTTP calls, without query.";
        breadcrumb_console: Switch = "true", "Breadcrumbs: console output (JavaScript).";
        breadcrumb_system: Switch = "true", "Breadcrumbs: low memory, connectivity, battery, orientation.";
        device_hints: Switch = "true", "Tell the engine about network and power, so that it waits for a better moment.";
        background_upload: Switch = "true", "Let the system deliver what is left when the app is gone (Android's `JobScheduler`).";
    }
}

impl Settings {
    /// The destinations by name.
    pub(crate) fn destinations(&self, spelling: Spelling) -> Result<Vec<Named>, SettingsError> {
        let built = self.check().and_then(|()| built(&self.destinations));
        built.map_err(|fault| fault.spelled(spelling))
    }
}

impl Config {
    /// A builder with these settings. A transport, a logger, hooks and a clock can be added to it. All values are checked
    /// here, so `build` fails only because of what is added.
    ///
    /// # Errors
    /// [`SettingsError`] names the first invalid setting as `spelling` says.
    pub fn from_settings(settings: &Settings, spelling: Spelling) -> Result<ConfigBuilder, SettingsError> {
        build(settings).map_err(|fault| fault.spelled(spelling))
    }
}

fn build(settings: &Settings) -> Result<ConfigBuilder, Fault> {
    settings.check()?;
    let required = |name: &str, value: &Option<String>| match value {
        Some(text) => Ok(text.clone()),
        None => Err(Fault::value("missing".to_owned(), "give a value".to_owned()).inside(name.to_owned())),
    };
    let [folder, app, release] = [
        required("folder", &settings.folder)?,
        required("app", &settings.app)?,
        required("release", &settings.release)?,
    ];
    let mut builder = Config::builder(folder, app, release);
    builder = set(builder, settings.dist.as_ref(), |builder, text| builder.dist(text));
    builder = set(builder, settings.environment.as_ref(), |builder, text| builder.environment(text));
    builder = set(builder, settings.os.as_ref(), |builder, text| builder.os(text));
    builder = set(builder, settings.device.as_ref(), |builder, text| builder.device(text));
    for (purpose, consent) in Purpose::ALL.into_iter().zip([&settings.consent_monitoring, &settings.consent_analytics])
    {
        builder = match consent.as_deref() {
            Some("granted") => builder.consent(purpose, Consent::Granted),
            Some("denied") => builder.consent(purpose, Consent::Denied),
            _ => builder,
        };
    }
    let ms = |ms: Option<i64>| ms.map(|ms| Duration::from_millis(ms.unsigned_abs()));
    builder = set(builder, ms(settings.slow_screen_ms), ConfigBuilder::slow_screen);
    builder = set(builder, ms(settings.slow_api_ms), ConfigBuilder::slow_api);
    builder = set(builder, ms(settings.slow_image_ms), ConfigBuilder::slow_image);
    builder = set(builder, ms(settings.max_age_ms), ConfigBuilder::max_age);
    builder = set(builder, ms(settings.alert_window_ms), ConfigBuilder::alert_window);
    builder = set(builder, ms(settings.session_background_ms), ConfigBuilder::session_background);
    let level = settings.log_level.as_deref().and_then(Level::parse);
    builder = set(builder, level, ConfigBuilder::log_level);
    builder = set(builder, settings.debug, ConfigBuilder::debug);
    builder = set(builder, settings.inspector, ConfigBuilder::inspector);
    builder = set(builder, settings.test_mode, ConfigBuilder::test_mode);
    builder = set(builder, settings.test_seed.map(i64::unsigned_abs), ConfigBuilder::test_seed);
    builder = set(builder, settings.native_crashes, ConfigBuilder::native_crashes);
    let unclean = settings.unclean_exits.as_deref().and_then(UncleanExits::parse);
    builder = set(builder, unclean, ConfigBuilder::unclean_exits);
    builder = set(builder, settings.sessions, ConfigBuilder::sessions);
    builder = set(builder, settings.mask_user, ConfigBuilder::mask_user);
    builder = set(builder, settings.mask_ip, ConfigBuilder::mask_ip);
    for (kind, rate) in &settings.sample_rates {
        if let Some(kind) = Kind::parse(kind) {
            builder = builder.sample(kind, *rate);
        }
    }
    builder = set(builder, settings.cap_bytes.map(i64::unsigned_abs), ConfigBuilder::cap_bytes);
    builder = builder.trace_targets(settings.trace_targets.iter().flatten().map(String::as_str));
    builder = builder.recorded_headers(settings.recorded_headers.iter().flatten().map(String::as_str));
    if let Some(styles) = &settings.trace_styles {
        builder = builder.trace_styles(styles.iter().map(|style| match style.as_str() {
            "sentry" => TraceStyle::Sentry,
            "datadog" => TraceStyle::Datadog,
            _ => TraceStyle::W3c,
        }));
    }
    for (name, destination) in built(&settings.destinations)? {
        builder = builder.destination(name, destination);
    }
    builder.check().map_err(|error| from_config(error, settings))?;
    Ok(builder)
}

fn built(all: &[DestinationSettings]) -> Result<Vec<Named>, Fault> {
    let one = |(at, settings): (usize, &DestinationSettings)| {
        settings.build().map_err(|fault| fault.inside(format!("destinations[{at}]")))
    };
    all.iter().enumerate().map(one).collect()
}

/// An error of the builder, under the name of the setting.
fn from_config(error: ConfigError, settings: &Settings) -> Fault {
    match error {
        ConfigError::Field { field, value, why } => {
            let name = match field.as_ref() {
                "session_background" | "max_age" | "alert_window" => format!("{field}_ms"),
                field => field.to_owned(),
            };
            Fault::value(hidden(&value), why.to_owned()).inside(name)
        }
        ConfigError::Target(error) => {
            let at = settings
                .trace_targets
                .iter()
                .flatten()
                .position(|target| target.chars().take(100).eq(error.entry.chars()));
            let place = at.map_or_else(|| "trace_targets".to_owned(), |at| format!("trace_targets[{at}]"));
            Fault::value(hidden(&error.entry), error.fault.to_string()).inside(place)
        }
        ConfigError::Destination { name, why } => {
            let named = |one: &DestinationSettings| one.name.as_ref() == Some(&name);
            let at = settings.destinations.iter().rposition(named).unwrap_or(0);
            Fault::value(hidden(&name), why.to_owned()).inside(format!("destinations[{at}].name"))
        }
        error @ ConfigError::System(_) => {
            Fault::value("invalid".to_owned(), error.to_string()).inside("folder".to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
