//! Opens and closes an engine.

use crate::engines;
use crate::hooks::{ByHost, Hooks, LateHooks, ToHost, before_send};
use rez_monitor::{Config, ConfigBuilder, Facts, Monitor, Settings, Spelling};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Why an engine could not be opened.
#[derive(Clone, Debug, PartialEq, thiserror::Error, uniffi::Error)]
pub enum OpenError {
    /// A setting is wrong. The text names it as the language spells it, its value, and what to use.
    #[error("{text}")]
    Settings {
        /// One sentence.
        text: String,
    },
    /// The system refused something, or 64 engines are open.
    #[error("{text}")]
    System {
        /// One sentence.
        text: String,
    },
}

/// Which hooks the host will set: those of an engine that is opened before they are ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) transport: bool,
    pub(crate) before_send: bool,
    pub(crate) logger: bool,
}

impl Wanted {
    fn of(hooks: &Hooks) -> Wanted {
        Wanted {
            transport: hooks.transport.is_some(),
            before_send: hooks.before_send.is_some(),
            logger: hooks.logger.is_some(),
        }
    }

    fn any(self) -> bool {
        self != Wanted::default()
    }
}

/// The hooks of engines that were opened before their hooks were ready, by handle.
static LATE: Mutex<Option<HashMap<u64, Arc<LateHooks>>>> = Mutex::new(None);

fn late<T>(use_it: impl FnOnce(&mut HashMap<u64, Arc<LateHooks>>) -> T) -> T {
    use_it(LATE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// Opens an engine, and returns its handle. `settings` is JSON with names in `camelCase` (`docs/guide/configure.md`), `facts` JSON
/// as in `docs/guide/device.md`. A folder that is open already gives the same engine.
///
/// # Errors
/// [`OpenError`] names the setting that is wrong.
#[uniffi::export]
pub fn open(settings: String, facts: Option<String>, hooks: Hooks) -> Result<u64, OpenError> {
    let unavailable = Err(OpenError::System { text: "the library has failed; report it".to_owned() });
    engines::guarded(unavailable, || {
        let wanted = Wanted::of(&hooks);
        let set = Arc::new(LateHooks::default());
        set.set(hooks);
        start(&settings, facts.as_deref(), wanted, &set, false)
    })
}

/// Opens an engine whose hooks are set later, by [`set_hooks`]. Until then it is suspended if it wants any.
pub(crate) fn open_early(settings: &str, facts: Option<&str>, wanted: Wanted) -> Result<u64, OpenError> {
    let hooks = Arc::new(LateHooks::default());
    let handle = start(settings, facts, wanted, &hooks, wanted.any())?;
    late(|all| all.insert(handle, hooks));
    Ok(handle)
}

/// Sets the hooks of an engine that was opened before they were ready, and lets it store and send from now on.
#[uniffi::export]
pub fn set_hooks(handle: u64, hooks: Hooks) {
    if let Some(known) = late(|all| all.remove(&handle)) {
        known.set(hooks);
        engines::with(handle, (), Monitor::resume);
    }
}

fn start(
    settings: &str,
    facts: Option<&str>,
    wanted: Wanted,
    hooks: &Arc<LateHooks>,
    suspended: bool,
) -> Result<u64, OpenError> {
    let wrong = |text: String| OpenError::Settings { text };
    let settings = Settings::from_json(settings, Spelling::Camel).map_err(|error| wrong(error.to_string()))?;
    let config = Config::from_settings(&settings, Spelling::Camel).map_err(|error| wrong(error.to_string()))?;
    let mut config = with_hooks(config.suspended(suspended), wanted, hooks);
    if let Some(facts) = facts {
        config = config.facts(Facts::from_json(facts).map_err(|error| wrong(error.to_string()))?);
    }
    #[cfg(feature = "test-access")]
    let config = crate::test_access::prepare(config);
    let config = config.build().map_err(|error| wrong(error.to_string()))?;
    let monitor = Monitor::open(config).map_err(|error| OpenError::System { text: error.to_string() })?;
    let full = || OpenError::System { text: "64 engines are open; close one".to_owned() };
    engines::insert(monitor).ok_or_else(full)
}

fn with_hooks(mut config: ConfigBuilder, wanted: Wanted, hooks: &Arc<LateHooks>) -> ConfigBuilder {
    if wanted.transport {
        config = config.transport(ByHost(Arc::clone(hooks)));
    }
    if wanted.before_send {
        let hooks = Arc::clone(hooks);
        config = config.before_send(move |kind, row| before_send(&hooks, kind, row));
    }
    if wanted.logger {
        config = config.logger(ToHost(Arc::clone(hooks)));
    }
    config
}

/// Ends the session, sends what it can in at most `wait_ms`, and closes. The handle is stale from then on; other handles of
/// the same folder record nothing more.
#[uniffi::export]
pub fn close(handle: u64, wait_ms: i64) {
    late(|all| all.remove(&handle));
    engines::guarded((), || crate::endpoint::close(handle));
    if let Some(monitor) = engines::remove(handle) {
        engines::guarded((), || monitor.close(crate::events::millis(wait_ms)));
        // One that was being opened meanwhile.
        engines::guarded((), || crate::endpoint::close(handle));
    }
}
