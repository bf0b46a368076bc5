//! Reads the text of a filter.

use super::{Condition, FilterError, OPERATORS, Operator, is_in_word};
use crate::inspect::state::State;
use crate::kind::{Kind, Lane};

/// What is expected instead of a word that the field never has.
fn not_in_list(name: &str, word: &str) -> Option<&'static str> {
    let (is_one, expected) = match name {
        "kind" => (Kind::parse(word).is_some(), "a kind, such as error, api_call or analytics"),
        "lane" => (Lane::ALL.iter().any(|lane| lane.as_str() == word), "crash, critical, normal or bulk"),
        "state" => {
            (State::ALL.iter().any(|state| state.as_str() == word), "queued, dead, dropped, delivered or settled")
        }
        "seq" | "wall_ms" => (word.parse::<f64>().is_ok(), "a number"),
        _ => return None,
    };
    (!is_one).then_some(expected)
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn expected(&self, expected: &'static str) -> FilterError {
        FilterError { text: self.text.to_owned(), at: self.at, expected }
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn take_separator(&mut self) -> bool {
        if self.take(",") || self.take("&&") {
            return true;
        }
        let (word, after) = self.rest().split_at_checked(3).unwrap_or_default();
        let found = word.eq_ignore_ascii_case("and") && after.starts_with(char::is_whitespace);
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn condition(&mut self) -> Result<Condition, FilterError> {
        let mut path = vec![self.name()?];
        while self.take(".") {
            path.push(self.name()?);
        }
        self.skip_space();
        let operator = OPERATORS.into_iter().find(|(spelling, _)| self.take(spelling));
        let Some((_, operator)) = operator else { return Err(self.expected("one of = != < <= > >= ~")) };
        self.skip_space();
        let at = self.at;
        let value = self.value()?;
        // A word that no event can have would make a list empty and an assertion true, whatever was recorded.
        let is_equal = matches!(operator, Operator::Equal | Operator::NotEqual);
        if let ([name], Some(word), true) = (&path[..], &value, is_equal)
            && let Some(expected) = not_in_list(name, word)
        {
            self.at = at;
            return Err(self.expected(expected));
        }
        Ok(Condition { path, operator, value })
    }

    fn name(&mut self) -> Result<String, FilterError> {
        if self.rest().starts_with(['"', '\'']) {
            return self.quoted();
        }
        match self.word(is_in_word) {
            "" => Err(self.expected("the name of a field")),
            word => Ok(word.to_owned()),
        }
    }

    fn value(&mut self) -> Result<Option<String>, FilterError> {
        if self.rest().starts_with(['"', '\'']) {
            return self.quoted().map(Some);
        }
        match self.word(|c| !c.is_whitespace() && !matches!(c, ',' | '"' | '\'' | '(' | ')' | '&')) {
            "" => Err(self.expected("a value")),
            "null" => Ok(None),
            word => Ok(Some(word.to_owned())),
        }
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// A text in quotes; a backslash takes the next character as it is.
    fn quoted(&mut self) -> Result<String, FilterError> {
        let mut chars = self.rest().char_indices();
        let quote = chars.next().map_or('"', |(_, quote)| quote);
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c if c == quote => {
                    self.at += at + c.len_utf8();
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        self.at = self.text.len();
        Err(self.expected("the closing quote"))
    }
}
