//! Spans that are in progress and collect what happens inside them: the screen load and the spans of the app.
//!
//! The row of a root lists its children, so that a destination can send them as one transaction. Each child has a row of its
//! own as well, which names its root in `child_of`.

use super::row_json::RowJson;
use crate::event::decode::{Body, Raw};
use crate::event::field::Field;
use crate::id::EventId;
use crate::kind::Kind;
use crate::limits;
use crate::privacy::Rules;

/// A span in progress.
pub(super) struct Root {
    /// The member `trace` of its row.
    trace: Option<String>,
    trace_id: String,
    span_id: String,
    /// What its children call it: the id of its view, or that of its span.
    pub(super) label: String,
    start_ms: i64,
    children: Vec<String>,
    bytes: usize,
    dropped: u64,
}

impl Root {
    pub(super) fn new(label: &str, body: &Body<'_>) -> Root {
        let text = |field| body.str(field).unwrap_or_default().to_owned();
        Root {
            trace: trace_of(body),
            trace_id: text(Field::TraceId),
            span_id: text(Field::SpanId),
            label: label.to_owned(),
            start_ms: body.time().0,
            children: Vec::new(),
            bytes: 0,
            dropped: 0,
        }
    }

    fn is_parent(&self, body: &Body<'_>) -> bool {
        body.str(Field::ParentSpan) == Some(&self.span_id)
    }

    pub(super) fn trace(&self) -> Option<String> {
        self.trace.clone()
    }

    /// Whether the span of this record lies inside this root: another span of the same trace.
    pub(super) fn contains(&self, body: &Body<'_>) -> bool {
        body.str(Field::TraceId) == Some(&self.trace_id) && body.str(Field::SpanId) != Some(&self.span_id)
    }

    /// Adds a child.
    pub(super) fn push(&mut self, rules: Rules, kind: Kind, id: EventId, body: &Body<'_>) {
        if self.children.len() >= limits::CHILD_SPANS {
            self.dropped += 1;
            return;
        }
        let child = child(rules, kind, id, body, self.start_ms);
        if self.bytes + child.len() > limits::CHILDREN_BYTES {
            self.dropped += 1;
            return;
        }
        self.bytes += child.len() + 1;
        self.children.push(child);
    }

    /// Adds the children to the row of this root, as far as they fit, and the number of the others.
    pub(super) fn write(&self, object: &mut RowJson) {
        let mut room = limits::ROW_BYTES.saturating_sub(object.len() + limits::SCOPE_BYTES);
        let fits = |child: &&String| {
            let fits = child.len() < room;
            room = room.saturating_sub(child.len() + 1);
            fits
        };
        let kept: Vec<&str> = self.children.iter().take_while(fits).map(String::as_str).collect();
        if !kept.is_empty() {
            object.json("children", &format!("[{}]", kept.join(",")));
        }
        let dropped = self.dropped + (self.children.len() - kept.len()) as u64;
        if dropped > 0 {
            object.number("children_dropped", dropped);
        }
    }
}

/// Whether spans of this kind are listed in the row of their root.
pub(super) fn is_child(kind: Kind) -> bool {
    matches!(kind, Kind::ApiCall | Kind::ImageLoad | Kind::LongTask | Kind::Span)
}

/// The spans of the app that are in progress, oldest first.
#[derive(Default)]
pub(super) struct Spans(Vec<Root>);

impl Spans {
    /// Starts to collect the children of a span, unless it lies inside a root itself. Of very many spans in progress the
    /// oldest is given up: its later children have no root.
    pub(super) fn open(&mut self, body: &Body<'_>) {
        if body.str(Field::TraceId).is_none() || self.root_of(body).is_some() {
            return;
        }
        if self.0.len() >= limits::OPEN_SPANS {
            self.0.remove(0);
        }
        self.0.push(Root::new(body.str(Field::SpanId).unwrap_or_default(), body));
    }

    /// Ends the collection of a span, and returns what it has collected.
    pub(super) fn take(&mut self, body: &Body<'_>) -> Option<Root> {
        let (trace, span) = (body.str(Field::TraceId)?, body.str(Field::SpanId)?);
        let at = self.0.iter().position(|root| root.trace_id == trace && root.span_id == span)?;
        Some(self.0.remove(at))
    }

    /// The root in which the span of this record lies: its parent, or else any root of its trace.
    pub(super) fn root_of(&mut self, body: &Body<'_>) -> Option<&mut Root> {
        body.str(Field::TraceId)?;
        let inside = |root: &Root| root.contains(body);
        let at = self.0.iter().position(|root| inside(root) && root.is_parent(body));
        let at = at.or_else(|| self.0.iter().position(inside))?;
        self.0.get_mut(at)
    }
}

/// A child as its root lists it.
fn child(rules: Rules, kind: Kind, id: EventId, body: &Body<'_>, root_start_ms: i64) -> String {
    let mut object = RowJson::new(rules);
    object.text("id", &id.to_string());
    object.text("kind", kind.as_str());
    let name = match (body.str(Field::Endpoint).or(body.str(Field::Name)), body.str(Field::Url)) {
        (None, Some(url)) => rules.url(url),
        (name, _) => rules.text(name.unwrap_or_default()),
    };
    object.text("name", &name);
    let start_ms = body.i64(Field::StartMs).unwrap_or_else(|| body.time().0);
    object.number("start_us", start_ms.saturating_sub(root_start_ms).saturating_mul(1_000).max(0));
    for field in [Field::Op, Field::Method, Field::DurationUs, Field::Status, Field::Failed] {
        if let Some(value) = body.get(field) {
            object.field(field, value, "");
        }
    }
    if let Some(attrs) = body.get(Field::Attrs).filter(|_| kind == Kind::Span) {
        object.field(Field::Attrs, attrs, "");
    }
    if let Some(trace) = trace_of(body) {
        object.json("trace", &trace);
    }
    object.finish()
}

/// The member `trace` of a row.
pub(super) fn trace_of(body: &Body<'_>) -> Option<String> {
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
