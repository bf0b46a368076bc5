//! Names of events with `*`, which stands for any text, and with a kind in front: `error:Payment*`.

use crate::source::Event;
use rez_monitor::Kind;
use serde_json::Value;
use std::fmt;

/// Fields that name an event, beside its title in a list.
const FIELDS: [&str; 5] = ["name", "type", "endpoint", "action", "title"];

/// Selects events by kind and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    /// `None` = any kind.
    kind: Option<Kind>,
    pattern: String,
}

impl Selector {
    /// Reads `name` or `kind:name`. A text before the colon that is no kind is part of the name.
    pub(super) fn parse(text: &str) -> Selector {
        let split = text.split_once(':').and_then(|(kind, name)| Some((Kind::parse(kind)?, name)));
        match split {
            Some((kind, name)) => Selector::new(kind, name),
            None => Selector { kind: None, pattern: text.to_owned() },
        }
    }

    /// Events of this kind.
    pub(super) fn new(kind: Kind, pattern: &str) -> Selector {
        Selector { kind: Some(kind), pattern: pattern.to_owned() }
    }

    /// The name, unless it has a `*`.
    pub(super) fn exact(&self) -> Option<&str> {
        (!self.pattern.contains('*')).then_some(self.pattern.as_str())
    }

    pub(super) fn selects(&self, event: &Event) -> bool {
        let fields = FIELDS.iter().filter_map(|field| event.json.get(field).and_then(Value::as_str));
        self.kind.is_none_or(|kind| kind.as_str() == event.kind)
            && fields.chain([event.name.as_str()]).any(|name| matches(&self.pattern, name))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Some(kind) => write!(f, "{} {}", kind.as_str(), self.pattern),
            None => f.write_str(&self.pattern),
        }
    }
}

/// The name of an event for people: its field `name`, or its title.
pub(super) fn name_of(event: &Event) -> &str {
    event.json.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()).unwrap_or(&event.name)
}

/// Whether the whole text matches. Takes time proportional to the product of both lengths.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_without_one_the_name_is_the_same() {
        for (pattern, text, is_match) in [
            ("pay", "pay", true),
            ("pay", "payment", false),
            ("pay", "Pay", false),
            ("pay*", "pay", true),
            ("*", "", true),
            ("debug_*", "debug_x", true),
            ("*_test", "a_test_b", false),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--c--b", false),
            ("ab*ba", "aba", false),
            ("*ü*", "grün", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), is_match, "{pattern} {text}");
        }
    }

    #[test]
    fn a_kind_stands_before_a_colon_and_another_colon_is_part_of_the_name() {
        assert_eq!(Selector::parse("error:*"), Selector::new(Kind::Error, "*"));
        assert_eq!(Selector::parse("screen:home").pattern, "screen:home");
        assert_eq!(Selector::parse("error:*").to_string(), "error *");
        assert_eq!((Selector::parse("a*").exact(), Selector::parse("a").exact()), (None, Some("a")));
    }
}
