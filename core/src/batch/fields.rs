//! The checks of fields that a language passes without types: which fields a kind needs, and what becomes of a value of the
//! wrong type. The batch decoder uses them, and every other encoding that a face fills must call
//! [`conform`] and [`is_complete`] for the same fields, so that equal calls give equal rows.
//!
//! Lengths, depth and numbers of elements are not checked here: the [`crate::event::encode::Encoder`] cuts them.

use super::json::Json;
use crate::event::field::Field;
use crate::event::{AlertSeverity, Language};
use crate::kind::Kind;
use crate::level::Level;
use std::borrow::Cow;

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Text,
    /// A UUID.
    Id,
    /// A whole number, zero or more.
    Count,
    /// A whole number.
    Whole,
    Float,
    Bool,
    Map,
    List,
    /// One of these words.
    Word(&'static [&'static str]),
    Any,
}

/// The operations on a profile.
const PEOPLE: [&str; 8] = ["set", "set_once", "unset", "increment", "append", "union", "remove", "delete"];

/// The type of a field in a row of this kind; breadcrumbs have none.
fn type_of(field: Field, kind: Option<Kind>) -> Type {
    use Field as F;
    match (field, kind) {
        (F::Type, Some(Kind::Metric)) => Type::Word(&["counter", "gauge", "distribution"]),
        (F::Type, Some(Kind::AppStart)) => Type::Word(&["cold", "warm"]),
        (F::Status, Some(Kind::Span)) => Type::Word(&["ok", "error", "cancelled"]),
        (F::Op, Some(Kind::ScreenView)) => Type::Word(&["start", "stop"]),
        (F::Op, Some(Kind::UserProp)) => Type::Word(&PEOPLE),
        (F::Value, Some(Kind::Metric)) => Type::Float,
        (F::Level, _) => Type::Word(&Level::NAMES),
        (F::Language, _) => Type::Word(&Language::NAMES),
        (F::Severity, Some(Kind::Alert)) => Type::Word(&AlertSeverity::NAMES),
        (F::Severity, _) => Type::Word(&["low", "medium", "high", "critical"]),
        (F::Amount | F::By, _) => Type::Float,
        (F::Handled | F::Slow | F::Failed | F::Init | F::Group, _) => Type::Bool,
        (
            F::DurationUs
            | F::InitialUs
            | F::FullUs
            | F::RequestBytes
            | F::ResponseBytes
            | F::SlowFrames
            | F::FrozenFrames
            | F::TotalFrames
            | F::Status,
            Some(_),
        ) => Type::Count,
        (F::StartMs, _) => Type::Whole,
        // No privacy rule reads ids.
        (F::About | F::View, _) => Type::Id,
        (F::Context | F::Attrs | F::Data | F::Extra | F::RequestHeaders | F::ResponseHeaders, _) => Type::Map,
        (F::Items | F::Frames | F::Causes | F::Threads, _) => Type::List,
        (
            F::Name
            | F::Message
            | F::Type
            | F::Code
            | F::Mechanism
            | F::Stack
            | F::Method
            | F::Url
            | F::Endpoint
            | F::Error
            | F::Action
            | F::Component
            | F::Class
            | F::Op
            | F::Currency
            | F::TransactionId
            | F::Unit
            | F::Email
            | F::Username
            | F::Cause
            | F::Category
            | F::Logger
            | F::Title
            | F::Description
            | F::ViewKey,
            _,
        ) => Type::Text,
        _ => Type::Any,
    }
}

/// A scope change: its name, and its members with their fields.
type Change = (&'static str, &'static [(&'static str, Field)]);

/// The change of the user.
pub(super) const USER_CHANGE: &str = "user";

/// The scope changes of a batch.
pub(super) const CHANGES: [Change; 15] = {
    const ATTRS: &[(&str, Field)] = &[("attrs", Field::Attrs)];
    const NAME: &[(&str, Field)] = &[("name", Field::Name)];
    const NAME_VALUE: &[(&str, Field)] = &[("name", Field::Name), ("value", Field::Value)];
    const USER: &[(&str, Field)] =
        &[("id", Field::Name), ("email", Field::Email), ("username", Field::Username), ("extra", Field::Extra)];
    [
        (USER_CHANGE, USER),
        ("tag", NAME_VALUE),
        ("flag", NAME_VALUE),
        ("context", &[("name", Field::Name), ("value", Field::Context)]),
        ("screen", &[("name", Field::Name), ("view", Field::View)]),
        ("screen_cancelled", &[("view", Field::View)]),
        ("span", &[]),
        ("span_ended", &[]),
        ("super", ATTRS),
        ("super_once", ATTRS),
        ("super_unset", NAME),
        ("super_clear", &[]),
        ("time_event", NAME),
        ("view_attrs", ATTRS),
        ("view_timing", NAME),
    ]
};

/// The value as its field takes it; `None` if it is absent (`null`) or does not fit, which `cut` counts.
///
/// Text takes a number or a truth value as it is written. A number takes text that is one; a whole number loses its fraction,
/// a count below zero is zero. A list or map in the place of a scalar, an unknown word, an id that is no UUID and every other
/// mismatch are ignored.
pub(crate) fn conform<'j, 'a>(
    field: Field,
    kind: Option<Kind>,
    value: &'j Json<'a>,
    cut: &mut u64,
) -> Option<Cow<'j, Json<'a>>> {
    // The value of a property can be `null`.
    if *value == Json::Null && (field, kind) != (Field::Value, Some(Kind::UserProp)) {
        return None;
    }
    let fits = match (type_of(field, kind), value) {
        (Type::Any, _)
        | (Type::Text, Json::Str(_))
        | (Type::Whole | Type::Count, Json::I64(0..))
        | (Type::Count, Json::U64(_))
        | (Type::Whole, Json::I64(_))
        | (Type::Float, Json::F64(_))
        | (Type::Bool, Json::Bool(_))
        | (Type::Map, Json::Map(_))
        | (Type::List, Json::List(_)) => return Some(Cow::Borrowed(value)),
        (Type::Id, Json::Str(text)) if uuid::Uuid::try_parse(text).is_ok() => return Some(Cow::Borrowed(value)),
        (Type::Word(words), Json::Str(text)) => return known(words, text, value).or_else(|| ignored(cut)),
        (Type::Text, Json::Bool(value)) => Some(Json::Str(value.to_string().into())),
        (Type::Text, Json::I64(number)) => Some(Json::Str(number.to_string().into())),
        (Type::Text, Json::U64(number)) => Some(Json::Str(number.to_string().into())),
        (Type::Text, Json::F64(number)) => Some(Json::Str(number.to_string().into())),
        (Type::Whole, value) => value.whole().map(Json::I64),
        (Type::Count, value) => {
            let whole = value.whole();
            // A measurement with a fraction is what JavaScript has; one below zero is wrong.
            *cut += u64::from(whole.is_some_and(|number| number < 0));
            whole.map(|number| Json::I64(number.max(0)))
        }
        (Type::Float, value) => value.float().map(Json::F64),
        _ => None,
    };
    match fits {
        Some(value) => Some(Cow::Owned(value)),
        None => ignored(cut),
    }
}

fn known<'j, 'a>(words: &[&str], text: &str, value: &'j Json<'a>) -> Option<Cow<'j, Json<'a>>> {
    words.contains(&text).then_some(Cow::Borrowed(value))
}

fn ignored<T>(cut: &mut u64) -> Option<T> {
    *cut += 1;
    None
}

/// Whether an event has what its kind cannot do without. `has` tells whether a field has a value that fits.
pub(crate) fn is_complete(kind: Kind, has: impl Fn(Field) -> bool) -> bool {
    use Field as F;
    match kind {
        Kind::Crash | Kind::Error => has(F::Type) || has(F::Message),
        Kind::Message | Kind::Log | Kind::Feedback => has(F::Message),
        Kind::Alert => has(F::Title),
        Kind::Hang => has(F::DurationUs),
        Kind::AppExit => has(F::Cause),
        Kind::Revenue => has(F::Amount),
        Kind::ScreenLoad | Kind::LongTask | Kind::Span => has(F::Name) && has(F::DurationUs),
        Kind::AppStart => has(F::Type) && has(F::DurationUs),
        Kind::ApiCall | Kind::ImageLoad => has(F::Url) && has(F::DurationUs),
        Kind::Interaction => has(F::Action) && has(F::Component),
        // The end of a view names its key only.
        Kind::ScreenView => has(F::Name) || (has(F::Op) && has(F::ViewKey)),
        Kind::Analytics | Kind::Frames => has(F::Name),
        // `delete` names no property.
        Kind::UserProp => has(F::Op),
        Kind::Metric => has(F::Name) && has(F::Type) && has(F::Value),
        Kind::Session => false,
        #[allow(unreachable_patterns)]
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conformed(field: Field, kind: Kind, text: &str) -> (Option<Json<'_>>, u64) {
        let mut cut = 0;
        let json = Json::parse(text).unwrap();
        let value = conform(field, Some(kind), &json, &mut cut).map(Cow::into_owned);
        (value, cut)
    }

    #[test]
    fn a_value_of_another_type_is_converted_where_its_meaning_is_clear_and_else_ignored_and_counted() {
        let text = |text: &'static str| Some(Json::Str(text.into()));
        for (field, kind, given, expect) in [
            (Field::Name, Kind::Analytics, "7", (text("7"), 0)),
            (Field::Name, Kind::Analytics, "1.5", (text("1.5"), 0)),
            (Field::Name, Kind::Analytics, "true", (text("true"), 0)),
            (Field::Name, Kind::Analytics, "[1]", (None, 1)),
            (Field::Name, Kind::Analytics, "null", (None, 0)),
            (Field::DurationUs, Kind::Hang, "12.75", (Some(Json::I64(12)), 0)),
            (Field::DurationUs, Kind::Hang, "\"12\"", (Some(Json::I64(12)), 0)),
            (Field::DurationUs, Kind::Hang, "-1", (Some(Json::I64(0)), 1)),
            (Field::DurationUs, Kind::Hang, "\"soon\"", (None, 1)),
            (Field::Amount, Kind::Revenue, "499", (Some(Json::F64(499.0)), 0)),
            (Field::Handled, Kind::Error, "1", (None, 1)),
            (Field::Level, Kind::Message, "\"warning\"", (text("warning"), 0)),
            (Field::Level, Kind::Message, "\"warn\"", (None, 1)),
            (Field::Severity, Kind::Alert, "\"critical\"", (text("critical"), 0)),
            (Field::Severity, Kind::Alert, "\"medium\"", (None, 1)),
            (Field::Severity, Kind::Error, "\"warning\"", (None, 1)),
            (Field::Type, Kind::Metric, "\"sum\"", (None, 1)),
            (Field::Type, Kind::Error, "\"sum\"", (text("sum"), 0)),
            (Field::Attrs, Kind::Error, "[]", (None, 1)),
            (Field::Value, Kind::UserProp, "[1]", (Some(Json::List(vec![Json::I64(1)])), 0)),
        ] {
            assert_eq!(conformed(field, kind, given), expect, "{field:?} {given}");
        }
    }
}
