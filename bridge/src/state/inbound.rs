//! `chats/{digest}/inbound.json`, written by deliver-to-genesys only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::KEPT;
use crate::bot::reference::ConversationReference;
use crate::ids::{ChatId, Digest, GenesysMessageId, SupportAccountName, TeamsMessageId};
use crate::state::customer::Customer;
use crate::state::question::Answered;
use crate::state::thread::ThreadState;
use crate::teams::chat_kind::ChatKind;

/// Most messages that a chat's state holds.
pub const MOST_MESSAGES: usize = 2_000;

/// Messages that a chat's state holds whatever their age.
pub const NEWEST: usize = 50;

/// How long a part that was about to be posted may be under way: the time limit of a call to Genesys, and room for the clocks
/// of two instances.
pub const UNDER_WAY: Duration = Duration::from_secs(12);

/// A chat as seen on the way to Genesys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundState {
    /// Version of this format.
    pub version: u32,
    /// The chat.
    pub chat: ChatId,
    /// The Support User that bridges it.
    pub account: SupportAccountName,
    /// Where the chat is reached, where it is a bot's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ConversationReference>,
    /// Kind of the chat, once Graph was asked.
    #[serde(default, alias = "chat_type")]
    pub kind: Option<ChatKind>,
    /// Whom the conversation's attributes describe.
    #[serde(default)]
    pub customer: Option<Customer>,
    /// Time of the message for which the customer was resolved; absent when the chat's members could not be asked.
    #[serde(default, with = "crate::moment::option")]
    pub customer_resolved_at: Option<OffsetDateTime>,
    /// When the chat was told last that its messages are not passed on, because of their sender's tenant.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub turned_away_at: Option<OffsetDateTime>,
    /// When the chat was told that a message of it waits; nothing once a message was delivered after that.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub delay_told_at: Option<OffsetDateTime>,
    /// When the chat was told that a message of it could not be delivered; nothing once one was delivered after that.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub failure_told_at: Option<OffsetDateTime>,
    /// The tag of the language in which its people are told, where Graph told one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The present thread.
    #[serde(default)]
    pub thread: Option<ThreadState>,
    /// Teams messages, and changes of them, that Genesys has, or has in part.
    #[serde(default, alias = "handled")]
    pub messages: BTreeMap<TeamsMessageId, Carried>,
    /// The agent's question that was answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<GenesysMessageId>,
    /// The agent's questions that were answered, the latest one last: the buttons of an earlier one may still be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answered>,
    /// The part that may be on its way to Genesys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<Sending>,
}

/// A Teams message, or a change of one, on the way to Genesys: a series of messages there, in pieces (the text, then each
/// file) of one or more parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// When its latest part was posted.
    #[serde(with = "crate::moment")]
    pub at: OffsetDateTime,
    /// Genesys' ids of its parts, in order.
    pub genesys: Vec<String>,
    /// How many parts each finished piece had, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<usize>,
    /// All parts are posted.
    pub complete: bool,
    /// It lies in `failed`, and its sender was told: only a replay brings it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
    /// Its first part was sent, and nobody saw the answer: the agent may have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_doubt: bool,
    /// What is known of the message itself.
    #[serde(default)]
    pub seen: Seen,
}

/// What was last seen of a message, to tell a change that matters from one that does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// When it was written.
    #[serde(
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub written: Option<OffsetDateTime>,
    /// When its text was last edited.
    #[serde(
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub edited: Option<OffsetDateTime>,
    /// Digest of its converted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Digest>,
    /// Digests of its files.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub files: BTreeSet<Digest>,
    /// It was deleted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// A part that somebody is about to post. Whoever else holds the chat's lane waits for the end of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// Who: one process.
    pub holder: Digest,
    /// Since when.
    #[serde(with = "crate::moment")]
    pub at: OffsetDateTime,
}

/// How far a series is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Finished pieces.
    pub piece: usize,
    /// Parts of the next piece that are posted.
    pub part: usize,
    /// Parts that are posted in all.
    pub posted: usize,
}

/// One more part that Genesys has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedPart {
    /// Its piece, counted from 0.
    pub piece: usize,
    /// Its place in the piece, counted from 0.
    pub part: usize,
    /// Genesys' id of it.
    pub genesys: String,
    /// It was the last of its piece.
    pub ends_piece: bool,
}

impl Carried {
    /// Whether the agent has any of it.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        !self.genesys.is_empty()
    }

    /// Whether the agent has any of it, or may have.
    #[must_use]
    pub fn may_be_shown(&self) -> bool {
        self.is_shown() || self.in_doubt
    }

    /// How far the series is: finished pieces, and parts of the next one.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let finished: usize = self.pieces.iter().sum();
        Progress {
            piece: self.pieces.len(),
            part: self.genesys.len().saturating_sub(finished),
            posted: self.genesys.len(),
        }
    }
}

impl InboundState {
    /// The state of a chat of which nothing is known.
    #[must_use]
    pub fn new(chat: ChatId, account: SupportAccountName) -> Self {
        Self {
            version: 1,
            chat,
            account,
            reference: None,
            kind: None,
            customer: None,
            customer_resolved_at: None,
            turned_away_at: None,
            delay_told_at: None,
            failure_told_at: None,
            language: None,
            thread: None,
            messages: BTreeMap::new(),
            answered: None,
            answers: Vec::new(),
            sending: None,
        }
    }

    /// Whether Genesys has all of the message, or all there is to know of the change.
    #[must_use]
    pub fn is_complete(&self, message: &TeamsMessageId) -> bool {
        self.messages.get(message).is_some_and(|one| one.complete)
    }

    /// How far the message is.
    #[must_use]
    pub fn progress(&self, message: &TeamsMessageId) -> Progress {
        let carried = self.messages.get(message);
        carried.map(Carried::progress).unwrap_or_default()
    }

    /// The entry of a message; a new one has no parts yet.
    pub fn entry(&mut self, message: &TeamsMessageId, at: OffsetDateTime) -> &mut Carried {
        let entry = self.messages.entry(message.clone());
        entry.or_insert_with(|| Carried {
            at,
            genesys: Vec::new(),
            pieces: Vec::new(),
            complete: false,
            given_up: false,
            in_doubt: false,
            seen: Seen::default(),
        })
    }

    /// Notes that the message was given up.
    pub fn give_up(&mut self, message: &TeamsMessageId, at: OffsetDateTime) {
        let carried = self.entry(message, at);
        carried.at = at;
        carried.given_up = !carried.complete;
    }

    /// Notes that Genesys has a part, if it is the next one: one that another holder of the lane noted first is not noted again.
    /// Tells whether it was.
    pub fn record_part(
        &mut self,
        message: &TeamsMessageId,
        part: PostedPart,
        at: OffsetDateTime,
    ) -> bool {
        let carried = self.entry(message, at);
        let progress = carried.progress();
        if (part.piece, part.part) != (progress.piece, progress.part) {
            return false;
        }
        carried.at = at;
        carried.genesys.push(part.genesys);
        carried.in_doubt = false;
        if part.ends_piece {
            carried.pieces.push(part.part + 1);
        }
        true
    }

    /// Notes that the next piece has nothing more to post.
    pub fn finish_piece(&mut self, message: &TeamsMessageId, at: OffsetDateTime) {
        let carried = self.entry(message, at);
        let part = carried.progress().part;
        carried.pieces.push(part);
    }

    /// Notes that nothing more is to be done for the message. Where Genesys has it, what its people were told of messages that
    /// did not arrive is over: of the next one they are told again.
    pub fn complete(&mut self, message: &TeamsMessageId, at: OffsetDateTime) {
        let carried = self.entry(message, at);
        carried.at = at;
        carried.complete = true;
        carried.given_up = false;
        if carried.is_shown() {
            self.delay_told_at = None;
            self.failure_told_at = None;
        }
    }

    /// Notes that a question has its answer.
    pub fn answer(&mut self, answered: Answered) {
        self.answered = Some(answered.question.clone());
        answered.add_to(&mut self.answers);
    }

    /// Whether a question has its answer.
    #[must_use]
    pub fn has_answer(&self, question: &GenesysMessageId) -> bool {
        let mut answers = self.answers.iter();
        // What an earlier release wrote has no other note of it.
        self.answered.as_ref() == Some(question) || answers.any(|it| it.question == *question)
    }

    /// Whether somebody else may be posting a part right now.
    #[must_use]
    pub fn is_held_from(&self, holder: &Digest, now: OffsetDateTime) -> bool {
        self.sending.as_ref().is_some_and(|sending| {
            // A clock that runs far ahead must not hold the chat.
            sending.holder != *holder && (now - sending.at).abs() < UNDER_WAY
        })
    }

    /// Forgets what was complete longer ago than [`KEPT`], except the newest of it, which a catch-up after a long outage meets
    /// again. What Genesys has only in part stays, or it would be posted again from the beginning. Beyond [`MOST_MESSAGES`] the
    /// oldest go, what is complete before what is not. What was asked goes in the same time.
    pub fn forget(&mut self, now: OffsetDateTime) {
        let is_over = |carried: &Carried| carried.complete || carried.given_up;
        let is_old = |carried: &Carried| is_over(carried) && now - carried.at > KEPT;
        let mut over: Vec<_> = self
            .messages
            .values()
            .filter(|it| is_over(it))
            .map(|it| it.at)
            .collect();
        over.sort_unstable();
        let newest = over.len().checked_sub(NEWEST).map(|place| over[place]);
        self.messages.retain(|_, carried| {
            !is_old(carried) || newest.is_none_or(|newest| carried.at >= newest)
        });
        for answer in &mut self.answers {
            answer.asked.take_if(|asked| now - asked.asked > KEPT);
        }
        let order = |(_, carried): &(&TeamsMessageId, &Carried)| (!carried.complete, carried.at);
        while self.messages.len() > MOST_MESSAGES
            && let Some((oldest, _)) = self.messages.iter().min_by_key(order)
        {
            let oldest = oldest.clone();
            self.messages.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests;
