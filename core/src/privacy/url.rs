//! URLs: where a request went, without who sent it and what it asked.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::Rules;
use super::credential;

impl Rules {
    /// The URL without user info, query and fragment, its path scrubbed like a text. The name of a host is kept; what is
    /// none is scrubbed with the path. Borrowed when the rest is one piece of it.
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
        let hook = [host, path].concat();
        if !is_host(host) {
            // `tel://+919876543210`, or a key where the host belongs. The scheme may be the word that announces it.
            return Cow::Owned(self.path(&[scheme, &hook].concat()).into_owned());
        }
        // The hook of a chat is a secret by its host and its path.
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

/// Whether this can only be the name or the address of a host, with or without a port: labels in lower case as resolvers write
/// them, the last one a word. Upper case is as valid in a host, but is also how keys and tokens look; so such a host is
/// scrubbed, which leaves it as it is unless a rule finds something.
fn is_host(authority: &str) -> bool {
    if authority.is_empty() {
        return true;
    }
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (authority, ""),
    };
    if port.len() > 5 || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    if name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .is_some_and(|name| name.parse::<Ipv6Addr>().is_ok())
        || name.parse::<Ipv4Addr>().is_ok()
    {
        return true;
    }
    let label = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    match name.trim_end_matches('.').rsplit_once('.') {
        Some((names, last)) => names.split('.').all(label) && is_word(last),
        None => label(name) && name.len() <= MAX_NAME && name.bytes().any(|byte| byte.is_ascii_lowercase()),
    }
}

/// Longest label of a host (RFC 1035, section 2.3.4).
const MAX_LABEL: usize = 63;

/// Longest name without a dot that is taken for a host: shorter than every credential.
const MAX_NAME: usize = 15;

fn is_word(label: &str) -> bool {
    (2..=24).contains(&label.len())
        && (label.starts_with("xn--") || label.bytes().all(|byte| byte.is_ascii_lowercase()))
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

    #[test]
    fn what_stands_in_the_place_of_a_host_and_is_none_is_scrubbed() {
        for (url, scrubbed) in [
            ("tel://+919876543210", "tel://[phone]"),
            ("tel:+919876543210", "tel:[phone]"),
            ("//acct: 37781234567/x", "//acct: [account]/x"),
            ("//acct: 37781234567", "//acct: [account]"),
            ("app://4111111111111111/pay", "app://[card]/pay"),
            ("app://4111 1111 1111 1111", "app://[card]"),
            ("https://AKIAABCDEFGHIJKLMNOP/x", "https://[credential]/x"),
            ("https://ghp_abcdefghijklmnopqrstuvwxyz0123456789", "https://[credential]"),
            ("upi://ravi.k@okaxis", "upi://okaxis"),
            ("app://Bearer abcdef1234567890/x", "app://Bearer [token]/x"),
            ("app://password=hunter2/x", "app://password=[secret]/x"),
        ] {
            assert_eq!(Rules::default().url(url), scrubbed, "{url}");
        }
    }

    #[test]
    fn the_name_of_a_host_is_kept_whatever_its_digits_look_like() {
        for url in [
            "https://localhost:3000/a",
            "http://10.0.2.2:8080/a",
            "http://203.0.113.7",
            "http://[2001:db8::1]:8443/a",
            "http://[::1]/a",
            "https://9876543210.cdn.example.com/a",
            "https://4111111111111111.example.com/a",
            "https://d111111abcdef8.cloudfront.net/x",
            "https://o4504.ingest.us.sentry.io/api",
            "https://API.RezApp.com/v1",
            "https://xn--bcher-kva.example/x",
            "https://bücher.example/x",
            "https://my_bucket.s3.amazonaws.com/x",
            "http://backend/x",
            "file:///data/user/0/app.rez/files/a",
            "content://media/external/images/12",
            "https://1.1.1.1/dns-query",
            "https://a.example./x",
        ] {
            assert_eq!(Rules::default().url(url), url, "{url}");
            assert_eq!(Rules { mask_ip: true }.url(url), url, "{url}");
        }
    }

    proptest! {
        #[test]
        fn a_scrubbed_url_is_clean(url in "(https?://)?([a-zA-Z +=:@/?#.%\\\\0-9é]|\\[email\\]){0,40}") {
            let once = Rules::default().url(&url).into_owned();
            prop_assert!(!once.contains(['?', '#']));
            prop_assert_eq!(Rules::default().url(&once), once.as_str());
        }
    }
}
