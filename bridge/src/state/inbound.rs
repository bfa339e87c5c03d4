//! `chats/{digest}/inbound.json`, written by deliver-to-genesys only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::KEPT;
use crate::chat_kind::ChatType;
use crate::identity::Customer;
use crate::ids::{ChatId, SupportAccountName, TeamsMessageId};
use crate::thread::ThreadState;

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
}

/// A Teams message on the way to Genesys.
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
    /// All parts are posted.
    pub complete: bool,
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
        }
    }

    /// Whether Genesys has all of the message.
    #[must_use]
    pub fn is_handled(&self, message: &TeamsMessageId) -> bool {
        self.handled
            .get(message)
            .is_some_and(|handled| handled.complete)
    }

    /// How many parts of the message Genesys has.
    #[must_use]
    pub fn parts_done(&self, message: &TeamsMessageId) -> usize {
        self.handled
            .get(message)
            .map_or(0, |handled| handled.genesys.len())
    }

    /// Notes that Genesys has the next part.
    pub fn record_part(
        &mut self,
        message: &TeamsMessageId,
        etag: Option<String>,
        genesys_id: String,
        at: OffsetDateTime,
        complete: bool,
    ) {
        let handled = self
            .handled
            .entry(message.clone())
            .or_insert_with(|| Handled {
                at,
                etag: None,
                genesys: Vec::new(),
                complete: false,
            });
        handled.at = at;
        handled.etag = etag;
        handled.genesys.push(genesys_id);
        handled.complete = complete;
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
        state.record_part(&message, Some("e".to_owned()), "g1".to_owned(), AT, false);
        assert_eq!(
            (state.parts_done(&message), state.is_handled(&message)),
            (1, false)
        );
        state.record_part(&message, Some("e".to_owned()), "g2".to_owned(), AT, true);
        assert_eq!(
            (state.parts_done(&message), state.is_handled(&message)),
            (2, true)
        );
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
}
