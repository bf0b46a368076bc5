//! E-mail addresses, and the user info of a URL inside a text.

use super::marker::{self, Found};

/// Characters of a quoted local part that are read; RFC 5321 allows 64 in all.
const QUOTED: usize = 66;

/// Bytes before the sign that are read, so that a text full of signs takes linear time.
const HEAD: usize = 256;

/// The next address from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'@')?;
        let first = text.ceil_char_boundary(at.saturating_sub(HEAD)).max(from);
        let head = text.get(first..at).unwrap_or_default();
        let tail = text.get(at + 1..).unwrap_or_default();
        match user_info(head) {
            Some(UserInfo::Secret(len)) => {
                return Some(Found { start: at - len, end: at + password_tail(tail), marker: marker::SECRET });
            }
            Some(UserInfo::Public) => {}
            None => {
                let (local, domain) = (local_len(head), domain_len(tail));
                if local > 0 && domain > 0 {
                    return Some(Found { start: at - local, end: at + 1 + domain, marker: marker::EMAIL });
                }
            }
        }
        at += 1;
    }
}

/// Bytes of the local part at the end of `head`; 0 when there is none.
fn local_len(head: &str) -> usize {
    if let Some(quoted) = head.strip_suffix('"') {
        let open = quoted.char_indices().rev().take(QUOTED).find(|(_, char)| *char == '"');
        return open.map_or(0, |(at, _)| head.len() - at);
    }
    let rest = head.trim_end_matches(|char: char| char.is_alphanumeric() || "._%+-'!#$&*=?^{}~".contains(char));
    let local = head.get(rest.len()..).unwrap_or_default();
    // Characters that an address can have but that stand before it in most texts: `mail=a@b.c`, `'a@b.c'`, `?to=a@b.c`.
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
    // `lodash@4.17.21-rc.beta` is a version, `icon@2x.png` an image.
    let version =
        first.bytes().all(|byte| byte.is_ascii_digit()) && second.starts_with(|char: char| char.is_ascii_digit());
    let image = matches!(first.as_bytes(), [b'0'..=b'9', b'x' | b'X']);
    if first.is_empty() || version || image {
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

/// Bytes from the first sign to the last one of the same user info: a password can have signs of its own.
fn password_tail(tail: &str) -> usize {
    let len = tail.bytes().take(HEAD).take_while(|byte| *byte > b' ' && !b"/\\\"'<>?#,;".contains(byte)).count();
    tail.as_bytes().get(..len).unwrap_or_default().iter().rposition(|byte| *byte == b'@').map_or(0, |at| at + 1)
}

/// What stands between `//` and the sign.
enum UserInfo {
    /// Its length: a name with a password, or one long token.
    Secret(usize),
    /// The public key of a Sentry DSN.
    Public,
}

/// Letters and digits of a token without a password.
const TOKEN: usize = 16;

/// The user info at the end of `head`, when that is a URL up to its `@`.
fn user_info(head: &str) -> Option<UserInfo> {
    let start = head.rfind(['/', '\\', ' ', '"', '\'', '<', '>', '@', '\n', '?', '#'])? + 1;
    let info = head.get(start..)?;
    if !head.get(..start)?.ends_with("//") || marker::starts_at(info.as_bytes(), 0) {
        return None;
    }
    if info.len() == 32 && info.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Some(UserInfo::Public);
    }
    let token = info.len() >= TOKEN && info.bytes().any(|byte| byte.is_ascii_digit()) && !info.contains('.');
    (info.contains(':') || token).then_some(UserInfo::Secret(info.len()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn addresses_are_found_in_any_surroundings() {
        check(&[
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
            ("https://dXNlcjpwYXNzd29yZDE@api.example.com/x", "https://[secret]@api.example.com/x"),
            ("https://priya@example.com/x", "https://[email]/x"),
            ("postgres://app:p@ss@w0rd@db.internal/x", "postgres://[secret]@db.internal/x"),
            ("WHERE email='priya@example.com'", "WHERE email='[email]'"),
        ]);
    }

    #[test]
    fn other_uses_of_the_at_sign_stay() {
        check_unchanged(&[
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
            "https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/42",
        ]);
    }
}
