//! DSN: address and key of a project, `https://<key>@<host>/<project>`.

use crate::transport::{Endpoint, UrlError};

/// A DSN is invalid. The message names the part, never the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DsnError {
    /// A character that is not allowed in a DSN, such as a line break at its end.
    #[error("the character at position {0} is not allowed (a line break at its end?)")]
    Character(usize),
    /// Scheme, host or port is invalid.
    #[error("{0}")]
    Address(#[from] UrlError),
    /// There is no key before the `@`.
    #[error("key missing: expected https://<key>@<host>/<project>")]
    NoKey,
    /// The key contains an invalid character.
    #[error("the character at position {0} of the key is not a letter, digit, `-` or `_`")]
    Key(usize),
    /// There is no project after the last `/`.
    #[error("project missing: expected https://<key>@<host>/<project>")]
    NoProject,
    /// The project id contains an invalid character.
    #[error("project id `{0}` is invalid: expected letters, digits, `-` or `_`")]
    Project(String),
}

/// A valid DSN.
#[derive(Clone, PartialEq, Eq)]
pub struct Dsn {
    /// Address that envelopes are posted to.
    pub(super) url: String,
    /// Public key.
    pub(super) key: String,
}

impl Dsn {
    /// Parses a DSN: `{scheme}://{key}[:{secret}]@{host}[:{port}]{path}/{project}`. The secret is deprecated and
    /// ignored. The address uses `https`; `http` is allowed to a loopback address only.
    ///
    /// # Errors
    /// [`DsnError`] names the invalid part.
    pub fn parse(text: &str) -> Result<Dsn, DsnError> {
        if let Some(at) = text.chars().position(|c| !c.is_ascii_graphic()) {
            return Err(DsnError::Character(at));
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::NoScheme)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        // The address first: if the scheme is wrong, a message about the key would mislead.
        let address = format!("{scheme}://{host}/{path}");
        let endpoint = Endpoint::parse(&address)?;
        let key = user.split(':').next().unwrap_or_default();
        if key.is_empty() {
            return Err(DsnError::NoKey);
        }
        let is_valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if let Some(at) = key.chars().position(|c| !is_valid(c)) {
            return Err(DsnError::Key(at));
        }
        let (path, project) = endpoint.path.rsplit_once('/').unwrap_or(("", ""));
        if project.is_empty() || path.ends_with('/') {
            return Err(DsnError::NoProject);
        }
        if !project.chars().all(is_valid) {
            return Err(DsnError::Project(project.chars().take(32).collect()));
        }
        let url = format!("{}{path}/api/{project}/envelope/", endpoint.origin);
        Ok(Dsn { url, key: key.to_owned() })
    }

    /// The id of the organisation, where the host shows it: `o<digits>.ingest.`, as at sentry.io.
    pub(super) fn org_id(&self) -> Option<&str> {
        let host = self.url.split_once("://")?.1;
        let (id, rest) = host.strip_prefix('o')?.split_once('.')?;
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        (is_id && rest.starts_with("ingest.")).then_some(id)
    }

    /// The address that envelopes are posted to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl std::fmt::Debug for Dsn {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dsn").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_dsn_gives_the_envelope_endpoint_of_its_project() {
        for (text, url) in [
            ("https://abc123@o1.ingest.sentry.io/42", "https://o1.ingest.sentry.io/api/42/envelope/"),
            ("https://abc123:secret@sentry.example.com:8443/42/", "https://sentry.example.com:8443/api/42/envelope/"),
            ("https://k@example.com/a/b/shop-1", "https://example.com/a/b/api/shop-1/envelope/"),
            ("http://k@127.0.0.1:9000/1", "http://127.0.0.1:9000/api/1/envelope/"),
            ("http://k@[::1]:9000/1", "http://[::1]:9000/api/1/envelope/"),
        ] {
            let dsn = Dsn::parse(text).unwrap();
            assert_eq!(dsn.url(), url);
            assert!(!format!("{dsn:?}").contains("abc123"));
        }
    }

    #[test]
    fn the_organisation_is_read_from_the_host_of_sentrys_own_ingestion() {
        for (text, id) in [
            ("https://k@o1.ingest.sentry.io/42", Some("1")),
            ("https://k@O4505.ingest.us.sentry.io/42", Some("4505")),
            ("https://k@o.ingest.sentry.io/42", None),
            ("https://k@o1x.ingest.sentry.io/42", None),
            ("https://k@o1.sentry.example.com/42", None),
            ("https://k@sentry.example.com/42", None),
        ] {
            assert_eq!(Dsn::parse(text).unwrap().org_id(), id, "{text}");
        }
    }

    #[test]
    fn an_invalid_dsn_is_an_error_that_names_the_part() {
        for (text, error, words) in [
            ("", DsnError::Address(UrlError::NoScheme), "scheme missing"),
            ("k@host/1", DsnError::Address(UrlError::NoScheme), "scheme missing"),
            ("ftp://k@host/1", DsnError::Address(UrlError::Scheme("ftp".into())), "scheme `ftp`"),
            ("http://k@host.example/1", DsnError::Address(UrlError::Plain("host.example".into())), "use https"),
            ("https://k@/1", DsnError::Address(UrlError::NoHost), "host missing"),
            ("https://k@:443/1", DsnError::Address(UrlError::NoHost), "host missing"),
            ("https://k@host:0/1", DsnError::Address(UrlError::Port("0".into())), "port"),
            ("https://k@host/1?a=b", DsnError::Address(UrlError::Query), "query"),
            ("https://host.example/1", DsnError::NoKey, "key missing"),
            ("https://@host.example/1", DsnError::NoKey, "key missing"),
            ("https://:secret@host.example/1", DsnError::NoKey, "key missing"),
            ("https://a@b@host.example/1", DsnError::Key(1), "position 1"),
            ("https://k@host.example", DsnError::NoProject, "project missing"),
            ("https://k@host.example/", DsnError::NoProject, "project missing"),
            ("https://k@host.example/4;2", DsnError::Project("4;2".into()), "is invalid"),
            ("https://k@host.example/42\n", DsnError::Character(25), "line break"),
            ("https://k\n@host.example/42", DsnError::Character(9), "line break"),
        ] {
            assert_eq!(Dsn::parse(text), Err(error.clone()), "{text:?}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
