//! Fuzzy search.

/// Whether the text has the characters of each word in their order, with others between them: `pbt` finds `tap PayButton`.
/// Upper and lower case are the same.
pub(super) fn matches(words: &str, text: &str) -> bool {
    let text = text.to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| {
        let mut rest = text.chars();
        word.chars().all(|wanted| rest.any(|c| c == wanted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_characters_of_a_word_are_found_in_their_order() {
        let text = "interaction tap PayButton queued";
        for found in ["", " ", "pay", "PBT", "button tap", "qd", "tap  queued"] {
            assert!(matches(found, text), "{found}");
        }
        for missing in ["yap", "pay2", "queuedd", "pay x"] {
            assert!(!matches(missing, text), "{missing}");
        }
        assert!(matches("äö", "ÄRGER ÖL"));
    }
}
