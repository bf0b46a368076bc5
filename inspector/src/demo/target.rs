//! `--destination NAME=ADDRESS`: a vendor's endpoint, real or a stand-in on this machine, beside the desk collector.

use rez_monitor::Purpose;
use rez_monitor::destination::{Datadog, Destination, DestinationError, Ga4, Mixpanel, Otlp, Sentry};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Each destination and how its address is written.
const FORMS: [(&str, &str); 5] = [
    ("sentry", "<dsn>"),
    ("otlp", "<url>"),
    ("mixpanel", "<token>@<url>"),
    ("datadog", "<application>:<token>@<url>"),
    ("ga4", "<secret>:<stream>@<url>"),
];

/// Why an argument cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// There is no `=`.
    #[error("no `=` in it: write one of {all}", all = forms())]
    NoName,
    /// None of ours.
    #[error("`{0}` is no destination: write one of {all}", all = forms())]
    Unknown(String),
    /// A part is missing.
    #[error("{name}: no {part}: write {name}={form}")]
    Missing {
        /// The destination.
        name: &'static str,
        /// What is missing.
        part: &'static str,
        /// How it is written.
        form: &'static str,
    },
    /// The destination refuses a value.
    #[error("{name}: {error}")]
    Wrong {
        /// The destination.
        name: &'static str,
        /// What it says.
        error: DestinationError,
    },
    /// Two of one name: both would be the same queue.
    #[error("{0} is named twice: name it once")]
    Twice(&'static str),
}

fn forms() -> String {
    FORMS.map(|(name, form)| format!("{name}={form}")).join(", ")
}

/// A destination of the command line. Its text holds keys, so that it is shown by its name alone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its name, under which it is declared.
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

    /// Reads and checks: what cannot work is refused before anything starts.
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
    /// As it was written, for the app's own command line.
    pub(super) fn text(&self) -> String {
        format!("{}={}", self.name, self.address)
    }

    /// The destination, for everything the demo records.
    pub(super) fn build(&self) -> Result<Arc<dyn Destination>, TargetError> {
        let wrong = |error| TargetError::Wrong { name: self.name, error };
        let all = &Purpose::ALL;
        Ok(match self.name {
            "sentry" => Arc::new(Sentry::builder(&self.address).traces_sample_rate(1.0).build().map_err(wrong)?),
            "otlp" => Arc::new(Otlp::builder(&self.address).purposes(all).build().map_err(wrong)?),
            "mixpanel" => {
                let (token, url) = self.split(&self.address, '@', "token")?;
                Arc::new(Mixpanel::builder(token).endpoint(url).purposes(all).build().map_err(wrong)?)
            }
            "datadog" => {
                let (keys, url) = self.split(&self.address, '@', "client token")?;
                let (application, token) = self.split(keys, ':', "application id")?;
                let builder = Datadog::builder(application, token).endpoint(url).purposes(all);
                Arc::new(builder.build().map_err(wrong)?)
            }
            _ => {
                let (keys, url) = self.split(&self.address, '@', "API secret")?;
                let (secret, stream) = self.split(keys, ':', "measurement id")?;
                Arc::new(Ga4::web_stream(stream, secret).endpoint(url).purposes(all).build().map_err(wrong)?)
            }
        })
    }

    fn split<'a>(&self, text: &'a str, at: char, part: &'static str) -> Result<(&'a str, &'a str), TargetError> {
        // An address has no `@`; what stands before it may.
        let parts = if at == '@' { text.rsplit_once(at) } else { text.split_once(at) };
        parts.ok_or(TargetError::Missing { name: self.name, part, form: self.form })
    }
}

/// No name may stand there twice.
pub(super) fn distinct(targets: &[Target]) -> Result<(), TargetError> {
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
    fn every_form_is_read_and_written_back_and_its_keys_are_not_shown() {
        let targets: Vec<Target> = GOOD.iter().map(|text| text.parse().unwrap()).collect();
        for (target, text) in targets.iter().zip(GOOD) {
            assert_eq!(target.text(), text);
            assert!(!format!("{target:?}").contains("127"), "{target:?}");
        }
        assert_eq!(distinct(&targets), Ok(()));
        let twice = [targets.clone(), targets].concat();
        assert_eq!(distinct(&twice), Err(TargetError::Twice("sentry")));
    }

    #[test]
    fn a_wrong_one_says_which_part_and_plain_http_stays_on_this_machine() {
        for (text, said) in [
            ("http://127.0.0.1", "no `=` in it"),
            ("statsd=http://127.0.0.1", "`statsd` is no destination"),
            ("mixpanel=http://127.0.0.1:9001", "mixpanel: no token"),
            ("mixpanel=@http://127.0.0.1:9001", "mixpanel: project token is empty"),
            ("mixpanel=T\n@http://127.0.0.1:9001", "mixpanel: project token has a character at position 1"),
            ("mixpanel=T@http://mp.example.com", "mixpanel: endpoint: http is allowed to a loopback address only"),
            ("mixpanel=T@https:///import", "mixpanel: endpoint: host missing"),
            ("datadog=a@http://127.0.0.1:1", "datadog: no application id"),
            ("datadog=a:b@http://dd.example.com", "datadog: "),
            ("ga4=secret@http://127.0.0.1:1", "ga4: no measurement id"),
            ("ga4=secret:G-1", "ga4: no API secret"),
            ("ga4=s:G-1@http://ga.example.com", "ga4: endpoint: http is allowed to a loopback address only"),
            ("otlp=", "otlp: "),
            ("otlp=http://otel.example.com:4318", "otlp: "),
            ("sentry=http://127.0.0.1:9000/42", "sentry: DSN: "),
            ("sentry=http://key@sentry.example.com/42", "sentry: DSN: "),
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
