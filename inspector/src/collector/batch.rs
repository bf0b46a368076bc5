//! Parses a batch and validates its events. Stores nothing.

use crate::received::LostCount;
use rez_monitor::{EventId, Kind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// Maximum size of a body in bytes, after decompression.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Maximum number of events in a batch.
pub const MAX_EVENTS: usize = 500;

/// Maximum size of an event in bytes of JSON.
pub const MAX_EVENT_BYTES: usize = 64 * 1024 + FRAME_BYTES;

/// Size that the protocol adds to a row of up to 64 KiB: id, seq, kind, times, boot.
const FRAME_BYTES: usize = 1024;

/// Maximum age of an event in milliseconds. Longer than a device keeps one (30 days).
pub const MAX_AGE_MS: i64 = 31 * DAY_MS;

/// An age above this means a wrong clock: no device keeps an event for so long.
const AGE_UNKNOWN_MS: i64 = 400 * DAY_MS;

/// Limit of integers that every JSON parser represents exactly.
const MAX_SEQ: u64 = 1 << 53;

/// Maximum length of the name of a library.
const CLIENT_CHARS: usize = 100;

/// Maximum length of a reason or kind in `lost`.
const WORD_BYTES: usize = 40;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// The fields of a batch. Unknown fields are ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct Batch {
    pub(crate) v: u32,
    pub(crate) batch_id: String,
    pub(crate) install: String,
    pub(crate) epoch: u64,
    /// Empty if the sender knows no run.
    pub(crate) boot: String,
    /// Name and version of the library that sent it.
    #[serde(default)]
    sdk: Value,
    #[serde(default)]
    pub(crate) lost: Vec<LostCount>,
    pub(crate) events: Vec<Box<RawValue>>,
}

/// When a request was sent and received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// `X-Rez-Sent-At`: milliseconds since 1970 by the clock of the device.
    pub(crate) sent_ms: Option<i64>,
    /// `X-Rez-Mono`: milliseconds since the device booted.
    pub(crate) mono_ms: Option<i64>,
    /// Time of receipt by the clock of the collector.
    pub(crate) received_ms: i64,
}

impl Batch {
    /// The library that sent it, as `name/version`; empty if it does not say.
    pub(crate) fn client(&self) -> String {
        let text = |name: &str| self.sdk.get(name).and_then(Value::as_str).unwrap_or_default();
        let client = format!("{}/{}", text("name"), text("version"));
        client.trim_matches('/').chars().take(CLIENT_CHARS).collect()
    }
}

/// A valid event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    /// Time by the clock of the device.
    pub(crate) ts_ms: i64,
    /// Time by the clock of the collector.
    pub(crate) time_ms: i64,
    pub(crate) boot: Option<String>,
    pub(crate) mono_ms: Option<i64>,
}

/// An event that is rejected for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// Its index in the batch.
    pub index: usize,
    /// Its id. Empty if it has none.
    pub id: String,
    /// `missing_field`, `invalid_field`, `too_large`, `too_old`, `refused`.
    pub code: &'static str,
    /// The invalid field.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
    /// Its sequence number, if valid.
    #[serde(skip)]
    pub(crate) seq: Option<u64>,
}

/// Why a body is not a valid batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchError {
    #[error("the body is not a batch: {0}")]
    Unreadable(String),
    #[error("protocol version {0} is not supported; this collector supports version 1")]
    Version(u32),
    #[error("`{0}` is empty")]
    Empty(&'static str),
    #[error("`lost` contains {0:?}, which is not a valid reason or kind")]
    Word(String),
    #[error("the batch has {0} events; the maximum is {MAX_EVENTS}")]
    TooMany(usize),
}

/// Parses a body.
pub(crate) fn read(body: &[u8]) -> Result<Batch, BatchError> {
    let batch: Batch = serde_json::from_slice(body).map_err(|error| BatchError::Unreadable(error.to_string()))?;
    if batch.v != 1 {
        return Err(BatchError::Version(batch.v));
    }
    for (name, value) in [("batch_id", &batch.batch_id), ("install", &batch.install)] {
        if value.is_empty() {
            return Err(BatchError::Empty(name));
        }
    }
    for word in batch.lost.iter().flat_map(|lost| [&lost.reason, &lost.kind]) {
        if word.is_empty() || word.len() > WORD_BYTES || !word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            return Err(BatchError::Word(word.clone()));
        }
    }
    if batch.events.len() > MAX_EVENTS {
        return Err(BatchError::TooMany(batch.events.len()));
    }
    Ok(batch)
}

/// Returns the readable ids of a batch, in order. Two requests with the same ids are the same batch.
pub(crate) fn ids(batch: &Batch) -> String {
    #[derive(Deserialize)]
    struct OnlyId {
        id: String,
    }
    let id = |raw: &RawValue| serde_json::from_str::<OnlyId>(raw.get()).map_or_else(|_| "?".to_owned(), |only| only.id);
    batch.events.iter().map(|raw| id(raw)).collect::<Vec<_>>().join("\n")
}

/// Validates one event of a batch that was sent from `boot`.
pub(crate) fn validate(index: usize, raw: &RawValue, boot: &str, times: Times) -> Result<Event, Rejection> {
    let mut rejection =
        Rejection { index, id: String::new(), code: "invalid_field", field: "", message: String::new(), seq: None };
    let value: Value = match serde_json::from_str(raw.get()) {
        Ok(value @ Value::Object(_)) => value,
        _ => return Err(Rejection { message: "an event must be an object".into(), ..rejection }),
    };
    rejection.id = value.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    rejection.seq = value.get("seq").and_then(Value::as_u64);
    validate_fields(&value, raw.get().len(), boot, times).map_err(|(code, field, message)| Rejection {
        code,
        field,
        message,
        ..rejection
    })
}

type FieldError = (&'static str, &'static str, String);

fn validate_fields(value: &Value, bytes: usize, boot: &str, times: Times) -> Result<Event, FieldError> {
    if bytes > MAX_EVENT_BYTES {
        return Err(("too_large", "", format!("the event has {bytes} bytes; the maximum is {MAX_EVENT_BYTES}")));
    }
    let invalid = |field, message: &str| ("invalid_field", field, message.to_owned());
    let id: EventId = text(value, "id")?.parse().map_err(|_| invalid("id", "not a UUID"))?;
    let seq = match required(value, "seq")?.as_u64() {
        Some(seq) if seq < MAX_SEQ => seq,
        _ => return Err(invalid("seq", "not an integer from 0 to 2^53 - 1")),
    };
    let kind = Kind::parse(text(value, "kind")?).ok_or_else(|| invalid("kind", "unknown kind"))?;
    let ts: jiff::Timestamp =
        text(value, "ts")?.parse().map_err(|_| invalid("ts", "not an RFC 3339 time with an offset"))?;
    let event_boot = match value.get("boot") {
        None | Some(Value::Null) => None,
        Some(Value::String(boot)) => Some(boot.clone()),
        Some(_) => return Err(invalid("boot", "not a string")),
    };
    let mono_ms = match value.get("mono_ms") {
        None | Some(Value::Null) => None,
        // Negative: it happened before the boot.
        Some(number) => match number.as_i64() {
            Some(ms) => Some(ms),
            None => return Err(invalid("mono_ms", "not an integer of milliseconds since boot")),
        },
    };
    let ts_ms = ts.as_millisecond();
    let same_boot = event_boot.as_deref().is_none_or(|event_boot| event_boot == boot);
    let time_ms = corrected(ts_ms, mono_ms.filter(|_| same_boot), times);
    let age_ms = times.received_ms.saturating_sub(time_ms);
    if age_ms > MAX_AGE_MS {
        return Err((
            "too_old",
            "ts",
            format!("the event is {} days old; the maximum is {}", age_ms / DAY_MS, MAX_AGE_MS / DAY_MS),
        ));
    }
    Ok(Event { id: id.to_string(), seq, kind, ts_ms, time_ms, boot: event_boot, mono_ms })
}

/// Returns the time of an event by the clock of the collector. Its age is measured by the monotonic clock if the event
/// and the request are of the same boot, otherwise by the wall clock of the device. A negative age, or one that no device
/// can have, means a wrong clock: then the result is the time of receipt.
pub(super) fn corrected(ts_ms: i64, mono_ms: Option<i64>, times: Times) -> i64 {
    let ago = match (mono_ms, times.mono_ms) {
        (Some(event), Some(sent)) if sent >= event => Some(sent.saturating_sub(event)),
        _ => times.sent_ms.map(|sent| sent.saturating_sub(ts_ms)),
    };
    let ago = ago.unwrap_or_else(|| times.received_ms.saturating_sub(ts_ms));
    let ago = if (0..=AGE_UNKNOWN_MS).contains(&ago) { ago } else { 0 };
    times.received_ms.saturating_sub(ago)
}

fn required<'a>(value: &'a Value, field: &'static str) -> Result<&'a Value, FieldError> {
    value.get(field).ok_or_else(|| ("missing_field", field, format!("`{field}` is missing")))
}

fn text<'a>(value: &'a Value, field: &'static str) -> Result<&'a str, FieldError> {
    required(value, field)?.as_str().ok_or_else(|| ("invalid_field", field, "not a string".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::received::rfc3339;

    const NOW: i64 = 1_795_400_000_000;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn event(change: &str) -> Box<RawValue> {
        let mut value = serde_json::json!({"id": "019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11", "seq": 7, "kind": "error",
            "ts": rfc3339(NOW - 5000), "boot": "b1", "mono_ms": 95_000});
        let changes: Value = serde_json::from_str(change).unwrap();
        for (key, new) in changes.as_object().unwrap() {
            match new {
                Value::Null => value.as_object_mut().unwrap().remove(key),
                new => value.as_object_mut().unwrap().insert(key.clone(), new.clone()),
            };
        }
        raw(&value.to_string())
    }

    const TIMES: Times = Times { sent_ms: Some(NOW), mono_ms: Some(100_000), received_ms: NOW + 60_000 };

    fn code(change: &str) -> (String, String) {
        let rejection = validate(3, &event(change), "b1", TIMES).unwrap_err();
        assert_eq!(rejection.index, 3);
        assert!(!rejection.message.is_empty());
        (rejection.code.to_owned(), rejection.field.to_owned())
    }

    #[test]
    fn each_invalid_field_is_named() {
        let is = |code: &str, field: &str| (code.to_owned(), field.to_owned());
        assert_eq!(code(r#"{"id":null}"#), is("missing_field", "id"));
        assert_eq!(code(r#"{"id":"x"}"#), is("invalid_field", "id"));
        assert_eq!(code(r#"{"seq":-1}"#), is("invalid_field", "seq"));
        assert_eq!(code(r#"{"seq":9007199254740992}"#), is("invalid_field", "seq"));
        assert_eq!(code(r#"{"kind":"Error"}"#), is("invalid_field", "kind"));
        assert_eq!(code(r#"{"ts":"yesterday"}"#), is("invalid_field", "ts"));
        assert_eq!(code(r#"{"ts":5}"#), is("invalid_field", "ts"));
        assert_eq!(code(r#"{"mono_ms":1.5}"#), is("invalid_field", "mono_ms"));
        assert_eq!(code(r#"{"boot":1}"#), is("invalid_field", "boot"));
        assert_eq!(validate(0, &raw("[1]"), "b1", TIMES).unwrap_err().code, "invalid_field");
    }

    #[test]
    fn a_row_of_64_kib_is_accepted_and_a_larger_one_is_too_large() {
        let over = format!(r#"{{"attrs":{{"a":"{}"}}}}"#, "x".repeat(MAX_EVENT_BYTES));
        assert_eq!(code(&over).0, "too_large");
        let fits = format!(r#"{{"attrs":{{"a":"{}"}}}}"#, "x".repeat(64 * 1024));
        assert!(validate(0, &event(&fits), "b1", TIMES).is_ok());
    }

    #[test]
    fn the_monotonic_clock_corrects_the_time_within_a_boot() {
        // The wall clock of the device is a day ahead. It is not used.
        let times = Times { sent_ms: Some(NOW + DAY_MS), ..TIMES };
        let valid = validate(0, &event(r#"{"ts":"2020-01-01T00:00:00Z"}"#), "b1", times).unwrap();
        assert_eq!(valid.time_ms, NOW + 60_000 - 5_000);
        assert_eq!(valid.ts_ms, 1_577_836_800_000);
    }

    #[test]
    fn an_event_from_before_the_boot_has_a_negative_time_of_the_monotonic_clock() {
        let before = event(r#"{"mono_ms":-20000}"#);
        assert_eq!(validate(0, &before, "b1", TIMES).unwrap().time_ms, NOW + 60_000 - 120_000);
    }

    #[test]
    fn across_boots_the_wall_clock_of_the_request_corrects_the_time() {
        let valid = validate(0, &event("{}"), "b2", TIMES).unwrap();
        assert_eq!(valid.time_ms, NOW + 60_000 - 5_000);
        let without = Times { mono_ms: None, ..TIMES };
        assert_eq!(validate(0, &event(r#"{"mono_ms":1}"#), "b1", without).unwrap().time_ms, NOW + 55_000);
        // A monotonic time after that of the request belongs to another boot.
        assert_eq!(validate(0, &event(r#"{"mono_ms":200000}"#), "b1", TIMES).unwrap().time_ms, NOW + 55_000);
    }

    #[test]
    fn age_uses_the_corrected_time_and_a_wrong_clock_has_no_age() {
        let days = |days: i64| format!(r#"{{"ts":"{}","mono_ms":null}}"#, rfc3339(NOW - days * DAY_MS));
        assert!(validate(0, &event(&days(30)), "b1", TIMES).is_ok());
        assert_eq!(code(&days(32)), ("too_old".to_owned(), "ts".to_owned()));
        assert_eq!(validate(0, &event(&days(500)), "b1", TIMES).unwrap().time_ms, TIMES.received_ms);
        assert_eq!(validate(0, &event(&days(-3)), "b1", TIMES).unwrap().time_ms, TIMES.received_ms);
        let before_1970 = r#"{"ts":"1969-12-31T23:59:59Z","mono_ms":null}"#;
        assert_eq!(validate(0, &event(before_1970), "b1", TIMES).unwrap().ts_ms, -1000);
    }

    #[test]
    fn an_invalid_batch_reports_the_reason() {
        let body = |v: &str, install: &str, lost: &str| {
            format!(
                r#"{{"v":{v},"batch_id":"x","install":"{install}","epoch":1,"boot":"b","lost":[{lost}],"events":[]}}"#
            )
        };
        let lost = r#"{"reason":"evicted_bytes","kind":"unknown","count":2}"#;
        assert!(read(body("1", "i", lost).as_bytes()).is_ok());
        assert_eq!(read(body("2", "i", "").as_bytes()).unwrap_err(), BatchError::Version(2));
        assert_eq!(read(body("1", "", "").as_bytes()).unwrap_err(), BatchError::Empty("install"));
        let word = r#"{"reason":"Evicted","kind":"unknown","count":2}"#;
        assert!(matches!(read(body("1", "i", word).as_bytes()).unwrap_err(), BatchError::Word(_)));
        assert!(matches!(read(b"{").unwrap_err(), BatchError::Unreadable(_)));
    }
}
