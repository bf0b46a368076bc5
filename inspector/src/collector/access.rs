//! Who may send: programs of this machine and of its emulators, and pages that this machine serves.

use super::body::text;
use crate::host::names_loopback;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};

/// How an Android emulator names the machine that it runs on: the emulator of the Android SDK, and Genymotion.
const EMULATORS: [&str; 2] = ["10.0.2.2", "10.0.3.2"];

/// Paths that the vendors' libraries for browsers send to.
const BROWSER_PATHS: [&str; 8] =
    ["/api/", "/track", "/engage", "/groups", "/import", "/v1/logs", "/v1/traces", "/v1/metrics"];

const FOREIGN: (&str, &str) = ("origin", "the request comes from a page that this machine does not serve");

/// Why a request is refused whatever its key; `None` if it is not.
///
/// The check of `Host` keeps out a page whose name was changed to resolve to 127.0.0.1, that of `Origin` a page of any other server. A
/// browser sends no `Origin` for a picture, a form by GET or a link; there `Sec-Fetch-Site` says where the request comes from.
pub(super) fn refuses(headers: &HeaderMap) -> Option<(&'static str, &'static str)> {
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    if host.is_some_and(|host| !is_here(host)) {
        return Some(("host", "the Host header does not name this machine"));
    }
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    if origin.is_some_and(|origin| !is_own_origin(origin)) {
        return Some(FOREIGN);
    }
    let is_foreign = match text(headers, "sec-fetch-site") {
        Some("cross-site") => true,
        Some("same-site") => !host.is_some_and(names_loopback),
        _ => false,
    };
    (origin.is_none() && is_foreign).then_some(FOREIGN)
}

fn is_here(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    names_loopback(host) || EMULATORS.contains(&name)
}

/// Whether this machine serves the page, or the web view of an app contains it.
fn is_own_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, host)| names_loopback(host))
}

/// The response to the question of a browser whether its page may send to a vendor's path.
pub(super) fn preflight(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
    let is_question = method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !is_question || !is_browser_path(path) {
        return None;
    }
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = axum::http::StatusCode::NO_CONTENT.into_response();
    let out = response.headers_mut();
    out.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    asked.map(|asked| out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked));
    Some(response)
}

/// Lets the page read the response of a vendor's path. Mixpanel's library sends with credentials, so a browser wants the origin by name and
/// the permission for credentials.
pub(super) fn allow(path: &str, origin: Option<&HeaderValue>, response: &mut Response) {
    if let Some(origin) = origin.filter(|_| is_browser_path(path)) {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("origin"));
    }
}

/// Whether the path is a vendor's, which checks the key itself.
pub(super) fn is_browser_path(path: &str) -> bool {
    BROWSER_PATHS
        .iter()
        .any(|one| if one.ends_with('/') { path.starts_with(one) } else { path.trim_end_matches('/') == *one })
}

/// The key of our own protocol.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    text(headers, "authorization")?.strip_prefix("Bearer ").map(str::trim)
}

/// Returns a hash of the key (FNV-1a), so that the file does not contain the key.
pub(super) fn project(key: &str) -> String {
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn an_emulator_and_a_page_of_this_machine_may_send_and_other_pages_may_not() {
        for host in ["127.0.0.1:7345", "localhost", "[::1]:9", "10.0.2.2:7345", "10.0.3.2"] {
            assert_eq!(refuses(&headers(&[("host", host)])), None, "{host}");
        }
        for host in ["evil.example:7345", "10.0.2.2.evil.example", "10.0.2.3:7345", ""] {
            assert!(refuses(&headers(&[("host", host)])).is_some(), "{host}");
        }
        for origin in ["http://localhost:3000", "https://127.0.0.1", "capacitor://localhost"] {
            assert_eq!(refuses(&headers(&[("origin", origin)])), None, "{origin}");
        }
        for origin in ["null", "https://evil.example", "http://localhost.evil.example", "http://192.168.0.7"] {
            assert!(refuses(&headers(&[("origin", origin)])).is_some(), "{origin}");
        }
    }

    #[test]
    fn a_request_without_origin_from_another_site_is_refused() {
        let from = |host, site| refuses(&headers(&[("host", host), ("sec-fetch-site", site)]));
        for (host, site) in [("127.0.0.1:7345", "cross-site"), ("10.0.2.2:7345", "same-site")] {
            assert_eq!(from(host, site), Some(FOREIGN), "{host} {site}");
        }
        for (host, site) in [("localhost:7345", "same-site"), ("127.0.0.1", "same-origin"), ("127.0.0.1", "none")] {
            assert_eq!(from(host, site), None, "{host} {site}");
        }
        let own = [("origin", "http://localhost:3000"), ("sec-fetch-site", "cross-site")];
        assert_eq!(refuses(&headers(&own)), None, "a page of this machine under another of its names");
        let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")];
        assert_eq!(refuses(&headers(&foreign)), Some(FOREIGN));
    }

    #[test]
    fn a_browser_may_ask_about_the_paths_of_vendors_only() {
        let asks =
            headers(&[("access-control-request-method", "POST"), ("access-control-request-headers", "x-sentry-auth")]);
        let answer = preflight(&Method::OPTIONS, "/api/1/envelope/", &asks).unwrap();
        assert_eq!(answer.headers()["access-control-allow-headers"], "x-sentry-auth");
        for path in ["/v1/events", "/test/reset", "/inspect", "/v1/logsx", "/trackers"] {
            assert!(preflight(&Method::OPTIONS, path, &asks).is_none(), "{path}");
        }
        assert!(preflight(&Method::POST, "/track", &asks).is_none());
    }
}
