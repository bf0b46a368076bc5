//! The current screen: the view, counts of what happened on it, and the spans in progress.

use super::roots::{Root, Spans, is_child, trace_of};
use super::row_json::RowJson;
use crate::event::decode::Body;
use crate::event::field::Field;
use crate::id::EventId;
use crate::json::Object;
use crate::kind::Kind;
use crate::privacy::Rules;
use std::collections::BTreeMap;

/// The current view, the screen load in progress, and the spans of the app in progress.
#[derive(Default)]
pub(crate) struct Screens {
    view: Option<View>,
    loading: Option<Root>,
    spans: Spans,
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
}

impl View {
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

    /// Appends its JSON, with the members in the order of their names. Each row has it, so it is written without a detour.
    fn push_to(&self, out: &mut String, rules: Rules) {
        Object::write(out, |view| {
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
            view.number("version", self.version);
        });
    }
}

impl Screens {
    /// Starts a screen load.
    pub(crate) fn open(&mut self, name: &str, body: &Body<'_>) {
        let view = body.str(Field::View).unwrap_or_default();
        self.open_view(name, view, body.time().0);
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
    pub(crate) fn count(&mut self, kind: Kind, id: EventId, body: &Body<'_>) {
        if matches!(kind, Kind::ScreenView | Kind::ScreenLoad) && self.loading.is_none() {
            let name = body.str(Field::Name).unwrap_or_default();
            if self.view.as_ref().is_none_or(|view| view.name != name) {
                let began_ms = body.i64(Field::StartMs).unwrap_or(body.wall_ms);
                self.open_view(name, &id.to_string(), began_ms);
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

    fn open_view(&mut self, name: &str, id: &str, started_ms: i64) {
        let (name, id) = (name.to_owned(), id.to_owned());
        let counts = BTreeMap::new();
        self.view = Some(View { id, name, version: 0, counts, started_ms, loading_us: None, frames: None });
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
