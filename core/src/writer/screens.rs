//! The current screen: the view, counts of what happened on it, and the spans in progress.

use super::roots::{Root, Spans, is_child, trace_of};
use super::row_json::RowJson;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::id::EventId;
use crate::json::Object;
use crate::kind::Kind;
use crate::limits;
use crate::privacy::Rules;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The current view, the screen load in progress, and the spans of the app in progress.
#[derive(Default)]
pub(crate) struct Screens {
    view: Option<View>,
    loading: Option<Root>,
    spans: Spans,
    /// Another view is shown than before.
    changed: bool,
}

struct View {
    id: String,
    name: String,
    version: u64,
    counts: BTreeMap<&'static str, u64>,
    started_ms: i64,
    /// Its loading time, once known.
    loading_us: Option<i64>,
    /// Slow, frozen and total frames, once reported.
    frames: Option<[i64; 3]>,
    /// The same start by the monotonic clock.
    started_us: i64,
    /// The app's key, if it named the view itself.
    key: Option<String>,
    attrs: Map<String, Value>,
    /// Microseconds from the start, by name.
    timings: BTreeMap<String, i64>,
}

impl View {
    /// What another process needs of it.
    fn to_json(&self, rules: Rules) -> String {
        let (name, key) = (rules.text(&self.name), self.key.as_deref().map(|key| rules.text(key)));
        json!({"id": self.id, "name": name, "started_ms": self.started_ms, "started_us": self.started_us, "key": key})
            .to_string()
    }

    fn load(json: &str) -> Option<View> {
        let view: Value = serde_json::from_str(json).ok()?;
        let text = |name: &str| Some(view.get(name)?.as_str()?.to_owned());
        let number = |name: &str| view.get(name)?.as_i64();
        Some(View::new(text("id")?, text("name")?, (number("started_ms")?, number("started_us")?), text("key")))
    }

    fn new(id: String, name: String, (started_ms, started_us): (i64, i64), key: Option<String>) -> View {
        View {
            id,
            name,
            version: 0,
            counts: BTreeMap::new(),
            started_ms,
            loading_us: None,
            frames: None,
            started_us,
            key,
            attrs: Map::new(),
            timings: BTreeMap::new(),
        }
    }

    /// Adds the loading time or frames of the screen. Each later row repeats them, since vendors expect the whole view at once.
    fn update(&mut self, kind: Kind, body: &Body<'_>) {
        if kind == Kind::ScreenLoad {
            self.loading_us = body.i64(Field::DurationUs);
            return;
        }
        let counts = [Field::SlowFrames, Field::FrozenFrames, Field::TotalFrames].map(|field| body.i64(field));
        for (sum, more) in self.frames.get_or_insert_default().iter_mut().zip(counts) {
            *sum = sum.saturating_add(more.unwrap_or(0));
        }
    }

    /// Its attributes as a JSON object.
    fn attrs_json(&self) -> String {
        serde_json::to_string(&self.attrs).unwrap_or_default()
    }

    /// Appends its JSON, with the members in the order of their names. Each row has it, so it is written without a detour.
    fn push_to(&self, out: &mut String, rules: Rules) {
        Object::write(out, |view| {
            if !self.attrs.is_empty() {
                view.json("attrs", &self.attrs_json());
            }
            view.object("counts", |counts| self.counts.iter().for_each(|(name, count)| counts.number(name, count)));
            if let Some([slow, frozen, total]) = self.frames {
                view.object("frames", |frames| {
                    [("frozen", frozen), ("slow", slow), ("total", total)]
                        .into_iter()
                        .for_each(|(name, count)| frames.number(name, count));
                });
            }
            view.text("id", &self.id);
            if let Some(us) = self.loading_us {
                view.number("loading_us", us);
            }
            view.text("name", &rules.text(&self.name));
            view.number("started_ms", self.started_ms);
            if !self.timings.is_empty() {
                view.object("timings", |timings| self.timings.iter().for_each(|(name, us)| timings.number(name, us)));
            }
            view.number("version", self.version);
        });
    }
}

impl Screens {
    /// The view that was shown at the end of the last fold of an earlier process, without its counts.
    pub(crate) fn load(view: Option<&str>) -> Screens {
        Screens { view: view.and_then(View::load), ..Screens::default() }
    }

    /// The view that is shown, if it is another one than at the last call: JSON text, or `None` for no view.
    pub(crate) fn take_changed(&mut self, rules: Rules) -> Option<Option<String>> {
        std::mem::take(&mut self.changed).then(|| self.view.as_ref().map(|view| view.to_json(rules)))
    }

    /// When the present view began, in milliseconds since 1970.
    pub(crate) fn started_ms(&self) -> Option<i64> {
        Some(self.view.as_ref()?.started_ms)
    }

    /// For how long the present view has been shown, in milliseconds.
    pub(crate) fn shown_ms(&self, body: &Body<'_>) -> Option<i64> {
        let us = body.time().1.checked_sub(self.view.as_ref()?.started_us)?;
        Some(us.div_euclid(1_000)).filter(|ms| *ms >= 0)
    }

    /// Starts a screen load.
    pub(crate) fn open(&mut self, name: &str, body: &Body<'_>) {
        let view = body.str(Field::View).unwrap_or_default();
        self.open_view(name, view, body.time().0, body);
        self.loading = Some(Root::new(view, body));
    }

    /// Cancels a screen load.
    pub(crate) fn cancel(&mut self, body: &Body<'_>) {
        self.loading.take_if(|screen| Some(screen.label.as_str()) == body.str(Field::View));
    }

    /// Starts to collect the children of a span, unless it lies inside the screen load or another span.
    pub(crate) fn open_span(&mut self, body: &Body<'_>) {
        if self.root_of(body).is_none() {
            self.spans.open(body);
        }
    }

    /// Gives up what a span has collected.
    pub(crate) fn cancel_span(&mut self, body: &Body<'_>) {
        self.spans.take(body);
    }

    /// The span in progress in which this record lies. A trace of its own takes precedence over the screen load.
    fn root_of(&mut self, body: &Body<'_>) -> Option<&mut Root> {
        match &mut self.loading {
            Some(screen) if body.str(Field::TraceId).is_none() || screen.contains(body) => Some(screen),
            _ => self.spans.root_of(body),
        }
    }

    /// Adds view and trace to a row; the row of a screen load or a span also gets its children.
    pub(crate) fn stamp(&mut self, kind: Kind, body: &Body<'_>, object: &mut RowJson) {
        if let Some(view) = &self.view {
            let rules = object.rules();
            view.push_to(object.member("view"), rules);
        }
        if let Some(trace) = trace_of(body).or_else(|| self.loading.as_ref()?.trace()) {
            object.json("trace", &trace);
        }
        if is_child(kind)
            && let Some(root) = self.root_of(body)
        {
            object.text("child_of", &root.label);
        }
        let ended = match kind {
            Kind::ScreenLoad => self.loading.take_if(|screen| Some(screen.label.as_str()) == body.str(Field::View)),
            Kind::Span => self.spans.take(body),
            _ => None,
        };
        if let Some(root) = ended {
            root.write(object);
        }
    }

    /// Counts the event on the current view. A screen with another name starts a new view.
    pub(crate) fn count(&mut self, rules: Rules, kind: Kind, id: EventId, body: &Body<'_>) {
        let op = if kind == Kind::ScreenView { body.str(Field::Op) } else { None };
        if op == Some("start") {
            self.open_view(body.str(Field::Name).unwrap_or_default(), &id.to_string(), body.time().0, body);
            if let Some(view) = &mut self.view {
                view.key = body.str(Field::ViewKey).map(str::to_owned);
            }
            self.add_attrs(rules, body);
        } else if op.is_none() && matches!(kind, Kind::ScreenView | Kind::ScreenLoad) && self.loading.is_none() {
            let name = body.str(Field::Name).unwrap_or_default();
            if self.view.as_ref().is_none_or(|view| view.name != name) {
                let began_ms = body.i64(Field::StartMs).unwrap_or(body.wall_ms);
                self.open_view(name, &id.to_string(), began_ms, body);
            }
        }
        let Some(view) = &mut self.view else { return };
        view.version += 1;
        if matches!(kind, Kind::ScreenLoad | Kind::Frames) && body.str(Field::Name) == Some(view.name.as_str()) {
            view.update(kind, body);
        }
        let counter = match kind {
            Kind::Error | Kind::Crash | Kind::Hang => "error",
            Kind::ApiCall | Kind::ImageLoad => "resource",
            Kind::Interaction | Kind::Analytics | Kind::Revenue => "action",
            Kind::LongTask => "long_task",
            _ => return,
        };
        *view.counts.entry(counter).or_default() += 1;
    }

    fn open_view(&mut self, name: &str, id: &str, started_ms: i64, body: &Body<'_>) {
        let (wall_ms, mono_us) = body.time();
        let since_us = wall_ms.saturating_sub(started_ms).saturating_mul(1_000);
        self.changed = true;
        let started = (started_ms, mono_us.saturating_sub(since_us));
        self.view = Some(View::new(id.to_owned(), name.to_owned(), started, None));
    }

    /// Whether the present view is the one that the app names by this key.
    pub(crate) fn is_shown(&self, key: &str) -> bool {
        self.view.as_ref().is_some_and(|view| view.key.as_deref() == Some(key))
    }

    /// Ends the present view. Adds its name and how long it was shown to the row of its end.
    pub(crate) fn stop(&mut self, body: &Body<'_>, object: &mut RowJson) {
        if let Some(view) = self.view.take() {
            self.changed = true;
            let name = object.rules().text(&view.name).into_owned();
            object.text("name", &name);
            object.number("duration_us", body.time().1.saturating_sub(view.started_us).max(0));
        }
    }

    /// Records the time since the start of the present view.
    pub(crate) fn timing(&mut self, rules: Rules, name: &str, body: &Body<'_>) {
        let Some(view) = &mut self.view else { return };
        let us = body.time().1.saturating_sub(view.started_us).max(0);
        let name = rules.text(name);
        if view.timings.contains_key(&*name) || view.timings.len() < limits::VIEW_TIMINGS {
            view.timings.insert(name.into_owned(), us);
            view.version += 1;
        }
    }

    /// Adds the attributes of a record to the present view, as far as there is room.
    pub(crate) fn add_attrs(&mut self, rules: Rules, body: &Body<'_>) {
        let (Some(view), Some(attrs)) = (&mut self.view, body.get(Field::Attrs)) else { return };
        let json = super::row_json::attributes(rules, attrs);
        let Ok(Value::Object(more)) = serde_json::from_str(&json) else { return };
        let mut left = limits::VIEW_BYTES.saturating_sub(view.attrs_json().len());
        for (name, value) in more {
            let bytes = name.len() + value.to_string().len() + 4;
            if bytes <= left {
                left -= bytes;
                view.attrs.insert(name, value);
            }
        }
        view.version += 1;
    }

    /// Adds a call, image, task or span to the root in which it lies.
    pub(crate) fn child(&mut self, rules: Rules, kind: Kind, id: EventId, body: &Body<'_>) {
        if is_child(kind)
            && let Some(root) = self.root_of(body)
        {
            root.push(rules, kind, id, body);
        }
    }
}
