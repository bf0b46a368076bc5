#![doc = include_str!("../../README.md")]

mod attributes;
mod batch;
#[cfg(feature = "bench-access")]
#[doc(hidden)]
pub mod bench;
mod calendar;
mod carve;
mod channel;
mod config;
mod consent;
mod crash;
mod delivery;
pub mod destination;
mod event;
mod exit;
mod facts;
mod hash;
mod id;
pub mod inspect;
mod json;
mod kind;
mod level;
pub mod limits;
mod logger;
mod metrics;
mod monitor;
mod own_thread;
mod phrases;
mod privacy;
mod reason;
mod ring;
mod row;
mod sentences;
mod settings;
mod sorted;
mod store;
mod support_code;
mod sys;
#[cfg(feature = "bench-access")]
#[doc(hidden)]
pub mod test_access;
mod timing;
mod trace;
pub mod transport;
mod writer;

pub use attributes::{Attrs, Value};
pub use config::{BeforeSend, Config, ConfigBuilder, ConfigError, Consent};
pub use crash::TestCrash;
pub use delivery::{DestinationNote, Flushed, Held, Hint, Network, Power, RouteStatus};
pub use event::conditions::{CarrierTechnology, Conditions, Connection, Orientation};
pub use event::{
    Alert, AlertSeverity, Breadcrumb, Cause, ErrorEvent, Event, Feedback, Frame, Language, Log, Metric, People,
    Revenue, Severity, SpanEvent, SpanStatus, StartKind, Thread, Timing, TimingKind, User,
};
pub use exit::{ExitReason, ExitReport, LastCrash, LastRun, RunEnd, UncleanExits};
pub use facts::{Facts, Framework};
pub use id::{EventId, ParseIdError};
pub use kind::{Kind, Lane, Purpose};
pub use level::Level;
pub use logger::{LogCode, LogLevel, Logger, StderrLogger};
pub use metrics::Summary;
pub use monitor::{
    ApiCall, Durability, From, InspectionOff, Monitor, Outcome, Refused, ScopeChange, ScreenLoad, SnapshotError, Span,
    Start, Status, SuperProperties, WaitError,
};
pub use phrases::HeldCode;
pub use reason::Reason;
pub use row::{Lost, Row, Run};
pub use settings::{
    DestinationSettings, Platform, PlatformSettings, Setting, Settings, SettingsError, Shape, Spelling,
    schema as settings_schema,
};
pub use support_code::support_code;
pub use sys::Clock;
pub use trace::{IdGenerator, TargetError, TargetFault, TraceContext, TraceStyle};
pub use writer::shared::StoreState;

#[doc(hidden)]
pub use privacy::kinds::{KINDS as PRIVACY_KINDS, PrivacyKind};

/// Names of the fields a row of this kind can have, for the generated privacy table.
#[doc(hidden)]
#[must_use]
pub fn fields_of_kind(kind: Kind) -> Vec<&'static str> {
    event::field::of_kind(kind).iter().map(|field| field.as_str()).collect()
}
