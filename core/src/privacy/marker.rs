//! What a rule finds, and the markers that replace it.

/// A place to be replaced: bytes `start..end`, at character boundaries.
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) marker: &'static str,
}

/// Finds the next place from a byte on.
pub(super) type Scanner = fn(&str, usize) -> Option<Found>;

pub(super) const AADHAAR: &str = "[aadhaar]";
pub(super) const ACCOUNT: &str = "[account]";
pub(super) const CARD: &str = "[card]";
/// A one-time code, a PIN or the check number of a card.
pub(super) const CODE: &str = "[code]";
/// A provider's credential, known by its prefix.
pub(super) const CREDENTIAL: &str = "[credential]";
pub(super) const EMAIL: &str = "[email]";
pub(super) const GSTIN: &str = "[gstin]";
pub(super) const IBAN: &str = "[iban]";
pub(super) const IP: &str = "[ip]";
pub(super) const LICENCE: &str = "[driving_licence]";
pub(super) const PAN: &str = "[pan]";
pub(super) const PASSPORT: &str = "[passport]";
pub(super) const PHONE: &str = "[phone]";
pub(super) const PRIVATE_KEY: &str = "[private_key]";
/// A password, an API key, a cookie or the user info of a URL.
pub(super) const SECRET: &str = "[secret]";
pub(super) const SSN: &str = "[ssn]";
/// A JSON web token or a bearer token.
pub(super) const TOKEN: &str = "[token]";
pub(super) const UPI: &str = "[upi]";
pub(super) const USERNAME: &str = "[username]";
pub(super) const VOTER_ID: &str = "[voter_id]";

/// Every marker. No rule finds anything in a marker.
pub(super) const ALL: [&str; 20] = [
    AADHAAR,
    ACCOUNT,
    CARD,
    CODE,
    CREDENTIAL,
    EMAIL,
    GSTIN,
    IBAN,
    IP,
    LICENCE,
    PAN,
    PASSPORT,
    PHONE,
    PRIVATE_KEY,
    SECRET,
    SSN,
    TOKEN,
    UPI,
    USERNAME,
    VOTER_ID,
];

/// The markers in a text.
pub(crate) fn markers_in(text: &str) -> impl Iterator<Item = &'static str> + '_ {
    ALL.into_iter().filter(|marker| text.contains(marker))
}

/// Whether a marker starts at `at`.
pub(super) fn starts_at(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at..)
        .is_some_and(|rest| rest.first() == Some(&b'[') && ALL.iter().any(|one| rest.starts_with(one.as_bytes())))
}

/// Whether `start..end` is inside the brackets of a marker.
pub(super) fn encloses(bytes: &[u8], start: usize, end: usize) -> bool {
    let inside = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    // The longest marker bounds the look back.
    let first = start.saturating_sub(LICENCE.len());
    let before = bytes.get(first..start).unwrap_or_default();
    let open = before.iter().rposition(|byte| !inside(byte));
    open.is_some_and(|open| {
        bytes.get(end).is_some_and(|byte| inside(byte) || *byte == b']') && starts_at(bytes, first + open)
    })
}
