//! Questions with choices, and what a customer writes to choose: Teams over Graph has no buttons that answer.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::ids::{GenesysMessageId, TeamsMessageId};

/// How long a bare number is an answer. Later it may mean anything; the choice's own words still answer.
pub const NUMBERS_ANSWER_FOR: Duration = Duration::hours(1);

/// How long a question can be answered at all.
pub const QUESTION_IS_OPEN_FOR: Duration = Duration::hours(24);

/// Answered questions that a chat's state knows: more than there are cards whose buttons are understood.
const MOST_ANSWERS: usize = 40;

/// Those of them of which it knows what was asked: who edits an answer edits one of the last.
const MOST_ASKED: usize = 5;

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
        let bare = without_stops(&wanted);
        if bare.is_empty() {
            return None;
        }
        let same = |words: &str| words == wanted;
        let nearly_same = |words: &str| without_stops(words) == bare;
        for is_meant in [&same as &dyn Fn(&str) -> bool, &nearly_same] {
            let mut choices = self.choices.iter();
            let mut found = choices
                .by_ref()
                .filter(|it| is_meant(&normalised(&it.text)));
            match (found.next(), found.next()) {
                (Some(choice), None) => return Some(choice),
                (Some(_), Some(_)) => return None,
                _ => {}
            }
        }
        let (number, words) = number(&wanted)?;
        let choice = self.choices.get(number.checked_sub(1)?)?;
        match words {
            "" => (age <= NUMBERS_ANSWER_FOR).then_some(choice),
            // Words that are another choice's, or none's, leave open which of the two is meant.
            words => (without_stops(&normalised(&choice.text)) == words).then_some(choice),
        }
    }
}

/// A question that has its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The question.
    pub question: GenesysMessageId,
    /// The Teams message that answered it.
    pub message: TeamsMessageId,
    /// What was asked, where the answer was typed: its edit may be a number again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Question>,
}

impl Answered {
    /// What cannot be edited, or is nobody's choice.
    #[must_use]
    pub fn by(message: &TeamsMessageId, question: &GenesysMessageId) -> Self {
        Self {
            question: question.clone(),
            message: message.clone(),
            asked: None,
        }
    }

    /// What somebody typed.
    #[must_use]
    pub fn by_words(message: &TeamsMessageId, question: &Question) -> Self {
        let asked = Question {
            card: None,
            ..question.clone()
        };
        Self {
            asked: Some(asked),
            ..Self::by(message, &question.message)
        }
    }

    /// Puts it behind all others of a chat, and forgets the oldest of them.
    pub(super) fn add_to(self, answers: &mut Vec<Self>) {
        answers.retain(|it| it.question != self.question);
        answers.push(self);
        let over = answers.len().saturating_sub(MOST_ANSWERS);
        answers.drain(..over);
        let in_words = answers.iter_mut().filter(|it| it.asked.is_some());
        for answer in in_words.rev().skip(MOST_ASKED) {
            answer.asked = None;
        }
    }
}

/// Words alone, in lower case, with the digits and signs of East Asian keyboards as all others write them.
fn normalised(text: &str) -> String {
    let narrow = |sign: char| match sign {
        // Each of these is so far behind its narrow twin (Unicode, "Halfwidth and Fullwidth Forms").
        '！'..='～' => char::from_u32(u32::from(sign) - 0xfee0).unwrap_or(sign),
        '。' => '.',
        '、' => ',',
        sign => sign,
    };
    let text: String = text.chars().map(narrow).collect();
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

/// A text without what ends a sentence. A question mark stays: who asks whether does not choose.
fn without_stops(text: &str) -> &str {
    text.trim_end_matches(['.', ',', '!', ';', ':', ' '])
}

/// The number of `2`, `2.`, `2,`, `2)`, `(2)` and `#2`, and the words behind it.
fn number(text: &str) -> Option<(usize, &str)> {
    let bare = text.strip_prefix(['(', '#']).unwrap_or(text);
    let end = bare.find(|sign: char| !sign.is_ascii_digit());
    let (digits, rest) = bare.split_at(end.unwrap_or(bare.len()));
    let signs = ['.', ',', ')', ':', ';', '!', '-', ' '];
    let words = rest.trim_start_matches(signs);
    let is_number = (1..=3).contains(&digits.len());
    is_number.then_some((digits.parse().ok()?, without_stops(words)))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::state::KEPT;
    use crate::state::inbound::InboundState;

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
        let other = "２|２．|（２）|2,|2!|2. My invoice|2) my invoice.|2 - My invoice|My invoice.|my invoice!|My invoice。";
        let texts = "2| 2. |2)|(2)|#2|my invoice| MY  Invoice\n".split('|');
        for text in texts.chain(other.split('|')) {
            assert_eq!(means(text), Some(1), "{text}");
        }
        let none = "0|3|22|-1|2 please|invoice||.|٢|1000000000000000000000|1. My invoice|2.5|2nd|My invoice?|2?";
        for text in none.split('|') {
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
        // Of what differs by such a sign alone, the one that is written is meant.
        for (text, place) in [("yes!", Some(1)), ("yes", Some(0)), ("yes.", None)] {
            assert_eq!(means(&["Yes", "Yes!", "No"], text), place, "{text}");
        }
        assert_eq!(means(&["!", "No"], "1"), Some(0));
    }

    #[test]
    fn late_numbers_are_plain_text() {
        let means = |text, after| chosen(&["Yes", "No"], text, after);
        assert_eq!(means("2", NUMBERS_ANSWER_FOR), Some(1));
        let late = NUMBERS_ANSWER_FOR + Duration::SECOND;
        assert_eq!((means("2", late), means("no", late)), (None, Some(1)));
        assert_eq!(means("2. no", late), Some(1));
        assert_eq!(means("no", QUESTION_IS_OPEN_FOR), Some(1));
        assert_eq!(means("no", QUESTION_IS_OPEN_FOR + Duration::SECOND), None);
    }

    #[test]
    fn the_last_answers_are_known_and_what_was_asked_for_a_time() {
        let chat = "19:a".parse().expect("an id");
        let mut state = InboundState::new(chat, "support".parse().expect("a name"));
        let asks = |number: usize| Question {
            message: number.to_string().parse().expect("an id"),
            asked: ASKED,
            choices: Vec::new(),
            card: Some("{}".to_owned()),
        };
        let id = |number: usize| number.to_string().parse().expect("an id");
        // An earlier release noted the last one alone.
        state.answered = Some(asks(1000).message);
        assert!(state.has_answer(&asks(1000).message));
        for number in 0..MOST_ANSWERS + 2 {
            state.answer(Answered::by_words(&id(number), &asks(number)));
        }
        let last = MOST_ANSWERS + 1;
        state.answer(Answered::by(&id(9), &asks(last).message));
        let is_known = |number| state.has_answer(&asks(number).message);
        assert!((2..=last).all(is_known) && !is_known(0) && !is_known(1));
        let asked = |state: &InboundState| {
            let asked = state.answers.iter().filter_map(|it| it.asked.clone());
            asked.collect::<Vec<_>>()
        };
        assert!(asked(&state).len() <= MOST_ASKED);
        assert!(asked(&state).iter().all(|asked| asked.card.is_none()));
        state.forget(ASKED + KEPT);
        assert!(!asked(&state).is_empty());
        state.forget(ASKED + KEPT * 2);
        assert!(asked(&state).is_empty() && state.has_answer(&asks(last).message));
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
