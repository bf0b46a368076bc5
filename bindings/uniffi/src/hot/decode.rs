//! From a hot record to the typed call.

use super::reader::Reader;
use super::{Submitted, TIMINGS, VERSION};
use bumpalo::Bump;
use rez_monitor::{
    Breadcrumb, Durability, ErrorEvent, Event, Language, Level, Log, Metric, Monitor, Outcome, Severity, Timing,
    TraceContext, Value,
};
use std::time::Duration;

const SEVERITIES: [Severity; 4] = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// The bits of a record.
#[derive(Clone, Copy)]
pub(super) struct Bits(u16);

impl Bits {
    pub(super) fn has(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }
}

/// The members that every call may have.
pub(super) struct Common<'r, 'p> {
    at_ms: Option<i64>,
    trace: Option<TraceContext>,
    targets: &'r [&'r str],
    pub(super) attrs: &'p [(&'r str, Value<'r>)],
}

/// Where attributes are put that need no memory of their own.
pub(super) type Place<'r> = [(&'r str, Value<'r>); 16];

pub(super) fn common<'r: 'p, 'p>(
    reader: &mut Reader<'r>,
    bits: Bits,
    place: &'p mut Place<'r>,
) -> Option<Common<'r, 'p>> {
    let at_ms = if bits.has(0) { Some(reader.i64()?) } else { None };
    let trace = reader.trace(bits.has(1))?;
    let targets = reader.texts(bits.has(2))?;
    let attrs = reader.attrs(bits.has(3), place)?;
    // What follows would be a member that this build does not know: the record is of another version.
    reader.is_at_end().then_some(Common { at_ms, trace, targets, attrs })
}

impl From<Outcome> for Submitted {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Recorded(id) => Submitted::Recorded(id),
            Outcome::Dropped(reason) => Submitted::Dropped(reason),
        }
    }
}

pub(super) fn submit(monitor: &Monitor, record: &[u8]) -> Submitted {
    let arena = Bump::new();
    let mut reader = Reader::new(record, &arena);
    let mut place = [("", Value::Null); 16];
    read(monitor, &mut reader, &mut place).unwrap_or(Submitted::Malformed)
}

fn read<'r>(monitor: &Monitor, reader: &mut Reader<'r>, place: &mut Place<'r>) -> Option<Submitted> {
    let (call, bits) = head(reader)?;
    Some(match call {
        1 => timing(monitor, reader, bits, place)?,
        2 => {
            let level = level(reader)?;
            let (kind, category, message) = (reader.text()?, reader.text()?, reader.text()?);
            let common = common(reader, bits, place)?;
            let mut crumb = Breadcrumb::new(category, message).kind(kind).level(level).data(common.attrs);
            crumb.at_ms = common.at_ms;
            monitor.breadcrumb(crumb);
            Submitted::Noted
        }
        3 => {
            let name = reader.text()?;
            event(monitor, Event::analytics(name), &common(reader, bits, place)?)
        }
        4 => {
            let (name, class) = (reader.text()?, reader.text_if(bits.has(4))?);
            event(monitor, Event::screen_view(name, class), &common(reader, bits, place)?)
        }
        5 => {
            let (action, component) = (reader.text()?, reader.text()?);
            event(monitor, Event::interaction(action, component), &common(reader, bits, place)?)
        }
        6 => {
            let (level, text) = (level(reader)?, reader.text()?);
            event(monitor, Event::message(text, level), &common(reader, bits, place)?)
        }
        7 => {
            let (level, text, logger) = (level(reader)?, reader.text()?, reader.text_if(bits.has(4))?);
            let common = common(reader, bits, place)?;
            let mut log = Log::new(level, text).attrs(common.attrs).targets(common.targets);
            (log.logger, log.trace, log.at_ms) = (logger, common.trace, common.at_ms);
            monitor.log_entry(log).into()
        }
        8 => {
            let (kind, value, name) = (reader.byte()?, reader.f64()?, reader.text()?);
            let metric = match kind {
                0 => Metric::Counter(value),
                1 => Metric::Gauge(value),
                2 => Metric::Distribution(value),
                _ => return None,
            };
            common(reader, bits, place)?;
            monitor.metric(name, metric).into()
        }
        9 => with_error(reader, bits, place, |error| monitor.error(error).into())?,
        _ => return None,
    })
}

pub(super) fn fatal(monitor: &Monitor, record: &[u8], wait: Duration) -> u8 {
    let arena = Bump::new();
    let mut reader = Reader::new(record, &arena);
    let mut place = [("", Value::Null); 16];
    let answer = head(&mut reader)
        .filter(|(call, _)| *call == 9)
        .and_then(|(_, bits)| with_error(&mut reader, bits, &mut place, |error| number(monitor.fatal(error, wait))));
    answer.unwrap_or(0)
}

pub(super) fn number(durability: Durability) -> u8 {
    match durability {
        Durability::Synced(_) => 1,
        Durability::InRing(_) => 2,
        Durability::Dropped(_) => 0,
    }
}

pub(super) fn head(reader: &mut Reader<'_>) -> Option<(u8, Bits)> {
    let version = reader.byte()?;
    let head = (reader.byte()?, Bits(reader.u16()?));
    (version == VERSION).then_some(head)
}

fn level(reader: &mut Reader<'_>) -> Option<Level> {
    Level::ALL.get(usize::from(reader.byte()?)).copied()
}

fn event(monitor: &Monitor, event: Event<'_>, common: &Common<'_, '_>) -> Submitted {
    let mut event = event.attrs(common.attrs).targets(common.targets);
    if let Some(trace) = common.trace {
        event = event.trace(trace);
    }
    if let Some(at_ms) = common.at_ms {
        event = event.at(at_ms);
    }
    monitor.record(event).into()
}

fn timing<'r>(monitor: &Monitor, reader: &mut Reader<'r>, bits: Bits, place: &mut Place<'r>) -> Option<Submitted> {
    let kind = *TIMINGS.get(usize::from(reader.byte()?))?;
    let duration = Duration::from_micros(reader.u64()?);
    let mut timing = Timing::new(kind, reader.text()?, duration);
    if let Some(method) = reader.text_if(bits.has(4))? {
        timing = timing.method(method);
    }
    if bits.has(5) {
        timing = timing.status(reader.u16()?);
    }
    if bits.has(6) {
        timing = timing.bytes(reader.u64()?, reader.u64()?);
    }
    if let Some(error) = reader.text_if(bits.has(7))? {
        timing = timing.error(error);
    }
    if let Some(endpoint) = reader.text_if(bits.has(8))? {
        timing = timing.endpoint(endpoint);
    }
    if bits.has(9) {
        timing = timing.started_at(reader.i64()?);
    }
    if bits.has(10) {
        timing = timing.initial_display(Duration::from_micros(reader.u64()?));
    }
    let request = reader.pairs(bits.has(11))?;
    let response = reader.pairs(bits.has(12))?;
    let common = common(reader, bits, place)?;
    timing = timing.request_headers(request).response_headers(response).attrs(common.attrs).targets(common.targets);
    if let Some(trace) = common.trace {
        timing = timing.trace(trace);
    }
    if let Some(at_ms) = common.at_ms {
        timing = timing.at(at_ms);
    }
    Some(monitor.timing(timing).into())
}

/// Reads an error of Java or Kotlin.
fn with_error<'r, T>(
    reader: &mut Reader<'r>,
    bits: Bits,
    place: &mut Place<'r>,
    record: impl FnOnce(ErrorEvent<'_>) -> T,
) -> Option<T> {
    let severity = *SEVERITIES.get(usize::from(reader.byte()?))?;
    let mut error = ErrorEvent::new(reader.text()?, reader.text()?).severity(severity).handled(!bits.has(6));
    if let Some(code) = reader.text_if(bits.has(4))? {
        error = error.code(code);
    }
    if let Some(mechanism) = reader.text_if(bits.has(5))? {
        error = error.mechanism(mechanism);
    }
    let frames = reader.frames(bits.has(7))?;
    let causes = reader.causes(bits.has(8))?;
    let thread = reader.thread(bits.has(9))?;
    let common = common(reader, bits, place)?;
    error = error
        .language(Language::Java)
        .frames(frames)
        .causes(&causes)
        .threads(thread.as_slice())
        .attrs(common.attrs)
        .targets(common.targets);
    if let Some(trace) = common.trace {
        error = error.trace(trace);
    }
    if let Some(at_ms) = common.at_ms {
        error = error.at(at_ms);
    }
    Some(record(error))
}
