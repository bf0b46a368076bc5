//! Who may ask: programs and pages of this machine that know the token.
//!
//! Every page in the user's browser can send requests to a loopback port. The token keeps them out. The check of `Host` keeps
//! out a page whose name was changed to resolve to 127.0.0.1; the check of `Origin` keeps out pages of other origins.

use axum::http::{HeaderMap, HeaderName, header};
use std::hint::black_box;

/// The token, and the names under which the server is reached.
pub(super) struct Access {
    token: String,
    hosts: [String; 3],
}

impl Access {
    pub(super) fn new(port: u16, token: String) -> Access {
        Access { token, hosts: ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}")) }
    }

    /// Why a request is refused whatever its token; `None` if it is not.
    pub(super) fn refuses(&self, headers: &HeaderMap) -> Option<&'static str> {
        match one(headers, &header::HOST) {
            Ok(Some(host)) if self.is_ours(host) => {}
            _ => return Some("the `Host` header does not name this server; open the address that rezq printed"),
        }
        match one(headers, &header::ORIGIN) {
            Ok(None) => None,
            Ok(Some(origin)) if origin.strip_prefix("http://").is_some_and(|host| self.is_ours(host)) => None,
            _ => Some("the request comes from a page of another origin; open the address that rezq printed"),
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(host))
    }

    /// Whether `Authorization: Bearer` has the token.
    pub(super) fn allows_bearer(&self, headers: &HeaderMap) -> bool {
        let value = one(headers, &header::AUTHORIZATION).ok().flatten();
        value.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| self.allows(token))
    }

    /// Whether this is the token. The time does not depend on where the two differ.
    pub(super) fn allows(&self, token: &str) -> bool {
        let (ours, theirs) = (self.token.as_bytes(), token.as_bytes());
        let differences = ours.iter().zip(theirs).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
        ours.len() == theirs.len() && differences == 0
    }
}

/// The value of a header that must not be sent twice.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        _ => Err(()),
    }
}
