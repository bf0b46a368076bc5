//! What can be wrong with a destination's values, and the checks they share.

#[cfg(feature = "destination-sentry")]
use super::DsnError;
use crate::transport::UrlError;

/// A destination was configured with a value that cannot work. Says which part, never the key itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// The endpoint's address.
    #[error("endpoint: {0}")]
    Endpoint(#[from] UrlError),
    /// The key is empty.
    #[error("{part} is empty")]
    Empty {
        /// What was empty, for example `write key`.
        part: &'static str,
    },
    /// The key could not be put into an HTTP header.
    #[error("{part} has a character at position {at} that cannot stand in an HTTP header (a newline, perhaps?)")]
    NotAHeader {
        /// Which value, for example `write key`.
        part: &'static str,
        /// Position of the character, from 0.
        at: usize,
    },
    /// A header's name is no name.
    #[error("header `{name}`: the character at position {at} cannot stand in a header's name")]
    HeaderName {
        /// The name, without what cannot be shown.
        name: String,
        /// Position of the character, from 0.
        at: usize,
    },
    /// A header's value cannot be sent as it is.
    #[error(
        "header `{name}`: its value is empty, or has a character at position {at} that cannot stand there (a newline, perhaps?)"
    )]
    HeaderValue {
        /// Which header.
        name: String,
        /// Position of the character, from 0.
        at: usize,
    },
    /// A header is named twice, or is one that is ours to set.
    #[error("header `{name}` is named twice or belongs to the request itself")]
    HeaderTaken {
        /// Which header.
        name: String,
    },
    /// A value has not the form the vendor gives it.
    #[error("{part}: {why}")]
    Form {
        /// Which value, for example `measurement id`.
        part: &'static str,
        /// What it should look like.
        why: &'static str,
    },
    /// The address of a Sentry project.
    #[cfg(feature = "destination-sentry")]
    #[error("DSN: {0}")]
    Dsn(#[from] DsnError),
    /// A share that is not between 0 and 1.
    #[error("{part} is {value}: write a share from 0 to 1")]
    Rate {
        /// Which value, for example `traces_sample_rate`.
        part: &'static str,
        /// What was given.
        value: String,
    },
    /// No purpose was named, so that nothing would ever be sent.
    #[error("no purpose: name monitoring, analytics or both")]
    NoPurpose,
}

/// Checks a value that goes into a header as it is: not empty, visible ASCII.
///
/// # Errors
/// [`DestinationError::Empty`], [`DestinationError::NotAHeader`].
pub(crate) fn header_value(part: &'static str, value: &str) -> Result<(), DestinationError> {
    if value.is_empty() {
        return Err(DestinationError::Empty { part });
    }
    match value.chars().position(|c| !c.is_ascii_graphic()) {
        Some(at) => Err(DestinationError::NotAHeader { part, at }),
        None => Ok(()),
    }
}

/// A hash that is the same in every build and on every device (FNV-1a): what [`super::Destination::key_hash`] is made of.
#[must_use]
pub(crate) fn stable_hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        // The byte 0xff never occurs in UTF-8, so that ("a", "bc") and ("ab", "c") differ.
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}
