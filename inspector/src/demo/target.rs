//! Parses `--destination NAME=ADDRESS`: the endpoint of a vendor, or a test server on this machine.

use rez_monitor::Purpose;
use rez_monitor::destination::{Datadog, Destination, DestinationError, Ga4, Mixpanel, Otlp, Sentry};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The destinations and the formats of their addresses.
const FORMS: [(&str, &str); 5] = [
    ("sentry", "<dsn>"),
    ("otlp", "<url>"),
    ("mixpanel", "<token>@<url>"),
    ("datadog", "<application>:<token>@<url>"),
    ("ga4", "<secret>:<stream>@<url>"),
];

/// Why an argument is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// The `=` is missing.
    #[error("missing `=`; use one of {all}", all = forms())]
    NoName,
    /// The name is unknown.
    #[error("`{0}` is not a destination; use one of {all}", all = forms())]
    Unknown(String),
    /// A part is missing.
    #[error("{name}: missing {part}; use {name}={form}")]
    Missing {
        /// The destination.
        name: &'static str,
        /// The missing part.
        part: &'static str,
        /// The format.
        form: &'static str,
    },
    /// The destination rejects a value.
    #[error("{name}: {error}")]
    Invalid {
        /// The destination.
        name: &'static str,
        /// Its error.
        error: DestinationError,
    },
    /// Two destinations have one name, so they would share a cursor.
    #[error("{0} is given twice")]
    Twice(&'static str),
}

fn forms() -> String {
    FORMS.map(|(name, form)| format!("{name}={form}")).join(", ")
}

/// A destination of the command line. Its address contains keys, so `Debug` prints the name only.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The name of the destination.
    pub(super) name: &'static str,
    form: &'static str,
    address: String,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

impl FromStr for Target {
    type Err = TargetError;

    /// Parses and validates the argument, so that an invalid one is rejected before the demo starts.
    fn from_str(text: &str) -> Result<Target, TargetError> {
        let (name, address) = text.split_once('=').ok_or(TargetError::NoName)?;
        let known = FORMS.into_iter().find(|(known, _)| *known == name);
        let (name, form) = known.ok_or_else(|| TargetError::Unknown(name.chars().take(32).collect()))?;
        let target = Target { name, form, address: address.to_owned() };
        target.build()?;
        Ok(target)
    }
}

impl Target {
    /// Formats the argument for the command line of the app.
    pub(super) fn text(&self) -> String {
        format!("{}={}", self.name, self.address)
    }

    /// Builds the destination, for both purposes.
    pub(super) fn build(&self) -> Result<Arc<dyn Destination>, TargetError> {
        let invalid = |error| TargetError::Invalid { name: self.name, error };
        let all = &Purpose::ALL;
        Ok(match self.name {
            "sentry" => Arc::new(Sentry::builder(&self.address).traces_sample_rate(1.0).build().map_err(invalid)?),
            "otlp" => Arc::new(Otlp::builder(&self.address).purposes(all).build().map_err(invalid)?),
            "mixpanel" => {
                let (token, url) = self.split(&self.address, '@', "token")?;
                Arc::new(Mixpanel::builder(token).endpoint(url).purposes(all).build().map_err(invalid)?)
            }
            "datadog" => {
                let (keys, url) = self.split(&self.address, '@', "client token")?;
                let (application, token) = self.split(keys, ':', "application id")?;
                let builder = Datadog::builder(application, token).endpoint(url).purposes(all);
                Arc::new(builder.build().map_err(invalid)?)
            }
            _ => {
                let (keys, url) = self.split(&self.address, '@', "API secret")?;
                let (secret, stream) = self.split(keys, ':', "measurement id")?;
                Arc::new(Ga4::web_stream(stream, secret).endpoint(url).purposes(all).build().map_err(invalid)?)
            }
        })
    }

    fn split<'a>(&self, text: &'a str, at: char, part: &'static str) -> Result<(&'a str, &'a str), TargetError> {
        // A URL has no `@`, but the part before it can have one.
        let parts = if at == '@' { text.rsplit_once(at) } else { text.split_once(at) };
        parts.ok_or(TargetError::Missing { name: self.name, part, form: self.form })
    }
}

/// Rejects two destinations with one name.
pub(super) fn check_distinct(targets: &[Target]) -> Result<(), TargetError> {
    let twice =
        targets.iter().enumerate().find(|(at, one)| targets.iter().take(*at).any(|other| other.name == one.name));
    twice.map_or(Ok(()), |(_, target)| Err(TargetError::Twice(target.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [&str; 5] = [
        "sentry=http://0123456789abcdef@127.0.0.1:9000/42",
        "otlp=http://127.0.0.1:4318",
        "mixpanel=T0K3N@http://127.0.0.1:9001",
        "datadog=11111111-2222-4333-8444-555555555555:pub1@http://127.0.0.1:9002",
        "ga4=s3cret:G-1@http://127.0.0.1:9003",
    ];

    #[test]
    fn every_format_is_parsed_and_formatted_again_and_keys_are_not_printed() {
        let targets: Vec<Target> = GOOD.iter().map(|text| text.parse().unwrap()).collect();
        for (target, text) in targets.iter().zip(GOOD) {
            assert_eq!(target.text(), text);
            assert!(!format!("{target:?}").contains("127"), "{target:?}");
        }
        assert_eq!(check_distinct(&targets), Ok(()));
        let twice = [targets.clone(), targets].concat();
        assert_eq!(check_distinct(&twice), Err(TargetError::Twice("sentry")));
    }

    #[test]
    fn an_invalid_argument_names_the_part_and_http_is_limited_to_this_machine() {
        for (text, message) in [
            ("http://127.0.0.1", "missing `=`"),
            ("statsd=http://127.0.0.1", "`statsd` is not a destination"),
            ("mixpanel=http://127.0.0.1:9001", "mixpanel: missing token"),
            ("mixpanel=@http://127.0.0.1:9001", "mixpanel: project token is empty"),
            ("mixpanel=T\n@http://127.0.0.1:9001", "mixpanel: project token contains a character at position 1"),
            ("mixpanel=T@http://mp.example.com", "mixpanel: endpoint: http is allowed to a loopback address only"),
            ("mixpanel=T@https:///import", "mixpanel: endpoint: host missing"),
            ("datadog=a@http://127.0.0.1:1", "datadog: missing application id"),
            ("datadog=a:b@http://dd.example.com", "datadog: "),
            ("ga4=secret@http://127.0.0.1:1", "ga4: missing measurement id"),
            ("ga4=secret:G-1", "ga4: missing API secret"),
            ("ga4=s:G-1@http://ga.example.com", "ga4: endpoint: http is allowed to a loopback address only"),
            ("otlp=", "otlp: "),
            ("otlp=http://otel.example.com:4318", "otlp: "),
            ("sentry=http://127.0.0.1:9000/42", "sentry: DSN: "),
            ("sentry=http://key@sentry.example.com/42", "sentry: DSN: "),
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
