//! What the key of an attribute or header says about its value.

/// Whole keys whose value is a number that only looks personal.
const EXEMPT: [&str; 7] = ["amount", "value", "price", "quantity", "duration", "ts", "version"];

/// Parts of a key that name personal data: `phone_no` and `email_id` are scrubbed although they end like ids.
const PERSONAL: &[&str] = &[
    "email", "phone", "mobile", "aadhaar", "aadhar", "whatsapp", "password", "secret", "token", "passport", "voter",
    "licence", "license", "gstin", "msisdn",
];

/// The same, but only as whole words, since they are parts of other words.
const PERSONAL_WORDS: &[&str] = &[
    "mail", "tel", "card", "pan", "fax", "upi", "vpa", "uid", "uidai", "contact", "iban", "pin", "otp", "cvv", "cvc",
    "ssn", "gst",
];

/// Words of a key that name personal data when the key ends like a number: `account_no`, but not `account_id`, which is
/// the app's own.
const NUMBER_WORDS: &[&str] = &["account", "acct", "ac", "epic", "dl"];

/// What a key says of its value: a word of the key, and the words that the rules for text look for.
const ANNOUNCED: &[(&[&str], &str)] = &[
    (
        &["phone", "mobile", "whatsapp", "msisdn", "tel", "telephone", "fax", "contact", "cell", "sms", "caller"],
        "phone: ",
    ),
    (&["aadhaar", "aadhar", "adhaar", "adhar", "uid", "uidai"], "aadhaar: "),
    (&["pan"], "pan: "),
    (&["gst", "gstin"], "gst: "),
    (&["iban"], "iban: "),
    (&["account", "acct"], "account: "),
    (&["ifsc"], "ifsc: "),
    (&["passport"], "passport: "),
    (&["voter", "epic"], "voter: "),
    (&["licence", "license", "dl"], "driving licence: "),
    (&["otp", "totp"], "otp: "),
    (&["pin", "mpin", "tpin"], "pin: "),
    (&["cvv", "cvc", "cvn"], "cvv: "),
    (&["verification"], "verification code: "),
    (&["ssn"], "ssn: "),
    (&["upi", "vpa", "payee"], "upi: "),
    (&["card", "visa"], "card: "),
];

/// Words of a header or key that name a secret.
const SECRET_WORDS: &[&str] = &[
    "auth",
    "authorization",
    "authentication",
    "authenticate",
    "cookie",
    "cookie2",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "session",
    "sessionid",
    "credential",
    "credentials",
    "signature",
    "jwt",
    "csrf",
    "xsrf",
    "pin",
    "mpin",
    "tpin",
    "otp",
    "totp",
    "cvv",
    "cvc",
];

/// Ends of a header or key, without separators, that name a secret.
const SECRET_ENDS: &[&str] = &[
    "token",
    "secret",
    "password",
    "cookie",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authorization",
    "accountkey",
];

/// Whether free-text rules leave the value of this attribute alone: `*id`, `*_no` (and `orderNo`), `amount`, `value`,
/// `price`, `quantity`, `duration`, `ts`, `version`, in any case; unless the key names personal data.
pub(crate) fn key_is_exempt(key: &str) -> bool {
    let bytes = key.as_bytes();
    let number = match bytes {
        [.., b'_', b'n' | b'N', b'o' | b'O'] | [.., b'a'..=b'z', b'N', b'o'] => true,
        [.., b'i' | b'I', b'd' | b'D'] => true,
        _ => EXEMPT.iter().any(|known| key.eq_ignore_ascii_case(known)),
    };
    let contains = |part: &&str| bytes.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()));
    let has = |of: &[&str]| words(key).any(|word| of.iter().any(|known| word.eq_ignore_ascii_case(known)));
    let ends_no = matches!(bytes, [.., b'n' | b'N', b'o' | b'O']);
    let personal = PERSONAL.iter().any(contains) || has(PERSONAL_WORDS) || (ends_no && has(NUMBER_WORDS));
    number && !personal
}

/// Words of a key that can follow what it names: `phone_number`, but not `mobile_data_used`.
const AFTER: &[&str] = &["number", "no", "num", "nr", "id", "value", "text", "raw", "code", "primary", "home", "work"];

/// What the key says of a bare value, as words before it.
pub(super) fn announced(key: &str) -> Option<&'static str> {
    let is = |word: &str, of: &[&str]| of.iter().any(|known| word.eq_ignore_ascii_case(known));
    let mut named = None;
    let mut last = "";
    for word in words(key) {
        match ANNOUNCED.iter().find(|(known, _)| is(word, known)) {
            Some((_, words)) => named = Some(*words),
            None if !is(word, AFTER) => named = None,
            None => {}
        }
        last = word;
    }
    // `pin_code` is that of a post office.
    named.filter(|words| !(*words == "pin: " && last.eq_ignore_ascii_case("code")))
}

/// Whether the value of this attribute is a secret whatever it looks like: `password`, `accessToken`, `api_key`.
pub(crate) fn key_is_secret(key: &str) -> bool {
    ends_secret(key)
        || words(key).last().is_some_and(|last| {
            // A session, the signature of a contract and a method of authentication are no secrets.
            let open = ["session", "signature", "authentication", "auth", "authenticate"];
            let is = |known: &&str| last.eq_ignore_ascii_case(known);
            SECRET_WORDS.iter().any(is) && !open.iter().any(is)
        })
}

/// Whether a header carries credentials, so that its value never leaves the device.
pub(crate) fn header_is_secret(name: &str) -> bool {
    ends_secret(name) || words(name).any(|word| SECRET_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

fn ends_secret(name: &str) -> bool {
    SECRET_ENDS.iter().any(|end| {
        let mut letters = name.bytes().rev().filter(u8::is_ascii_alphanumeric);
        end.bytes().rev().all(|letter| letters.next().is_some_and(|byte| byte.eq_ignore_ascii_case(&letter)))
    })
}

/// The words of `order_no`, `order-no`, `order.no` and `orderNo`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|char: char| !char.is_alphanumeric()).flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let bytes = rest.as_bytes();
            let turn = bytes.windows(2).position(|pair| matches!(pair, [b'a'..=b'z' | b'0'..=b'9', b'A'..=b'Z']));
            let (word, more) = rest.split_at_checked(turn.map_or(rest.len(), |at| at + 1))?;
            rest = more;
            Some(word)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_numbers_and_amounts_are_exempt() {
        for key in [
            "id",
            "ID",
            "order_id",
            "orderId",
            "orderID",
            "order-id",
            "ORDER_ID",
            "userid",
            "order_no",
            "orderNo",
            "amount",
            "Amount",
            "value",
            "price",
            "quantity",
            "duration",
            "ts",
            "version",
            "company_id",
            "discard_id",
        ] {
            assert!(key_is_exempt(key), "{key}");
        }
    }

    #[test]
    fn other_keys_and_those_of_personal_data_are_not() {
        for key in [
            "",
            "note",
            "message",
            "idea",
            "no",
            "casino",
            "volcano",
            "total_amount",
            "email_id",
            "emailId",
            "mailId",
            "phone_no",
            "phoneNo",
            "mobile_no",
            "card_no",
            "cardNo",
            "pan_no",
            "aadhaar_no",
            "aadhaarId",
            "token_id",
        ] {
            assert!(!key_is_exempt(key), "{key}");
        }
    }

    #[test]
    fn a_key_names_the_kind_of_its_value() {
        for (key, words) in [
            ("phone", Some("phone: ")),
            ("customerPhoneNumber", Some("phone: ")),
            ("mobile_no", Some("phone: ")),
            ("aadhaarId", Some("aadhaar: ")),
            ("otp_code", Some("otp: ")),
            ("pin_code", None),
            ("upi+pin", Some("pin: ")),
            ("upi+pin+no", Some("pin: ")),
            ("pin+code", None),
            ("spin+speed", None),
            ("mobile_data_used", None),
            ("phone_model", None),
            ("company", None),
            ("", None),
        ] {
            assert_eq!(announced(key), words, "{key}");
        }
    }

    #[test]
    fn headers_and_keys_with_credentials_are_secret() {
        for name in [
            "Authorization",
            "proxy-authorization",
            "Cookie",
            "SET-COOKIE",
            "X-Api-Key",
            "apikey",
            "x-auth-token",
            "X-CSRF-Token",
            "X-Amz-Security-Token",
            "WWW-Authenticate",
            "X-Session",
            "x-amz-signature",
        ] {
            assert!(header_is_secret(name), "{name}");
        }
        for name in ["Content-Type", "Accept", "X-Request-Id", "traceparent", "Idempotency-Key", "X-Author", ""] {
            assert!(!header_is_secret(name), "{name}");
        }
        for key in ["password", "userPassword", "access_token", "apiKey", "client-secret", "jwt", "pwd"] {
            assert!(key_is_secret(key), "{key}");
        }
        for key in ["token_count", "passwordless", "session", "key", "author", "auth"] {
            assert!(!key_is_secret(key), "{key}");
        }
    }
}
