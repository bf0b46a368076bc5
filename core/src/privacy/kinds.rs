//! The kinds of personal data and secrets that the rules know, for the generated table of the user guide.

use super::marker;

/// One kind, with an example.
#[derive(Clone, Copy, Debug)]
pub struct PrivacyKind {
    /// What is found, and when.
    pub what: &'static str,
    /// What replaces it.
    pub marker: &'static str,
    /// A text with it.
    pub example: &'static str,
    /// What the text becomes.
    pub becomes: &'static str,
}

const fn kind(what: &'static str, marker: &'static str, example: &'static str, becomes: &'static str) -> PrivacyKind {
    PrivacyKind { what, marker, example, becomes }
}

/// Every kind, in the order of the guide.
pub const KINDS: &[PrivacyKind] = &[
    kind("e-mail address", marker::EMAIL, "mail priya@example.com", "mail [email]"),
    kind(
        "phone number with `+`, in a usual grouping, with a keyword, or (10 digits from 6 on) after a verb of sending",
        marker::PHONE,
        "OTP sent to 9876543210",
        "OTP sent to [phone]",
    ),
    kind(
        "UPI address with a known handle, or after `upi`, `vpa`, `pa=`, `payee`",
        marker::UPI,
        "pay to ravi.k@okaxis",
        "pay to [upi]",
    ),
    kind(
        "card number with the prefix of an issuer and a right check digit",
        marker::CARD,
        "paid with 4111 1111 1111 1111",
        "paid with [card]",
    ),
    kind(
        "one-time code, PIN, CVV: 3 to 8 digits that such a word announces",
        marker::CODE,
        "Your OTP is 482113",
        "Your OTP is [code]",
    ),
    kind(
        "Aadhaar number with a right check digit, in groups of four or near a keyword",
        marker::AADHAAR,
        "aadhaar 2345 6789 0124",
        "aadhaar [aadhaar]",
    ),
    kind("PAN; in small letters only near the word", marker::PAN, "PAN ABCPE1234F", "PAN [pan]"),
    kind("GSTIN", marker::GSTIN, "seller 27AAPFU0939F1ZV", "seller [gstin]"),
    kind("IBAN with right check digits", marker::IBAN, "to DE89 3704 0044 0532 0130 00", "to [iban]"),
    kind(
        "bank account: 9 to 18 digits after `A/c`, `acct`, `account`, or near an IFSC code",
        marker::ACCOUNT,
        "A/c 50100123456789 debited",
        "A/c [account] debited",
    ),
    kind("passport number beside its word", marker::PASSPORT, "passport Z1234567", "passport [passport]"),
    kind("voter id beside its word", marker::VOTER_ID, "voter id ABC1234567", "voter id [voter_id]"),
    kind(
        "driving licence beside its word",
        marker::LICENCE,
        "driving licence MH14 20110012345",
        "driving licence [driving_licence]",
    ),
    kind("social security number beside its word", marker::SSN, "ssn 123-45-6789", "ssn [ssn]"),
    kind("JSON web token, bearer token, basic credentials", marker::TOKEN, "Bearer abc123DEF", "Bearer [token]"),
    kind(
        "credential of a provider, by its prefix (AWS, Google, Stripe, Razorpay, GitHub, GitLab, Slack and others)",
        marker::CREDENTIAL,
        "key AKIAABCDEFGHIJKLMNOP",
        "key [credential]",
    ),
    kind(
        "private key, to its end or the end of the text",
        marker::PRIVATE_KEY,
        "-----BEGIN PRIVATE KEY----- MIIEvQ",
        "[private_key]",
    ),
    kind(
        "value of a label that names a secret, user info of a URL, attribute whose key names a secret",
        marker::SECRET,
        "password=hunter2",
        "password=[secret]",
    ),
    kind("IP address, only with `mask_ip(true)`", marker::IP, "from 203.0.113.7", "from [ip]"),
];

#[cfg(test)]
mod tests {
    use super::super::Rules;
    use super::*;

    #[test]
    fn every_example_becomes_what_the_guide_says() {
        for kind in KINDS {
            let rules = Rules { mask_ip: true };
            assert_eq!(rules.text(kind.example), kind.becomes);
            assert!(kind.becomes.contains(kind.marker), "{}", kind.marker);
        }
    }

    #[test]
    fn every_marker_has_a_kind() {
        for one in marker::ALL.into_iter().filter(|one| *one != marker::USERNAME) {
            assert!(KINDS.iter().any(|kind| kind.marker == one), "{one}");
        }
    }
}
