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
mod tests {
    use std::str::FromStr;

    use time::macros::datetime;

    use super::*;
    use crate::ids::InvalidId;

    const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    #[test]
    fn only_a_persons_own_chat_without_a_post_may_await_acceptance() {
        let digest = Digest::of("chat", "x");
        for (party, may) in [
            (
                "teams:support:0f0e0d0c-0000-4000-8000-00000000000a".to_owned(),
                true,
            ),
            (
                "teams:support:0f0e0d0c-0000-4000-8000-00000000000a:2".to_owned(),
                true,
            ),
            (format!("teams-guest:support:{digest}"), false),
            (format!("teams-chat:support:{digest}"), false),
        ] {
            let thread: ThreadId = party.parse().expect("a thread");
            let mut state = state();
            assert_eq!(state.may_await_acceptance(&thread), may, "{party}");
            state.last_post = Some(AT);
            assert!(!state.may_await_acceptance(&thread), "{party}");
        }
    }

    fn state() -> OutboundState {
        OutboundState::new(id("19:a@thread.v2"))
    }

    fn id<T: FromStr<Err = InvalidId>>(text: &str) -> T {
        text.parse().expect("an id")
    }

    fn begin(state: &mut OutboundState, message: &str, part: usize, last: bool, says: Says) {
        let fingerprint = Digest::of("post", ["a", "b"][part]);
        state.begin(&id(message), part, last, AT, fingerprint, says);
    }

    #[test]
    fn a_post_is_pending_until_its_answer() {
        let (mut state, message, teams) = (state(), id("b71f"), id("1612289765949"));
        begin(&mut state, "b71f", 0, false, Says::Words);
        assert_eq!(state.parts_posted(&message), 0);
        assert!(state.pending.is_some() && !state.is_ours(&teams));
        state.posted(teams.clone(), AT);
        assert_eq!(state.parts_posted(&message), 1);
        assert!(state.pending.is_none() && state.is_ours(&teams));
        begin(&mut state, "b71f", 1, true, Says::Words);
        insta::assert_json_snapshot!(state);
        assert!(!state.is_posted(&message));
        state.posted(id("1612289765950"), AT);
        assert!(state.is_posted(&message));
        assert_eq!(state.taken().len(), 2);
        state.forget_before(AT + KEPT + time::Duration::SECOND);
        assert!(!state.is_posted(&message) && state.last_post == Some(AT));
    }

    #[test]
    fn the_word_of_an_end_is_nothing_that_was_written_since() {
        let later = |seconds| AT + time::Duration::seconds(seconds);
        let mut state = state();
        assert!(!state.is_told_of_end(None));
        begin(&mut state, "b71f", 0, true, Says::Words);
        state.posted(id("1612289765949"), AT);
        state.ended_at = Some(later(1));
        begin(&mut state, "b720", 0, true, Says::Notice);
        state.posted(id("1612289765950"), later(2));
        assert!(state.is_told_of_end(None) && state.is_told_of_end(Some(later(1))));
        assert!(!state.is_told_of_end(Some(later(2))));
        begin(&mut state, "b721", 0, true, Says::Words);
        state.posted(id("1612289765951"), later(2));
        assert!(!state.is_told_of_end(None));
    }

    #[test]
    fn a_state_with_unknown_fields_is_read() {
        let json = r#"{"version":1,"chat":"19:a","later":{"a":1},"pending":{"message":"b71f","part":0,"last":true,
            "started_at":"2026-01-02T03:04:05Z","fingerprint":"0123456789abcdef0123456789abcdef","later":2}}"#;
        let state: OutboundState = serde_json::from_str(json).expect("readable");
        assert!(state.pending.is_some() && state.posts.is_empty());
    }

    #[test]
    fn a_question_is_open_until_the_agent_says_more() {
        let mut state = state();
        let question = Some(Question {
            message: id("q"),
            asked: AT,
            choices: Vec::new(),
            card: None,
        });
        let asks = || Says::Question(question.clone().expect("one"));
        for (message, last, says, open) in [
            ("g1", false, asks(), &None),
            ("g2", true, asks(), &question),
            ("g3", true, Says::Notice, &question),
            ("g4", true, Says::Words, &None),
        ] {
            begin(&mut state, message, 0, last, says);
            state.posted(id("1"), AT);
            assert_eq!(&state.question, open, "{message}");
        }
    }

    #[test]
    fn cards_are_kept_for_a_while_and_not_too_many_of_them() {
        let mut state = state();
        for number in 0..=MOST_CARDS {
            let message: GenesysMessageId = id(&format!("g{number}"));
            let question = Question {
                message: message.clone(),
                asked: AT,
                choices: Vec::new(),
                card: (number > 0).then(|| "{}".to_owned()),
            };
            let at = AT + time::Duration::seconds(number as i64);
            let fingerprint = Digest::of("post", "a");
            state.begin(&message, 0, true, at, fingerprint, Says::Question(question));
            state.posted(id(&number.to_string()), at);
        }
        let kept = |state: &OutboundState| {
            let posts = state.posts.values();
            posts.filter(|post| post.question.is_some()).count()
        };
        // One without a card is no more than the open question.
        state.forget_before(AT);
        assert_eq!(kept(&state), MOST_CARDS);
        let message: GenesysMessageId = id("one-more");
        let question = state.question.clone().expect("an open question");
        let (at, fingerprint) = (AT + time::Duration::HOUR, Digest::of("post", "a"));
        state.begin(&message, 0, true, at, fingerprint, Says::Question(question));
        state.posted(id("1000"), at);
        state.forget_before(at);
        assert_eq!(kept(&state), MOST_CARDS);
        assert!(state.posts[&message].question.is_some());
        assert!(
            state.posts[&id::<GenesysMessageId>("g1")]
                .question
                .is_none()
        );
    }

    #[test]
    fn the_last_speaker_is_that_of_the_latest_whole_message() {
        let mut state = state();
        assert_eq!(state.last_speaker(), None);
        for (number, speaker, last, shown) in [
            (0, Some("Ada"), true, Some("Ada")),
            (1, None, true, None),
            (2, Some("Ada"), true, None),
            (3, Some("Bob"), false, Some("Bob")),
            (4, Some("Ada"), true, None),
        ] {
            let at = AT + time::Duration::seconds(number);
            let message: GenesysMessageId = id(&format!("g{number}"));
            state.spoken_by(&message, speaker, at);
            assert_eq!(state.name_before(&message), shown, "{number}");
            let fingerprint = Digest::of("post", "a");
            state.begin(&message, 0, last, at, fingerprint, Says::Words);
            state.posted(id(&number.to_string()), at);
            // What is begun keeps its name, whoever can be asked in the next attempt.
            state.spoken_by(&message, None, at);
            let kept = if last { None } else { shown };
            assert_eq!(state.name_before(&message), kept, "{number}");
        }
        assert_eq!(state.last_speaker(), Some(&speaker::digest("Ada")));
    }

    #[test]
    fn lost_answers_are_counted_until_one_comes() {
        let mut state = state();
        for times in 0..3 {
            begin(&mut state, "b71f", 0, true, Says::Words);
            assert_eq!(state.lost(), times);
            state.lose_pending(AT);
            assert!(state.pending.is_none());
        }
        begin(&mut state, "b71f", 0, false, Says::Words);
        state.posted(id("1"), AT);
        begin(&mut state, "b71f", 1, true, Says::Words);
        assert_eq!(state.lost(), 0);
    }

    #[test]
    fn a_cleared_post_may_be_posted_again() {
        let mut state = state();
        begin(&mut state, "b71f", 0, true, Says::Words);
        state.clear_pending();
        state.posted(id("1"), AT);
        assert_eq!(state.parts_posted(&id("b71f")), 0);
        // It may be in the chat all the same.
        let (text, other) = (Digest::of("post", "a"), Digest::of("post", "b"));
        assert!(state.wrote(&text) && !state.wrote(&other));
        state.forget_before(AT + KEPT + time::Duration::SECOND);
        assert!(!state.wrote(&text));
    }
}
