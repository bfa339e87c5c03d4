//! The press of a card's button: it comes back as a message without text whose `value` is the button's `data`, and the inputs of
//! the card beside it (Microsoft Learn, "Card actions", `Action.Submit`).

use serde_json::{Value, json};

use super::activity::text;
use crate::conversation::series::{Piece, Series};
use crate::ids::GenesysMessageId;
use crate::state::inbound::InboundState;
use crate::state::outbound::OutboundState;
use crate::state::question::{Answered, Choice, Question};

/// The name under which our buttons keep what is ours.
const OURS: &str = "bridge";

/// What the ids of the inputs begin with by which a card offers its choices as lists.
pub(super) const LIST: &str = "bridgeChoice";

/// What stands between place and words in the value of such an input.
const BETWEEN: &str = "|";

/// What was pressed. It comes from a customer's client, so it only names what the bridge itself knows. `Debug` leaves words out.
#[derive(Clone, PartialEq, Eq)]
pub enum Press {
    /// A choice of a question.
    Choice {
        /// The question.
        question: GenesysMessageId,
        /// Its place, counted from 0; nothing where none was chosen.
        place: Option<usize>,
        /// The words on the button.
        text: String,
    },
    /// The conversation is to be ended.
    End,
}

debug_names!(Press: Choice, End);

impl Press {
    /// Reads what a button of ours sends; nothing where another's was pressed.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        let ours = value.get(OURS)?;
        if ours["end"] == true {
            return Some(Self::End);
        }
        // A list sends the place and the words of what was chosen.
        let mut inputs = value.as_object().into_iter().flatten();
        let listed = inputs.find_map(|(id, value)| {
            let chosen = id.starts_with(LIST).then(|| text(value)).flatten()?;
            chosen.split_once(BETWEEN)
        });
        let (place, words) = match (ours["choice"].as_u64(), listed) {
            (Some(place), _) => (Some(place), text(&ours["text"])),
            (None, Some((place, words))) => (place.parse().ok(), Some(words)),
            (None, None) => (None, None),
        };
        Some(Self::Choice {
            question: text(&ours["question"])?.parse().ok()?,
            place: place.and_then(|place| usize::try_from(place).ok()),
            text: words.unwrap_or_default().to_owned(),
        })
    }

    /// The value of a choice in a list.
    pub(super) fn of_entry(place: usize, choice: &Choice) -> String {
        format!("{place}{BETWEEN}{}", choice.text)
    }

    /// The `data` of a choice's button.
    pub(super) fn of_choice(question: &GenesysMessageId, place: usize, choice: &Choice) -> Value {
        json!({ OURS: { "question": question.as_str(), "choice": place, "text": choice.text } })
    }

    /// The `data` of the button that sends what was chosen in a list.
    pub(super) fn of_list(question: &GenesysMessageId) -> Value {
        json!({ OURS: { "question": question.as_str() } })
    }

    /// The `data` of a button that ends the conversation.
    #[must_use]
    pub fn of_end() -> Value {
        json!({ OURS: { "end": true } })
    }

    /// The question and the choice that are meant, as the bridge asked them.
    #[must_use]
    pub fn meant<'a>(&self, posts: &'a OutboundState) -> Option<(&'a Question, &'a Choice)> {
        let Self::Choice {
            question, place, ..
        } = self
        else {
            return None;
        };
        let question = posts.posts.get(question)?.question.as_ref()?;
        Some((question, question.choices.get((*place)?)?))
    }

    /// Whether its question has its answer: buttons can be pressed twice before they are gone, and stay where a card cannot be
    /// changed. A flow has gone on by then, and no longer waits for that answer.
    #[must_use]
    pub fn is_late(&self, state: &InboundState) -> bool {
        match self {
            Self::Choice { question, .. } => state.has_answer(question),
            Self::End => false,
        }
    }

    /// What the press says in words: those of the choice as it was asked, else those on the button.
    #[must_use]
    pub fn words(&self, posts: Option<&OutboundState>) -> String {
        let meant = posts.and_then(|posts| self.meant(posts));
        match (meant, self) {
            (Some((_, choice)), _) => choice.text.clone(),
            (None, Self::Choice { text, .. }) => text.clone(),
            (None, Self::End) => String::new(),
        }
    }

    /// Turns what is to be told of a press into the answer to its question, whatever was said since: the button names both. Its words
    /// are those of no other question, although they may fit the one that is open.
    pub fn answer(&self, told: &mut [Series], posts: Option<&OutboundState>) {
        let meant = posts.and_then(|posts| self.meant(posts));
        for series in told.iter_mut().filter(|series| series.is_new_of_customer) {
            let Some(piece) = series.pieces.first_mut() else {
                continue;
            };
            let words = match piece {
                Piece::Text(words)
                | Piece::Choice {
                    otherwise: words, ..
                } => std::mem::take(words),
                Piece::File(_) => continue,
            };
            let original = &series.original;
            series.answered = meant.map(|(question, _)| Answered::by(original, &question.message));
            *piece = match meant {
                Some((question, choice)) => Piece::Choice {
                    question: question.message.clone(),
                    choice: choice.clone(),
                    otherwise: words,
                },
                None => Piece::Text(words),
            };
        }
    }
}
