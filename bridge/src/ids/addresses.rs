//! What a queue message carries outside its body: lane, identity for duplicate detection, and correlation.

use std::fmt;
use std::str::FromStr;

use super::digests::{hex, sixteen_bytes};
use super::{ChatId, Digest, GenesysMessageId, InvalidId, SupportAccountName, TeamsMessageId};

/// One session of a queue: its messages are delivered one at a time, in order. At most 128 characters (Service Bus
/// quotas), which is why it holds digests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane(String);

impl Lane {
    /// Towards Genesys: one lane a chat.
    #[must_use]
    pub fn inbound(chat: &ChatId) -> Self {
        Self(format!("chat-{}", chat.digest()))
    }

    /// Towards Teams through Graph: one lane a Support User, since Graph throttles by user.
    #[must_use]
    pub fn outbound_graph(account: &SupportAccountName) -> Self {
        Self(format!(
            "account-{}",
            Digest::of("account", account.as_str())
        ))
    }

    /// For messages whose addressee is none of ours.
    #[must_use]
    pub fn unroutable(addressee: &str) -> Self {
        Self(format!(
            "unroutable-{}",
            Digest::of("unroutable", addressee)
        ))
    }

    /// The lane of a message that came from a queue.
    #[must_use]
    pub fn from_session_id(session: &str) -> Self {
        Self(session.to_owned())
    }

    /// The session id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `MessageId` of a queue message: Service Bus drops a second one with a success answer, so what must pass twice must differ
/// here. At most 128 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BusMessageId(String);

impl BusMessageId {
    /// A new Teams message.
    #[must_use]
    pub fn created(chat: &ChatId, message: &TeamsMessageId) -> Self {
        let key = format!("{}\n{}", chat.as_str(), message.as_str());
        Self(format!("created-{}", Digest::of("created", &key)))
    }

    /// An agent's message.
    #[must_use]
    pub fn agent(message: &GenesysMessageId) -> Self {
        Self(format!("agent-{}", Digest::of("agent", message.as_str())))
    }

    /// A receipt of an agent's message.
    #[must_use]
    pub fn receipt(message: &GenesysMessageId, status: &str) -> Self {
        let key = format!("{}\n{status}", message.as_str());
        Self(format!("receipt-{}", Digest::of("receipt", &key)))
    }

    /// A notice to the customer about one of its messages.
    #[must_use]
    pub fn notice(chat: &ChatId, message: &TeamsMessageId) -> Self {
        let key = format!("{}\n{}", chat.as_str(), message.as_str());
        Self(format!("notice-{}", Digest::of("notice", &key)))
    }

    /// Something that is never a repetition, made of 16 random bytes.
    #[must_use]
    pub fn unique(random: [u8; 16]) -> Self {
        Self(format!("unique-{}", hex(&random)))
    }

    /// The id as Service Bus gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Follows a message from webhook to delivery, in logs and on the queue. Computed from the message's own ids, so that a
/// person who knows those can search for it. Written as a GUID, because Graph takes it as `client-request-id`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CorrelationId(String);

impl CorrelationId {
    /// Of a customer's message.
    #[must_use]
    pub fn of_teams_message(chat: &ChatId, message: &TeamsMessageId) -> Self {
        Self::of(&format!("teams\n{}\n{}", chat.as_str(), message.as_str()))
    }

    /// Of an agent's message, and of its receipts.
    #[must_use]
    pub fn of_genesys_message(message: &GenesysMessageId) -> Self {
        Self::of(&format!("genesys\n{}", message.as_str()))
    }

    /// Of a queue message that carries none.
    #[must_use]
    pub fn of_unknown(body: &[u8]) -> Self {
        Self::of(&format!("unknown\n{}", Digest::of_bytes("unknown", body)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(key: &str) -> Self {
        let digits = hex(&sixteen_bytes(key.as_bytes()));
        let group = |from: usize, to: usize| &digits[from..to];
        Self(format!(
            "{}-{}-{}-{}-{}",
            group(0, 8),
            group(8, 12),
            group(12, 16),
            group(16, 20),
            group(20, 32)
        ))
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for CorrelationId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // A GUID, as the user id's parser knows it.
        text.parse::<super::UserId>()
            .map(|guid| Self(guid.as_str().to_owned()))
            .map_err(|_| InvalidId("correlation id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correlation_id_is_the_documented_digest() {
        let chat: ChatId = "19:a@thread.v2".parse().expect("an id");
        let message: TeamsMessageId = "1700000000000".parse().expect("an id");
        let correlation = CorrelationId::of_teams_message(&chat, &message);
        let expected = sixteen_bytes(b"teams\n19:a@thread.v2\n1700000000000");
        assert_eq!(correlation.as_str().replace('-', ""), hex(&expected));
        assert_eq!(correlation.as_str().parse(), Ok(correlation));
    }

    #[test]
    fn lanes_and_message_ids_fit_into_service_bus() {
        let chat: ChatId = "x".repeat(512).parse().expect("an id");
        let message: TeamsMessageId = "9".repeat(128).parse().expect("an id");
        let agent: GenesysMessageId = "g".repeat(128).parse().expect("an id");
        let account: SupportAccountName = "support".parse().expect("a name");
        let texts = [
            Lane::inbound(&chat).as_str().to_owned(),
            Lane::outbound_graph(&account).as_str().to_owned(),
            Lane::unroutable(&"t".repeat(10_000)).as_str().to_owned(),
            BusMessageId::created(&chat, &message).as_str().to_owned(),
            BusMessageId::agent(&agent).as_str().to_owned(),
            BusMessageId::receipt(&agent, "final").as_str().to_owned(),
            BusMessageId::unique([7; 16]).as_str().to_owned(),
        ];
        for text in texts {
            assert!(text.len() <= 128 && text.is_ascii(), "{text}");
        }
    }
}
