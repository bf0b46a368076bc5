//! What is wrong with a configuration, and the checks of single values.

use crate::limits;
use crate::trace::TargetError;
use std::borrow::Cow;

/// An invalid configuration. Nothing was opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A field has an invalid value.
    #[error("configuration: `{field}` is {value}: {why}")]
    Field {
        /// The setter's name. For a setter that is called per kind, with the kind: `sample(api_call)`.
        field: Cow<'static, str>,
        /// The value, cut.
        value: String,
        /// What to use instead.
        why: &'static str,
    },
    /// A trace target is not a host.
    #[error("configuration: `trace_targets`: {0}")]
    Target(#[from] TargetError),
    /// Two destinations have the same name, or a name is invalid.
    #[error("configuration: destination `{name}`: {why}")]
    Destination {
        /// Its name.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The system provides neither memory nor a thread.
    #[error("cannot start: the system provides {0}; free memory or end threads, and open the monitor again")]
    System(String),
}

/// Whether a text is the name of a header, in lower case: words of letters and digits with a hyphen between two.
pub(super) fn is_header(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= limits::NAME_BYTES && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('-').all(word)
}

/// Validates the name of the app or a release.
pub(crate) fn check_name(field: &'static str, text: &str) -> Result<(), ConfigError> {
    if text.trim().is_empty() || text.len() > limits::NAME_BYTES || text.contains(['\n', '\r', '\0']) {
        let value = text.chars().take(64).collect();
        return Err(ConfigError::Field { field: field.into(), value, why: "use 1 to 200 bytes on one line" });
    }
    Ok(())
}

/// Validates the name of a destination, which is part of the names of its routes.
pub(crate) fn check_destination(name: &str) -> Result<(), ConfigError> {
    let fine = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if fine {
        return Ok(());
    }
    Err(ConfigError::Destination {
        name: name.chars().take(64).collect(),
        why: "use 1 to 64 letters, digits, `-`, `_` or `.`",
    })
}
