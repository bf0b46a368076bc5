//! Errors that name a setting as the app's language spells it.

use crate::privacy::Rules;
use std::fmt;

/// How a language spells the names of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Spelling {
    /// `session_background_ms`, as in Rust and in this documentation.
    #[default]
    Snake,
    /// `sessionBackgroundMs`, as in Kotlin, Swift and TypeScript.
    Camel,
}

impl Spelling {
    /// The name in this spelling.
    #[must_use]
    pub fn of(self, name: &str) -> String {
        if self == Spelling::Snake {
            return name.to_owned();
        }
        let mut out = String::with_capacity(name.len());
        let mut upper = false;
        for c in name.chars() {
            match c {
                '_' => upper = true,
                c if upper => {
                    out.extend(c.to_uppercase());
                    upper = false;
                }
                c => out.push(c),
            }
        }
        out
    }
}

/// A setting is invalid. Nothing was opened. The message never contains a key or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The setting, as the app's language spells it: `sessionBackgroundMs`, `destinations[1].dsn`, `sampleRates.api_call`.
    pub field: String,
    /// The value, cut; `not shown` where it may be secret.
    pub value: String,
    /// What to use instead.
    pub why: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "settings: `{}` is {}: {}", self.field, self.value, self.why)
    }
}

impl std::error::Error for SettingsError {}

/// An error whose place is not complete yet: `path` grows outwards, in `snake_case`.
#[derive(Debug)]
pub(super) struct Fault {
    path: String,
    /// The end of the path, if it is data of the app, not the name of a setting.
    tail: String,
    value: String,
    why: String,
}

impl Fault {
    pub(super) fn value(value: String, why: String) -> Fault {
        Fault { path: String::new(), tail: String::new(), value: value.chars().take(64).collect(), why }
    }

    /// The same fault, seen from one level further out: `dsn` becomes `destinations[1].dsn`.
    pub(super) fn inside(mut self, outer: String) -> Fault {
        let dot = if self.path.is_empty() || self.path.starts_with(['[', '.']) { "" } else { "." };
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }

    /// The same fault at a name that the app chose: a member that is no setting, a kind, a header.
    pub(super) fn named(mut self, name: &str) -> Fault {
        self.tail = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(64).collect();
        self
    }

    /// The error, in the app's spelling.
    pub(super) fn spelled(self, spelling: Spelling) -> SettingsError {
        let dot = if self.path.is_empty() || self.tail.is_empty() { "" } else { "." };
        let field = format!("{}{dot}{}", spelling.of(&self.path), self.tail);
        SettingsError { field, value: self.value, why: self.why }
    }
}

/// A text of the settings for an error message: cut, on one line, and hidden if it could contain a key.
pub(super) fn hidden(text: &str) -> String {
    let suspicious = text.contains(['@', '?', '#', '=']) || text.contains("//") && !text.starts_with("https://");
    // A long run of letters and digits is rarely a value that somebody types.
    let longest = text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::len).max().unwrap_or(0);
    if suspicious || longest >= 20 {
        return "not shown".to_owned();
    }
    let shown = Rules::default().text(text);
    let line: String = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).take(64).collect();
    if line.trim().is_empty() { "empty".to_owned() } else { format!("`{line}`") }
}

/// `did you mean` with the nearest known name, or what is allowed.
pub(super) fn suggest(text: &str, known: &[&str], otherwise: &str) -> String {
    match nearest(text, known) {
        Some(name) => format!("did you mean `{name}`? Use {}", otherwise.strip_prefix("use ").unwrap_or(otherwise)),
        None => format!("use {}", otherwise.strip_prefix("use ").unwrap_or(otherwise)),
    }
}

/// The error for a member that is no setting.
pub(super) fn unknown(name: &str, known: &[&str]) -> Fault {
    Fault::value("not a setting".to_owned(), suggest(name, known, "only known settings")).named(name)
}

/// Whether two names differ only in their spelling.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    plain(one) == plain(other)
}

/// The letters and digits of a name in lower case.
fn plain(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(64).collect()
}

/// The known name that is nearest to this one, if it is near: two of five letters may differ.
pub fn nearest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let wanted = plain(text);
    let scored = known.iter().map(|name| (distance(&wanted, &plain(name)), *name));
    let (cost, name) = scored.min_by_key(|(cost, _)| *cost)?;
    (cost <= (wanted.len() * 2 / 5).max(1)).then_some(name)
}

/// The number of letters to insert, remove, replace or swap with their neighbour (optimal string alignment).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut rows: [Vec<usize>; 2] = [Vec::new(), (0..=other.len()).collect()];
    for (at, c) in one.iter().enumerate() {
        let [before, last] = &rows;
        let mut next = vec![at + 1];
        for (to, d) in other.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (cell(last, to) + usize::from(c != d)).min(cell(last, to + 1) + 1).min(cell(&next, to) + 1);
            let swapped = at > 0 && to > 0 && one.get(at - 1) == Some(d) && other.get(to - 1) == Some(c);
            if swapped {
                cost = cost.min(cell(before, to - 1) + 1);
            }
            next.push(cost);
        }
        let [_, last] = rows;
        rows = [last, next];
    }
    rows[1].last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_the_language_spells_them() {
        assert_eq!(Spelling::Camel.of("session_background_ms"), "sessionBackgroundMs");
        assert_eq!(Spelling::Camel.of("destinations[1].traces_sample_rate"), "destinations[1].tracesSampleRate");
        assert_eq!(Spelling::Snake.of("mask_ip"), "mask_ip");
        let fault = Fault::value("2".into(), "x".into()).named("api_call").inside("sample_rates".into());
        assert_eq!(fault.spelled(Spelling::Camel).field, "sampleRates.api_call");
    }

    #[test]
    fn the_nearest_name_is_suggested_only_if_it_is_near() {
        let known = ["session_background_ms", "slow_api_ms", "dsn", "mask_user"];
        for (text, name) in [
            ("sessionBackgroundMs", Some("session_background_ms")),
            ("sesion_background", Some("session_background_ms")),
            ("slowApi", Some("slow_api_ms")),
            ("DSN", Some("dsn")),
            ("dns", Some("dsn")),
            ("tracesSampleRate", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, &known), name, "{text}");
        }
    }

    #[test]
    fn a_value_that_could_be_a_key_is_not_shown() {
        for text in ["https://0123abcd@o1.ingest.sentry.io/42", "0123456789abcdef0123456789abcdef", "a=b", "x?token=1"]
        {
            assert_eq!(hidden(text), "not shown");
        }
        assert_eq!([hidden("grant"), hidden("a\nb"), hidden("")], ["`grant`", "`a b`", "empty"]);
    }
}
