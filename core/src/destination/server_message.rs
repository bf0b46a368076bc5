//! The server's own message, as it is kept with a dead letter or a receipt.

/// Length at which the message is cut, in characters.
const MESSAGE_CHARS: usize = 160;

/// The first 160 characters, without control characters.
pub(super) fn server_message(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS).collect()
}
