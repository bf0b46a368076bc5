//! URLs: where a request went, without who sent it and what it asked.

use std::borrow::Cow;

use super::scrub_text;

/// The URL without user info, query and fragment, its path scrubbed like a text. Borrowed when the rest is one piece.
pub(crate) fn scrub_url(url: &str) -> Cow<'_, str> {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    if url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        // The rest is the content itself.
        return Cow::Borrowed(url.split(',').next().unwrap_or_default());
    }
    let Some(slashes) = url.find("//").filter(|at| is_scheme(url.get(..*at).unwrap_or_default())) else {
        return scrub_text(url);
    };
    let (scheme, rest) = url.split_at(slashes + 2);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let scrubbed = scrub_text(path);
    if host.len() == authority.len() && matches!(scrubbed, Cow::Borrowed(_)) {
        return Cow::Borrowed(url);
    }
    Cow::Owned([scheme, host, &scrubbed].concat())
}

/// Empty, as in `//host/path`, or a scheme with its colon.
fn is_scheme(text: &str) -> bool {
    text.is_empty()
        || text.strip_suffix(':').is_some_and(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_url_keeps_scheme_host_and_scrubbed_path() {
        for (url, scrubbed) in [
            ("https://api.rezapp.com/products/42?token=abc#x", "https://api.rezapp.com/products/42"),
            ("https://user:pw@api.rezapp.com:8443/a", "https://api.rezapp.com:8443/a"),
            ("https://user@evil@api.rezapp.com", "https://api.rezapp.com"),
            ("//u:p@h/a?b", "//h/a"),
            ("https://h/users/priya@example.com/x", "https://h/users/[email]/x"),
            ("https://h/users/priya%40example.com", "https://h/users/[email]"),
            ("https://h/cards/4111111111111111", "https://h/cards/[card]"),
            ("https://h/cards/4111%201111%201111%201111", "https://h/cards/[card]"),
            ("https://h/phone/9876543210", "https://h/phone/[phone]"),
            ("https://h/a;jsessionid=1A5306/b", "https://h/a;jsessionid=[secret]"),
            ("/orders/1234567890?x=1", "/orders/1234567890"),
            ("mailto:priya@example.com", "mailto:[email]"),
            ("data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64"),
            ("https://1-800-555-0123.com/a", "https://1-800-555-0123.com/a"),
            ("", ""),
            ("?a", ""),
        ] {
            assert_eq!(scrub_url(url), scrubbed, "{url}");
        }
    }

    proptest! {
        #[test]
        fn a_scrubbed_url_is_clean(url in "(https?://)?([a-z:@/?#.%\\\\0-9é]|\\[email\\]){0,40}") {
            let once = scrub_url(&url).into_owned();
            prop_assert!(!once.contains(['?', '#']));
            prop_assert_eq!(scrub_url(&once), once.as_str());
        }
    }
}
