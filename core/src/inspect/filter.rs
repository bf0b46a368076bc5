//! Conditions on the fields of an event, as a person writes them: `kind=api_call, attrs.status>=500`.
//!
//! ```text
//! conditions = condition { ("," | "and" | "&&") condition }
//! condition  = field ("=" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "~") value
//! field      = word { "." (word | text) }
//! value      = text in double or single quotes | number | true | false | null | word
//! ```
//!
//! A field that is a number is compared as a number, and every other one as text. `~` searches without regard to case; with a `*` in the value, which stands
//! for any text, the whole field has to match. A condition on a field that the event does not have holds only for `!=`, and for `= null`.

mod parser;

use super::state::State;
use super::title;
use crate::json::split;
use crate::kind::Kind;
use crate::row::Row;
use crate::support_code::is_code;
use parser::Parser;
use serde_json::Value;
use std::cmp::Ordering;
use std::fmt;

/// Most conditions of a filter.
const CONDITIONS: usize = 32;

/// What a row is, besides the fields of its event.
const OF_ROW: [&str; 6] = ["id", "kind", "lane", "seq", "state", "wall_ms"];

/// Conditions that all have to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conditions(Vec<Condition>);

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    path: Vec<String>,
    operator: Operator,
    /// As it was written, so that `1.10` is no `1.1`; `None` = `null`.
    value: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Like,
}

/// In this order, so that the longer one is found first.
const OPERATORS: [(&str, Operator); 8] = [
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("~", Operator::Like),
];

/// Why a filter cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The filter.
    pub text: String,
    /// Byte at which reading failed.
    pub at: usize,
    /// What was expected there.
    pub expected: &'static str,
}

impl fmt::Display for FilterError {
    /// The sentence, then the filter with a caret under the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text.get(..self.at).unwrap_or_default().chars().count();
        // A filter is one line; a control character would move the caret.
        let line: String = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        write!(
            f,
            "the filter cannot be read at character {}: expected {}\n  {line}\n  {:before$}^",
            before + 1,
            self.expected,
            ""
        )
    }
}

impl std::error::Error for FilterError {}

/// An event that conditions are tested on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) row: &'a Row,
    /// `None` while it is not known yet; see [`Conditions::split_state`].
    pub(crate) state: Option<State>,
}

impl Conditions {
    /// Reads conditions. An empty text has none.
    ///
    /// ```
    /// use rez_monitor::inspect::Conditions;
    ///
    /// assert!(Conditions::parse(r#"kind = api_call and endpoint ~ "*/pay", status >= 500"#).is_ok());
    /// let error = Conditions::parse("kind = error, status >").unwrap_err();
    /// assert_eq!((error.at, error.expected), (22, "a value"));
    /// ```
    pub fn parse(text: &str) -> Result<Conditions, FilterError> {
        let mut parser = Parser { text, at: 0 };
        let mut conditions = Vec::new();
        parser.skip_space();
        while !parser.rest().is_empty() {
            if conditions.len() == CONDITIONS {
                return Err(parser.expected("the end: a filter has at most 32 conditions"));
            }
            conditions.push(parser.condition()?);
            parser.skip_space();
            if parser.rest().is_empty() {
                break;
            }
            if !parser.take_separator() {
                return Err(parser.expected("a comma, `and` or the end"));
            }
            parser.skip_space();
            if parser.rest().is_empty() {
                return Err(parser.expected("a condition"));
            }
        }
        Ok(Conditions(conditions))
    }

    /// Each condition, as a filter of its own.
    #[must_use]
    pub fn each(&self) -> Vec<String> {
        self.0.iter().map(Condition::to_string).collect()
    }

    /// Whether all conditions hold.
    pub(crate) fn hold(&self, fields: &Fields<'_>) -> bool {
        self.0.iter().all(|condition| condition.holds(fields))
    }

    /// The conditions on the state, and the others: the state costs more to find out.
    pub(crate) fn split_state(self) -> (Conditions, Conditions) {
        let (state, others) =
            self.0.into_iter().partition(|condition| matches!(&condition.path[..], [name] if name == "state"));
        (Conditions(state), Conditions(others))
    }

    /// The conditions on what a row is, each as a filter of its own, and the others. What a row is says nothing about the user.
    #[must_use]
    pub fn split_row(self) -> (Vec<String>, Conditions) {
        let is_of_row =
            |condition: &Condition| matches!(&condition.path[..], [name] if OF_ROW.contains(&name.as_str()));
        let (of_row, others) = self.0.into_iter().partition(is_of_row);
        (Conditions(of_row).each(), Conditions(others))
    }

    /// The same, and the condition that a field has this value; for `session`, that it has this id or this
    /// [support code](crate::support_code()).
    #[must_use]
    pub fn and(mut self, field: &str, value: &str) -> Conditions {
        self.add(&[field], value);
        self
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all conditions hold for an event of an answer with these fields, as they would for its row.
    #[must_use]
    pub fn hold_for(&self, event: &Value, json: &Value) -> bool {
        let word = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let (Ok(id), Some(kind)) = (word("id").parse(), Kind::parse(word("kind"))) else { return false };
        let row = Row {
            seq: event.get("seq").and_then(Value::as_u64).unwrap_or_default(),
            id,
            kind,
            run: 0,
            wall_ms: event.get("wall_ms").and_then(Value::as_i64).unwrap_or_default(),
            mono_ms: 0,
            targets: Vec::new(),
            json: json.to_string(),
        };
        let state = State::ALL.into_iter().find(|state| state.as_str() == word("state"));
        self.hold(&Fields { row: &row, state })
    }

    /// Adds the condition that a field has this value; for `session`, that it has this id or this support code.
    pub(crate) fn add(&mut self, path: &[&str], value: &str) {
        let (operator, value) = match path {
            ["session"] if is_code(value) => (Operator::Like, format!("*{value}")),
            _ => (Operator::Equal, value.to_owned()),
        };
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        self.0.push(Condition { path, operator, value: Some(value) });
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_word = |name: &str| !name.is_empty() && name.chars().all(is_in_word);
        for (place, name) in self.path.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "." })?;
            if is_word(name) { f.write_str(name)? } else { quote(name, f)? }
        }
        let operator = OPERATORS.into_iter().find(|(_, operator)| *operator == self.operator);
        write!(f, " {} ", operator.map_or("=", |(spelling, _)| if spelling == "==" { "=" } else { spelling }))?;
        match &self.value {
            None => f.write_str("null"),
            Some(number) if number.parse::<serde_json::Number>().is_ok() => f.write_str(number),
            Some(text) => quote(text, f),
        }
    }
}

/// Writes a text as the grammar reads it.
fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$')
}

impl Condition {
    fn holds(&self, fields: &Fields<'_>) -> bool {
        let own = |text: &str| self.compare(&Value::from(text));
        let Fields { row, state } = fields;
        match &self.path[..] {
            [name] => match name.as_str() {
                "seq" => self.compare(&row.seq.into()),
                "id" => own(&row.id.to_string()),
                "kind" => own(row.kind.as_str()),
                "lane" => own(row.kind.lane().as_str()),
                "wall_ms" => self.compare(&row.wall_ms.into()),
                "state" => state.is_some_and(|state| own(state.as_str())),
                "name" => self.names(&row.json),
                _ => self.compare(&find(&row.json, &self.path)),
            },
            _ => self.compare(&find(&row.json, &self.path)),
        }
    }

    /// An event has several names: its title in lists, and the fields that people call its name.
    fn names(&self, json: &str) -> bool {
        let json: Value = serde_json::from_str(json).unwrap_or_default();
        let member = |name: &str| json.get(name).and_then(Value::as_str);
        let names = ["name", "type", "endpoint", "url", "action", "message", "title"].into_iter().filter_map(member);
        let mut names = names.map(Value::from).chain([title(&json).into()]);
        match self.operator {
            Operator::NotEqual => names.all(|name| self.compare(&name)),
            _ => names.any(|name| self.compare(&name)),
        }
    }

    fn compare(&self, found: &Value) -> bool {
        let Some(wanted) = &self.value else {
            return match self.operator {
                Operator::Equal => found.is_null(),
                Operator::NotEqual => !found.is_null(),
                _ => false,
            };
        };
        let found_text = text(found);
        let order = || match found {
            Value::Number(found) => order_of_numbers(found, wanted),
            _ => Some(found_text.as_deref()?.cmp(wanted)),
        };
        let is = |wanted: fn(Ordering) -> bool| order().is_some_and(wanted);
        match self.operator {
            Operator::Equal => is(Ordering::is_eq),
            Operator::NotEqual => !is(Ordering::is_eq),
            Operator::Less => is(Ordering::is_lt),
            Operator::AtMost => is(Ordering::is_le),
            Operator::Greater => is(Ordering::is_gt),
            Operator::AtLeast => is(Ordering::is_ge),
            Operator::Like => found_text.as_deref().is_some_and(|found| is_like(found, wanted)),
        }
    }
}

/// Integers are compared exactly; `None` if `wanted` is no number.
fn order_of_numbers(found: &serde_json::Number, wanted: &str) -> Option<Ordering> {
    match (found.as_i128(), wanted.parse::<i128>()) {
        (Some(found), Ok(wanted)) => Some(found.cmp(&wanted)),
        _ => found.as_f64()?.partial_cmp(&wanted.parse::<f64>().ok().filter(|wanted| wanted.is_finite())?),
    }
}

/// The field of an event, or the attribute of the app of that name. `attrs.status` is also the event's own field `status`, so that nobody has
/// to know which of both it is. Only the value is parsed: a list tests conditions on each event of the queue.
fn find(json: &str, path: &[String]) -> Value {
    let attribute = || at(split::member(json, "attrs")?, path);
    let own = || match path {
        [first, rest @ ..] if first == "attrs" && !rest.is_empty() => at(json, rest),
        _ => None,
    };
    let found = at(json, path).or_else(attribute).or_else(own);
    found.and_then(|value| serde_json::from_str(value).ok()).unwrap_or_default()
}

/// The value at a path, as text.
fn at<'a>(json: &'a str, path: &[String]) -> Option<&'a str> {
    path.iter().try_fold(json, |value, name| match value.as_bytes().first() {
        Some(b'[') => split::elements(value).nth(name.parse().ok()?),
        Some(b'{') if name.contains(['"', '\\']) || name.contains(char::is_control) => {
            let quoted = serde_json::to_string(name).ok()?;
            split::member(value, quoted.strip_prefix('"')?.strip_suffix('"')?)
        }
        Some(b'{') => split::member(value, name),
        _ => None,
    })
}

/// A value as the text that a person would write.
fn text(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Null => None,
        value => Some(value.to_string().into()),
    }
}

/// Whether the text contains the pattern, or matches it as a whole if there is a `*` in it. Without regard to case.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return true };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return text.contains(first) };
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests;
