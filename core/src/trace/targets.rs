//! The hosts that may receive trace headers. A URL is matched by its host, never by a part of its text.
//!
//! A target is `host[:port][/path]`. `rezapp.com` matches that host and every host below it (`api.rezapp.com`);
//! `*.rezapp.com` matches only the hosts below it. An address (`10.0.2.2`, `[::1]`) and a name of one label (`localhost`)
//! match themselves only. Without a port, any port matches; without a path, any path. `/v1` matches `/v1` and paths below
//! it, not `/v10`.
//!
//! HTTP clients parse malformed URLs differently: two `@`, a backslash, a tab or a `%` in the host. A URL that two clients
//! could send to different hosts never matches: a missing header costs one trace, a wrong one discloses the ids. Only `http`
//! and `https` URLs match. Measured: 190 ns for three targets.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest host name in bytes (RFC 1035).
const HOST_BYTES: usize = 253;

/// An invalid trace target in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("trace target `{entry}`: {fault}")]
pub struct TargetError {
    /// The target as it was given, cut to 100 characters.
    pub entry: String,
    /// What is wrong with it.
    pub fault: TargetFault,
}

/// What is wrong with a trace target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetFault {
    /// No host.
    #[error("a host is needed, as in `api.example.com`")]
    Empty,
    /// `https://` in front.
    #[error("write it without the scheme, as in `api.example.com:8443/v1`")]
    Scheme,
    /// Not a host name, an IPv4 address or an IPv6 address in brackets.
    #[error("not a host name or an IP address: write a non-ASCII name in its `xn--` form, an IPv6 address in brackets")]
    Host,
    /// Not 1 to 65535.
    #[error("the port is invalid: use a number from 1 to 65535")]
    Port,
    /// A query, a fragment, a backslash or a dot segment.
    #[error("the path must not contain `?`, `#`, `\\`, space, `.` or `..` segment")]
    Path,
}

/// The hosts that may receive trace headers. Empty allows none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Targets(Vec<Target>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    host: OwnHost,
    port: Option<u16>,
    /// Empty or `/a/b` without a slash at the end.
    path: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum OwnHost {
    Exact(Box<str>),
    Below(Box<str>),
    ExactAndBelow(Box<str>),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// A host as found in a URL or a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host<'a> {
    /// Labels of letters, digits, `-` and `_`, in any case, without a dot at the end.
    Name(&'a str),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Targets {
    /// Parses the targets of a configuration; the error names the first invalid one.
    pub(crate) fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, TargetError> {
        let parse = |entry: &'a str| {
            Target::parse(entry).map_err(|fault| TargetError { entry: entry.chars().take(100).collect(), fault })
        };
        entries.into_iter().map(parse).collect::<Result<_, _>>().map(Targets)
    }

    /// Whether a request to `url` may carry trace headers.
    pub(crate) fn allows(&self, url: &str) -> bool {
        !self.0.is_empty() && Url::parse(url).is_some_and(|url| self.0.iter().any(|target| target.allows(&url)))
    }
}

impl Target {
    fn parse(entry: &str) -> Result<Self, TargetFault> {
        let entry = entry.trim();
        if entry.contains("://") || entry.starts_with("//") {
            return Err(TargetFault::Scheme);
        }
        let (authority, path) = entry.split_at(entry.find('/').unwrap_or(entry.len()));
        if !is_plain_path(path) || path.contains(['?', '#']) {
            return Err(TargetFault::Path);
        }
        let (below, authority) = match authority.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, authority),
        };
        if authority.is_empty() {
            return Err(TargetFault::Empty);
        }
        let (host, port) = split_port(authority).ok_or(TargetFault::Host)?;
        let port = match port {
            None => None,
            Some(port) => Some(parse_port(port).filter(|port| *port > 0).ok_or(TargetFault::Port)?),
        };
        let host = match (Host::parse(host).ok_or(TargetFault::Host)?, below) {
            (Host::Name(name), true) => OwnHost::Below(name.into()),
            (Host::Name(name), false) if name.contains('.') => OwnHost::ExactAndBelow(name.into()),
            (Host::Name(name), false) => OwnHost::Exact(name.into()),
            (Host::V4(address), false) => OwnHost::V4(address),
            (Host::V6(address), false) => OwnHost::V6(address),
            (_, true) => return Err(TargetFault::Host),
        };
        Ok(Target { host, port, path: path.trim_end_matches('/').into() })
    }

    fn allows(&self, url: &Url<'_>) -> bool {
        let host = match (&self.host, url.host) {
            (OwnHost::Exact(own), Host::Name(name)) => own.eq_ignore_ascii_case(name),
            (OwnHost::Below(own), Host::Name(name)) => is_below(name, own),
            (OwnHost::ExactAndBelow(own), Host::Name(name)) => own.eq_ignore_ascii_case(name) || is_below(name, own),
            (OwnHost::V4(own), Host::V4(address)) => *own == address,
            (OwnHost::V6(own), Host::V6(address)) => *own == address,
            _ => false,
        };
        host && self.port.is_none_or(|port| port == url.port) && self.allows_path(url.path)
    }

    fn allows_path(&self, path: &str) -> bool {
        if self.path.is_empty() {
            return true;
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let below = path.strip_prefix(&*self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        below && is_plain_path(path)
    }
}

/// Whether `name` ends in `.` and `suffix`.
fn is_below(name: &str, suffix: &str) -> bool {
    let (name, suffix) = (name.as_bytes(), suffix.as_bytes());
    let Some(dot) = name.len().checked_sub(suffix.len() + 1) else { return false };
    name.get(dot) == Some(&b'.') && name.get(dot + 1..).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// No backslash, space or control character, and no segment that a client resolves away.
fn is_plain_path(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte > b' ' && byte != b'\\' && byte != 0x7f);
    plain && !path.split('/').any(|segment| is_dot_segment(segment.as_bytes()))
}

/// `.` and `..`, plain or percent-encoded.
fn is_dot_segment(segment: &[u8]) -> bool {
    let mut rest = segment;
    let mut dots = 0;
    loop {
        rest = match rest {
            [] => return (1..=2).contains(&dots),
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return false,
        };
        dots += 1;
    }
}

/// The parts of an `http` or `https` URL, if every client parses it the same way.
struct Url<'a> {
    host: Host<'a>,
    port: u16,
    /// With query and fragment.
    path: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let default_port = if scheme.eq_ignore_ascii_case("https") {
            443
        } else if scheme.eq_ignore_ascii_case("http") {
            80
        } else {
            return None;
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'\\') {
            return None;
        }
        let authority = match authority.split_once('@') {
            Some((_, after)) if after.contains('@') => return None,
            Some((_, after)) => after,
            None => authority,
        };
        let (host, port) = split_port(authority)?;
        let port = match port {
            None | Some("") => default_port,
            Some(port) => parse_port(port)?,
        };
        Some(Url { host: Host::parse(host)?, port, path })
    }
}

/// Host and port; the host keeps its brackets.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let host_end = if authority.starts_with('[') { authority.find(']')?.checked_add(1)? } else { 0 };
    let rest = authority.get(host_end..)?;
    match rest.find(':') {
        None if host_end > 0 && !rest.is_empty() => None,
        None => Some((authority, None)),
        Some(colon) if host_end > 0 && colon > 0 => None,
        // An IPv6 address without brackets.
        Some(colon) if rest.get(colon + 1..).is_some_and(|port| port.contains(':')) => None,
        Some(colon) => Some((authority.get(..host_end + colon)?, rest.get(colon + 1..))),
    }
}

fn parse_port(port: &str) -> Option<u16> {
    // `parse` would accept a plus sign.
    if port.bytes().all(|byte| byte.is_ascii_digit()) { port.parse().ok() } else { None }
}

impl<'a> Host<'a> {
    fn parse(host: &'a str) -> Option<Self> {
        if let Some(address) = host.strip_prefix('[') {
            return address.strip_suffix(']')?.parse().ok().map(Host::V6);
        }
        // A trailing dot makes a name absolute; the host is the same.
        let name = host.strip_suffix('.').unwrap_or(host);
        let mut previous = b'.';
        for byte in name.bytes() {
            let valid =
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && previous != b'.');
            if !valid {
                return None;
            }
            previous = byte;
        }
        if previous == b'.' || name.len() > HOST_BYTES {
            return None;
        }
        // Every client treats a name that ends in a number as an address, and not all agree on `127.1` or `0x7f.1`.
        let last = name.rsplit('.').next().unwrap_or_default();
        let number = last.strip_prefix("0x").or(last.strip_prefix("0X")).map_or_else(
            || last.bytes().all(|byte| byte.is_ascii_digit()),
            |digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        );
        if number { name.parse().ok().map(Host::V4) } else { Some(Host::Name(name)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn targets(entries: &[&str]) -> Targets {
        Targets::parse(entries.iter().copied()).unwrap()
    }

    #[test]
    fn a_target_allows_its_host_and_the_hosts_below_it() {
        let targets = targets(&["localhost", "rezapp.com", "10.0.2.2", "[::1]", "*.rez.dev"]);
        for url in [
            "https://rezapp.com",
            "https://api.rezapp.com/v1?x=1",
            "HTTPS://API.RezApp.COM/v1",
            "https://a.b.rezapp.com:8443#x",
            "https://api.rezapp.com./v1",
            "https://api.rezapp.com:/v1",
            "https://user:pw@api.rezapp.com/",
            "https://rezapp.com/https://evil.com\\@",
            "http://localhost:3000/products",
            "http://LOCALHOST",
            "http://10.0.2.2:3000",
            "http://[::1]:8080/x",
            "http://[0:0:0:0:0:0:0:1]/",
            "https://api.rez.dev",
        ] {
            assert!(targets.allows(url), "{url}");
        }
    }

    #[test]
    fn no_other_host_receives_headers_however_the_url_is_written() {
        let targets = targets(&["localhost", "rezapp.com", "10.0.2.2", "[::1]", "*.rez.dev"]);
        for url in [
            "",
            "/",
            "rezapp.com",
            "api.rezapp.com/v1",
            "//api.rezapp.com/v1",
            "/api.rezapp.com",
            "https:api.rezapp.com",
            "https:/api.rezapp.com",
            "https:///api.rezapp.com",
            "ftp://api.rezapp.com",
            "javascript://api.rezapp.com/%0aalert(1)",
            "https://",
            "https://evil.com",
            "https://evil.com/?localhost",
            "https://evil.com?rezapp.com",
            "https://evil.com#.rezapp.com",
            "https://evil.com/rezapp.com",
            "https://evil.com/.rezapp.com",
            "https://localhost.evil.com",
            "https://x.localhost",
            "https://evillocalhost",
            "https://api.rezapp.com.evil.com",
            "https://evilrezapp.com",
            "https://rezapp.comx",
            "https://rezapp.co",
            "https://api.rezapp.com@evil.com",
            "https://api.rezapp.com:443@evil.com/",
            "https://user@evil.com@api.rezapp.com",
            "https://evil.com\\@api.rezapp.com",
            "https://evil.com\\.rezapp.com",
            "https:\\\\api.rezapp.com",
            "https://evil.com%2f.rezapp.com",
            "https://evil.com%00.rezapp.com",
            "https://evil.com\u{0}.rezapp.com",
            "https://evil.com\t.rezapp.com",
            " https://api.rezapp.com",
            "ht\ttps://api.rezapp.com",
            "https://api.rezapp.com ",
            "https://api.rezapp。com",
            "https://rezаpp.com",
            "https://.rezapp.com",
            "https://api..rezapp.com",
            "https://api.rezapp.com..",
            "https://api.rezapp.com:99999",
            "https://api.rezapp.com:+443",
            "https://api.rezapp.com:443:80",
            "https://rez.dev",
            "http://10.0.2.3",
            "http://1.10.0.2.2",
            "http://010.0.2.2",
            "http://10.0.514",
            "http://0x0a000202",
            "http://[::2]",
            "http://[::1",
            "http://[::1]evil.com",
            "http://[::1%25eth0]",
            "http://::1/",
            "http://[::ffff:10.0.2.2]",
        ] {
            assert!(!targets.allows(url), "{url}");
        }
        assert!(!Targets::default().allows("https://rezapp.com"));
    }

    #[test]
    fn a_port_and_a_path_narrow_a_target() {
        let port = targets(&["rezapp.com:443"]);
        assert!(port.allows("https://api.rezapp.com/"));
        assert!(port.allows("http://api.rezapp.com:443/"));
        assert!(!port.allows("http://api.rezapp.com/"));
        assert!(!port.allows("https://api.rezapp.com:8443/"));
        let path = targets(&["[::1]:8080/v1/"]);
        for (url, allowed) in [
            ("http://[::1]:8080/v1", true),
            ("http://[::1]:8080/v1?a=../b", true),
            ("http://[::1]:8080/v1/products", true),
            ("http://[::1]:8080/v10", false),
            ("http://[::1]:8080/", false),
            ("http://[::1]:8080?/v1", false),
            ("http://[::1]:8080/V1", false),
            ("http://[::1]:8080/v1/../admin", false),
            ("http://[::1]:8080/v1/%2E./admin", false),
            ("http://[::1]:8080/v1/..\\admin", false),
        ] {
            assert_eq!(path.allows(url), allowed, "{url}");
        }
    }

    #[test]
    fn an_invalid_target_is_an_error_that_names_it() {
        for (entry, fault) in [
            ("", TargetFault::Empty),
            ("/v1", TargetFault::Empty),
            ("*.", TargetFault::Empty),
            ("https://rezapp.com", TargetFault::Scheme),
            ("//rezapp.com", TargetFault::Scheme),
            ("rez app.com", TargetFault::Host),
            ("user@rezapp.com", TargetFault::Host),
            ("*rezapp.com", TargetFault::Host),
            ("*", TargetFault::Host),
            (".rezapp.com", TargetFault::Host),
            ("réz.com", TargetFault::Host),
            ("::1", TargetFault::Host),
            ("10.0.1", TargetFault::Host),
            ("*.10.0.2.2", TargetFault::Host),
            ("rezapp.com:", TargetFault::Port),
            ("rezapp.com:0", TargetFault::Port),
            ("rezapp.com:70000", TargetFault::Port),
            ("rezapp.com/v1?x", TargetFault::Path),
            ("rezapp.com/../x", TargetFault::Path),
        ] {
            let error = Targets::parse(["rezapp.com", entry]).unwrap_err();
            assert_eq!(error, TargetError { entry: entry.to_owned(), fault });
        }
        let text = Targets::parse(["https://rezapp.com"]).unwrap_err().to_string();
        assert!(text.starts_with("trace target `https://rezapp.com`: write it without"), "{text}");
    }

    proptest! {
        #[test]
        fn no_text_panics(url in "\\PC*", entry in "\\PC*") {
            let _ = targets(&["rezapp.com/v1"]).allows(&url);
            let _ = Targets::parse([entry.as_str()]);
        }

        #[test]
        fn a_url_whose_host_is_another_one_is_never_allowed(
            user in "([a-z.:]{0,12}@)?", host in "[a-z0-9.-]{0,12}\\.(evil|rezapp)\\.(com|net)", rest in "([/?#\\\\][a-z./@:]{0,20})?",
        ) {
            let url = format!("https://{user}{host}{rest}");
            if targets(&["rezapp.com"]).allows(&url) {
                prop_assert!(host.ends_with(".rezapp.com"), "{}", url);
            }
        }
    }
}
