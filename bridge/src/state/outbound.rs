//! `chats/{digest}/outbound.json`, written by deliver-to-teams only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::KEPT;
use crate::ids::{ChatId, Digest, GenesysMessageId, TeamsMessageId};

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
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub last_post: Option<OffsetDateTime>,
}

/// An agent message in the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// When its latest part was posted.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Teams' ids of its parts, in order.
    pub teams: Vec<TeamsMessageId>,
    /// All parts are posted.
    pub complete: bool,
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
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// How to recognise it in the chat.
    pub fingerprint: Digest,
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
        }
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
    ) {
        self.pending = Some(Pending {
            message: message.clone(),
            part,
            last,
            started_at: now,
            fingerprint,
        });
    }

    /// Notes that the pending part is in the chat.
    pub fn posted(&mut self, teams_id: TeamsMessageId, now: OffsetDateTime) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let post = self.posts.entry(pending.message).or_insert_with(|| Post {
            at: now,
            teams: Vec::new(),
            complete: false,
        });
        post.at = now;
        post.teams.push(teams_id);
        post.complete = pending.last;
        self.last_post = Some(now);
    }

    /// Notes that the pending part is not in the chat.
    pub fn clear_pending(&mut self) {
        self.pending = None;
    }

    /// Whether a Teams message is one of our posts.
    #[must_use]
    pub fn is_ours(&self, message: &TeamsMessageId) -> bool {
        self.posts.values().any(|post| post.teams.contains(message))
    }

    /// Teams messages that are known to be posts of ours.
    #[must_use]
    pub fn taken(&self) -> Vec<TeamsMessageId> {
        self.posts
            .values()
            .flat_map(|post| post.teams.iter().cloned())
            .collect()
    }

    /// Forgets posts older than [`KEPT`].
    pub fn forget_before(&mut self, now: OffsetDateTime) {
        self.posts.retain(|_, post| now - post.at <= KEPT);
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    #[test]
    fn a_post_is_pending_until_its_answer() {
        let mut state = OutboundState::new("19:a@thread.v2".parse().expect("an id"));
        let message: GenesysMessageId = "b71f".parse().expect("an id");
        let teams: TeamsMessageId = "1612289765949".parse().expect("an id");
        state.begin(&message, 0, false, AT, Digest::of("post", "a"));
        assert_eq!(
            (state.parts_posted(&message), state.is_posted(&message)),
            (0, false)
        );
        state.posted(teams.clone(), AT);
        assert_eq!(
            (state.parts_posted(&message), state.is_posted(&message)),
            (1, false)
        );
        assert!(state.pending.is_none() && state.is_ours(&teams));
        state.begin(&message, 1, true, AT, Digest::of("post", "b"));
        insta::assert_json_snapshot!(state);
        state.posted("1612289765950".parse().expect("an id"), AT);
        assert!(state.is_posted(&message));
        assert_eq!(state.taken().len(), 2);
        state.forget_before(AT + KEPT + time::Duration::seconds(1));
        assert!(!state.is_posted(&message) && state.last_post == Some(AT));
    }

    #[test]
    fn a_state_with_unknown_fields_is_read() {
        let json = r#"{"version":1,"chat":"19:a","later":{"a":1},"pending":{"message":"b71f","part":0,"last":true,
            "started_at":"2026-01-02T03:04:05Z","fingerprint":"0123456789abcdef0123456789abcdef","later":2}}"#;
        let state: OutboundState = serde_json::from_str(json).expect("readable");
        assert!(state.pending.is_some() && state.posts.is_empty());
    }

    #[test]
    fn a_cleared_post_may_be_posted_again() {
        let mut state = OutboundState::new("19:a@thread.v2".parse().expect("an id"));
        let message: GenesysMessageId = "b71f".parse().expect("an id");
        state.begin(&message, 0, true, AT, Digest::of("post", "a"));
        state.clear_pending();
        state.posted("1".parse().expect("an id"), AT);
        assert_eq!(state.parts_posted(&message), 0);
    }
}
