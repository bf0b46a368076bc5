//! UPI addresses, `name@bank`: a handle that a payment app gives out, or any handle after a word for one.

use super::marker::{self, Found};
use super::words;

/// Bytes of the name before the sign; the network allows 50.
const NAME: usize = 64;

/// Bytes before an address in which a word for one counts.
const NEAR: usize = 24;

const KEYWORDS: &[&str] = &["upi", "vpa", "payee", "bhim", "gpay", "phonepe"];

/// Handles of payment apps and banks.
const HANDLES: &[&str] = &[
    "abcdicici",
    "abfspay",
    "airtel",
    "airtelpaymentsbank",
    "albk",
    "allahabadbank",
    "allbank",
    "amazonpay",
    "andb",
    "apl",
    "aubank",
    "axb",
    "axisb",
    "axisbank",
    "axisgo",
    "axl",
    "bandhan",
    "barodampay",
    "bdbl",
    "boi",
    "centralbank",
    "cnrb",
    "cmsidfc",
    "csbpay",
    "dbs",
    "dcb",
    "dlb",
    "eazypay",
    "equitas",
    "ezeepay",
    "fbl",
    "fbpe",
    "fdrl",
    "federal",
    "finobank",
    "freecharge",
    "goaxb",
    "hdfcbank",
    "hdfcbankjd",
    "hsbc",
    "ibl",
    "icici",
    "icicipay",
    "idbi",
    "idfb",
    "idfcbank",
    "idfcfirst",
    "ikwik",
    "imobile",
    "indbank",
    "indianbank",
    "indie",
    "indus",
    "iob",
    "jio",
    "jkb",
    "jupiteraxis",
    "kbl",
    "kbl052",
    "kmb",
    "kmbl",
    "kotak",
    "kvb",
    "lvb",
    "mahb",
    "mairtel",
    "myicici",
    "naviaxis",
    "niyoicici",
    "nsdl",
    "okaxis",
    "okhdfcbank",
    "okicici",
    "oksbi",
    "payzapp",
    "paytm",
    "pingpay",
    "pnb",
    "pockets",
    "postbank",
    "psb",
    "ptaxis",
    "pthdfc",
    "ptsbi",
    "ptyes",
    "rajgovhdfcbank",
    "rapl",
    "rbl",
    "sbi",
    "sc",
    "shriramhdfcbank",
    "sib",
    "slice",
    "superyes",
    "syndicate",
    "tapicici",
    "timecosmos",
    "uboi",
    "uco",
    "unionbank",
    "upi",
    "utbi",
    "waaxis",
    "wahdfcbank",
    "waicici",
    "wasbi",
    "yapl",
    "ybl",
    "yesbank",
];

/// Handles that are also names of computers or short words; they take a keyword or a phone number for a name.
const WEAK: &[&str] =
    &["airtel", "dbs", "dcb", "federal", "indie", "indus", "jio", "nsdl", "sc", "slice", "syndicate", "timecosmos"];

/// The next address from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'@')?;
        let first = at.saturating_sub(NAME).max(from);
        let name = bytes.get(first..at).unwrap_or_default();
        let len = name.iter().rev().take_while(|byte| is_name(**byte)).count();
        let name = name.get(name.len() - len..).unwrap_or_default();
        let trimmed = name.iter().position(u8::is_ascii_alphanumeric).unwrap_or(len);
        let (start, name) = (at - len + trimmed, name.get(trimmed..).unwrap_or_default());
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let handle = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let end = at + 1 + handle;
        if is_upi(bytes, (start, name), rest.get(..handle).unwrap_or_default(), end) {
            return Some(Found { start, end, marker: marker::UPI });
        }
        at += 1;
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

fn is_upi(bytes: &[u8], (start, name): (usize, &[u8]), handle: &[u8], end: usize) -> bool {
    let rest = bytes.get(end..).unwrap_or_default();
    // A domain, a version, another address, the prompt of a shell (`user@host:~$`).
    let longer = matches!(rest, [b'.' | b'-' | b'_', next, ..] if next.is_ascii_alphanumeric())
        || matches!(rest, [b'@', ..] | [b':', b'~' | b'/', ..]);
    let lettered = handle.first().is_some_and(u8::is_ascii_alphabetic) && handle.len() >= 2;
    if name.len() < 2 || !lettered || longer {
        return false;
    }
    // `@scope/package@tag`.
    let package = start.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'/')
        && bytes.get(start.saturating_sub(NAME)..start).is_some_and(|head| head.contains(&b'@'));
    if package {
        return false;
    }
    let mobile = matches!(name, [b'6'..=b'9', ..] if name.len() == 10 && name.iter().all(u8::is_ascii_digit));
    mobile || (words::is_any(handle, HANDLES) && !words::is_any(handle, WEAK)) || is_named(bytes, start)
}

/// Whether a word for an address leads to `start`; `pa` is one as the parameter of a link.
fn is_named(bytes: &[u8], start: usize) -> bool {
    words::before(bytes, start).take(3).take_while(|(_, end)| start - end <= NEAR).any(|(from, to)| {
        let word = bytes.get(from..to).unwrap_or_default();
        words::is_any(word, KEYWORDS)
            || (words::is_any(word, &["pa"]) && start == to + 1 && bytes.get(to) == Some(&b'='))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_unchanged};

    #[test]
    fn addresses_are_found_by_their_handle_or_by_a_word() {
        check(&[
            ("pay to ravi.k@okaxis", "pay to [upi]"),
            ("ravi.k@OKAXIS.", "[upi]."),
            ("upi://pay?pa=9876543210@ybl&pn=Ravi", "upi://pay?pa=[upi]&pn=Ravi"),
            ("vpa: priya-s@paytm", "vpa: [upi]"),
            ("vpa%3Apriya-s%40paytm%26x", "vpa%3A[upi]%26x"),
            ("{\"upiId\":\"priya@newbank\"}", "{\"upiId\":\"[upi]\"}"),
            ("{\\\"vpa\\\":\\\"priya@newbank\\\"}", "{\\\"vpa\\\":\\\"[upi]\\\"}"),
            ("9876543210@anybank", "[upi]"),
            ("/pay/ravi@ybl/confirm", "/pay/[upi]/confirm"),
            ("ravi@upi", "[upi]"),
            ("a@b ravi@okicici,priya@oksbi", "a@b [upi],[upi]"),
            ("ravi\u{200b}@okaxis", "[upi]"),
        ]);
    }

    #[test]
    fn packages_prompts_decorators_and_unknown_handles_stay() {
        check_unchanged(&[
            "@rez/monitor@2.1.0",
            "@upi/sdk@latest",
            "user@host",
            "deploy@jio:~$ ls",
            "root@build-7:/srv# make",
            "@Component",
            "ravi@",
            "@okaxis",
            "git@github:rez/app",
            "react@next",
            "scp a@sc:/tmp",
            "lodash@latest",
            "ping deploy@jio failed",
            "deploy@sbi:~$ ls",
            "worker@axisbank-7",
            "core@upi@2.1",
            "5876543210@anybank",
            "/pay?pa=1&by=ravi@newbank",
            "upi .............................. ravi@newbank",
        ]);
    }
}
