//! What a queue message carries outside its body: lane, identity for duplicate detection, and correlation.

use std::fmt;

use super::digests::{half_sha256, hex};
use super::people::guid;
use super::{
    ChatId, Digest, GenesysConversationId, GenesysMessageId, Party, SupportAccountName,
    TeamsMessageId, ThreadId,
};

/// One session of a queue: its messages are delivered one at a time, in order. A lane is one chat, in both directions, so that
/// whatever goes wrong with a chat holds up that chat alone. At most 128 characters (Service Bus quotas), which is why it
/// holds digests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane(String);

impl Lane {
    /// Towards Genesys: the messages of a chat.
    #[must_use]
    pub fn inbound(chat: &ChatId) -> Self {
        Self(chat.digest().tagged("chat"))
    }

    /// Towards Teams: what goes into the thread's chat. Read off the id alone, without the counter of its windows, since all
    /// threads of the same parties lead into one chat.
    #[must_use]
    pub fn of_thread(thread: &ThreadId) -> Self {
        Self(match &thread.party {
            Party::Customer(_) | Party::Guest(_) => {
                thread.clone().with_counter(0).digest().tagged("direct")
            }
            Party::Group(chat) => chat.tagged("chat"),
        })
    }

    /// Towards Genesys: the receipts of a thread's messages, apart from the chat's own messages, so that no receipt can hold
    /// one up.
    #[must_use]
    pub fn receipts(addressee: &str) -> Self {
        let digest = match addressee.parse::<ThreadId>() {
            Ok(thread) => thread.with_counter(0).digest(),
            Err(_) => Digest::of("unroutable", addressee),
        };
        Self(digest.tagged("receipts"))
    }

    /// Towards Teams: a notice to a customer whose thread is not known.
    #[must_use]
    pub fn notices(account: &SupportAccountName, chat: &ChatId) -> Self {
        let key = format!("{}\n{}", account.as_str(), chat.as_str());
        Self(Digest::of("notices", &key).tagged("notices"))
    }

    /// What Graph tells of the subscription of a support account.
    #[must_use]
    pub fn lifecycle(account: &SupportAccountName) -> Self {
        Self(Digest::of("lifecycle", account.as_str()).tagged("lifecycle"))
    }

    /// For messages whose addressee is none of ours.
    #[must_use]
    pub fn unroutable(addressee: &str) -> Self {
        Self(Digest::of("unroutable", addressee).tagged("unroutable"))
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
    pub fn created(chat: &ChatId, message: &TeamsMessageId, replay: Option<&str>) -> Self {
        Self::of("created", &[chat.as_str(), message.as_str()], replay)
    }

    /// A message that a bot was sent.
    #[must_use]
    pub fn activity(chat: &ChatId, message: &TeamsMessageId, replay: Option<&str>) -> Self {
        Self::of("activity", &[chat.as_str(), message.as_str()], replay)
    }

    /// A card whose question has its answer.
    #[must_use]
    pub fn answered(chat: &ChatId, card: &TeamsMessageId, replay: Option<&str>) -> Self {
        Self::of("answered", &[chat.as_str(), card.as_str()], replay)
    }

    /// A customer's wish to end a conversation.
    #[must_use]
    pub fn ending(chat: &ChatId, message: &TeamsMessageId, replay: Option<&str>) -> Self {
        Self::of("ending", &[chat.as_str(), message.as_str()], replay)
    }

    /// The end of a part of a conversation at Genesys.
    #[must_use]
    pub fn ended(
        conversation: &GenesysConversationId,
        session: &Digest,
        replay: Option<&str>,
    ) -> Self {
        Self::of("ended", &[conversation.as_str(), session.as_str()], replay)
    }

    /// An agent's message.
    #[must_use]
    pub fn agent(message: &GenesysMessageId, replay: Option<&str>) -> Self {
        Self::of("agent", &[message.as_str()], replay)
    }

    /// A webhook call that cannot be read, by its bytes.
    #[must_use]
    pub fn unreadable(body: &[u8], replay: Option<&str>) -> Self {
        let digest = Digest::of_bytes("unreadable", body);
        Self::of("unreadable", &[digest.as_str()], replay)
    }

    /// The final receipt of an agent's message: whatever it says, the first one stands.
    #[must_use]
    pub fn receipt(message: &GenesysMessageId, replay: Option<&str>) -> Self {
        Self::of("receipt", &[message.as_str(), "final"], replay)
    }

    /// A notice to the customer about one of its messages; `distinction` tells one kind of them from the others.
    #[must_use]
    pub fn notice(
        chat: &ChatId,
        message: &TeamsMessageId,
        distinction: Option<&str>,
        replay: Option<&str>,
    ) -> Self {
        let parts = [&[chat.as_str(), message.as_str()], distinction.as_slice()];
        Self::of("notice", &parts.concat(), replay)
    }

    /// The reading of a chat: `what` names the message or the time for whose sake it is read.
    #[must_use]
    pub fn catch_up(chat: &ChatId, what: &str, replay: Option<&str>) -> Self {
        Self::of("catch-up", &[chat.as_str(), what], replay)
    }

    /// Something that is never a repetition, made of 16 random bytes.
    #[must_use]
    pub fn unique(random: [u8; 16]) -> Self {
        Self(format!("unique-{}", hex(&random)))
    }

    /// The same for the same parts; a replay differs from what it repeats, and from other replays.
    fn of(kind: &str, parts: &[&str], replay: Option<&str>) -> Self {
        let key = [parts, replay.as_slice()].concat().join("\n");
        Self(Digest::of(kind, &key).tagged(kind))
    }

    /// The id as Service Bus gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_id!(
    /// Follows a message from webhook to delivery, in logs and on the queue. Computed from the message's own ids, so that a
    /// person who knows those can search for it. Written as a GUID, because Graph takes it as `client-request-id`.
    #[derive(Debug)]
    CorrelationId,
    "correlation id",
    guid
);

impl CorrelationId {
    /// Of a customer's message.
    #[must_use]
    pub fn of_teams_message(chat: &ChatId, message: &TeamsMessageId) -> Self {
        Self::of(&["teams", chat.as_str(), message.as_str()])
    }

    /// Of an agent's message, and of its receipts.
    #[must_use]
    pub fn of_genesys_message(message: &GenesysMessageId) -> Self {
        Self::of(&["genesys", message.as_str()])
    }

    /// Of the reading of a chat.
    #[must_use]
    pub fn of_catch_up(chat: &ChatId) -> Self {
        Self::of(&["catch-up", chat.as_str()])
    }

    /// Of what Graph tells of a support account's subscription.
    #[must_use]
    pub fn of_subscription(account: &SupportAccountName) -> Self {
        Self::of(&["subscription", account.as_str()])
    }

    /// Of a queue message that carries none.
    #[must_use]
    pub fn of_unknown(body: &[u8]) -> Self {
        Self::of(&["unknown", Digest::of_bytes("unknown", body).as_str()])
    }

    fn of(parts: &[&str]) -> Self {
        let mut guid = half_sha256(parts.join("\n").as_bytes());
        for place in [8, 13, 18, 23] {
            guid.insert(place, '-');
        }
        Self(guid)
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
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
        let expected = half_sha256(b"teams\n19:a@thread.v2\n1700000000000");
        assert_eq!(correlation.as_str().replace('-', ""), expected);
        assert_eq!(correlation.as_str().parse(), Ok(correlation));
    }

    #[test]
    fn lanes_and_message_ids_fit_into_service_bus() {
        let chat: ChatId = "x".repeat(512).parse().expect("an id");
        let message: TeamsMessageId = "9".repeat(128).parse().expect("an id");
        let agent: GenesysMessageId = "g".repeat(128).parse().expect("an id");
        let account: SupportAccountName = "s".repeat(20).parse().expect("a name");
        let replay = Some("r".repeat(1000));
        let texts = [
            Lane::inbound(&chat).as_str().to_owned(),
            Lane::receipts(&"t".repeat(10_000)).as_str().to_owned(),
            Lane::notices(&account, &chat).as_str().to_owned(),
            Lane::unroutable(&"t".repeat(10_000)).as_str().to_owned(),
            BusMessageId::created(&chat, &message, replay.as_deref()).0,
            BusMessageId::agent(&agent, replay.as_deref()).0,
            BusMessageId::unreadable(&[0xff; 300], None).0,
            BusMessageId::receipt(&agent, None).0,
            BusMessageId::catch_up(&chat, message.as_str(), replay.as_deref()).0,
            Lane::lifecycle(&account).as_str().to_owned(),
            BusMessageId::unique([7; 16]).0,
        ];
        for text in texts {
            assert!(text.len() <= 128 && text.is_ascii(), "{text}");
        }
    }

    fn lane_of(thread: &str) -> Lane {
        Lane::of_thread(&thread.parse().expect("a thread"))
    }

    #[test]
    fn threads_of_the_same_parties_share_a_lane_and_others_do_not() {
        let anna = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";
        let others = [
            "teams:support:0f0e0d0c-0000-4000-8000-00000000000b",
            "teams-guest:support:0123456789abcdef0123456789abcdef",
            "teams:sales:0f0e0d0c-0000-4000-8000-00000000000a",
            "teams-chat:support:0123456789abcdef0123456789abcdef",
        ];
        assert_eq!(lane_of(anna), lane_of(&format!("{anna}:7")));
        assert_eq!(Lane::receipts(anna), Lane::receipts(&format!("{anna}:7")));
        for other in others {
            assert_ne!(lane_of(anna), lane_of(other), "{other}");
            assert_ne!(Lane::receipts(anna), Lane::receipts(other), "{other}");
        }
        assert!(!lane_of(anna).as_str().contains("0f0e0d0c"));
        assert_ne!(Lane::receipts("somebody"), Lane::receipts("else"));
    }

    #[test]
    fn a_group_s_thread_lies_in_the_lane_of_its_chat() {
        let chat: ChatId = "19:group@thread.v2".parse().expect("an id");
        let thread = format!("teams-chat:support:{}:3", chat.digest());
        assert_eq!(lane_of(&thread), Lane::inbound(&chat));
    }

    #[test]
    fn a_replay_is_no_repetition_and_its_receipt_is_none() {
        let agent: GenesysMessageId = "b71f".parse().expect("an id");
        for id in [BusMessageId::agent, BusMessageId::receipt] {
            let ids = [
                id(&agent, None),
                id(&agent, Some("1")),
                id(&agent, Some("2")),
            ];
            assert_eq!(id(&agent, Some("1")), ids[1]);
            assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        }
    }
}
