//! What is stored of a message that could not be delivered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::genesys::receipt::ReasonCode;
use crate::ids::Digest;

/// Which way a message was going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// To Genesys.
    Inbound,
    /// To Teams.
    Outbound,
}

/// One blob of the container `failed`: everything that a person needs to understand and replay the message.
#[derive(Serialize, Deserialize)]
pub struct FailedMessage {
    /// Which way it was going.
    pub direction: Direction,
    /// The queue, the session and the `MessageId` that it came with: what a replay needs.
    pub queue: String,
    /// See `queue`.
    pub lane: String,
    /// See `queue`.
    pub message_id: Option<String>,
    /// Digest of the chat, where it is known.
    pub chat: Option<Digest>,
    /// Id to search the logs for.
    pub correlation: String,
    /// Stable word for the kind of failure.
    pub kind: String,
    /// One sentence.
    pub reason: String,
    /// What the agent is told, when the message is an agent's.
    pub receipt: ReasonCode,
    /// The service that said no.
    pub service: Option<String>,
    /// Its HTTP status.
    pub status: Option<u16>,
    /// Ids that its support asks for.
    pub request_ids: BTreeMap<String, String>,
    /// When the queue accepted the message.
    #[serde(with = "time::serde::rfc3339")]
    pub first_attempt: OffsetDateTime,
    /// When it was given up.
    #[serde(with = "time::serde::rfc3339")]
    pub last_attempt: OffsetDateTime,
    /// How often it was tried.
    pub attempts: u32,
    /// The whole envelope.
    pub envelope: serde_json::Value,
}

impl FailedMessage {
    /// The blob's content, indented for people.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_failed_message_as_it_is_stored() {
        let message = FailedMessage {
            direction: Direction::Outbound,
            queue: "outbound".to_owned(),
            lane: "thread-0123".to_owned(),
            message_id: Some("agent-4567".to_owned()),
            chat: Some(Digest::of("chat", "19:a")),
            correlation: "0f0e0d0c-0000-4000-8000-00000000000a".to_owned(),
            kind: "kept_failing".to_owned(),
            reason: "graph kept failing for this message (unavailable) while it worked for others"
                .to_owned(),
            receipt: ReasonCode::ServerError,
            service: Some("graph".to_owned()),
            status: Some(500),
            request_ids: BTreeMap::from([("request-id".to_owned(), "c0ffee".to_owned())]),
            first_attempt: datetime!(2026-01-02 03:04:05 UTC),
            last_attempt: datetime!(2026-01-02 03:06:05 UTC),
            attempts: 5,
            envelope: serde_json::json!({ "version": 1, "kind": "agentMessage", "webhook": "{}" }),
        };
        insta::assert_snapshot!(String::from_utf8(message.to_json()).expect("UTF-8"));
    }
}
