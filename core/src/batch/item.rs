//! Encodes one item like the record that the typed call would have written: an event, a breadcrumb or a scope change. The
//! writer then folds it like any record, with the same cuts and privacy rules.

use super::fields::{CHANGES, USER_CHANGE, conform, is_complete};
use super::items::Item;
use super::json::Json;
use super::structured;
use crate::event::encode::Encoder;
use crate::event::field::{self, Field};
use crate::event::{AlertSeverity, SpanStatus, Timing, TimingKind, micros};
use crate::id::EventId;
use crate::kind::Kind;
use crate::timing::measured::{Displayed, Measured, Place};
use std::borrow::Cow;
use std::time::Duration;

/// When and under which settings the items were recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'c> {
    pub(crate) wall_ms: i64,
    pub(crate) mono_us: i64,
    /// Thresholds of screens, calls and images.
    pub(crate) slow: [Duration; 3],
    /// Names of the headers that are recorded.
    pub(crate) headers: &'c [String],
}

/// The members of an event that its kind has, in the order of a row.
struct Members<'j, 'a> {
    kind: Kind,
    fields: Vec<(Field, Cow<'j, Json<'a>>)>,
}

impl<'j, 'a> Members<'j, 'a> {
    fn of(kind: Kind, json: &'j Json<'a>, cut: &mut u64) -> Members<'j, 'a> {
        let mut fields = Vec::with_capacity(16);
        for field in field::of_kind(kind) {
            if let Some(value) = json.get(field.as_str())
                && let Some(value) = conform(*field, Some(kind), value, cut)
                && !is_empty(&value)
            {
                fields.push((*field, value));
            }
        }
        Members { kind, fields }
    }

    fn get(&self, field: Field) -> Option<&Json<'a>> {
        self.fields.iter().find(|(known, _)| *known == field).map(|(_, value)| value.as_ref())
    }

    fn str(&self, field: Field) -> Option<&str> {
        self.get(field)?.str()
    }

    fn count(&self, field: Field) -> Option<u64> {
        self.get(field)?.whole().and_then(|number| u64::try_from(number).ok())
    }

    fn is_complete(&self, duration_us: Option<u64>) -> bool {
        let is_nameless = self.kind == Kind::UserProp && self.get(Field::Name).is_none();
        if is_nameless && self.str(Field::Op) != Some("delete") {
            return false;
        }
        is_complete(self.kind, |field| match field {
            Field::DurationUs => duration_us.is_some(),
            _ => self.get(field).is_some(),
        })
    }
}

/// A list or map without elements counts as absent, as in a typed call.
fn is_empty(value: &Json<'_>) -> bool {
    matches!(value, Json::List(values) if values.is_empty())
        || matches!(value, Json::Map(entries) if entries.is_empty())
}

/// Encodes an event and returns the length of its body; `None` if the item is malformed. `measured` gets a timing before it
/// is encoded; `propagates` tells whether a request to a URL carries trace headers.
pub(crate) fn event(
    kind: Kind,
    item: &Item<'_>,
    call: &Call<'_>,
    propagates: &dyn Fn(&str) -> bool,
    measured: &mut dyn FnMut(&Measured<'_>),
    buffer: &mut [u8],
) -> Option<usize> {
    let json = Json::parse(item.text)?;
    let mut cut = 0;
    let members = Members::of(kind, &json, &mut cut);
    if !members.is_complete(item.duration_us) {
        return None;
    }
    let targets = structured::targets(&json, &mut cut)?;
    let mut encoder = Encoder::new(buffer, call.wall_ms, call.mono_us);
    encoder.targets(&targets);
    match own_id(&json) {
        Some(Ok(id)) => {
            let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
            let id = uuid::Uuid::from_bytes(*id.as_bytes());
            encoder.text_field(Field::Id, id.hyphenated().encode_lower(&mut text));
        }
        Some(Err(())) => cut += 1,
        None => {}
    }
    let at_ms = time(&json, &mut cut);
    match timing_kind(kind) {
        Some(timing) => {
            let start_ms = timed(timing, &members, &json, (item, &targets), (at_ms, call), measured, &mut encoder);
            let traced = json.get("trace").and_then(structured::trace).is_some();
            if traced && kind == Kind::ApiCall && members.str(Field::Url).is_some_and(propagates) {
                encoder.bool_field(Field::TracePropagated, true);
                // Its headers said what is decided about this session.
                encoder.i64_field(Field::SessionAt, start_ms);
            }
        }
        None if kind == Kind::Span => span(&members, &json, (at_ms, call), &mut encoder),
        None => {
            if let Some(at_ms) = at_ms {
                encoder.time(at_ms);
            }
            plain(&members, &json, &mut encoder);
        }
    }
    encoder.count_cut(cut);
    Some(encoder.finish())
}

/// Encodes a kind that is no timing.
fn plain(members: &Members<'_, '_>, json: &Json<'_>, encoder: &mut Encoder<'_>) {
    let kind = members.kind;
    let is_error = matches!(kind, Kind::Error | Kind::Crash);
    for field in field::of_kind(kind) {
        match (field, members.get(*field)) {
            (Field::Handled, _) if kind == Kind::Crash => encoder.bool_field(Field::Handled, false),
            (_, Some(value)) if is_tail(*field, value) => {}
            (_, Some(value)) => structured::field(encoder, *field, value),
            (Field::Handled, None) if is_error => encoder.bool_field(Field::Handled, true),
            (Field::Severity, None) if is_error => encoder.text_field(Field::Severity, "medium"),
            (Field::Severity, None) if kind == Kind::Alert => {
                encoder.text_field(Field::Severity, AlertSeverity::default().as_str());
            }
            (Field::Level, None) => encoder.text_field(Field::Level, default_level(members)),
            (Field::Type | Field::Message, None) if is_error => encoder.text_field(*field, ""),
            (Field::Message, None) if kind == Kind::Hang => encoder.text_field(Field::Message, HANG),
            (Field::Message, None) if kind == Kind::AppExit => encoder.text_field(Field::Message, ""),
            _ => {}
        }
    }
    tail(members, json, encoder);
}

/// Encodes a span of the app, as [`crate::Monitor::record_span`] does.
fn span(
    members: &Members<'_, '_>,
    json: &Json<'_>,
    (at_ms, call): (Option<i64>, &Call<'_>),
    encoder: &mut Encoder<'_>,
) {
    let duration_us = micros(Duration::from_micros(members.count(Field::DurationUs).unwrap_or(0)));
    let start_ms = members.get(Field::StartMs).and_then(Json::whole);
    let times = crate::event::time::Span::new(start_ms, at_ms, duration_us, call.wall_ms);
    if let Some(end_ms) = times.end_ms {
        encoder.time(end_ms);
    }
    encoder.count_cut(times.ignored);
    encoder.text_field(Field::Name, members.str(Field::Name).unwrap_or_default());
    encoder.text_field(Field::Op, members.str(Field::Op).unwrap_or_default());
    encoder.i64_field(Field::StartMs, times.start_ms);
    encoder.u64_field(Field::DurationUs, duration_us);
    encoder.text_field(Field::Status, members.str(Field::Status).unwrap_or(SpanStatus::Ok.as_str()));
    tail(members, json, encoder);
}

/// The message of a hang that has none.
const HANG: &str = crate::event::HANG_MESSAGE;

fn default_level(members: &Members<'_, '_>) -> &'static str {
    match members.kind {
        Kind::Crash => "fatal",
        Kind::Error if members.str(Field::Severity) == Some("critical") => "fatal",
        Kind::Error => "error",
        _ => "info",
    }
}

/// Fields that come after all others, in this order.
const TAIL: [Field; 6] =
    [Field::Frames, Field::Fingerprint, Field::Causes, Field::Context, Field::Attrs, Field::Threads];

/// A fingerprint of one text is a plain field, one of several parts is not.
fn is_tail(field: Field, value: &Json<'_>) -> bool {
    TAIL.contains(&field) && !(field == Field::Fingerprint && value.str().is_some())
}

/// Trace, user, tags, frames, contexts and attributes.
fn tail(members: &Members<'_, '_>, json: &Json<'_>, encoder: &mut Encoder<'_>) {
    let mut cut = 0;
    if let Some(trace) = json.get("trace").filter(|trace| **trace != Json::Null) {
        match structured::trace(trace) {
            Some(trace) => encoder.trace(&trace),
            None => cut += 1,
        }
    }
    structured::own_scope(encoder, json, &mut cut);
    encoder.count_cut(cut);
    for field in TAIL {
        if let Some(value) = members.get(field).filter(|value| is_tail(field, value)) {
            structured::field(encoder, field, value);
        }
    }
}

fn timing_kind(kind: Kind) -> Option<TimingKind> {
    Some(match kind {
        Kind::ScreenLoad => TimingKind::ScreenLoad,
        Kind::AppStart => TimingKind::AppStart,
        Kind::ApiCall => TimingKind::ApiCall,
        Kind::ImageLoad => TimingKind::ImageLoad,
        Kind::LongTask => TimingKind::LongTask,
        _ => return None,
    })
}

/// Fields of a timing that [`Measured`] writes or derives.
const MEASURED: [Field; 15] = [
    Field::Name,
    Field::Url,
    Field::Type,
    Field::StartMs,
    Field::DurationUs,
    Field::InitialUs,
    Field::FullUs,
    Field::Slow,
    Field::Failed,
    Field::Method,
    Field::Endpoint,
    Field::Status,
    Field::RequestBytes,
    Field::ResponseBytes,
    Field::Error,
];

/// Encodes a timing and returns its start.
fn timed(
    kind: TimingKind,
    members: &Members<'_, '_>,
    json: &Json<'_>,
    (item, targets): (&Item<'_>, &[&str]),
    (at_ms, call): (Option<i64>, &Call<'_>),
    measured: &mut dyn FnMut(&Measured<'_>),
    encoder: &mut Encoder<'_>,
) -> i64 {
    let name = [Field::Url, Field::Type, Field::Name].into_iter().find_map(|field| members.str(field));
    let mut timing = Timing::new(kind, name.unwrap_or_default(), Duration::from_micros(item.duration_us.unwrap_or(0)));
    timing.method = members.str(Field::Method).unwrap_or_default();
    timing.start_wall_ms = members.get(Field::StartMs).and_then(Json::whole);
    timing.at_ms = at_ms;
    timing.targets = targets;
    timing.status = members.count(Field::Status).map(|status| u16::try_from(status).unwrap_or(u16::MAX));
    timing.bytes = match [Field::RequestBytes, Field::ResponseBytes].map(|field| members.count(field)) {
        [None, None] => None,
        [sent, received] => Some((sent.unwrap_or(0), received.unwrap_or(0))),
    };
    timing.error = members.str(Field::Error);
    timing.endpoint = members.str(Field::Endpoint);
    let mut cut = 0;
    let view = json.get("view").and_then(|view| conform(Field::View, None, view, &mut cut));
    encoder.count_cut(cut);
    let displayed = Displayed {
        view: view.as_deref().and_then(Json::str),
        initial_us: members.count(Field::InitialUs).map(|us| micros(Duration::from_micros(us))),
        full_us: members.count(Field::FullUs).map(|us| micros(Duration::from_micros(us))),
    };
    let mut place = Place::new();
    let timed = Measured::new(&timing, call.slow, call.wall_ms, &mut place);
    measured(&timed);
    timed.encode(encoder, &timing);
    timed.encode_kind(encoder, &timing, Some(displayed));
    for (field, value) in &members.fields {
        if let Field::RequestHeaders | Field::ResponseHeaders = field {
            let all = value.entries().unwrap_or_default().iter();
            let texts = all.filter_map(|(name, value)| Some((name.as_ref(), value.str()?)));
            encoder.headers(*field, texts, call.headers);
        } else if !MEASURED.contains(field) && !is_tail(*field, value) {
            structured::field(encoder, *field, value);
        }
    }
    tail(members, json, encoder);
    timed.span.start_ms
}

/// When the item happened; a time that is no number is ignored and counted.
fn time(json: &Json<'_>, cut: &mut u64) -> Option<i64> {
    let given = json.get("at_ms").filter(|value| **value != Json::Null)?;
    let at_ms = given.whole();
    *cut += u64::from(at_ms.is_none());
    at_ms
}

/// The id that the face gave, if it is a UUID of version 7.
fn own_id(json: &Json<'_>) -> Option<Result<EventId, ()>> {
    let given = json.get("id").filter(|value| **value != Json::Null)?;
    let id = given.str().and_then(|text| uuid::Uuid::try_parse(text).ok());
    Some(id.filter(|id| id.get_version_num() == 7).map(|id| EventId::from_bytes(*id.as_bytes())).ok_or(()))
}

/// Encodes a breadcrumb; `None` if the item is malformed.
pub(crate) fn breadcrumb(item: &Item<'_>, call: &Call<'_>, buffer: &mut [u8]) -> Option<usize> {
    let json = Json::parse(item.text)?;
    let crumb = json.get("breadcrumb").filter(|crumb| crumb.entries().is_some())?;
    let mut cut = 0;
    let mut encoder = Encoder::new(buffer, call.wall_ms, call.mono_us);
    if let Some(at_ms) = time(&json, &mut cut).or_else(|| time(crumb, &mut cut)) {
        encoder.time(at_ms);
    }
    for (field, default) in
        [(Field::Type, "default"), (Field::Category, ""), (Field::Message, ""), (Field::Level, "info")]
    {
        let value = crumb.get(field.as_str()).and_then(|value| conform(field, None, value, &mut cut));
        let text = value.as_deref().and_then(Json::str).unwrap_or(default);
        // As in the typed call: vendors have no breadcrumbs of level `trace`.
        encoder.text_field(field, if field == Field::Level && text == "trace" { "debug" } else { text });
    }
    if let Some(data) = crumb.get(Field::Data.as_str()).and_then(|data| conform(Field::Data, None, data, &mut cut))
        && !is_empty(&data)
    {
        encoder.node_field(Field::Data, data.as_ref());
    }
    encoder.count_cut(cut);
    Some(encoder.finish())
}

/// Encodes that nobody is the user: what takes the place of a change of the user that cannot be read. Later events must not be
/// stored under the user before it.
pub(crate) fn nobody(call: &Call<'_>, buffer: &mut [u8]) -> usize {
    let mut encoder = Encoder::new(buffer, call.wall_ms, call.mono_us);
    encoder.text_field(Field::Change, USER_CHANGE);
    encoder.finish()
}

/// Encodes a scope change; `None` if the item is malformed or changes a part that a batch cannot change.
pub(crate) fn scope(item: &Item<'_>, call: &Call<'_>, buffer: &mut [u8]) -> Option<usize> {
    let json = Json::parse(item.text)?;
    let mut cut = 0;
    let mut encoder = Encoder::new(buffer, call.wall_ms, call.mono_us);
    let change = json.get("scope")?.str()?;
    let (_, members) = CHANGES.iter().find(|(name, _)| *name == change)?;
    if matches!(change, "super" | "super_once") {
        encoder.targets(&structured::targets(&json, &mut cut)?);
    }
    encoder.text_field(Field::Change, change);
    if let Some(at_ms) = time(&json, &mut cut) {
        encoder.time(at_ms);
    }
    for (name, field) in *members {
        // The value of a tag is text, which the type of `Value` does not say.
        let as_type = if change == "tag" && *field == Field::Value { Field::Name } else { *field };
        let value = json.get(name).and_then(|value| conform(as_type, None, value, &mut cut));
        let Some(value) = value else {
            if *field == Field::View {
                // A row must name its view.
                return None;
            }
            continue;
        };
        match field {
            Field::Context | Field::Extra | Field::Value | Field::Attrs => {
                encoder.node_field(*field, value.as_ref());
            }
            _ => structured::field(&mut encoder, *field, &value),
        }
    }
    if let Some(trace) = json.get("trace").and_then(structured::trace) {
        encoder.trace(&trace);
    }
    Some(encoder.finish())
}
