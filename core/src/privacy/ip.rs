//! IP addresses, for an app that chose `mask_ip`.

use super::marker::{self, Found};
use super::words;
use std::net::{IpAddr, Ipv6Addr};

/// Bytes of the longest address.
const LONGEST: usize = 45;

/// The next address from `from` on.
pub(super) fn next(text: &str, from: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| is_address(*byte))?;
        let len = bytes.get(at..)?.iter().take_while(|byte| is_address(**byte)).count();
        if words::starts_token(bytes, at) && !bytes.get(at + len).is_some_and(u8::is_ascii_alphanumeric) {
            let run = text.get(at..at + len).unwrap_or_default();
            let (start, end) = (at + run.len() - run.trim_start_matches('.').len(), at + len);
            if let Some(len) = address_len(text.get(start..end).unwrap_or_default()) {
                return Some(Found { start, end: start + len, marker: marker::IP });
            }
        }
        at += len;
    }
}

fn is_address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')
}

/// Bytes of the address that starts the run; a port and the dot or colon of a sentence are not part of it.
fn address_len(run: &str) -> Option<usize> {
    let whole = run.trim_end_matches(['.', ':']);
    let host = whole.split_once(':').filter(|(host, port)| host.contains('.') && !port.contains(':'));
    [whole, host.map_or("", |(host, _)| host)]
        .into_iter()
        .find(|one| one.len() <= LONGEST && one.parse().is_ok_and(|address| is_meant(one, address)))
        .map(str::len)
}

/// `::` alone and `a::b` are signs of programming languages.
fn is_meant(text: &str, address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(Ipv6Addr::LOCALHOST) => true,
        IpAddr::V6(_) => {
            text.bytes().filter(|byte| *byte == b':').count() > 2
                || text.bytes().any(|byte| byte.is_ascii_digit()) && text.len() > 4
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rules;

    #[test]
    fn addresses_are_masked_for_an_app_that_chose_so() {
        let on = Rules { mask_ip: true };
        for (text, scrubbed) in [
            ("from 203.0.113.7.", "from [ip]."),
            ("203.0.113.7:8443 refused", "[ip]:8443 refused"),
            ("http://10.0.0.2/x", "http://[ip]/x"),
            ("[2001:db8::1]:443", "[[ip]]:443"),
            ("at fe80::1ff:fe23:4567:890a%eth0", "at [ip]%eth0"),
            ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "[ip]"),
            ("::ffff:192.0.2.1", "[ip]"),
            ("connect ::1 failed", "connect [ip] failed"),
            ("ip=192.168.1.20&x", "ip=[ip]&x"),
        ] {
            assert_eq!(on.text(text), scrubbed, "{text}");
            assert_eq!(Rules::default().text(text), text);
        }
        for text in
            ["10:15:30", "1.2.3", "v1.2.3.4", "1.2.3.4.5", "256.1.1.1", "std::a::b", "a::b", "::", "00:1b:44:11:3a:b7"]
        {
            assert_eq!(on.text(text), text);
        }
    }
}
