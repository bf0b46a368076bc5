//! Addresses of servers: `https` to any host, `http` to a loopback address only.
//!
//! Anything that two URL parsers can interpret differently (user names, backslashes, blanks, non-ASCII characters) is
//! refused, so that this check and the HTTP client never disagree about the host.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An address is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The address does not begin with `https://`.
    #[error("scheme missing: expected https://host")]
    NoScheme,
    /// The scheme is neither `https` nor `http`.
    #[error("scheme `{0}` is not supported: use https")]
    Scheme(String),
    /// `http` to a host that is not a loopback address.
    #[error("http is allowed to a loopback address only, not to `{0}`: use https")]
    Plain(String),
    /// There is no host between `//` and the path.
    #[error("host missing: expected https://host")]
    NoHost,
    /// The host is neither a host name nor an IP address.
    #[error(
        "host `{0}` is not a host name or an IP address: write a non-ASCII name in its `xn--` form, an IPv6 address in brackets"
    )]
    Host(String),
    /// The port is not a number from 1 to 65535.
    #[error("port `{0}` is invalid: use a number from 1 to 65535")]
    Port(String),
    /// The address contains a user name or password.
    #[error("a user name or password is not allowed in the address: remove the part before `@`")]
    User,
    /// The address contains a character that is not allowed.
    #[error("the character at position {0} is not allowed in an address: remove it, or write it percent-encoded")]
    Character(usize),
    /// The address contains a query or a fragment.
    #[error("a query or fragment is not allowed in the endpoint: remove it from the first `?` or `#` on")]
    Query,
}

/// A valid address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether the scheme is `https`.
    pub secure: bool,
    /// Host in lower case; an IPv6 address without brackets.
    pub host: String,
    /// Scheme, host and port, without a trailing slash.
    pub origin: String,
    /// Path without a trailing slash; empty for the root.
    pub path: String,
}

impl Endpoint {
    /// Parses and checks an address.
    ///
    /// # Errors
    /// [`UrlError`] names the invalid part.
    pub fn parse(text: &str) -> Result<Endpoint, UrlError> {
        if let Some(at) = text.chars().position(|c| !c.is_ascii_graphic() || matches!(c, '\\' | '"' | '<' | '>' | '`'))
        {
            return Err(UrlError::Character(at));
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::NoScheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(UrlError::Scheme(scheme.chars().take(32).collect())),
        };
        if rest.contains(['?', '#']) {
            return Err(UrlError::Query);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(UrlError::User);
        }
        let (host, port) = split_port(authority)?;
        if let Some(port) = port
            && !port.parse::<u16>().is_ok_and(|number| number > 0)
        {
            return Err(UrlError::Port(port.chars().take(16).collect()));
        }
        if !secure && !is_loopback(&host) {
            return Err(UrlError::Plain(host));
        }
        let path = path.trim_end_matches('/');
        Ok(Endpoint {
            secure,
            host,
            origin: format!("{}://{}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase()),
            path: if path.is_empty() { String::new() } else { format!("/{path}") },
        })
    }
}

/// Host without brackets, and the port as text.
fn split_port(authority: &str) -> Result<(String, Option<&str>), UrlError> {
    let wrong = |host: &str| UrlError::Host(host.chars().take(255).collect());
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or_else(|| wrong(authority))?;
        host.parse::<Ipv6Addr>().map_err(|_| wrong(host))?;
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err(wrong(authority)),
        }
    } else {
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        if host.is_empty() {
            return Err(UrlError::NoHost);
        }
        let well_formed = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        // A host that ends in a number is an IPv4 address; clients interpret forms like `0x7f.1` differently.
        let numeric = host.rsplit('.').next().is_some_and(|label| label.starts_with(|c: char| c.is_ascii_digit()));
        if !host.split('.').all(well_formed) || (numeric && host.parse::<Ipv4Addr>().is_err()) {
            return Err(wrong(host));
        }
        (host, port)
    };
    Ok((host.to_ascii_lowercase(), port))
}

/// Whether a host is a loopback address.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_address_is_split_into_its_parts() {
        for (text, origin, path, host) in [
            ("https://in.example.com", "https://in.example.com", "", "in.example.com"),
            ("HTTPS://In.Example.com:8443/a/B/", "https://in.example.com:8443", "/a/B", "in.example.com"),
            ("http://127.0.0.1:4000/", "http://127.0.0.1:4000", "", "127.0.0.1"),
            ("http://localhost:4000/x", "http://localhost:4000", "/x", "localhost"),
            ("http://[::1]:4000", "http://[::1]:4000", "", "::1"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]", "", "2001:db8::1"),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(
                (endpoint.origin.as_str(), endpoint.path.as_str(), endpoint.host.as_str()),
                (origin, path, host)
            );
        }
    }

    #[test]
    fn an_invalid_address_is_an_error_that_names_the_part() {
        for (text, error) in [
            ("", UrlError::NoScheme),
            ("in.example.com", UrlError::NoScheme),
            ("ftp://in.example.com", UrlError::Scheme("ftp".into())),
            ("http://in.example.com", UrlError::Plain("in.example.com".into())),
            ("http://127.0.0.1.example.com", UrlError::Plain("127.0.0.1.example.com".into())),
            ("http://localhost.example.com", UrlError::Plain("localhost.example.com".into())),
            ("https://", UrlError::NoHost),
            ("https:///v1", UrlError::NoHost),
            ("https://:443", UrlError::NoHost),
            ("https://a..b", UrlError::Host("a..b".into())),
            ("https://0x7f.1", UrlError::Host("0x7f.1".into())),
            ("https://2130706433", UrlError::Host("2130706433".into())),
            ("https://[zz]", UrlError::Host("zz".into())),
            ("https://[::1]x", UrlError::Host("[::1]x".into())),
            ("https://host:0", UrlError::Port("0".into())),
            ("https://host:70000", UrlError::Port("70000".into())),
            ("https://host:", UrlError::Port(String::new())),
            ("http://127.0.0.1@evil.example", UrlError::User),
            ("https://host\\@evil", UrlError::Character(12)),
            ("https://host/a b", UrlError::Character(14)),
            ("https://host/\n", UrlError::Character(13)),
            ("https://h\u{f6}st", UrlError::Character(9)),
            ("https://host/?a=1", UrlError::Query),
            ("https://host/#a", UrlError::Query),
        ] {
            assert_eq!(Endpoint::parse(text), Err(error), "{text:?}");
        }
    }
}
