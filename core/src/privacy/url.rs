//! URLs: where a request went, without who sent it and what it asked.

use std::borrow::Cow;

use super::Rules;
use super::credential;

impl Rules {
    /// The URL without user info, query and fragment, its path scrubbed like a text. Borrowed when the rest is one
    /// piece of it.
    pub(crate) fn url(self, url: &str) -> Cow<'_, str> {
        let url = url.split(['?', '#']).next().unwrap_or_default();
        if url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
            // The rest is the content itself.
            return Cow::Borrowed(url.split(',').next().unwrap_or_default());
        }
        let Some(slashes) = url.find("//").filter(|at| is_scheme(url.get(..*at).unwrap_or_default())) else {
            return self.path(url);
        };
        let (scheme, rest) = url.split_at(slashes + 2);
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        // The hook of a chat is a secret by its host and its path.
        let hook = [host, path].concat();
        if let Some(found) = credential::next(&hook, 0).filter(|found| found.start == 0) {
            let rest = hook.get(found.end..).unwrap_or_default();
            return Cow::Owned([scheme, host, "/", found.marker, &self.path(rest)].concat());
        }
        let scrubbed = self.path(path);
        if host.len() == authority.len() && matches!(scrubbed, Cow::Borrowed(_)) {
            return Cow::Borrowed(url);
        }
        Cow::Owned([scheme, host, &scrubbed].concat())
    }

    /// A path: each segment by itself, since a value ends with its segment, then all of it, since a word in one segment
    /// can announce a number in the next.
    fn path(self, path: &str) -> Cow<'_, str> {
        let alone = path.contains(['=', '%', ':', '>']);
        let scrubbed = if alone { segments(path, |segment| self.text(segment)) } else { None };
        match scrubbed {
            None => self.text(path),
            Some(scrubbed) => Cow::Owned(self.text(&scrubbed).into_owned()),
        }
    }
}

/// The path with every segment replaced; `None` when nothing changes.
fn segments<'p>(path: &'p str, scrub: impl Fn(&'p str) -> Cow<'p, str>) -> Option<String> {
    let scrubbed: Vec<_> = path.split('/').map(scrub).collect();
    scrubbed.iter().any(|segment| matches!(segment, Cow::Owned(_))).then(|| scrubbed.join("/"))
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
            ("https://h/a;jsessionid=1A5306/b", "https://h/a;jsessionid=[secret]/b"),
            ("/u/password%3Dhunter2x/orders", "/u/password%3D[secret]/orders"),
            ("/u/https:%2F%2Fbob:pw@x", "/u/https:%2F%2F[secret]@x"),
            ("/u/https:%2F%2Fbob:pw@x.in%2Fa/b", "/u/https:%2F%2F[secret]@x.in%2Fa/b"),
            ("/s/%E0%A4%AB%20x/9876543210", "/s/%E0%A4%AB%20x/9876543210"),
            ("/say/Your%20OTP%20is%20482113/x", "/say/Your%20OTP%20is%20[code]/x"),
            (
                "https://hooks.slack.com/services/T012AB3CD/B012AB3CD/a1B2c3D4e5F6g7H8",
                "https://hooks.slack.com/[credential]",
            ),
            ("/orders/1234567890?x=1", "/orders/1234567890"),
            ("mailto:priya@example.com", "mailto:[email]"),
            ("data:image/png;base64,iVBORw0KGgo=", "data:image/png;base64"),
            ("https://1-800-555-0123.com/a", "https://1-800-555-0123.com/a"),
            ("", ""),
            ("?a", ""),
        ] {
            assert_eq!(Rules::default().url(url), scrubbed, "{url}");
        }
    }

    proptest! {
        #[test]
        fn a_scrubbed_url_is_clean(url in "(https?://)?([a-z:@/?#.%\\\\0-9é]|\\[email\\]){0,40}") {
            let once = Rules::default().url(&url).into_owned();
            prop_assert!(!once.contains(['?', '#']));
            prop_assert_eq!(Rules::default().url(&once), once.as_str());
        }
    }
}
