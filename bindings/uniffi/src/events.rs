//! The types of the typed calls. Each mirrors a type of the core under the same name; a member that the core has as a setter may
//! be absent here. The core's documentation has the limits and rules.

mod convert;
mod error;
mod words;

pub use error::{Cause, ErrorEvent, Frame, ThreadInfo};
pub use words::*;

pub(crate) use convert::{frames, micros, millis, threads, trace};

use crate::attributes::{Attr, AttrValue, TextPair};

/// A position in a trace, by the rules of W3C Trace Context.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct TraceContext {
    /// 32 hexadecimal digits, in lower case.
    pub trace_id: String,
    /// 16 hexadecimal digits, in lower case.
    pub span_id: String,
    /// The span that contains it.
    pub parent: Option<String>,
    /// The decision of the server whose trace is continued.
    pub sampled: Option<bool>,
}

/// The user of the app.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct User {
    /// The app's id of the user.
    pub id: Option<String>,
    /// Sent as given, unless the configuration masks it.
    pub email: Option<String>,
    /// Sent as given, unless the configuration masks it.
    pub username: Option<String>,
    /// Other properties.
    pub extra: Vec<Attr>,
}

/// Facts about the device that are true for a moment only.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct Conditions {
    /// Memory that an app can still allocate, in bytes.
    pub free_memory_bytes: Option<u64>,
    /// Free internal storage, in bytes.
    pub free_storage_bytes: Option<u64>,
    /// Level of the battery, 0 (empty) to 1 (full).
    pub battery: Option<f64>,
    /// Whether the battery is being charged or is full on external power.
    pub charging: Option<bool>,
    /// Whether the system saves power.
    pub low_power: Option<bool>,
    /// How the device is held.
    pub orientation: Option<Orientation>,
    /// What the device is connected with.
    pub connection: Option<Connection>,
    /// Generation of the mobile network.
    pub carrier_technology: Option<CarrierTechnology>,
    /// Whether the user pays for the bytes of the connection, or has asked to save them.
    pub metered: Option<bool>,
    /// Whether the app is in the foreground.
    pub foreground: Option<bool>,
}

/// What most events may carry in addition.
#[derive(Clone, Debug, Default, PartialEq, uniffi::Record)]
pub struct Extras {
    /// The app's own attributes.
    pub attrs: Vec<Attr>,
    /// Named contexts of a message: each value is a map.
    pub context: Vec<Attr>,
    /// Tags of this event alone.
    pub tags: Vec<Attr>,
    /// The user of this event alone.
    pub user: Option<User>,
    /// The destinations that receive it, by their configured names. Empty = all that accept its kind.
    pub targets: Vec<String>,
    /// The span in which it happened.
    pub trace: Option<TraceContext>,
    /// When it happened. Default: now.
    pub at_ms: Option<i64>,
    /// The conditions at that moment, of a hang or an exit.
    pub conditions: Option<Conditions>,
}

/// A breadcrumb.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Breadcrumb {
    /// `default`, `navigation`, `http`, `user` ...
    pub kind: String,
    /// A dotted name: `ui.click`.
    pub category: String,
    /// What happened.
    pub message: String,
    /// Default: info.
    pub level: Level,
    /// More about it.
    pub data: Vec<Attr>,
    /// When it happened. Default: now.
    pub at_ms: Option<i64>,
}

/// A duration that the caller measured.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Timing {
    /// What it measures.
    pub kind: TimingKind,
    /// The name of a screen or task, the URL of a call or image, or `cold` or `warm`.
    pub name: String,
    /// The duration.
    pub duration_us: i64,
    /// The HTTP method.
    pub method: Option<String>,
    /// When it started. Default: the end minus the duration.
    pub started_ms: Option<i64>,
    /// When it ended. Default: the start plus the duration.
    pub at_ms: Option<i64>,
    /// The time until the first frame of a screen.
    pub initial_us: Option<i64>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// Bytes sent.
    pub request_bytes: Option<i64>,
    /// Bytes received.
    pub response_bytes: Option<i64>,
    /// Why there was no response.
    pub error: Option<String>,
    /// The name under which `metrics()` counts a call. Default: a template of the URL.
    pub endpoint: Option<String>,
    /// Headers of the request; only those that the configuration names are recorded.
    pub request_headers: Vec<TextPair>,
    /// Headers of the response; the same.
    pub response_headers: Vec<TextPair>,
    /// Its span.
    pub trace: Option<TraceContext>,
    /// The app's own attributes.
    pub attrs: Vec<Attr>,
    /// The destinations that receive it. Empty = all.
    pub targets: Vec<String>,
}

/// A span that the caller measured.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct SpanEvent {
    /// A name of low cardinality.
    pub name: String,
    /// The operation: `task`, `db.query`.
    pub op: String,
    /// The duration; not used if both times are given.
    pub duration_us: i64,
    /// When it started.
    pub started_ms: Option<i64>,
    /// When it ended; used with `started_ms`.
    pub ended_ms: Option<i64>,
    /// How it ended.
    pub status: SpanStatus,
    /// Its ids and its parent. Default: the root of a trace of its own.
    pub trace: Option<TraceContext>,
    /// The app's own attributes.
    pub attrs: Vec<Attr>,
    /// The destinations that receive it. Empty = all.
    pub targets: Vec<String>,
}

/// An entry of the app's log.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct LogEntry {
    /// The level.
    pub level: Level,
    /// The text.
    pub text: String,
    /// The name of the logger.
    pub logger: Option<String>,
    /// The app's own attributes.
    pub attrs: Vec<Attr>,
    /// The destinations that receive it. Empty = all.
    pub targets: Vec<String>,
    /// The span in which it was written.
    pub trace: Option<TraceContext>,
    /// When it was written. Default: now.
    pub at_ms: Option<i64>,
}

/// Revenue.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Revenue {
    /// The amount, in units of the currency.
    pub amount: f64,
    /// ISO 4217 code; empty if the app has one currency that needs no code.
    pub currency: String,
    /// The app's id of the transaction.
    pub transaction_id: Option<String>,
    /// What was bought: a list of maps.
    pub items: Vec<AttrValue>,
    /// The app's own attributes.
    pub attrs: Vec<Attr>,
    /// The destinations that receive it. Empty = all.
    pub targets: Vec<String>,
}

/// Feedback from a user about the app.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Feedback {
    /// The text.
    pub message: String,
    /// The name of the user, if given.
    pub name: Option<String>,
    /// The address for a reply, if given. Sent as given.
    pub email: Option<String>,
    /// The id of the event it is about. What is no id is ignored.
    pub about: Option<String>,
}

/// A change of the profile of the user.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum People {
    /// Sets a property.
    Set {
        /// Its name.
        name: String,
        /// Its value.
        value: AttrValue,
    },
    /// Sets a property that has no value yet.
    SetOnce {
        /// Its name.
        name: String,
        /// Its value.
        value: AttrValue,
    },
    /// Removes a property.
    Unset {
        /// Its name.
        name: String,
    },
    /// Adds to a number.
    Increment {
        /// Its name.
        name: String,
        /// What is added.
        by: f64,
    },
    /// Appends to a list.
    Append {
        /// Its name.
        name: String,
        /// The element.
        value: AttrValue,
    },
    /// Adds to a list what is not in it.
    Union {
        /// Its name.
        name: String,
        /// The elements.
        values: Vec<AttrValue>,
    },
    /// Removes an element of a list.
    Remove {
        /// Its name.
        name: String,
        /// The element.
        value: AttrValue,
    },
    /// Deletes the profile.
    Delete,
}

/// A value of a metric.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Enum)]
pub enum Metric {
    /// Adds to a counter.
    Counter {
        /// What is added.
        value: f64,
    },
    /// The present value.
    Gauge {
        /// The value.
        value: f64,
    },
    /// One of many values whose distribution matters.
    Distribution {
        /// The value.
        value: f64,
    },
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Outcome {
    /// The event is in the ring: it survives the process being killed.
    Recorded {
        /// The id of the event.
        id: String,
    },
    /// The event was refused, and the refusal is counted.
    Dropped {
        /// One of the reasons of `docs/guide/reasons.md`.
        reason: String,
    },
}

/// Where a fatal error is.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Durability {
    /// On the disk.
    Synced {
        /// The id of the event.
        id: String,
    },
    /// In the ring: it survives the process being killed, not a power failure.
    InRing {
        /// The id of the event.
        id: String,
    },
    /// Refused.
    Dropped {
        /// One of the reasons of `docs/guide/reasons.md`.
        reason: String,
    },
}
