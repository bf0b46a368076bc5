//! The engine behind an object of JavaScript, and the call of it.
//!
//! A folder has one engine in a process. The object that opens it first gives it all its settings; any other object that opens the
//! folder joins it, as a React Native app joins the engine that its native layer has opened. Closing it through one closes it for all.

use crate::messages::Messages;
use rez_monitor::{Config, Facts, From, Monitor, Settings, Spelling, WaitError};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The answer of a call behind which the library panics.
pub const FAILED: &str = "the library has failed; report it";

/// The engines of this process by folder.
static OPEN: Mutex<BTreeMap<PathBuf, Arc<Opened>>> = Mutex::new(BTreeMap::new());

struct Opened {
    /// `None` after the close.
    monitor: RwLock<Option<Monitor>>,
    messages: Messages,
}

impl Opened {
    fn monitor(&self) -> Option<Monitor> {
        self.monitor.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What an object of JavaScript refers to: nothing, or an engine that is open or closed.
#[derive(Default)]
pub struct Engine(RwLock<Option<Arc<Opened>>>);

/// How an object got its engine.
#[derive(Debug, PartialEq, Eq)]
pub struct Opening {
    /// 16 bytes from which JavaScript makes ids.
    pub seed: [u8; 16],
    /// Whether the engine was open already.
    pub joined: bool,
}

impl Engine {
    /// Opens the engine of a folder, or joins it: then only the destinations of the settings are used, and they also get what was
    /// recorded before.
    pub fn open(&self, settings: &str, facts: &str) -> Result<Opening, String> {
        let settings = Settings::from_json(settings, Spelling::Camel).map_err(text)?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = settings.folder.as_deref().map(absolute);
        let there = self.opened().or_else(|| open.get(folder.as_ref()?).cloned());
        if let Some((opened, monitor)) = there.and_then(|opened| Some((opened.clone(), opened.monitor()?))) {
            if !settings.destinations.is_empty() {
                monitor.add_destinations(&settings, Spelling::Camel, From::Oldest).map_err(text)?;
            }
            self.set(opened);
            return Ok(Opening { seed: monitor.ids().seed(), joined: true });
        }
        let messages = Messages::default();
        let monitor = start(&settings, facts, messages.clone())?;
        let seed = monitor.ids().seed();
        let opened = Arc::new(Opened { monitor: RwLock::new(Some(monitor)), messages });
        open.extend(folder.map(|folder| (folder, Arc::clone(&opened))));
        self.set(opened);
        Ok(Opening { seed, joined: false })
    }

    /// Takes the engine from all objects of the folder, to be closed.
    pub fn take(&self) -> Option<Monitor> {
        let opened = self.opened()?;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, other| !Arc::ptr_eq(other, &opened));
        opened.monitor.write().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The engine; `None` before `open` and after `close`.
    pub fn monitor(&self) -> Option<Monitor> {
        self.opened()?.monitor()
    }

    /// What the engine has to say, also after the close.
    pub fn messages(&self) -> Option<Messages> {
        Some(self.opened()?.messages.clone())
    }

    /// Calls the engine. `or` is the answer if there is none, or if it panics.
    pub fn with<T>(&self, or: T, call: impl FnOnce(&Monitor) -> T) -> T {
        match self.monitor() {
            Some(monitor) => guarded(or, || call(&monitor)),
            None => or,
        }
    }

    /// Calls the engine, if there is one.
    pub fn call<T, E: Display>(&self, call: impl FnOnce(&Monitor) -> Result<T, E>) -> Result<T, String> {
        let monitor = self.monitor().ok_or_else(closed)?;
        guarded(Err(FAILED.to_owned()), || call(&monitor).map_err(text))
    }

    fn opened(&self) -> Option<Arc<Opened>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, opened: Arc<Opened>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(opened);
    }
}

/// What a call says that needs an engine where none is open.
pub fn closed() -> String {
    WaitError::Closed.to_string()
}

/// Runs a call; `or` is the answer if it panics.
pub fn guarded<T>(or: T, call: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(|| {
        #[cfg(feature = "test-access")]
        rez_monitor::test_access::panic_if_asked();
        call()
    }))
    .unwrap_or(or)
}

/// What an error says.
pub fn text(error: impl Display) -> String {
    error.to_string()
}

/// The name under which the engine knows a folder.
fn absolute(folder: &str) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| Path::new(folder).to_owned())
}

fn start(settings: &Settings, facts: &str, messages: Messages) -> Result<Monitor, String> {
    let mut config = Config::from_settings(settings, Spelling::Camel).map_err(text)?.logger(messages);
    if !facts.is_empty() {
        config = config.facts(Facts::from_json(facts).map_err(text)?);
    }
    #[cfg(feature = "test-access")]
    let config = rez_monitor::test_access::prepare(config);
    Monitor::open(config.build().map_err(text)?).map_err(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn settings(folder: &Path) -> String {
        json!({"folder": folder, "app": "shop", "release": "shop@1", "consentMonitoring": "granted"}).to_string()
    }

    #[test]
    fn a_second_object_joins_the_engine_of_its_folder_and_closing_one_closes_both() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Engine::default(), Engine::default());
        assert!(!first.open(&settings(folder.path()), "").unwrap().joined);
        assert!(second.open(&settings(folder.path()), "").unwrap().joined);
        assert!(second.monitor().unwrap().record_batch(r#"{"v":1,"items":[{"kind":"message","message":"one"}]}"#));
        first.take().unwrap().close(Duration::from_secs(20));
        assert!(second.monitor().is_none() && second.take().is_none());
        assert!(!second.open(&settings(folder.path()), "").unwrap().joined);
        second.take().unwrap().close(Duration::from_secs(20));
    }

    #[test]
    fn an_object_that_is_open_joins_its_own_engine_whatever_the_folder() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let engine = Engine::default();
        let first = engine.open(&settings(folder.path()), "").unwrap();
        let again = engine.open(&settings(other.path()), "no facts").unwrap();
        assert!(again.joined && again.seed != first.seed);
        assert!(std::fs::read_dir(other.path()).unwrap().next().is_none());
        engine.take().unwrap().close(Duration::from_secs(20));
    }

    #[test]
    fn what_is_wrong_is_named_and_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        let open = |settings: &str, facts: &str| engine.open(settings, facts).unwrap_err();
        assert!(open("{", "").contains("JSON"));
        assert!(open(r#"{"app": "shop", "release": "shop@1"}"#, "").contains("folder"));
        assert!(open(&settings(folder.path()), "[]").contains("facts"));
        assert!(engine.monitor().is_none());
        assert_eq!(engine.call(|_| Ok::<_, String>(())), Err(closed()));
    }

    #[test]
    fn a_panic_behind_a_call_is_its_answer() {
        assert_eq!(guarded(7, || std::panic::resume_unwind(Box::new("the engine's fault"))), 7);
    }
}
