//! The support code of a session: six characters that a person can read aloud.
//!
//! It is the end of the session's id, so that everything that has the id can be searched for it, in our tools and in a
//! vendor's, without another field.

/// Characters of a code.
const CHARACTERS: usize = 6;

/// The support code of the session with this id: its last six characters, hexadecimal digits. `None` if it is no id of a session.
///
/// One in 16.7 million sessions has a given code, so it names a session together with a day or an app.
///
/// ```
/// assert_eq!(rez_monitor::support_code("3f6a2c1e-7c1e-4a53-9b0e-3b6a3f0d9c11"), Some("0d9c11"));
/// ```
#[must_use]
pub fn support_code(session: &str) -> Option<&str> {
    let code = session.get(session.len().checked_sub(CHARACTERS)?..)?;
    (session.len() > CHARACTERS && is_code(code)).then_some(code)
}

/// Whether a person can mean a support code by this text.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() == CHARACTERS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_session_has_no_code() {
        for text in ["", "0d9c11", "f0d9c1", "session", "3f6a2c1e-x-3b6a3f0d9c1é", "ééééé"] {
            assert_eq!(support_code(text), None, "{text}");
        }
    }
}
