//! Assertions about events, for scripts of user interface tests: `count(kind=api_call, name="/pay") == 1`.
//!
//! ```text
//! assertion = "count" "(" [ conditions ] ")" ("==" | "=" | "!=" | "<" | "<=" | ">" | ">=") number
//! ```
//!
//! The conditions are those of [`rez_monitor::inspect::Conditions`].

use rez_monitor::inspect::Conditions;
use std::fmt;

/// An assertion about the number of events that fulfil conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Assertion {
    /// The conditions, as they were written.
    pub conditions: String,
    /// Each condition, as a filter of its own.
    pub each: Vec<String>,
    operator: &'static str,
    number: u64,
}

/// Why an assertion cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct AssertionError {
    text: String,
    at: usize,
    expected: String,
}

impl fmt::Display for AssertionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.text.get(..self.at).unwrap_or_default().chars().count();
        let AssertionError { text, expected, .. } = self;
        write!(
            f,
            "the assertion cannot be read at character {}: expected {expected}\n  {text}\n  {:before$}^",
            before + 1,
            ""
        )
    }
}

const OPERATORS: [&str; 7] = ["==", "!=", "<=", ">=", "=", "<", ">"];

impl Assertion {
    /// Reads an assertion.
    ///
    /// ```
    /// use rez_inspect::assertion::Assertion;
    ///
    /// let one = Assertion::parse(r#"count(kind = api_call, name = "/pay") == 1"#)?;
    /// assert!(one.holds(1) && !one.holds(2));
    /// # Ok::<(), rez_inspect::assertion::AssertionError>(())
    /// ```
    ///
    /// # Errors
    /// It has another form.
    pub fn parse(text: &str) -> Result<Assertion, AssertionError> {
        let wrong =
            |at: usize, expected: &str| AssertionError { text: text.to_owned(), at, expected: expected.to_owned() };
        let at = |rest: &str| text.len() - rest.len();
        let rest = text.trim_start();
        let Some(inside) = rest.strip_prefix("count").map(str::trim_start) else {
            return Err(wrong(at(rest), "`count`"));
        };
        let Some(inside) = inside.strip_prefix('(') else { return Err(wrong(at(inside), "`(`")) };
        let Some(end) = closing(inside) else { return Err(wrong(text.len(), "`)`")) };
        let (conditions, after) = inside.split_at(end);
        let read = Conditions::parse(conditions).map_err(|error| wrong(at(inside) + error.at, error.expected))?;
        let after = after.get(1..).unwrap_or_default().trim_start();
        let operator = OPERATORS.into_iter().find(|operator| after.starts_with(operator));
        let Some(operator) = operator else { return Err(wrong(at(after), "one of == != < <= > >=")) };
        let number = after.get(operator.len()..).unwrap_or_default().trim();
        let place = text.trim_end().len().saturating_sub(number.len());
        let number = number.parse().map_err(|_| wrong(place, "a whole number"))?;
        Ok(Assertion { conditions: conditions.trim().to_owned(), each: read.each(), operator, number })
    }

    /// Whether it holds for this number of events.
    #[must_use]
    pub fn holds(&self, count: u64) -> bool {
        match self.operator {
            "!=" => count != self.number,
            "<" => count < self.number,
            "<=" => count <= self.number,
            ">" => count > self.number,
            ">=" => count >= self.number,
            _ => count == self.number,
        }
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "count({}) {} {}", self.conditions, self.operator, self.number)
    }
}

/// Where the parenthesis closes. One in quotes does not count.
fn closing(text: &str) -> Option<usize> {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, ')') => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator_compares() {
        let holds = |text: &str, count| Assertion::parse(text).unwrap().holds(count);
        for (operator, wanted) in [
            ("==", [false, true, false]),
            ("=", [false, true, false]),
            ("!=", [true, false, true]),
            ("<", [true, false, false]),
            ("<=", [true, true, false]),
            (">", [false, false, true]),
            (">=", [false, true, true]),
        ] {
            assert_eq!([1, 2, 3].map(|count| holds(&format!("count(){operator}2"), count)), wanted, "{operator}");
        }
        let one = Assertion::parse(" count ( kind = error , name = \"a)b\" ) == 1 ").unwrap();
        assert_eq!(one.conditions, "kind = error , name = \"a)b\"");
        assert_eq!(one.each, ["kind = \"error\"", "name = \"a)b\""]);
        assert_eq!(one.to_string(), "count(kind = error , name = \"a)b\") == 1");
    }

    #[test]
    fn an_assertion_that_cannot_be_read_has_a_caret_under_the_place() {
        for (text, at) in [
            ("", 0),
            ("sum(x=1) == 1", 0),
            ("count x=1", 6),
            ("count(x=1", 9),
            ("count(x=) == 1", 8),
            ("count(x=1) 1", 11),
            ("count(x=1) == one", 14),
            ("count(x=1) == -1", 14),
            ("count(x=1) == 1.5", 14),
            ("count(x=\"é)\" == 1", 18),
        ] {
            assert_eq!(Assertion::parse(text).unwrap_err().at, at, "{text}");
        }
        let error = Assertion::parse("count(status >) == 1").unwrap_err().to_string();
        assert_eq!(
            error,
            "the assertion cannot be read at character 15: expected a value\n  count(status >) == 1\n                ^"
        );
    }
}
