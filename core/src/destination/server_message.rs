//! What a server said, as it is kept with a dead letter or a receipt.

/// Longest text of a server that is kept, in characters.
const SAID_CHARS: usize = 160;

/// First characters of what a server said; no line breaks.
pub(super) fn server_message(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SAID_CHARS).collect()
}
