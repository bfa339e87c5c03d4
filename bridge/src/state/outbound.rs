//! `chats/{digest}/outbound.json`, written by deliver-to-teams only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::KEPT;
use crate::genesys::speaker;
use crate::ids::{
    ChatId, Digest, GenesysConversationId, GenesysMessageId, Party, TeamsMessageId, ThreadId,
};
use crate::state::question::Question;

/// Cards whose buttons are understood at a time: each is kept with all that it shows.
const MOST_CARDS: usize = 20;

/// A chat as seen on the way to Teams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundState {
    /// Version of this format.
    pub version: u32,
    /// The chat.
    pub chat: ChatId,
    /// Agent messages that are in the chat, or in part.
    #[serde(default)]
    pub posts: BTreeMap<GenesysMessageId, Post>,
    /// The post that may be under way.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// When we last posted.
    #[serde(default, with = "crate::moment::option")]
    pub last_post: Option<OffsetDateTime>,
    /// When what was posted last was the agent's, and none of the bridge's own notices.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_words: Option<OffsetDateTime>,
    /// Genesys' conversation that the agent last wrote in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<GenesysConversationId>,
    /// The one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_before: Option<GenesysConversationId>,
    /// When the customer was told last that the conversation has ended.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub ended_at: Option<OffsetDateTime>,
    /// What the agent asked, as long as it is the last thing that the agent said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
}

/// An agent message in the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// When its latest part was posted.
    #[serde(with = "crate::moment")]
    pub at: OffsetDateTime,
    /// Teams' ids of its parts, in order.
    pub teams: Vec<TeamsMessageId>,
    /// How to recognise whatever was, or may have been, posted of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fingerprints: Vec<Digest>,
    /// All parts are posted.
    pub complete: bool,
    /// Stands for whose message it is, where that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<Digest>,
    /// The name that stands before it, until all of it is posted: each attempt must make the same parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How often the answer to a post of its next part was lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u32,
    /// The question that it asks by a card with buttons, which can be pressed whatever is said later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
}

/// A post whose answer has not been seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The agent message.
    pub message: GenesysMessageId,
    /// Which part of it, counted from 0.
    pub part: usize,
    /// It is the last part.
    pub last: bool,
    /// Before this the request had not been sent.
    #[serde(with = "crate::moment")]
    pub started_at: OffsetDateTime,
    /// How to recognise it in the chat.
    pub fingerprint: Digest,
    /// What else there is to know once it is posted.
    #[serde(default)]
    pub says: Says,
}

/// What a post is to the conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Says {
    /// Something of the agent's.
    #[default]
    Words,
    /// A question of the agent's, with choices.
    Question(Question),
    /// Something of the bridge's own.
    Notice,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl OutboundState {
    /// The state of a chat without posts.
    #[must_use]
    pub fn new(chat: ChatId) -> Self {
        Self {
            version: 1,
            chat,
            posts: BTreeMap::new(),
            pending: None,
            last_post: None,
            last_words: None,
            conversation: None,
            conversation_before: None,
            ended_at: None,
            question: None,
        }
    }

    /// Notes the conversation that an agent's message belongs to.
    pub fn is_of(&mut self, conversation: &GenesysConversationId) {
        if self.conversation.as_ref() != Some(conversation) {
            self.conversation_before = self.conversation.replace(conversation.clone());
        }
    }

    /// Whether the customer knows that the conversation has ended: neither agent nor customer has written anything since that was told.
    #[must_use]
    pub fn is_told_of_end(&self, last_message: Option<OffsetDateTime>) -> bool {
        self.ended_at.is_some_and(|told| {
            let is_before = |at: Option<OffsetDateTime>| at.is_none_or(|at| at <= told);
            is_before(self.last_words) && is_before(last_message)
        })
    }

    /// Whether all of the message is in the chat.
    #[must_use]
    pub fn is_posted(&self, message: &GenesysMessageId) -> bool {
        self.posts.get(message).is_some_and(|post| post.complete)
    }

    /// How many parts of the message are in the chat.
    #[must_use]
    pub fn parts_posted(&self, message: &GenesysMessageId) -> usize {
        self.posts.get(message).map_or(0, |post| post.teams.len())
    }

    /// Notes that a part is about to be posted.
    pub fn begin(
        &mut self,
        message: &GenesysMessageId,
        part: usize,
        last: bool,
        now: OffsetDateTime,
        fingerprint: Digest,
        says: Says,
    ) {
        // Kept like the post: its echo can come before its answer, or after the post was given up.
        let fingerprints = &mut self.entry(message, now).fingerprints;
        if !fingerprints.contains(&fingerprint) {
            fingerprints.push(fingerprint.clone());
        }
        self.pending = Some(Pending {
            message: message.clone(),
            part,
            last,
            started_at: now,
            fingerprint,
            says,
        });
    }

    fn entry(&mut self, message: &GenesysMessageId, now: OffsetDateTime) -> &mut Post {
        self.posts.entry(message.clone()).or_insert_with(|| Post {
            at: now,
            teams: Vec::new(),
            fingerprints: Vec::new(),
            complete: false,
            speaker: None,
            name: None,
            lost: 0,
            question: None,
        })
    }

    /// Notes that the pending part is in the chat.
    pub fn posted(&mut self, teams_id: TeamsMessageId, now: OffsetDateTime) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let post = self.entry(&pending.message, now);
        post.at = now;
        post.teams.push(teams_id);
        post.complete = pending.last;
        post.lost = 0;
        if pending.last {
            post.name = None;
        }
        if let Says::Question(question) = &pending.says {
            post.question = question.card.is_some().then(|| question.clone());
        }
        self.last_post = Some(now);
        if pending.says != Says::Notice {
            self.last_words = Some(now);
        }
        match pending.says {
            Says::Question(question) if pending.last => self.question = Some(question),
            Says::Question(_) | Says::Words => self.question = None,
            Says::Notice => {}
        }
    }

    /// Whose name was shown last before a message of an agent's.
    #[must_use]
    pub fn last_speaker(&self) -> Option<&Digest> {
        let posts = self.posts.values().filter(|post| post.complete);
        let named = posts.filter(|post| post.speaker.is_some());
        named.max_by_key(|post| post.at)?.speaker.as_ref()
    }

    /// Notes whose message it is, and the name to put before it where its last speaker was another one. What an earlier attempt has
    /// begun to post keeps its name.
    pub fn spoken_by(
        &mut self,
        message: &GenesysMessageId,
        name: Option<&str>,
        now: OffsetDateTime,
    ) {
        let speaker = name.map(speaker::digest);
        let is_known = speaker.as_ref() == self.last_speaker();
        let has_begun = self
            .pending
            .as_ref()
            .is_some_and(|it| it.message == *message);
        let post = self.entry(message, now);
        if post.teams.is_empty() && !has_begun {
            post.speaker = speaker;
            post.name = name.filter(|_| !is_known).map(str::to_owned);
        }
    }

    /// The name that stands before a message that is not posted whole.
    #[must_use]
    pub fn name_before(&self, message: &GenesysMessageId) -> Option<&str> {
        self.posts.get(message)?.name.as_deref()
    }

    /// Whether Graph's refusal to post here may mean that the chat is a *message request*, which somebody has to accept first: in a
    /// one-to-one chat with a person of another organization, until the first word of ours is in it (Microsoft Support, "Accept,
    /// block, or delete chat or meeting requests from people outside your organization").
    #[must_use]
    pub const fn may_await_acceptance(&self, thread: &ThreadId) -> bool {
        matches!(thread.party, Party::Customer(_)) && self.last_post.is_none()
    }

    /// Notes that the pending part is not in the chat.
    pub fn clear_pending(&mut self) {
        self.pending = None;
    }

    /// Notes that nobody can tell whether the pending part is in the chat, and that it is posted again.
    pub fn lose_pending(&mut self, now: OffsetDateTime) {
        if let Some(pending) = self.pending.take() {
            self.entry(&pending.message, now).lost += 1;
        }
    }

    /// How often the answer to a post of the pending part was lost before.
    #[must_use]
    pub fn lost(&self) -> u32 {
        let pending = self.pending.as_ref();
        let post = pending.and_then(|pending| self.posts.get(&pending.message));
        post.map_or(0, |post| post.lost)
    }

    /// Whether a Teams message is one of our posts.
    #[must_use]
    pub fn is_ours(&self, message: &TeamsMessageId) -> bool {
        self.posts.values().any(|post| post.teams.contains(message))
    }

    /// The card that asks a question: what is shown of a message besides comes before it.
    #[must_use]
    pub fn card_of(&self, question: &GenesysMessageId) -> Option<&TeamsMessageId> {
        let post = self.posts.get(question)?;
        post.teams.last().filter(|_| post.question.is_some())
    }

    /// Whether a text of this fingerprint was posted by us, or may have been.
    #[must_use]
    pub fn wrote(&self, fingerprint: &Digest) -> bool {
        let mut posts = self.posts.values();
        let pending = self.pending.as_ref().map(|pending| &pending.fingerprint);
        pending == Some(fingerprint) || posts.any(|post| post.fingerprints.contains(fingerprint))
    }

    /// Teams messages that are known to be posts of ours.
    #[must_use]
    pub fn taken(&self) -> Vec<TeamsMessageId> {
        let posts = self.posts.values();
        posts.flat_map(|post| post.teams.iter().cloned()).collect()
    }

    /// Forgets posts older than [`KEPT`], and all but the newest questions that cards ask.
    pub fn forget_before(&mut self, now: OffsetDateTime) {
        self.posts.retain(|_, post| now - post.at <= KEPT);
        let asking = self.posts.values_mut();
        let mut asking: Vec<&mut Post> = asking.filter(|post| post.question.is_some()).collect();
        asking.sort_by_key(|post| std::cmp::Reverse(post.at));
        for post in asking.into_iter().skip(MOST_CARDS) {
            post.question = None;
        }
    }
}

#[cfg(test)]
mod tests;
