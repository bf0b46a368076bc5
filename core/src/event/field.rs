//! The fields of an event: a small number in the ring, a name in the row. [`of_kind`] lists the fields of each kind.

use crate::kind::Kind;

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $number:literal $word:literal),+ $(,)?) => {
        /// A field of an event. The number is part of the ring's format: append, never renumber.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub(crate) enum Field {
            $($(#[$doc])* $name = $number),+
        }

        impl Field {
            /// The field with this number.
            pub(crate) fn from_number(number: u8) -> Option<Field> {
                match number {
                    $($number => Some(Field::$name),)+
                    _ => None,
                }
            }

            /// The name of the field in the row. Fields with an empty name are not written to rows.
            pub(crate) fn as_str(self) -> &'static str {
                match self {
                    $(Field::$name => $word,)+
                }
            }
        }
    };
}

fields! {
    Name = 1 "name",
    Message = 2 "message",
    Type = 3 "type",
    Level = 4 "level",
    Handled = 5 "handled",
    Severity = 6 "severity",
    Code = 7 "code",
    Context = 8 "context",
    Mechanism = 9 "mechanism",
    Frames = 10 "frames",
    Fingerprint = 11 "fingerprint",
    DurationUs = 12 "duration_us",
    StartMs = 13 "start_ms",
    InitialUs = 14 "initial_us",
    FullUs = 15 "full_us",
    Slow = 16 "slow",
    Method = 17 "method",
    Url = 18 "url",
    Endpoint = 19 "endpoint",
    Status = 20 "status",
    RequestBytes = 21 "request_bytes",
    ResponseBytes = 22 "response_bytes",
    Error = 23 "error",
    Failed = 24 "failed",
    SlowFrames = 25 "slow_frames",
    FrozenFrames = 26 "frozen_frames",
    TotalFrames = 27 "total_frames",
    Action = 28 "action",
    Component = 29 "component",
    Class = 30 "class",
    Op = 31 "op",
    By = 32 "by",
    Value = 33 "value",
    Amount = 34 "amount",
    Currency = 35 "currency",
    TransactionId = 36 "transaction_id",
    Items = 37 "items",
    Init = 38 "init",
    StartedMs = 39 "started_ms",
    Errors = 40 "errors",
    Unit = 41 "unit",
    Email = 42 "email",
    About = 43 "about",
    Cause = 44 "cause",
    Attrs = 45 "attrs",
    Category = 46 "category",
    Data = 47 "data",
    Cut = 48 "cut",
    /// Id of the session, of a session event itself.
    Session = 49 "session",
    /// Names of destinations; a column of its own.
    Targets = 50 "",
    /// 32 hex digits; inside `trace`.
    TraceId = 51 "",
    /// 16 hex digits; inside `trace`.
    SpanId = 52 "",
    /// 16 hex digits; inside `trace`.
    ParentSpan = 53 "",
    /// The part of the scope that a scope record changes.
    Change = 54 "",
    /// The key from which the ids of a run are made.
    Key = 55 "",
    /// The run, as JSON.
    Run = 56 "",
    /// The view that a record opens or belongs to.
    View = 57 "",
    Username = 58 "username",
    Extra = 59 "extra",
    /// The decision of another system about the trace; inside `trace`.
    TraceSampled = 60 "",
    /// A call that could carry trace headers; inside `trace`.
    TracePropagated = 61 "",
    /// When a call of a batch started, in milliseconds since 1970: it belongs to the session of that time.
    SessionAt = 62 "",
    /// `javascript`, `java`, `native` or `cocoa`.
    Language = 70 "language",
    /// The stack as text, where it could not be parsed.
    Stack = 71 "stack",
    Causes = 72 "causes",
    /// The error is a group of exceptions.
    Group = 73 "group",
    Threads = 74 "threads",
    /// Tags of the event itself; merged into `tags`.
    Tags = 75 "",
    /// The user of the event itself; replaces `user`.
    User = 76 "",
    /// Name of the logger that wrote an entry.
    Logger = 100 "logger",
    /// The key by which the app names a view.
    ViewKey = 101 "key",
    /// The time that the caller gave, in milliseconds since 1970; a column of its own.
    At = 120 "",
    /// Facts about the device at the moment of the event.
    Conditions = 90 "conditions",
    /// The id that a face gave to the event: a UUID; a column of its own.
    Id = 121 "",
    /// Headers of the request that the app records.
    RequestHeaders = 122 "request_headers",
    /// Headers of the response that the app records.
    ResponseHeaders = 123 "response_headers",
    /// The modules in which the frames of a native crash are, by file name.
    DebugImages = 124 "debug_images",
    /// The process whose end an event tells; 0 = not known.
    Pid = 125 "",
    /// The id of the run whose end an event tells.
    EndedRun = 126 "",
    /// When a run ended, in milliseconds since 1970, as the system tells it.
    ExitMs = 127 "",
    Title = 128 "title",
    Description = 129 "description",
}

/// The fields that a row of this kind can have, in the order in which they are encoded, without those that every row is
/// stamped with.
pub(crate) fn of_kind(kind: Kind) -> &'static [Field] {
    use Field as F;
    match kind {
        Kind::Crash | Kind::Error => &[
            F::Type,
            F::Message,
            F::Level,
            F::Handled,
            F::Severity,
            F::Code,
            F::Mechanism,
            F::Fingerprint,
            F::Language,
            F::Group,
            F::Stack,
            F::Frames,
            F::Causes,
            F::Context,
            F::Attrs,
            F::Threads,
            F::DebugImages,
            F::Conditions,
        ],
        Kind::Hang => &[F::Message, F::DurationUs, F::Language, F::Frames, F::Attrs, F::Threads, F::Conditions],
        Kind::AppExit => &[F::Cause, F::Message, F::Attrs, F::Conditions],
        Kind::Revenue => &[F::Amount, F::Currency, F::TransactionId, F::Items, F::Attrs],
        Kind::Feedback => &[F::Message, F::Name, F::Email, F::About],
        Kind::Session => &[F::Session, F::Status, F::Init, F::StartedMs, F::DurationUs, F::Errors],
        Kind::ScreenLoad => &[F::Name, F::StartMs, F::DurationUs, F::InitialUs, F::FullUs, F::Slow, F::Attrs],
        Kind::AppStart => &[F::Type, F::StartMs, F::DurationUs, F::Attrs],
        Kind::ApiCall => &[
            F::Method,
            F::Url,
            F::Endpoint,
            F::Status,
            F::StartMs,
            F::DurationUs,
            F::RequestBytes,
            F::ResponseBytes,
            F::Error,
            F::Failed,
            F::RequestHeaders,
            F::ResponseHeaders,
            F::Slow,
            F::Attrs,
        ],
        Kind::ImageLoad => &[F::Url, F::StartMs, F::DurationUs, F::ResponseBytes, F::Slow, F::Attrs],
        Kind::Interaction => &[F::Action, F::Component, F::Attrs],
        Kind::ScreenView => &[F::Name, F::Class, F::Op, F::ViewKey, F::DurationUs, F::Attrs],
        Kind::Analytics => &[F::Name, F::DurationUs, F::Attrs],
        Kind::UserProp => &[F::Op, F::Name, F::Value, F::By],
        Kind::Message => &[F::Message, F::Level, F::Context, F::Attrs],
        Kind::Metric => &[F::Name, F::Type, F::Value, F::Unit, F::Attrs],
        Kind::Frames => &[F::Name, F::SlowFrames, F::FrozenFrames, F::TotalFrames, F::Attrs],
        Kind::LongTask => &[F::Name, F::StartMs, F::DurationUs, F::Attrs],
        Kind::Span => &[F::Name, F::Op, F::StartMs, F::DurationUs, F::Status, F::Attrs],
        Kind::Log => &[F::Message, F::Level, F::Logger, F::Attrs],
        Kind::Alert => &[F::Title, F::Description, F::Severity, F::Attrs],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_a_number_that_maps_back_to_it() {
        let known: Vec<_> = (0..=255).filter_map(Field::from_number).collect();
        assert!(!known.is_empty());
        for field in known {
            assert_eq!(Field::from_number(field as u8), Some(field));
        }
    }
}
