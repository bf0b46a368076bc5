//! What the builders of all destinations share: the address, the purposes, and the checks of values that go into
//! headers.

use super::DestinationError;
pub(crate) use crate::hash::stable_hash;
use crate::kind::Purpose;
use crate::transport::{Endpoint, Request};

/// The settings that every destination has.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) endpoint: String,
    purposes: Vec<Purpose>,
}

impl Settings {
    /// Settings with this address and the default purposes of the destination.
    pub(super) fn new(endpoint: impl Into<String>, purposes: &[Purpose]) -> Settings {
        Settings { endpoint: endpoint.into(), purposes: purposes.to_vec() }
    }

    /// Replaces the purposes; order and repetition do not matter.
    pub(super) fn set_purposes(&mut self, purposes: &[Purpose]) {
        self.purposes = Purpose::ALL.into_iter().filter(|purpose| purposes.contains(purpose)).collect();
    }

    /// The address as it was given, for `Debug`.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The checked address. See [`base_url`].
    pub(super) fn base_url(&self, appended: &[&str]) -> Result<String, DestinationError> {
        base_url(&self.endpoint, appended)
    }

    /// The purposes; at least one.
    pub(super) fn into_purposes(self) -> Result<Vec<Purpose>, DestinationError> {
        if self.purposes.is_empty() { Err(DestinationError::NoPurpose) } else { Ok(self.purposes) }
    }
}

/// Checks an address and returns it without a slash at its end. `appended` lists the paths that the destination appends
/// itself: one of them at the end of the address is removed, so that an address copied with its path works too.
pub(super) fn base_url(endpoint: &str, appended: &[&str]) -> Result<String, DestinationError> {
    let endpoint = Endpoint::parse(endpoint)?;
    let path = appended.iter().find_map(|path| endpoint.path.strip_suffix(path)).unwrap_or(&endpoint.path);
    Ok(format!("{}{path}", endpoint.origin))
}

/// Checks a key, token or id that is sent in a header or a query: not empty, visible ASCII.
pub(super) fn check_credential(part: &'static str, value: &str) -> Result<(), DestinationError> {
    if value.is_empty() {
        return Err(DestinationError::Empty { part });
    }
    match value.chars().position(|c| !c.is_ascii_graphic()) {
        Some(at) => Err(DestinationError::NotAHeader { part, at }),
        None => Ok(()),
    }
}

/// Checks a sample rate: 0 to 1.
#[cfg(any(feature = "destination-datadog", feature = "destination-otlp", feature = "destination-sentry"))]
pub(super) fn check_rate(part: &'static str, rate: f64) -> Result<(), DestinationError> {
    if (0.0..=1.0).contains(&rate) {
        return Ok(());
    }
    Err(DestinationError::Rate { part, value: rate.to_string() })
}

/// Headers that the request sets itself; a second value would contradict the first.
#[cfg(feature = "destination-otlp")]
const RESERVED_HEADERS: [&str; 6] =
    ["connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding"];

/// Checks headers that the app adds: valid names and values, each name once, none of them reserved.
#[cfg(feature = "destination-otlp")]
pub(super) fn check_headers(headers: &[(String, String)]) -> Result<(), DestinationError> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    for (index, (name, value)) in headers.iter().enumerate() {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        if name.is_empty() {
            return Err(DestinationError::Empty { part: "header name" });
        }
        if let Some(at) = name.chars().position(|c| !is_token(c)) {
            return Err(DestinationError::HeaderName { name: shown, at });
        }
        let repeated = headers.iter().take(index).any(|(known, _)| known.eq_ignore_ascii_case(name));
        if repeated || RESERVED_HEADERS.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
            return Err(DestinationError::HeaderTaken { name: shown });
        }
        if value.is_empty() {
            return Err(DestinationError::HeaderValue { name: shown, at: 0 });
        }
        // `Bearer x` needs its space. Servers disagree on whether a space at either end belongs to the value.
        let last = value.chars().count() - 1;
        let valid = |at: usize, c: char| c.is_ascii_graphic() || (c == ' ' && at != 0 && at != last);
        if let Some((at, _)) = value.chars().enumerate().find(|(at, c)| !valid(*at, *c)) {
            return Err(DestinationError::HeaderValue { name: shown, at });
        }
    }
    Ok(())
}

/// A request with these headers.
pub(super) fn request(url: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Request {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Request { url: url.to_owned(), headers, body: body.into() }
}

/// The value of [`super::Destination::encoder`]: `version` is raised when the body for the same rows changes,
/// `settings` are the switches that change it. Bodies name the version of the library, so that each version is an
/// encoder of its own.
pub(super) fn encoder(destination: &str, version: u32, settings: &[u8]) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    hash.update(destination.as_bytes());
    hash.update(env!("CARGO_PKG_VERSION").as_bytes());
    hash.update(&version.to_le_bytes());
    hash.update(settings);
    hash.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::UrlError;

    #[test]
    fn an_address_loses_its_last_slash_and_the_path_that_is_appended_to_it() {
        for (given, base) in [
            ("https://x.example", "https://x.example"),
            ("https://x.example/in/", "https://x.example/in"),
            ("https://x.example/in/v1/logs", "https://x.example/in"),
            ("https://x.example/v1/traces/", "https://x.example"),
        ] {
            assert_eq!(base_url(given, &["/v1/logs", "/v1/traces"]).unwrap(), base);
        }
        assert_eq!(base_url("https://", &[]), Err(DestinationError::Endpoint(UrlError::NoHost)));
    }

    #[test]
    fn purposes_are_kept_once_in_a_fixed_order_and_one_is_required() {
        let mut settings = Settings::new("https://x.example", &Purpose::ALL);
        settings.set_purposes(&[Purpose::Analytics, Purpose::Monitoring, Purpose::Analytics]);
        assert_eq!(settings.clone().into_purposes().unwrap(), Purpose::ALL);
        settings.set_purposes(&[]);
        assert_eq!(settings.into_purposes(), Err(DestinationError::NoPurpose));
    }

    #[test]
    fn an_encoder_differs_by_destination_version_and_settings() {
        let encoders = [encoder("a", 1, &[]), encoder("b", 1, &[]), encoder("a", 2, &[]), encoder("a", 1, &[1])];
        for (at, one) in encoders.iter().enumerate() {
            assert!(encoders.iter().skip(at + 1).all(|other| other != one), "{encoders:?}");
        }
    }

    #[cfg(any(feature = "destination-datadog", feature = "destination-otlp", feature = "destination-sentry"))]
    #[test]
    fn a_sample_rate_outside_0_to_1_is_refused_with_its_name_and_value() {
        assert_eq!([0.0, 0.5, 1.0].map(|rate| check_rate("rate", rate)), [Ok(()), Ok(()), Ok(())]);
        for rate in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let error = check_rate("session_sample_rate", rate).unwrap_err().to_string();
            assert!(error.starts_with(&format!("session_sample_rate is {rate}")), "{error}");
        }
    }
}
