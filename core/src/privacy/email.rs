//! E-mail addresses, and the user info of a URL inside a text.

use super::{Found, SECRET};

pub(super) const MARKER: &str = "[email]";

/// Characters of a quoted local part that are looked at; RFC 5321 allows 64 in all.
const QUOTED: usize = 66;

/// Bytes before the sign that are looked at, so that a text of signs takes linear time.
const HEAD: usize = 256;

/// The next address from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'@' | b'%'))?;
        let sign = match bytes.get(at..)? {
            [b'@', ..] => 1,
            [b'%', b'4', b'0', ..] => 3,
            _ => 0,
        };
        if sign > 0 {
            let first = text.ceil_char_boundary(at.saturating_sub(HEAD)).max(from);
            let head = text.get(first..at).unwrap_or_default();
            if let Some(len) = user_info(head) {
                return Some(Found { start: at - len, end: at, marker: SECRET });
            }
            let local = local_len(head);
            let domain = domain_len(text.get(at + sign..).unwrap_or_default());
            if local > 0 && domain > 0 {
                return Some(Found { start: at - local, end: at + sign + domain, marker: MARKER });
            }
        }
        at += sign.max(1);
    }
}

/// Bytes of the local part at the end of `head`; 0 when there is none.
fn local_len(head: &str) -> usize {
    let run = |head: &str| {
        let rest = head.trim_end_matches(|char: char| char.is_alphanumeric() || "._%+-'!#$&*=?^{}~".contains(char));
        head.len() - rest.len()
    };
    if let Some(quoted) = head.strip_suffix('"') {
        let open = quoted.char_indices().rev().take(QUOTED).find(|(_, char)| *char == '"');
        return open.map_or(0, |(at, _)| head.len() - at);
    }
    let len = run(head);
    let local = head.get(head.len() - len..).unwrap_or_default();
    // What can stand in an address but stands before it in most texts: `mail=a@b.c`, `'a@b.c'`, `?to=a@b.c&cc=d@e.f`.
    let start = local.rfind(['=', '?', '&', '\'', '{', '}', '#', '!', '*', '^', '$']).map_or(0, |at| at + 1);
    let local = local.get(start..).unwrap_or_default();
    if local.contains(char::is_alphanumeric) { local.len() } else { 0 }
}

/// Bytes of the domain at the start of `tail`, as long as it has a dot and a top-level domain; else 0.
fn domain_len(tail: &str) -> usize {
    let end = tail.find(|char: char| !char.is_alphanumeric() && char != '-' && char != '.').unwrap_or(tail.len());
    let domain = tail.get(..end).unwrap_or_default();
    let mut labels = domain.split('.');
    let (first, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    // `lodash@4.17.21-rc.beta` is a version, `icon@2x.png` a picture.
    let version =
        first.bytes().all(|byte| byte.is_ascii_digit()) && second.starts_with(|char: char| char.is_ascii_digit());
    let picture = matches!(first.as_bytes(), [b'1'..=b'4', b'x' | b'X']);
    if first.is_empty() || version || picture {
        return 0;
    }
    // The longest start whose last label can be a top-level domain.
    let mut end = domain.len();
    loop {
        let start = domain.get(..end).unwrap_or_default();
        let Some(dot) = start.rfind('.') else { return 0 };
        let top = start.get(dot + 1..).unwrap_or_default();
        let mut chars = top.chars();
        let letters = [chars.next(), chars.next()].into_iter().all(|char| char.is_some_and(char::is_alphabetic));
        if letters && !start.get(..dot).unwrap_or_default().ends_with('.') {
            return start.trim_end_matches('-').len();
        }
        end = dot;
    }
}

/// Bytes of `user:password` at the end of `head`, when that is a URL up to its `@`.
fn user_info(head: &str) -> Option<usize> {
    let start = head.rfind(['/', '\\', ' ', '"', '\'', '<', '>', '@', '\n', '?', '#'])? + 1;
    let info = head.get(start..)?;
    let url = head.get(..start)?.ends_with("//");
    let secret = info.contains(':') && !super::MARKERS.contains(&info);
    (url && secret).then_some(info.len())
}

#[cfg(test)]
mod tests {
    use super::super::scrub_text;

    #[test]
    fn addresses_are_found_in_any_surroundings() {
        for (text, scrubbed) in [
            ("priya.k+shop@example.co.in", "[email]"),
            ("mail priya@example.com.", "mail [email]."),
            ("<priya@example.com>,raj@example.org;", "<[email]>,[email];"),
            ("{\"email\":\"priya@example.com\"}", "{\"email\":\"[email]\"}"),
            ("?to=priya%40example.com&cc=raj@example.org", "?to=[email]&cc=[email]"),
            ("josé@exämple.com", "[email]"),
            ("प्रिया😀priya@example.com😀", "प्रिया😀[email]😀"),
            ("\"john doe\"@example.com", "[email]"),
            ("mailto:priya@example.com?subject=x", "mailto:[email]?subject=x"),
            ("priya@example.com-", "[email]-"),
            ("priya@example.com.123", "[email].123"),
            ("priya@sub-domain.example.travel/x", "[email]/x"),
            ("https://priya:pw@api.example.com/x", "https://[secret]@api.example.com/x"),
            ("a@b@priya@example.com", "a@b@[email]"),
        ] {
            assert_eq!(scrub_text(text), scrubbed, "{text}");
        }
    }

    #[test]
    fn other_uses_of_the_sign_stay() {
        for text in [
            "@priya",
            "priya@",
            "@",
            "@@",
            "a@b",
            "app.rez@1.2.3+45",
            "lodash@4.17.21",
            "pkg@1.0.0-beta.rc",
            "icon@2x.png",
            "@rez/monitor@0.1.0",
            "5 @ 3.00",
            "@Override.foo",
        ] {
            assert_eq!(scrub_text(text), text);
        }
    }
}
