//! Errors of a destination's configuration.

#[cfg(feature = "destination-sentry")]
use super::DsnError;
use crate::transport::UrlError;

/// A destination was configured with a value that cannot work. The message names the setting, never a key or token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// The address is invalid.
    #[error("endpoint: {0}")]
    Endpoint(#[from] UrlError),
    /// A required value is empty.
    #[error("{part} is empty: pass a value")]
    Empty {
        /// The value, for example `write key`.
        part: &'static str,
    },
    /// A key, token or id contains a character that cannot be sent in an HTTP header.
    #[error(
        "{part} contains a character at position {at} that is not allowed in an HTTP header (a line break at its end?)"
    )]
    NotAHeader {
        /// The value, for example `write key`.
        part: &'static str,
        /// Position of the character, from 0.
        at: usize,
    },
    /// A header name contains a character that HTTP does not allow.
    #[error("header `{name}`: the character at position {at} is not allowed in a header name")]
    HeaderName {
        /// The name, without control characters.
        name: String,
        /// Position of the character, from 0.
        at: usize,
    },
    /// A header value is empty or contains a character that HTTP does not allow.
    #[error(
        "header `{name}`: the value is empty, or the character at position {at} is not allowed (a line break at its end?)"
    )]
    HeaderValue {
        /// Name of the header.
        name: String,
        /// Position of the character, from 0.
        at: usize,
    },
    /// A header is set twice, or is one that every request sets itself.
    #[error("header `{name}` is set twice or is reserved for the request itself: remove one, or use another name")]
    HeaderTaken {
        /// Name of the header.
        name: String,
    },
    /// A value does not have the format that the vendor defines.
    #[error("{part}: {why}")]
    Form {
        /// The value, for example `measurement id`.
        part: &'static str,
        /// The expected format.
        why: &'static str,
    },
    /// The DSN of a Sentry project is invalid.
    #[cfg(feature = "destination-sentry")]
    #[error("DSN: {0}")]
    Dsn(#[from] DsnError),
    /// A sample rate is not between 0 and 1.
    #[error("{part} is {value}: expected a number from 0 to 1")]
    Rate {
        /// The setting, for example `traces_sample_rate`.
        part: &'static str,
        /// The given value.
        value: String,
    },
    /// No purpose is set, so nothing would ever be sent.
    #[error("no purpose is set: name monitoring, analytics or both")]
    NoPurpose,
}
