//! The current screen: the view, counts of what happened on it, and the calls made while it loads.

use super::row_json::RowJson;
use crate::event::decode::{Body, Raw};
use crate::event::field::Field;
use crate::id::EventId;
use crate::kind::Kind;
use crate::limits;
use crate::privacy::Rules;
use serde_json::json;
use std::collections::BTreeMap;

/// The current view and the screen load in progress.
#[derive(Default)]
pub(crate) struct Screens {
    view: Option<View>,
    loading: Option<Screen>,
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

    fn json(&self, rules: Rules) -> String {
        let mut view = json!({
            "id": self.id,
            "name": rules.text(&self.name),
            "version": self.version,
            "counts": self.counts,
            "started_ms": self.started_ms,
        });
        if let Some(us) = self.loading_us {
            view["loading_us"] = us.into();
        }
        if let Some([slow, frozen, total]) = self.frames {
            view["frames"] = json!({"slow": slow, "frozen": frozen, "total": total});
        }
        view.to_string()
    }
}

/// A screen load in progress.
struct Screen {
    view: String,
    start_ms: i64,
    trace: String,
    children: Vec<String>,
}

impl Screens {
    /// Starts a screen load.
    pub(crate) fn open(&mut self, name: &str, body: &Body<'_>) {
        let view = body.str(Field::View).unwrap_or_default();
        let (start_ms, _) = body.time();
        self.open_view(name, view, start_ms);
        self.loading = Some(Screen {
            view: view.to_owned(),
            start_ms,
            trace: trace_of(body).unwrap_or_default(),
            children: Vec::new(),
        });
    }

    /// Cancels a screen load.
    pub(crate) fn cancel(&mut self, body: &Body<'_>) {
        self.loading.take_if(|screen| Some(screen.view.as_str()) == body.str(Field::View));
    }

    /// Adds view and trace to a row; a screen load also gets its child spans.
    pub(crate) fn stamp(&mut self, kind: Kind, body: &Body<'_>, object: &mut RowJson) {
        if let Some(view) = &self.view {
            object.json("view", &view.json(object.rules()));
        }
        let open = self.loading.as_ref();
        if let Some(trace) =
            trace_of(body).or_else(|| open.map(|screen| screen.trace.clone())).filter(|t| !t.is_empty())
        {
            object.json("trace", &trace);
        }
        if let Some(screen) = open.filter(|_| matches!(kind, Kind::ApiCall | Kind::ImageLoad | Kind::LongTask)) {
            object.text("child_of", &screen.view);
        }
        if kind == Kind::ScreenLoad
            && let Some(screen) = self.loading.take_if(|screen| Some(screen.view.as_str()) == body.str(Field::View))
            && !screen.children.is_empty()
        {
            object.json("children", &format!("[{}]", screen.children.join(",")));
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

    /// Adds a call, image or task as a child span of the screen load in progress.
    pub(crate) fn child(&mut self, rules: Rules, kind: Kind, id: EventId, body: &Body<'_>) {
        let Some(screen) = &mut self.loading else { return };
        if !matches!(kind, Kind::ApiCall | Kind::ImageLoad | Kind::LongTask)
            || screen.children.len() >= limits::CHILD_SPANS
        {
            return;
        }
        let mut object = RowJson::new(rules);
        object.text("id", &id.to_string());
        object.text("kind", kind.as_str());
        let name = match (body.str(Field::Endpoint).or(body.str(Field::Name)), body.str(Field::Url)) {
            (None, Some(url)) => rules.url(url),
            (name, _) => rules.text(name.unwrap_or_default()),
        };
        object.text("name", &name);
        let start_ms = body.i64(Field::StartMs).unwrap_or(body.wall_ms);
        object.number("start_us", start_ms.saturating_sub(screen.start_ms).saturating_mul(1_000).max(0));
        for field in [Field::Method, Field::DurationUs, Field::Status, Field::Failed] {
            if let Some(value) = body.get(field) {
                object.field(field, value, "");
            }
        }
        if let Some(trace) = trace_of(body) {
            object.json("trace", &trace);
        }
        screen.children.push(object.finish());
    }
}

fn trace_of(body: &Body<'_>) -> Option<String> {
    let mut object = RowJson::new(Rules::default());
    object.text("trace_id", body.str(Field::TraceId)?);
    object.text("span_id", body.str(Field::SpanId)?);
    if let Some(parent) = body.str(Field::ParentSpan) {
        object.text("parent", parent);
    }
    for (name, field) in [("sampled", Field::TraceSampled), ("propagated", Field::TracePropagated)] {
        if let Some(Raw::Bool(value)) = body.get(field) {
            object.json(name, if value { "true" } else { "false" });
        }
    }
    Some(object.finish())
}
