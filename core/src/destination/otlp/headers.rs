//! The headers an app adds to every request: checked before the first one is sent.

use crate::destination::DestinationError;

/// Headers that are ours to set: what the app says of them would contradict the request.
const RESERVED_HEADERS: [&str; 6] =
    ["connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding"];

/// Each header can be sent as it is, once, and none of them is ours.
pub(super) fn check_headers(headers: &[(String, String)]) -> Result<(), DestinationError> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    for (index, (name, value)) in headers.iter().enumerate() {
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        if name.is_empty() {
            return Err(DestinationError::Empty { part: "header name" });
        }
        if let Some(at) = name.chars().position(|c| !is_token(c)) {
            return Err(DestinationError::HeaderName { name: shown, at });
        }
        let again = headers.iter().take(index).any(|(known, _)| known.eq_ignore_ascii_case(name));
        if again || RESERVED_HEADERS.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
            return Err(DestinationError::HeaderTaken { name: shown });
        }
        if value.is_empty() {
            return Err(DestinationError::HeaderValue { name: shown, at: 0 });
        }
        // A blank inside is fine (`Bearer x`), one at either end is trimmed by some servers and not by others.
        let last = value.chars().count() - 1;
        let fine = |at: usize, c: char| c.is_ascii_graphic() || (c == ' ' && at != 0 && at != last);
        if let Some((at, _)) = value.chars().enumerate().find(|(at, c)| !fine(*at, *c)) {
            return Err(DestinationError::HeaderValue { name: shown, at });
        }
    }
    Ok(())
}
