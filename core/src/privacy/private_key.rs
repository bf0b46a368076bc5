//! Private keys in text form, from `-----BEGIN .. PRIVATE KEY` to the end that belongs to it, or of the text.
//! Certificates and public keys stay.

use super::marker::{self, Found};
use super::words;

/// Bytes of the longest header: `-----BEGIN OPENSSH PRIVATE KEY-----`.
const HEADER: usize = 64;

/// The next private key from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += position(bytes.get(at..)?, b"----")?;
        let (start, dashes) = (at, dashes(bytes, at));
        at += dashes;
        if is_header(bytes, at, b"begin") {
            let end = end_of(bytes, at).unwrap_or(bytes.len());
            return Some(Found { start, end, marker: marker::PRIVATE_KEY });
        }
    }
}

/// Where the key whose header's words start at `at` ends.
fn end_of(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        at += position(bytes.get(at..)?, b"----")?;
        at += dashes(bytes, at);
        if is_header(bytes, at, b"end") {
            // To the dashes that close the footer, which a cut can have taken.
            let rest = bytes.get(at..(at + HEADER).min(bytes.len()))?;
            let close = position(rest, b"----")?;
            return Some(at + close + dashes(bytes, at + close));
        }
    }
}

/// Whether `BEGIN`, words and `PRIVATE KEY` stand at `at`.
fn is_header(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    let spaces = usize::from(bytes.get(at) == Some(&b' '));
    let head = bytes.get(at..(at + HEADER).min(bytes.len())).unwrap_or_default();
    let line = head.get(..position(head, b"----").unwrap_or(head.len())).unwrap_or_default();
    words::starts_with(bytes, at + spaces, word)
        && words::any_within(line, 0, line.len(), &["private key", "private+key"])
}

fn dashes(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == b'-').count()
}

fn position(bytes: &[u8], of: &[u8]) -> Option<usize> {
    bytes.windows(of.len()).position(|window| window == of)
}

#[cfg(test)]
mod tests {
    use super::super::scrub_text;

    const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ";

    #[test]
    fn private_keys_go_from_their_header_to_their_footer() {
        for name in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
        {
            for newline in ["\n", "\r\n", "\\n", " ", "%0A"] {
                let key = format!("-----BEGIN {name}-----{newline}{BODY}{newline}{BODY}==\n-----END {name}-----");
                assert_eq!(scrub_text(&format!("key: {key} ok")), "key: [private_key] ok");
                assert_eq!(
                    scrub_text(&format!("{{\"private_key\":\"{key}\\n\"}}")),
                    "{\"private_key\":\"[private_key]\\n\"}"
                );
            }
        }
        let cut = format!("x -----BEGIN PRIVATE KEY-----\n{BODY}\n{BODY}");
        assert_eq!(scrub_text(&cut), "x [private_key]");
        assert_eq!(scrub_text(&format!("{cut}\n-----END PRIV")), "x [private_key]");
        let ssh =
            format!("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{BODY}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----");
        assert_eq!(scrub_text(&ssh), "[private_key]");
    }

    #[test]
    fn certificates_and_public_keys_stay() {
        for name in ["CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY"] {
            let text = format!("-----BEGIN {name}-----\n{BODY}\n-----END {name}-----");
            assert_eq!(scrub_text(&text), text);
        }
        let text = "---------------- BEGIN of the log of PRIVATE things -----------------";
        assert_eq!(scrub_text(text), text);
    }
}
