//! The run as its rows describe it: release and facts, and their changes while the process lives.

use super::{Inner, Monitor};
use crate::config::{Config, ConfigError, check_name};
use crate::event::encode::Encoder;
use crate::event::field::Field;
use crate::facts::{self, Facts};
use crate::limits;
use crate::ring::{Admission, Append, record};
use crate::row::Run;
use crate::sys::ids::Fresh;
use crate::writer::shared::Shared;
use std::sync::PoisonError;

/// Appends the first record of a run, with the run and the key of its ids. Returns the run.
pub(super) fn begin(shared: &Shared) -> Run {
    let config = &shared.config;
    let mut run = Run {
        id: config.ids.uuid(Fresh::Run),
        pid: config.ids.process(),
        boot: shared.boot.clone(),
        app: config.app.clone(),
        release: config.release.clone(),
        dist: config.dist.as_deref().and_then(cut),
        environment: config.environment.as_deref().and_then(cut),
        wall_ms: shared.clock.wall_ms(),
        mono_ms: shared.clock.mono_ms(),
        ..Run::default()
    };
    describe(&mut run, config, config.facts.clone());
    append(shared, record::RUN, &run);
    run
}

/// Sets the facts, and what follows from them.
fn describe(run: &mut Run, config: &Config, facts: Facts) {
    run.os = facts.os().or_else(|| cut(&config.os)).unwrap_or_default();
    run.device = facts.model.clone().or_else(|| config.device.as_deref().and_then(cut));
    run.facts = facts;
}

/// The text within the limit of a name, since the JSON of a run must fit its record; `None` if it is empty.
fn cut(text: &str) -> Option<String> {
    Some(facts::clean(text, limits::NAME_BYTES)).filter(|text| !text.is_empty())
}

/// Appends a record of the run. It is held like a scope change if the ring is full: nothing is accepted before it.
fn append(shared: &Shared, kind: u8, run: &Run) {
    let json = serde_json::to_string(run).unwrap_or_default();
    let key = uuid::Uuid::from_bytes(shared.key.to_bytes()).simple().to_string();
    let mut buffer = vec![0u8; limits::RECORD_BYTES];
    let mut encoder = Encoder::new(&mut buffer, shared.clock.wall_ms(), shared.clock.mono_us());
    encoder.field(Field::Key, key.as_str().into());
    encoder.field(Field::Run, json.as_str().into());
    let len = encoder.finish();
    let body = buffer.get(..len).unwrap_or_default();
    shared.ring.append_or_hold(&Append { kind, lane: 0, n: 0, admission: Admission::Always, purposes: 0, body });
}

impl Inner {
    /// Changes the run for all records from now on. A change to the same values is none.
    fn change_run(&self, field: &'static str, change: impl FnOnce(&mut Run)) -> Result<(), ConfigError> {
        if self.refused_here().is_some() {
            return Ok(());
        }
        // Held until the record is appended: changes have the order of their numbers in the ring.
        let mut run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = run.clone();
        change(&mut next);
        if next == *run {
            return Ok(());
        }
        if run.change >= limits::RUN_CHANGES {
            return Err(ConfigError::Field {
                field: field.into(),
                value: "changed for the 101st time in this run".into(),
                why: "a run accepts 100 changes; use conditions, tags or attributes for values that change often",
            });
        }
        next.change += 1;
        append(&self.shared, record::RUN_CHANGE, &next);
        self.shared.wake_after_append(false);
        *run = next;
        Ok(())
    }

    /// The run as its next rows describe it.
    pub(super) fn run(&self) -> Run {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Monitor {
    /// Replaces the facts about device, system and app. Events recorded from now on carry the new ones, all earlier ones keep
    /// theirs. Equal facts change nothing. A fact that is not set in `facts` is unknown from now on.
    ///
    /// Allocates memory, because facts change seldom. Does not block; any thread may call it.
    ///
    /// # Errors
    /// [`ConfigError::Field`] if release and facts have changed 100 times in this run ([`limits::RUN_CHANGES`]). The facts
    /// then stay as they are.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), rez_monitor::ConfigError> {
    /// use rez_monitor::{Config, Facts, Monitor};
    ///
    /// let facts = Facts::new().model("Pixel 9").locale("en-IN");
    /// let monitor = Monitor::open(Config::builder("/data/rez", "shop", "shop@2.4.1").facts(facts.clone()).build()?)?;
    /// // The user chose another language.
    /// monitor.set_facts(facts.locale("hi-IN"))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_facts(&self, facts: Facts) -> Result<(), ConfigError> {
        let inner = &*self.0;
        let facts = facts.checked();
        inner.change_run("facts", |run| describe(run, &inner.shared.config, facts))
    }

    /// Sets release and build number of all events recorded from now on, after an update that the app loaded while it ran.
    /// Earlier events keep theirs, and the current session belongs to the release in which it began. Equal values change
    /// nothing.
    ///
    /// Allocates memory, because a release changes seldom. Does not block; any thread may call it.
    ///
    /// # Errors
    /// [`ConfigError::Field`] if the release is empty, longer than 200 bytes or not one line, and if release and facts have
    /// changed 100 times in this run ([`limits::RUN_CHANGES`]). The release then stays as it is.
    pub fn set_release(&self, release: &str, dist: Option<&str>) -> Result<(), ConfigError> {
        check_name("release", release)?;
        self.0.change_run("release", |run| {
            release.clone_into(&mut run.release);
            run.dist = dist.and_then(cut);
        })?;
        self.0.samplers.set_release(release);
        Ok(())
    }

    /// Sets the conditions of the device that are known now: they are attached to every later error, crash and hang until the
    /// next call. Replaces all earlier ones. A scope change, so that each event gets those of its own moment.
    pub fn conditions(&self, conditions: crate::Conditions) {
        if self.0.refused_here().is_none() {
            self.0.append_scope(|encoder| {
                encoder.field(Field::Change, "conditions".into());
                conditions.encode_into(encoder);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{Filter, Reader};
    use crate::{Conditions, Connection, Consent, ErrorEvent, Event, Kind, Level, Purpose, ScopeChange};
    use serde_json::{Value as Json, json};
    use std::path::Path;
    use std::time::Duration;

    const WAIT: Duration = Duration::from_secs(60);

    fn config(folder: &Path) -> crate::ConfigBuilder {
        Config::builder(folder, "shop", "shop@1")
            .consent(Purpose::Monitoring, Consent::Granted)
            .consent(Purpose::Analytics, Consent::Granted)
            .sessions(false)
    }

    fn open(folder: &Path) -> Monitor {
        Monitor::open(config(folder).build().unwrap()).unwrap()
    }

    /// All rows in order, each with its run; the balance holds.
    fn rows(monitor: Monitor, folder: &Path) -> Vec<(Kind, Json, Run)> {
        monitor.close(WAIT);
        let reader = Reader::open(folder).unwrap();
        assert!(reader.balance().unwrap().holds(), "{:?}", reader.balance());
        let runs = reader.runs().unwrap();
        let mut rows: Vec<_> = reader.list(&Filter::default()).unwrap().into_iter().map(|listed| listed.row).collect();
        rows.sort_by_key(|row| row.seq);
        let run = |number: i64| runs.iter().find(|run| run.number == number).unwrap().clone();
        rows.into_iter().map(|row| (row.kind, serde_json::from_str(&row.json).unwrap(), run(row.run))).collect()
    }

    #[test]
    fn each_row_refers_to_the_release_and_the_facts_of_its_own_moment() {
        let folder = tempfile::tempdir().unwrap();
        let facts = Facts::new().model("Pixel 9").os_name("Android").os_version("15").locale("en-IN");
        let builder = config(folder.path()).os("Linux").device("board").facts(facts.clone());
        let monitor = Monitor::open(builder.build().unwrap()).unwrap();
        let _ = monitor.message("one", Level::Info, &[]);
        monitor.set_facts(facts.clone().locale("hi-IN")).unwrap();
        let _ = monitor.message("two", Level::Info, &[]);
        monitor.set_release("shop@2", Some("78")).unwrap();
        let _ = monitor.message("three", Level::Info, &[]);
        monitor.set_facts(Facts::new()).unwrap();
        let _ = monitor.message("four", Level::Info, &[]);
        let rows = rows(monitor, folder.path());
        let runs: Vec<&Run> = rows.iter().map(|(.., run)| run).collect();
        assert!(runs.iter().all(|run| run.id == runs[0].id && run.boot == runs[0].boot));
        assert_eq!(runs.iter().map(|run| run.change).collect::<Vec<_>>(), [0, 1, 2, 3]);
        let locales: Vec<_> = runs.iter().map(|run| run.facts.locale.as_deref()).collect();
        assert_eq!(locales, [Some("en-IN"), Some("hi-IN"), Some("hi-IN"), None]);
        let releases: Vec<_> = runs.iter().map(|run| (run.release.as_str(), run.dist.as_deref())).collect();
        assert_eq!(releases, [("shop@1", None), ("shop@1", None), ("shop@2", Some("78")), ("shop@2", Some("78"))]);
        let (with, without) = (("Android 15", Some("Pixel 9")), ("Linux", Some("board")));
        let devices: Vec<_> = runs.iter().map(|run| (run.os.as_str(), run.device.as_deref())).collect();
        assert_eq!(devices, [with, with, with, without]);
    }

    #[test]
    fn equal_values_are_no_change_and_a_hundred_changes_are_the_most() {
        let folder = tempfile::tempdir().unwrap();
        let monitor = open(folder.path());
        for _ in 0..1_000 {
            monitor.set_facts(Facts::new().locale("en-IN").memory_bytes(u64::MAX)).unwrap();
            monitor.set_release("shop@1", None).unwrap();
        }
        let mut refused = 0;
        for n in 0..10_000 {
            let changed = monitor.set_facts(Facts::new().locale(n.to_string()));
            refused += u32::from(changed.is_err());
            if n % 500 == 0 {
                monitor.persist(WAIT).unwrap();
            }
        }
        assert_eq!(refused, 10_000 - 99);
        let error = monitor.set_release("shop@2", None).unwrap_err().to_string();
        assert!(error.starts_with("configuration: `release` is changed for the 101st time"), "{error}");
        let _ = monitor.message("last", Level::Info, &[]);
        let rows = rows(monitor, folder.path());
        assert_eq!((rows[0].2.change, rows[0].2.facts.locale.as_deref()), (100, Some("98")));
        // Maintenance, which deletes what no row refers to, may have run.
        assert!(Reader::open(folder.path()).unwrap().runs().unwrap().len() <= 101);
        // In the next run it has run for certain.
        let monitor = open(folder.path());
        monitor.persist(WAIT).unwrap();
        let trimmed = monitor.0.shared.run_within(None, |store, now| store.maintain(now).map(|()| store.runs()));
        assert_eq!(trimmed.unwrap().unwrap().unwrap().len(), 2);
    }

    #[test]
    fn a_release_that_is_none_is_an_error_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let monitor = open(folder.path());
        for wrong in ["", " ", "a\nb", &"x".repeat(201)] {
            let error = monitor.set_release(wrong, None).unwrap_err().to_string();
            assert!(error.contains("`release` is") && error.contains("use 1 to 200 bytes on one line"), "{error}");
        }
        let _ = monitor.message("m", Level::Info, &[]);
        assert_eq!(rows(monitor, folder.path())[0].2.release, "shop@1");
    }

    #[test]
    fn personal_data_in_facts_os_and_device_is_masked_and_nothing_is_too_long_for_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let mail = "of a@b.example";
        let facts = Facts::new().family(mail).app_build(mail).time_zone("\"\\".repeat(300));
        let builder =
            config(folder.path()).os(mail).device(mail).dist("\u{1}".repeat(9_000)).environment("e".repeat(9_000));
        let monitor = Monitor::open(builder.facts(facts).build().unwrap()).unwrap();
        let _ = monitor.message("m", Level::Info, &[]);
        let run = rows(monitor, folder.path()).remove(0).2;
        assert_eq!((run.os.as_str(), run.device.as_deref()), ("of [email]", Some("of [email]")));
        assert_eq!(run.facts.family.as_deref(), Some("of [email]"));
        assert_eq!(run.facts.app_build.as_deref(), Some("of [email]"));
        assert_eq!(run.facts.time_zone.map(|zone| zone.len()), Some(100));
        assert_eq!((run.dist.as_deref(), run.environment.map(|text| text.len())), (None, Some(200)));
        for file in ["queue.db", "queue.db-wal"] {
            let bytes = std::fs::read(folder.path().join(file)).unwrap_or_default();
            assert!(!bytes.windows(11).any(|window| window == b"a@b.example"), "{file}");
        }
    }

    #[test]
    fn errors_crashes_hangs_and_app_exits_have_the_conditions_of_their_moment() {
        let folder = tempfile::tempdir().unwrap();
        let monitor = open(folder.path());
        let last = Conditions { battery: Some(0.25), connection: Some(Connection::Wifi), ..Conditions::default() };
        let own = Conditions { foreground: Some(true), battery: Some(7.0), ..Conditions::default() };
        let _ = monitor.error(ErrorEvent::new("E", "before"));
        monitor.conditions(last);
        let _ = monitor.error(ErrorEvent::new("E", "last known"));
        let _ = monitor.error(ErrorEvent::new("E", "own").conditions(&own));
        let _ = monitor.record(Event::hang(Duration::from_secs(6), &[]));
        let _ = monitor.record(Event::hang(Duration::from_secs(6), &[]).conditions(&own));
        let _ = monitor.message("none", Level::Info, &[]);
        let _ = monitor.record(Event::analytics("none").conditions(&own));
        let _ = monitor.record(Event::app_exit("low_memory", "of an earlier run"));
        let _ = monitor.fatal(ErrorEvent::new("E", "crash"), Duration::ZERO);
        monitor.conditions(Conditions { battery: Some(f64::NAN), ..Conditions::default() });
        let _ = monitor.error(ErrorEvent::new("E", "unknown again"));
        monitor.conditions(last);
        let found: Vec<Json> =
            rows(monitor, folder.path()).into_iter().map(|(_, json, _)| json["conditions"].clone()).collect();
        let (last, own) = (json!({"battery": 0.25, "connection": "wifi"}), json!({"foreground": true}));
        let none = Json::Null;
        let expected = [&none, &last, &own, &last, &own, &none, &none, &none, &last, &none];
        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        let monitor = open(folder.path());
        let _ = monitor.error(ErrorEvent::new("E", "of the next run"));
        let _ = monitor.record(Event::app_exit("low_memory", "of the run before"));
        let rows = rows(monitor, folder.path());
        assert_eq!((&rows[10].1["conditions"], &rows[11].1["conditions"]), (&none, &last));
    }

    #[test]
    fn a_session_belongs_to_the_release_in_which_it_began() {
        let folder = tempfile::tempdir().unwrap();
        let monitor = Monitor::open(config(folder.path()).sessions(true).build().unwrap()).unwrap();
        monitor.set_release("shop@2", None).unwrap();
        monitor.set_release("shop@3", None).unwrap();
        monitor.scope(ScopeChange::NewSession);
        monitor.set_facts(Facts::new().locale("en")).unwrap();
        let rows = rows(monitor, folder.path());
        let sessions: Vec<_> = rows.iter().map(|(_, json, run)| (&json["release"], run.release.as_str())).collect();
        let (none, first) = (Json::Null, json!("shop@1"));
        assert_eq!(sessions, [(&none, "shop@1"), (&first, "shop@3"), (&none, "shop@3"), (&none, "shop@3")]);
    }

    #[test]
    fn status_names_the_release_that_is_valid_now() {
        let folder = tempfile::tempdir().unwrap();
        let monitor = open(folder.path());
        assert_eq!(monitor.0.run().release, "shop@1");
        monitor.set_release("shop@2/eu", Some("9")).unwrap();
        assert_eq!((monitor.0.run().release.as_str(), monitor.0.run().dist.as_deref()), ("shop@2/eu", Some("9")));
    }

    #[test]
    fn a_crash_in_the_reserve_has_the_last_known_conditions_and_the_release_of_its_moment() {
        let folder = tempfile::tempdir().unwrap();
        let monitor = open(folder.path());
        monitor.conditions(Conditions { free_memory_bytes: Some(4096), ..Conditions::default() });
        monitor.set_release("shop@2", None).unwrap();
        let mut buffer = [0u8; 4096];
        let len =
            ErrorEvent::new("Boom", "out of memory").into_event(Kind::Crash).encode(&mut buffer, 1_795_400_000_000, 1);
        let shared = &monitor.0.shared;
        let (map, key) = (shared.ring.reserve_map(), shared.key.to_bytes());
        crate::ring::reserve::write(&map, Kind::Crash as u8, key, &buffer[..len]).unwrap();
        monitor.persist(WAIT).unwrap();
        let (kind, json, run) = rows(monitor, folder.path()).remove(0);
        assert_eq!(
            (kind, &json["conditions"], run.release.as_str()),
            (Kind::Crash, &json!({"free_memory_bytes": 4096}), "shop@2")
        );
    }
}
