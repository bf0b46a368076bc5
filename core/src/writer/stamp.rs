//! The state of the fold: scope, session, screen, breadcrumbs, user properties, repetitions. Each event is stamped with the
//! state at the time it was recorded, in ticket order.

use super::batch::{Batch, Op};
use super::dedup::Dedup;
use super::device;
use super::row_json::{self, RowJson};
use super::scope_keys::{
    ALERTS, CLOSED, CONDITIONS, ENDED, KEY, PAUSED, PREVIOUS, PREVIOUS_CONDITIONS, RELEASE, REPORTED, SESSION, SUPER,
    UNCLEAN, VIEW, is_impersonal, is_of_monitoring, is_withheld,
};
use super::screens::Screens;
use super::timed_events::Timers;
use crate::event::decode::{Body, Raw};
use crate::event::field::Field;
use crate::id::{EventId, IdKey};
use crate::json::split::member;
use crate::kind::{Kind, Purpose};
use crate::limits;
use crate::privacy::Rules;
use crate::reason::Reason;
use crate::row::Run;
use crate::sorted::collected;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};

/// The folded scope, with which rows are stamped. Values are JSON text, as in the store.
#[derive(Default)]
pub(crate) struct Stamper {
    pub(crate) key: Option<IdKey>,
    pub(super) scope: BTreeMap<String, String>,
    pub(super) crumbs: VecDeque<String>,
    pub(super) crumb_number: u64,
    pub(super) properties: Map<String, Value>,
    pub(super) screens: Screens,
    /// The latest session that has begun, and the one before it.
    pub(super) sessions: [Option<String>; 2],
    pub(super) dedup: Dedup,
    pub(super) mask_user: bool,
    pub(super) rules: Rules,
    /// The run that is being folded.
    pub(super) run: Option<Run>,
    /// The timers of timed events.
    timers: Timers,
    /// The host has reported the exits of earlier runs.
    pub(super) exits_reported: bool,
    /// What is known of the ends of earlier runs has changed.
    pub(super) ends_changed: bool,
    /// The denied purposes, one bit each. While both are denied, what identifies the user stays in memory and is not written
    /// to the database; while analytics is denied, the super properties.
    denied: u8,
}

impl Stamper {
    /// Loads the state after the last fold of an earlier run.
    pub(crate) fn load(store: &crate::store::Store, config: &crate::config::Config) -> crate::store::Result<Stamper> {
        let crumbs = store.crumbs()?;
        let properties = store.properties()?;
        let scope: BTreeMap<String, String> = collected(store.scope()?);
        Ok(Stamper {
            dedup: Dedup::load(config.alert_window, scope.get(ALERTS)),
            key: scope.get(KEY).and_then(|hex| parse_key(hex.trim_matches('"'))),
            screens: Screens::load(scope.get(VIEW).map(String::as_str)),
            scope,
            crumb_number: crumbs.last().map_or(0, |crumb| crumb.number),
            crumbs: crumbs.into_iter().map(|crumb| crumb.json).collect(),
            properties: collected(
                properties.into_iter().filter_map(|(name, json)| Some((name, serde_json::from_str(&json).ok()?))),
            ),
            mask_user: config.mask_user,
            rules: config.rules,
            run: store.runs()?.pop(),
            ..Stamper::default()
        })
    }

    /// Writes the whole state into a new database.
    pub(crate) fn write(&self, fold: &mut crate::store::Fold<'_>, run: i64) -> crate::store::Result<()> {
        fold.clear_scope()?;
        for (key, json) in self.scope.iter().filter(|(key, _)| !is_withheld(key, self.denied)) {
            fold.scope(key, Some(json))?;
        }
        fold.clear_crumbs()?;
        for (back, json) in self.crumbs.iter().rev().enumerate() {
            fold.crumb(self.crumb_number.saturating_sub(back as u64), run, json)?;
        }
        for (name, value) in &self.properties {
            fold.property(name, Some(&value.to_string()))?;
        }
        Ok(())
    }

    /// Forgets what a wipe erases from the store: `what` has a bit for each denied purpose, 0xff = everything. When no
    /// purpose is left, the user goes too. The key of the ids and the sessions stay: records in the ring need them.
    pub(crate) fn forget(&mut self, what: u8) {
        if what & Purpose::Monitoring.bit() != 0 {
            self.crumbs.clear();
            self.scope.retain(|key, _| !is_of_monitoring(key));
            self.dedup.forget_alerts();
        }
        if what & Purpose::Analytics.bit() != 0 {
            self.properties.clear();
            self.scope.remove(SUPER);
            self.timers = Timers::default();
        }
        if what & Purpose::ALL_BITS == Purpose::ALL_BITS {
            self.scope.retain(|key, _| is_impersonal(key));
            self.screens = Screens::default();
        }
    }

    /// Sets the denied purposes, one bit each, before a batch is read. What was withheld because of a denial and no longer is
    /// is written to the database.
    pub(crate) fn set_denied(&mut self, denied: u8, batch: &mut Batch) {
        let before = std::mem::replace(&mut self.denied, denied);
        if before != denied {
            let freed = |key: &str| is_withheld(key, before) && !is_withheld(key, denied);
            let freed = self.scope.iter().filter(|(key, _)| freed(key));
            batch.ops.extend(freed.map(|(key, json)| Op::Scope(key.clone(), Some(json.clone()))));
        }
    }

    /// Whether this purpose is denied now.
    pub(super) fn is_denied(&self, purpose: Purpose) -> bool {
        self.denied & purpose.bit() != 0
    }

    /// A run begins: its scope is empty. Sessions without an end are remembered until they have one. `denied` has a bit for each
    /// purpose that was denied then.
    pub(crate) fn run(&mut self, body: &Body<'_>, denied: u8, batch: &mut Batch) {
        if let Some(run) = self.read_run(body) {
            self.begin_run(run, body.str(Field::Key).and_then(parse_key), denied, batch);
        }
    }

    /// Release or facts of the run change. The rows that follow refer to the changed run.
    pub(crate) fn change_run(&mut self, body: &Body<'_>, batch: &mut Batch) {
        let Some(run) = self.read_run(body) else { return };
        match body.str(Field::Key).and_then(parse_key) {
            // Its first record is lost, and the state belongs to another run.
            key if key != self.key => self.begin_run(run, key, 0, batch),
            _ => self.continue_run(run, batch),
        }
    }

    fn read_run(&self, body: &Body<'_>) -> Option<Run> {
        let mut run: Run = serde_json::from_str(body.str(Field::Run)?).ok()?;
        run.facts.scrub(self.rules);
        for text in [Some(&mut run.os), run.device.as_mut()].into_iter().flatten() {
            *text = self.rules.text(text).into_owned();
        }
        Some(run)
    }

    /// The same for a change whose own record is gone.
    pub(crate) fn continue_run(&mut self, run: Run, batch: &mut Batch) {
        let before = self.run.replace(run.clone()).map(|run| run.release);
        if let Some(before) = before.filter(|release| *release != run.release) {
            self.keep_release_of_session(&before, batch);
        }
        batch.ops.push(Op::Run(Box::new(run)));
    }

    /// Whether this change of the run, or a later one, was read.
    pub(crate) fn has_read(&self, run: &Run) -> bool {
        self.run.as_ref().is_some_and(|read| read.id == run.id && read.change >= run.change)
    }

    /// The same for a run whose own record is gone.
    pub(crate) fn begin_run(&mut self, run: Run, key: Option<IdKey>, denied: u8, batch: &mut Batch) {
        let before = self.run.replace(run.clone());
        // A run whose ring was replaced begins again, and has not ended.
        let ended = before.as_ref().filter(|before| before.id != run.id);
        let ended = ended.map(|before| (before, self.end_run(before, &run, denied, batch)));
        let unfinished = self.take_unfinished(before.as_ref().map(|run| &*run.release), ended);
        let mut kept = device::KEPT.map(|part| (part, self.scope.remove(part))).to_vec();
        kept.extend([SUPER, PAUSED, ENDED, UNCLEAN, REPORTED, ALERTS].map(|part| (part, self.scope.remove(part))));
        kept.push((PREVIOUS_CONDITIONS, self.scope.remove(CONDITIONS)));
        self.scope.clear();
        self.crumbs.clear();
        self.screens = Screens::default();
        self.dedup.begin_run();
        self.timers = Timers::default();
        self.exits_reported = false;
        self.key = key;
        let release = Value::from(&*run.release).to_string();
        batch.ops.extend([Op::ClearScope, Op::ClearCrumbs, Op::Run(Box::new(run))]);
        self.keep(RELEASE, Some(release), batch);
        if let Some(key) = key {
            let hex = uuid::Uuid::from_bytes(key.to_bytes()).simple().to_string();
            self.keep(KEY, Some(format!("\"{hex}\"")), batch);
        }
        if !unfinished.is_empty() {
            self.keep(PREVIOUS, Some(Value::Array(unfinished).to_string()), batch);
        }
        for (part, value) in kept.into_iter().filter(|(_, value)| value.is_some()) {
            self.keep(part, value, batch);
        }
    }

    /// Applies a scope change.
    pub(crate) fn scope(&mut self, body: &Body<'_>, batch: &mut Batch) {
        let name = body.str(Field::Name).unwrap_or_default();
        match body.str(Field::Change) {
            Some("user") => {
                let names = [("id", Field::Name), ("email", Field::Email), ("username", Field::Username)];
                let json = self.user_json(names.map(|(name, field)| (name, body.str(field))), body.get(Field::Extra));
                self.keep("user", json, batch);
                for (part, value) in device::user_changed(&self.scope, body.str(Field::Name), self.key, body.mono_us) {
                    self.keep(part, value, batch);
                }
            }
            Some("tag") => self.keep_in("tags", name, body.get(Field::Value), batch),
            Some("context") => self.keep_in("contexts", name, body.get(Field::Context), batch),
            Some(CONDITIONS) => {
                let json = body.get(Field::Conditions).map(|value| row_json::keyed(self.rules, CONDITIONS, value));
                self.keep(CONDITIONS, json, batch);
            }
            Some("flag") => self.flag(name, body.get(Field::Value), batch),
            Some("session") => self.begin_session(body, batch),
            Some("foreground") => {
                self.foreground(body.get(Field::Value) == Some(Raw::Bool(true)), body.time().0, batch);
            }
            Some("closed") => self.keep(CLOSED, Some("true".into()), batch),
            Some("exit") => self.exit_without_fault(body, batch),
            Some("exits_reported") => self.exits_reported = true,
            Some("ends_decided") => self.decide_ends(batch),
            Some("pause") => self.pause(name, true, batch),
            Some("resume") => self.pause(name, false, batch),
            Some("super") => self.set_super(body, false, batch),
            Some("super_once") => self.set_super(body, true, batch),
            Some("super_unset") => self.unset_super(Some(name), batch),
            Some("super_clear") => self.unset_super(None, batch),
            Some("time_event") => self.timers.start(name, body.time().1),
            Some("screen") => {
                self.screens.open(name, body);
                self.keep_view(batch);
            }
            Some("view_timing") => self.screens.timing(self.rules, name, body),
            Some("view_attrs") => self.screens.add_attrs(self.rules, body),
            Some("screen_cancelled") => {
                self.screens.cancel(body);
            }
            Some("span") => self.screens.open_span(body),
            Some("span_ended") => self.screens.cancel_span(body),
            _ => {}
        }
    }

    /// An event becomes one row, or one entry in the ledger.
    pub(crate) fn event(&mut self, kind: Kind, id: EventId, body: &Body<'_>, batch: &mut Batch) {
        batch.ops.push(Op::Intake(Some(kind)));
        if self.handle_exit(kind, id, body, batch) || (kind == Kind::Crash && self.collapse_same_crash(body, batch)) {
            return;
        }
        let collapsed_before = match self.dedup.admit(kind, body) {
            Ok(collapsed) => collapsed,
            Err(()) => return batch.ops.push(Op::Drop(Some(kind), Reason::Collapsed)),
        };
        // A stop of a view that is not shown changes nothing: another view has ended it.
        let stops = kind == Kind::ScreenView
            && body.str(Field::Op) == Some("stop")
            && self.screens.is_shown(body.str(Field::ViewKey).unwrap_or_default());
        self.screens.count(self.rules, kind, id, body);
        let mut object = RowJson::new(self.rules);
        let name = body.str(Field::Name).unwrap_or_default();
        let session_event = kind == Kind::Session;
        let attrs = self.with_super(kind, body);
        let mut cut = body.i64(Field::Cut).unwrap_or(0);
        for (field, value) in &body.fields {
            match field {
                Field::Attrs if attrs.is_some() => {}
                // A call that started before there was a session.
                Field::Session if !session_event && *value == Raw::Null => {}
                // The value that is in place afterwards is added below.
                Field::Value if kind == Kind::UserProp && body.str(Field::Op) == Some("set_once") => {}
                Field::Attrs | Field::Context | Field::Frames | Field::Causes | Field::Threads
                    if object.len() > limits::ROW_BYTES / 2 =>
                {
                    cut = cut.saturating_add(1);
                }
                Field::Cut => {}
                _ => object.field(*field, *value, name),
            }
        }
        if cut > 0 {
            object.number(Field::Cut.as_str(), cut);
        }
        if let Some(attrs) = attrs {
            object.json("attrs", &attrs);
        }
        if kind == Kind::Analytics
            && let Some(us) = self.timers.end(name, body.time().1)
        {
            object.number("duration_us", us);
        }
        if kind == Kind::UserProp {
            self.profile_change(name, body, &mut object, batch);
        }
        if session_event {
            self.session_event(body, &mut object, batch);
        }
        if collapsed_before > 0 {
            object.number("collapsed_before", collapsed_before);
        }
        // A call that has outlived its session names it.
        let has_session = session_event || body.get(Field::Session).is_some();
        self.stamp(kind, body, &mut object, has_session);
        if stops {
            self.screens.stop(body, &mut object);
        }
        self.keep_view(batch);
        if matches!(kind, Kind::Crash | Kind::Error | Kind::Hang | Kind::AppExit) {
            self.count_error(kind, batch);
            if kind == Kind::Crash {
                self.crash_times(body, &mut object);
            }
            let trail = self.trail(limits::ROW_BYTES.saturating_sub(object.len() + 16));
            object.json("trail", &trail);
        }
        let json = object.finish();
        if json.len() > limits::ROW_BYTES {
            return batch.ops.push(Op::Drop(Some(kind), Reason::TooLarge));
        }
        self.screens.child(self.rules, kind, id, body);
        let targets = body.targets();
        let (wall_ms, mono_us) = body.time();
        batch.ops.push(Op::Row { id, kind, run: None, wall_ms, mono_ms: mono_us.div_euclid(1_000), targets, json });
        if kind == Kind::Crash {
            self.set_crashed(id, body, batch);
        }
    }

    fn stamp(&mut self, kind: Kind, body: &Body<'_>, object: &mut RowJson, has_session: bool) {
        if !has_session
            && let Some(session) = self.scope.get(SESSION)
            && let Some(id) = member(session, "id")
        {
            match body.i64(Field::SessionAt).filter(|at_ms| began_after(session, *at_ms)) {
                None => object.json("session", id),
                Some(_) => self.sessions[1].iter().for_each(|id| object.text("session", id)),
            }
        }
        self.screens.stamp(kind, body, object);
        if kind.has_conditions() && body.get(Field::Conditions).is_none() {
            // The process that exited is that of an earlier run.
            let key = if kind == Kind::AppExit { PREVIOUS_CONDITIONS } else { CONDITIONS };
            self.scope.get(key).into_iter().for_each(|json| object.json("conditions", json));
        }
        self.stamp_scope(kind, body, object);
    }

    /// Keeps the view that is shown for the next process, which may have to tell of a crash on it.
    fn keep_view(&mut self, batch: &mut Batch) {
        if let Some(view) = self.screens.take_changed(self.rules) {
            self.keep(VIEW, view, batch);
        }
    }

    pub(super) fn keep(&mut self, key: &str, json: Option<String>, batch: &mut Batch) {
        match &json {
            Some(json) => self.scope.insert(key.to_owned(), json.clone()),
            None => self.scope.remove(key),
        };
        if !is_withheld(key, self.denied) {
            batch.set_scope(key, json);
        }
    }

    fn keep_in(&mut self, key: &str, name: &str, value: Option<Raw<'_>>, batch: &mut Batch) {
        let mut map: Map<String, Value> =
            self.scope.get(key).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
        let shown = self.rules.text(name);
        match value {
            Some(value) if map.contains_key(&*shown) || map.len() < limits::ELEMENTS => {
                map.insert(
                    shown.into_owned(),
                    serde_json::from_str(&row_json::keyed(self.rules, name, value)).unwrap_or_default(),
                );
            }
            Some(_) => return,
            None => drop(map.remove(&*shown)),
        }
        self.keep(key, (!map.is_empty()).then(|| Value::Object(map).to_string()), batch);
    }
}

/// Whether a session, as the scope has it, began after this time.
fn began_after(session: &str, at_ms: i64) -> bool {
    let began_ms = member(session, "started_ms").and_then(|ms| ms.parse::<i64>().ok());
    began_ms.is_some_and(|began_ms| at_ms < began_ms)
}

fn parse_key(hex: &str) -> Option<IdKey> {
    uuid::Uuid::try_parse(hex).ok().map(|uuid| IdKey::from_bytes(*uuid.as_bytes()))
}
