//! `chats/{digest}/inbound.json`, written by deliver-to-genesys only.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::KEPT;
use crate::ids::{ChatId, Digest, GenesysMessageId, SupportAccountName, TeamsMessageId};
use crate::state::customer::Customer;
use crate::state::window::ThreadState;
use crate::teams::chat_kind::ChatType;

/// A chat as seen on the way to Genesys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundState {
    /// Version of this format.
    pub version: u32,
    /// The chat.
    pub chat: ChatId,
    /// The Support User that bridges it.
    pub account: SupportAccountName,
    /// Kind of the chat, once Graph was asked.
    #[serde(default)]
    pub chat_type: Option<ChatType>,
    /// Whom the conversation's attributes describe.
    #[serde(default)]
    pub customer: Option<Customer>,
    /// Time of the message for which the customer was resolved.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub customer_resolved_at: Option<OffsetDateTime>,
    /// The present thread.
    #[serde(default)]
    pub thread: Option<ThreadState>,
    /// Teams messages that Genesys has, or has in part.
    #[serde(default)]
    pub handled: BTreeMap<TeamsMessageId, Handled>,
    /// The agent's question that the customer answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<GenesysMessageId>,
}

/// A Teams message, or a change of one, on the way to Genesys: a series of messages there, in pieces (the text, then each
/// file) of one or more parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    /// When its latest part was posted.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Its version, as Graph showed it.
    #[serde(default)]
    pub etag: Option<String>,
    /// Genesys' ids of its parts, in order.
    pub genesys: Vec<String>,
    /// How many parts each finished piece had, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<usize>,
    /// All parts are posted.
    pub complete: bool,
    /// What is known of the message itself.
    #[serde(default)]
    pub seen: Seen,
}

/// What was last seen of a message, to tell a change that matters from one that does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When it was written.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub written: Option<OffsetDateTime>,
    /// When its text was last edited.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub edited: Option<OffsetDateTime>,
    /// Digest of its converted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Digest>,
    /// Digests of its files.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub files: BTreeSet<Digest>,
    /// It was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl Handled {
    fn started(at: OffsetDateTime) -> Self {
        Self {
            at,
            etag: None,
            genesys: Vec::new(),
            pieces: Vec::new(),
            complete: false,
            seen: Seen::default(),
        }
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
    /// Genesys' id of it.
    pub genesys: String,
    /// It was the last of its piece.
    pub ends_piece: bool,
}

impl InboundState {
    /// The state of a chat of which nothing is known.
    #[must_use]
    pub fn new(chat: ChatId, account: SupportAccountName) -> Self {
        Self {
            version: 1,
            chat,
            account,
            chat_type: None,
            customer: None,
            customer_resolved_at: None,
            thread: None,
            handled: BTreeMap::new(),
            answered: None,
        }
    }

    /// Whether Genesys has all of the message, or all there is to know of the change.
    #[must_use]
    pub fn is_handled(&self, message: &TeamsMessageId) -> bool {
        self.handled
            .get(message)
            .is_some_and(|handled| handled.complete)
    }

    /// How far the message is.
    #[must_use]
    pub fn progress(&self, message: &TeamsMessageId) -> Progress {
        self.handled
            .get(message)
            .map(Handled::progress)
            .unwrap_or_default()
    }

    /// What is known of a message that Genesys has, or has in part.
    #[must_use]
    pub fn seen(&self, message: &TeamsMessageId) -> Option<&Seen> {
        self.handled.get(message).map(|handled| &handled.seen)
    }

    /// The entry of a message; a new one has no parts yet.
    pub fn entry(&mut self, message: &TeamsMessageId, at: OffsetDateTime) -> &mut Handled {
        self.handled
            .entry(message.clone())
            .or_insert_with(|| Handled::started(at))
    }

    /// Notes that Genesys has the next part.
    pub fn record_part(&mut self, message: &TeamsMessageId, part: PostedPart, at: OffsetDateTime) {
        let handled = self.entry(message, at);
        handled.at = at;
        handled.genesys.push(part.genesys);
        if part.ends_piece {
            let finished: usize = handled.pieces.iter().sum();
            handled.pieces.push(handled.genesys.len() - finished);
        }
    }

    /// Notes that the next piece has nothing more to post.
    pub fn finish_piece(&mut self, message: &TeamsMessageId, at: OffsetDateTime) {
        let handled = self.entry(message, at);
        let part = handled.progress().part;
        handled.pieces.push(part);
    }

    /// Notes that nothing more is to be done for the message.
    pub fn complete(&mut self, message: &TeamsMessageId, at: OffsetDateTime) {
        let handled = self.entry(message, at);
        handled.at = at;
        handled.complete = true;
    }

    /// Forgets what was handled longer ago than [`KEPT`].
    pub fn forget_before(&mut self, now: OffsetDateTime) {
        self.handled.retain(|_, handled| now - handled.at <= KEPT);
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    fn state() -> InboundState {
        let chat = "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id");
        InboundState::new(chat, "support".parse().expect("a name"))
    }

    #[test]
    fn parts_count_until_all_are_posted() {
        let mut state = state();
        let message: TeamsMessageId = "1612289765949".parse().expect("an id");
        let part = |genesys: &str, ends_piece: bool| PostedPart {
            genesys: genesys.to_owned(),
            ends_piece,
        };
        state.record_part(&message, part("g1", false), AT);
        let progress = state.progress(&message);
        assert_eq!((progress.piece, progress.part, progress.posted), (0, 1, 1));
        state.record_part(&message, part("g2", true), AT);
        let progress = state.progress(&message);
        assert_eq!((progress.piece, progress.part, progress.posted), (1, 0, 2));
        state.finish_piece(&message, AT);
        state.record_part(&message, part("g3", false), AT);
        let progress = state.progress(&message);
        assert_eq!((progress.piece, progress.part, progress.posted), (2, 1, 3));
        state.finish_piece(&message, AT);
        assert_eq!(state.progress(&message).piece, 3);
        assert!(!state.is_handled(&message));
        state.entry(&message, AT).etag = Some("e".to_owned());
        state.entry(&message, AT).seen.text = Some(Digest::of("text", "words"));
        state.complete(&message, AT);
        assert!(state.is_handled(&message));
        state.chat_type = Some(ChatType::OneOnOne);
        state.customer = Some(Customer {
            user: "0f0e0d0c-0000-4000-8000-00000000000a"
                .parse()
                .expect("a GUID"),
            tenant: None,
            upn: Some("anna@customer.example".to_owned()),
            name: Some("Anna".to_owned()),
        });
        state.customer_resolved_at = Some(AT);
        state.thread = Some(ThreadState {
            counter: 0,
            last_message: AT,
        });
        insta::assert_json_snapshot!(state);
        state.forget_before(AT + KEPT);
        assert!(state.is_handled(&message));
        state.forget_before(AT + KEPT + time::Duration::seconds(1));
        assert!(!state.is_handled(&message));
    }

    #[test]
    fn an_older_state_without_newer_fields_is_read() {
        let json = r#"{"version":1,"chat":"19:a","account":"support","unknown":{"later":1}}"#;
        let state: InboundState = serde_json::from_str(json).expect("readable");
        assert!(state.handled.is_empty() && state.thread.is_none());
    }

    #[test]
    fn a_message_that_an_older_release_left_half_way_goes_on() {
        let json = r#"{"version":1,"chat":"19:a","account":"support","handled":{"1":{"at":"2026-01-02T03:04:05Z",
            "genesys":["g1","g2"],"complete":false}}}"#;
        let state: InboundState = serde_json::from_str(json).expect("readable");
        let progress = state.progress(&"1".parse().expect("an id"));
        assert_eq!((progress.piece, progress.part, progress.posted), (0, 2, 2));
    }
}
