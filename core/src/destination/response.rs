//! What responses have in common, whichever server they come from.

use super::Action;
use super::server_message::server_message;
use crate::transport::Response;
use serde::de::IgnoredAny;

/// Why this response was not sent by the configured server, if something on the network path responded in its place: the
/// login page of a captive portal, or a temporary redirect to one. Such a request did not arrive. `None` if the response
/// is the server's own.
///
/// Called for every destination before [`super::Destination::verdict`].
pub(crate) fn intercepted(response: &Response) -> Option<String> {
    match response.status {
        200..=299 if is_web_page(response) => Some(format!("a web page was returned (status {})", response.status)),
        // A permanent redirect (301, 308) is different: the address has changed, which the host must know.
        302 | 303 | 307 => Some(redirect(response)),
        // Network Authentication Required: by RFC 6585 never sent by the server itself.
        511 => Some("the network requires a login (511)".to_owned()),
        _ => None,
    }
}

/// Whether the body is a web page. The content type alone does not decide: several server frameworks label every response
/// `text/html`, an empty one and JSON too.
fn is_web_page(response: &Response) -> bool {
    let body = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body).trim_ascii();
    let content_type = response.header("content-type").unwrap_or_default().trim_start();
    let is_html = content_type.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("text/html"));
    body.starts_with(b"<") || (is_html && !body.is_empty() && serde_json::from_slice::<IgnoredAny>(body).is_err())
}

/// Names the host of the target alone: the path of a webhook is its secret, and a redirect often keeps it.
fn redirect(response: &Response) -> String {
    let target = response.header("location").unwrap_or_default();
    let origin =
        target.split_once("://").map(|(scheme, rest)| (scheme, rest.split(['/', '?', '#']).next().unwrap_or(rest)));
    match origin {
        Some((scheme, host)) => format!("the endpoint redirects to {}", server_message(&format!("{scheme}://{host}/"))),
        None if target.is_empty() => "the endpoint redirects".to_owned(),
        None => "the endpoint redirects to another path".to_owned(),
    }
}

/// What a status other than 2xx means where the vendor has no rule of its own. `refused` says what 401 and 403 refuse,
/// `missing` what 404, 405 and 410 mean; the status is appended to both.
pub(super) fn unsuccessful(response: &Response, refused: &str, missing: &str) -> Action {
    let wait = response.retry_after();
    match response.status {
        300..=399 => Action::Stop(redirect(response)),
        status @ (401 | 403) => Action::Stop(format!("{refused} ({status})")),
        status @ (404 | 405 | 410) => Action::Stop(format!("{missing} ({status})")),
        429 => Action::Keep(wait),
        // 408 and 425 too may be about one batch, for example one that takes too long to upload.
        408 | 425 | 500..=599 => Action::Outage(wait),
        400..=499 => Action::Split,
        status => Action::Ambiguous(format!("status {status} has no meaning for this endpoint")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, content_type: &str, body: &str) -> Response {
        let headers = if content_type.is_empty() { vec![] } else { vec![("content-type".into(), content_type.into())] };
        Response { status, headers, body: body.into(), cut: false }
    }

    #[test]
    fn a_web_page_is_not_the_servers_response() {
        for (content_type, body) in [
            ("text/html", "<html>Welcome</html>"),
            ("Text/HTML; charset=utf-8", "Welcome"),
            ("text/html", "OK"),
            ("", "<html>"),
            ("", " \r\n\t<!DOCTYPE html>"),
            ("", "\u{feff}<?xml version=\"1.0\"?>"),
            ("application/json", "<html>"),
            ("application/octet-stream", "<"),
        ] {
            for status in [200, 201, 202, 204, 299] {
                assert!(intercepted(&response(status, content_type, body)).is_some(), "{status} {content_type} {body}");
            }
        }
    }

    #[test]
    fn an_empty_body_text_and_json_are_the_servers_response_under_any_content_type_they_may_have() {
        for (content_type, body) in [
            ("", ""),
            ("", "OK"),
            ("", "1"),
            ("", "{}"),
            ("", "a < b"),
            ("text/plain", "OK"),
            ("text/html", ""),
            ("text/html", " \n"),
            ("text/html", r#"{"id":"x"}"#),
            ("text/html", "1"),
            ("application/json", "[]"),
            ("image/gif", "GIF89a"),
            ("text/htm\u{e9}", "x"),
        ] {
            assert_eq!(intercepted(&response(200, content_type, body)), None, "{content_type} {body}");
        }
        // An error page of the server is a response with a status that means something.
        for status in [301, 308, 400, 403, 404, 500, 503] {
            assert_eq!(intercepted(&response(status, "text/html", "<html>")), None, "{status}");
        }
    }

    #[test]
    fn a_temporary_redirect_and_a_required_login_are_a_captive_portals() {
        for status in [302, 303, 307, 511] {
            assert!(intercepted(&response(status, "", "")).is_some(), "{status}");
        }
        let mut found = response(302, "", "");
        found.headers.push(("location".into(), "http://login.example/".into()));
        assert_eq!(intercepted(&found).as_deref(), Some("the endpoint redirects to http://login.example/"));
        for (target, shown) in [
            ("https://hooks.example/services/T0/B0/s3cret?x=1", "the endpoint redirects to https://hooks.example/"),
            ("/services/T0/B0/s3cret", "the endpoint redirects to another path"),
        ] {
            found.headers = vec![("location".into(), target.into())];
            assert_eq!(intercepted(&found).as_deref(), Some(shown));
        }
    }
}
