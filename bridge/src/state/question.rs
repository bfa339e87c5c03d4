//! Questions with choices, and what a customer writes to choose: Teams over Graph has no buttons that answer.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::ids::GenesysMessageId;

/// How long a bare number is an answer. Later it may mean anything; the choice's own words still answer.
pub const NUMBERS_ANSWER_FOR: Duration = Duration::hours(1);

/// How long a question can be answered at all.
pub const QUESTION_IS_OPEN_FOR: Duration = Duration::hours(24);

/// What a choice is, in Genesys' words (Platform API, `ConversationContentButtonResponse.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChoiceKind {
    /// A quick reply.
    QuickReply,
    /// A button of a card.
    Button,
    /// A time of a date picker.
    DatePicker,
    /// An item of a list picker, for which Genesys has no word: it is answered by its own words.
    ListItem,
}

/// One choice of a question. `Debug` leaves its words out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What it is to Genesys.
    pub kind: ChoiceKind,
    /// What the customer reads.
    pub text: String,
    /// What the flow gets.
    pub payload: String,
}

debug_shows!(Choice: kind);

/// A message that asks the customer to choose. `Debug` leaves its words out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The structured message.
    pub message: GenesysMessageId,
    /// When it was asked.
    #[serde(with = "crate::moment")]
    pub asked: OffsetDateTime,
    /// Its choices, in the order of the numbers that the customer reads.
    pub choices: Vec<Choice>,
    /// The card that shows it, as JSON without its buttons: what is left of it once it is answered. Only a bot shows cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
}

debug_shows!(Question: message, asked, choices);

impl Question {
    /// The choice that a text of the customer means: its number, or its words. `None` for any other text, for an ambiguous one,
    /// and for one that comes too late.
    ///
    /// Whether the question is still the last thing that the agent said is for the caller to know.
    #[must_use]
    pub fn chosen(&self, text: &str, written: OffsetDateTime) -> Option<&Choice> {
        let age = written - self.asked;
        if age > QUESTION_IS_OPEN_FOR {
            return None;
        }
        let wanted = normalised(text);
        let mut same_words = self
            .choices
            .iter()
            .filter(|choice| normalised(&choice.text) == wanted);
        match (same_words.next(), same_words.next()) {
            (Some(choice), None) => return Some(choice),
            (Some(_), Some(_)) => return None,
            _ => {}
        }
        if age > NUMBERS_ANSWER_FOR {
            return None;
        }
        let number: usize = number(&wanted)?.parse().ok()?;
        self.choices.get(number.checked_sub(1)?)
    }
}

/// Words alone, in lower case.
fn normalised(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

/// The digits of `2`, `2.`, `2)`, `(2)` and `#2`.
fn number(text: &str) -> Option<&str> {
    let bare = text.strip_prefix(['(', '#']).unwrap_or(text);
    let bare = bare.strip_suffix(['.', ')']).unwrap_or(bare);
    let digits = (1..=3).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(bare)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const ASKED: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    fn question(texts: &[&str]) -> Question {
        let choices = texts.iter().map(|text| Choice {
            kind: ChoiceKind::QuickReply,
            text: (*text).to_owned(),
            payload: format!("payload of {text}"),
        });
        Question {
            message: "b71f".parse().expect("an id"),
            asked: ASKED,
            choices: choices.collect(),
            card: None,
        }
    }

    /// The place of the choice that a text means so long after the question; nothing where it means none.
    fn chosen(texts: &[&str], text: &str, after: Duration) -> Option<usize> {
        let question = question(texts);
        let chosen = question.chosen(text, ASKED + after)?;
        question
            .choices
            .iter()
            .position(|choice| std::ptr::eq(choice, chosen))
    }

    #[test]
    fn a_number_or_the_words_choose() {
        let means = |text| chosen(&["My order", "My invoice"], text, Duration::MINUTE);
        for text in "2| 2. |2)|(2)|#2|my invoice| MY  Invoice\n".split('|') {
            assert_eq!(means(text), Some(1), "{text}");
        }
        for text in "0|3|22|-1|2 please|invoice||٢|1000000000000000000000".split('|') {
            assert_eq!(means(text), None, "{text}");
        }
    }

    #[test]
    fn words_go_before_numbers_and_ambiguous_ones_need_their_number() {
        let means = |texts: &[&str], text| chosen(texts, text, Duration::ZERO);
        for (text, place) in [("2", 1), ("1", 2), ("3", 2)] {
            assert_eq!(means(&["10", "2", "1"], text), Some(place));
        }
        assert_eq!(means(&["Yes", "yes", "No"], "yes"), None);
        assert_eq!(means(&["Yes", "yes", "No"], "2"), Some(1));
    }

    #[test]
    fn late_numbers_are_plain_text() {
        let means = |text, after| chosen(&["Yes", "No"], text, after);
        assert_eq!(means("2", NUMBERS_ANSWER_FOR), Some(1));
        let late = NUMBERS_ANSWER_FOR + Duration::SECOND;
        assert_eq!((means("2", late), means("no", late)), (None, Some(1)));
        assert_eq!(means("no", QUESTION_IS_OPEN_FOR), Some(1));
        assert_eq!(means("no", QUESTION_IS_OPEN_FOR + Duration::SECOND), None);
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let question = question(&["Yes"]);
        let json = serde_json::to_string(&question).expect("JSON");
        assert_eq!(
            serde_json::from_str::<Question>(&json).expect("a question"),
            question
        );
        assert!(!format!("{question:?}").contains("Yes"));
    }
}
