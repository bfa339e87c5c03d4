//! What Genesys' workflow tells of a conversation's end (the events `v2.detail.events.conversation.{id}.customer.end` and `.user.end`
//! of the Platform SDK, as `infra/genesys` passes them on).

use serde_json::Value;

use crate::ids::{Digest, GenesysConversationId, ThreadId};
use crate::queue::envelope::EndedEnvelope;

/// One call. `Debug` shows no address.
#[derive(Clone, PartialEq, Eq)]
pub struct Told {
    conversation: GenesysConversationId,
    session: String,
    thread: ThreadId,
    transferred: bool,
}

debug_shows!(Told: conversation, transferred);

impl Told {
    /// Reads a call; nothing where it is of no conversation of the bridge's. Which of the two addresses is the customer's depends on
    /// whose session ended, so whichever is a thread of ours counts.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let raw: Value = serde_json::from_slice(body).ok()?;
        let text = |name: &str| raw[name].as_str().unwrap_or_default();
        let mut addresses = ["addressFrom", "addressTo"].into_iter();
        Some(Self {
            conversation: text("conversationId").parse().ok()?,
            session: text("sessionId").to_owned(),
            thread: addresses.find_map(|name| text(name).parse().ok())?,
            transferred: text("disconnectType").contains("TRANSFER"),
        })
    }

    /// What is put on the queue.
    #[must_use]
    pub fn envelope(self) -> EndedEnvelope {
        let what = format!("{}\n{}", self.session, self.transferred);
        EndedEnvelope {
            session: Digest::of("session", &what),
            conversation: self.conversation,
            thread: self.thread,
            transferred: self.transferred,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CONVERSATION: &str = "be9c1b6e-0000-4000-8000-c0ffee000001";
    const ANNA: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";

    fn told(from: &str, to: &str, disconnect: &str) -> Option<Told> {
        let body = json!({"conversationId": CONVERSATION, "sessionId": "s", "disconnectType": disconnect,
            "addressFrom": from, "addressTo": to});
        Told::read(body.to_string().as_bytes())
    }

    #[test]
    fn either_address_names_the_thread() {
        for (from, to) in [(ANNA, ""), ("", ANNA), ("someone", ANNA), (ANNA, "someone")] {
            let told = told(from, to, "PEER").expect("one of ours");
            assert!(told.thread.to_string() == ANNA && !told.transferred);
        }
        for disconnect in ["TRANSFER", "CONSULT_TRANSFER", "FORWARD_TRANSFER"] {
            assert!(told(ANNA, "", disconnect).expect("one of ours").transferred);
        }
    }

    #[test]
    fn what_is_not_ours_is_passed_over() {
        assert_eq!(told("whatsapp:+49", "", "PEER"), None);
        for body in [&b"no JSON"[..], b"[]", b"{}", br#"{"conversationId": 1}"#] {
            assert_eq!(Told::read(body), None);
        }
    }

    #[test]
    fn an_end_and_a_transfer_of_one_session_are_two_things() {
        let session = |disconnect| {
            told(ANNA, "", disconnect)
                .expect("one of ours")
                .envelope()
                .session
        };
        assert_eq!(session("PEER"), session("TIMEOUT"));
        assert_ne!(session("PEER"), session("TRANSFER"));
        assert!(!format!("{:?}", told(ANNA, "", "PEER")).contains("0f0e0d0c"));
    }
}
