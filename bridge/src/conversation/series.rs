//! A series of Genesys messages that belong together: the text of a Teams message in its parts, then each of its files. It can
//! stop anywhere and goes on where it stopped.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::attributes::custom_attributes;
use crate::genesys::inbound::part_message_id;
use crate::ids::{ChatId, Digest, GenesysMessageId, SupportAccountName, TeamsMessageId, ThreadId};
use crate::state::customer::Customer;
use crate::state::inbound::{InboundState, PostedPart, Progress, Seen, Sending};
use crate::state::question::{Answered, Choice};
use crate::state::thread::ThreadState;
use crate::teams::chat_kind::ChatKind;
use crate::teams::convert::SentFile;

/// Whose conversation a series belongs to.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The Support User that bridges the chat.
    pub account: SupportAccountName,
    /// Kind of the chat.
    pub kind: ChatKind,
    /// Its thread.
    pub thread: ThreadId,
    /// Whom its attributes describe.
    pub customer: Customer,
    /// No message of this thread was on its way before: the thread's record is to be written first.
    pub is_new: bool,
    /// It is the thread's first message of its day (UTC): that the thread is in use is to be noted in its record.
    pub is_first_of_day: bool,
    /// What the chat's state is to remember.
    pub learned: Learned,
}

impl Conversation {
    /// The attributes for the flow. The door is `graph` or `bot`, as the account is a Support User or the bot.
    #[must_use]
    pub fn attributes(&self, chat: &ChatId, door: &str) -> BTreeMap<String, String> {
        custom_attributes(&self.customer, chat, &self.account, door)
    }
}

/// What was found out about a chat.
#[derive(Debug, Clone, Default)]
pub struct Learned {
    /// Its kind.
    pub kind: Option<ChatKind>,
    /// The customer, and the time of the message for which the chat's members were asked.
    pub customer: Option<(Customer, Option<OffsetDateTime>)>,
    /// Where its thread stands.
    pub thread: Option<ThreadState>,
    /// The tag of the customer's language, where Graph tells it.
    pub language: Option<&'static str>,
}

/// One piece of a series. `Debug` shows its kind only.
#[derive(Clone)]
pub enum Piece {
    /// Words; long ones become numbered parts.
    Text(String),
    /// A file that has to be fetched first.
    File(SentFile),
    /// The answer to the agent's question.
    Choice {
        /// The question.
        question: GenesysMessageId,
        /// The answer.
        choice: Choice,
        /// What is sent should Genesys not take the answer any more.
        otherwise: String,
    },
}

debug_names!(Piece: Text, File, Choice);

/// What is to be posted, and how it is remembered.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it is remembered by, and what Genesys knows it by: the message's id, or one derived from it.
    pub id: TeamsMessageId,
    /// The Teams message that it is about.
    pub original: TeamsMessageId,
    /// Time that Genesys is told.
    pub time: OffsetDateTime,
    /// In order.
    pub pieces: Vec<Piece>,
    /// What is known of the original once all is posted.
    pub seen: Option<Seen>,
    /// A customer wrote it, and it is no change of something that the agent has.
    pub is_new_of_customer: bool,
    /// The question that it answers.
    pub answered: Option<Answered>,
    /// Where it belongs.
    pub conversation: Conversation,
}

impl Series {
    /// The piece that is next, and how far the series is; nothing when all is posted.
    #[must_use]
    pub fn next(&self, state: &InboundState) -> Option<(&Piece, Progress)> {
        let progress = state.progress(&self.id);
        Some((self.pieces.get(progress.piece)?, progress))
    }

    /// The id that Genesys gets for the next part.
    #[must_use]
    pub fn next_id(&self, state: &InboundState) -> String {
        part_message_id(&self.id, state.progress(&self.id).posted + 1)
    }

    /// Notes that this holder of the lane is about to post the next part. The state must be written before it is posted: one
    /// that cannot be written would have each attempt post again, and whoever else wrote it may have posted the part. Tells whether
    /// the agent can have nothing of the series before this post; see [`Self::retract`].
    pub fn claim(&self, state: &mut InboundState, holder: &Digest, now: OffsetDateTime) -> bool {
        let learned = self.conversation.learned.clone();
        state.account = self.conversation.account.clone();
        state.kind = learned.kind.or(state.kind);
        state.thread = learned.thread.or(state.thread);
        if let Some(language) = learned.language {
            state.language = Some(language.to_owned());
        }
        if let Some((customer, at)) = learned.customer {
            state.customer = Some(customer);
            state.customer_resolved_at = at;
        }
        let carried = state.entry(&self.id, now);
        // What the first attempt saw is what the agent gets; an edit during a later attempt is told by its own notification.
        if let (true, false, Some(seen)) =
            (self.id == self.original, carried.is_shown(), &self.seen)
        {
            carried.seen = seen.clone();
        }
        let is_first = !carried.may_be_shown();
        carried.in_doubt |= is_first;
        state.sending = Some(Sending {
            holder: holder.clone(),
            at: now,
        });
        is_first
    }

    /// Notes that the part of a first claim certainly is not posted.
    pub fn retract(&self, state: &mut InboundState, now: OffsetDateTime) {
        state.sending = None;
        state.entry(&self.id, now).in_doubt = false;
    }

    /// Notes that Genesys has a part, and, with the last one, what that says of the message.
    pub fn posted(&self, state: &mut InboundState, part: PostedPart, now: OffsetDateTime) {
        state.sending = None;
        state.record_part(&self.id, part, now);
        self.finish_if_done(state, now);
    }

    /// Notes that the next piece has no further part: it may have fewer than when it was begun.
    pub fn finish_piece(&self, state: &mut InboundState, now: OffsetDateTime) {
        state.finish_piece(&self.id, now);
        self.finish_if_done(state, now);
    }

    /// Notes what it says of the message that all is posted, if it is.
    pub fn finish_if_done(&self, state: &mut InboundState, now: OffsetDateTime) {
        if self.next(state).is_some() {
            return;
        }
        state.complete(&self.id, now);
        if let Some(seen) = &self.seen {
            if self.id != self.original {
                state.entry(&self.original, now).seen = seen.clone();
            }
            state.complete(&self.original, now);
        }
        if let Some(answered) = &self.answered {
            state.answer(answered.clone());
        }
    }
}
