//! How a conversation ends.

/// Whether a customer's text is one of the words that end a conversation, and nothing else. The words are in lower case.
#[must_use]
pub fn is_wish(text: &str, words: &[String]) -> bool {
    let is_sign = |character: char| character.is_whitespace() || matches!(character, '.' | '!');
    let said = text.trim_matches(is_sign).to_lowercase();
    !said.is_empty() && words.contains(&said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_alone_ends_a_conversation() {
        let words = ["end".to_owned(), "auf wiedersehen".to_owned()];
        for (text, is) in [
            ("end", true),
            (" End.\n", true),
            ("AUF WIEDERSEHEN!", true),
            ("end it", false),
            ("the end", false),
            ("", false),
            ("!", false),
        ] {
            assert_eq!(is_wish(text, &words), is, "{text}");
        }
        assert!(!is_wish("end", &[]));
    }
}
