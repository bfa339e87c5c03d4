//! The one gate to Graph, the bot's connector and Genesys: wait for pause, pace and probe, call, note how it went.

mod gate;
mod key;
mod pace;
mod probe;

use bridge::ids::{CorrelationId, Digest, SupportAccountName};
use bridge::pace::{Limit, Rank, limits};
use services::error::Service;
use tokio::time::Instant;

pub use gate::{Gate, Turn};
pub(crate) use key::SharedPause;

/// For whom a call is made.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What can fail on its own while others are served: one chat, as a digest.
    pub subject: Digest,
    /// The message's journey.
    pub correlation: CorrelationId,
    /// When a turn must have come.
    pub deadline: Instant,
}

/// Kind of a call, by what the far side throttles and what can be down on its own. The limits are in [`limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call<'a> {
    /// A post of a Support User.
    GraphPost(&'a SupportAccountName),
    /// A read of a chat's members or of one message by a Support User.
    GraphRead(&'a SupportAccountName),
    /// A read of a chat's own properties, or of a file, by a Support User.
    GraphFrequentRead(&'a SupportAccountName),
    /// A part of a Support User's list of chats.
    GraphChats(&'a SupportAccountName),
    /// A part of the list of one chat's messages.
    GraphMessages(&'a Digest),
    /// A look-up in a directory, which no message depends on.
    GraphDirectory(&'a SupportAccountName),
    /// A hosted content of one chat.
    GraphHostedContent(&'a Digest),
    /// A post of the bot into one conversation; [`Self::BotHour`] and [`Self::BotTenant`] are to be waited for before it.
    BotPost(&'a Digest),
    /// The same, within what the conversation may have in an hour.
    BotHour(&'a Digest),
    /// Anything that the bot asks of one tenant.
    BotTenant(&'a Digest),
    /// That somebody is typing, to one conversation: the limit is that of posts, which it gives way to.
    BotTyping(&'a Digest),
    /// A look-up of a conversation's member, or a file of it.
    BotRead(&'a Digest),
    /// A customer's message, by whichever of our OAuth clients.
    GenesysMessage,
    /// A receipt; it shares the clients' limits, and gives way to messages.
    GenesysReceipt,
    /// A question about a conversation, or its end, besides messages.
    GenesysConversation,
    /// That a customer is typing; it gives way to all else, and [`Self::GenesysTypingPart`] is to be waited for before it.
    GenesysTyping,
    /// The same, within the part of all calls that typing may have.
    GenesysTypingPart,
}

impl Call<'_> {
    /// What waits together, and is throttled together unless there are several clients.
    fn key(self) -> String {
        match self {
            Self::GraphPost(account) => format!("graph-user-{}", account.as_str()),
            Self::GraphRead(account) => format!("graph-reads-{}", account.as_str()),
            Self::GraphFrequentRead(account) => format!("graph-frequent-{}", account.as_str()),
            Self::GraphChats(account) => format!("graph-chats-{}", account.as_str()),
            Self::GraphMessages(chat) => format!("graph-messages-{chat}"),
            Self::GraphDirectory(account) => format!("graph-directory-{}", account.as_str()),
            Self::GraphHostedContent(chat) => format!("graph-hosted-{chat}"),
            Self::BotPost(chat) | Self::BotTyping(chat) => format!("bot-{chat}"),
            Self::BotHour(chat) => format!("bot-hour-{chat}"),
            Self::BotTenant(tenant) => format!("bot-tenant-{tenant}"),
            Self::BotRead(chat) => format!("bot-reads-{chat}"),
            Self::GenesysTypingPart => "genesys-typing".to_owned(),
            Self::GenesysMessage
            | Self::GenesysReceipt
            | Self::GenesysConversation
            | Self::GenesysTyping => "genesys-client".to_owned(),
        }
    }

    /// How fast its key may be used; `genesys` is the limit of one of our clients there.
    const fn limit(self, genesys: Limit) -> Limit {
        match self {
            Self::GraphPost(_) => limits::GRAPH_POSTS,
            Self::GraphHostedContent(_) => limits::GRAPH_HOSTED_CONTENTS,
            Self::GraphChats(_) => limits::GRAPH_CHATS,
            Self::GraphMessages(_) => limits::GRAPH_MESSAGES,
            Self::GraphRead(_) => limits::GRAPH_READS,
            Self::GraphFrequentRead(_) | Self::GraphDirectory(_) => limits::GRAPH_FREQUENT_READS,
            Self::BotPost(_) | Self::BotTyping(_) => limits::BOT_SENDS,
            Self::BotHour(_) => limits::BOT_SENDS_OF_AN_HOUR,
            Self::BotTenant(_) => limits::BOT_CALLS_OF_A_TENANT,
            Self::BotRead(_) => limits::BOT_READS,
            Self::GenesysTypingPart => limits::GENESYS_TYPING,
            Self::GenesysMessage
            | Self::GenesysReceipt
            | Self::GenesysConversation
            | Self::GenesysTyping => genesys,
        }
    }

    /// Whether one of our clients at Genesys makes it.
    const fn is_of_genesys(self) -> bool {
        matches!(
            self,
            Self::GenesysMessage
                | Self::GenesysReceipt
                | Self::GenesysConversation
                | Self::GenesysTyping
        )
    }

    /// Whether what refuses it may be about the client that calls: our clients have the same right to it.
    const fn proves_client(self) -> bool {
        matches!(self, Self::GenesysMessage | Self::GenesysReceipt)
    }

    /// What it gives way to.
    const fn rank(self) -> Rank {
        match self {
            Self::GenesysReceipt | Self::GenesysConversation => Rank::Receipt,
            Self::GenesysTyping | Self::GenesysTypingPart | Self::BotTyping(_) => Rank::Typing,
            _ => Rank::Message,
        }
    }

    /// What is up or down together.
    const fn kind(self) -> Kind {
        match self {
            Self::GraphPost(_) => Kind::GraphPost,
            Self::GraphRead(_)
            | Self::GraphFrequentRead(_)
            | Self::GraphHostedContent(_)
            | Self::GraphChats(_)
            | Self::GraphMessages(_) => Kind::GraphRead,
            Self::GraphDirectory(_) => Kind::GraphDirectory,
            Self::GenesysMessage => Kind::GenesysMessage,
            Self::GenesysReceipt => Kind::GenesysReceipt,
            Self::BotPost(_) | Self::BotHour(_) | Self::BotTenant(_) => Kind::BotPost,
            Self::BotRead(_) => Kind::BotRead,
            Self::GenesysConversation => Kind::GenesysConversation,
            Self::GenesysTyping | Self::GenesysTypingPart => Kind::GenesysTyping,
            Self::BotTyping(_) => Kind::BotTyping,
        }
    }
}

/// A throttle key that is no single chat's, for people.
#[derive(Debug)]
pub(crate) struct Throttled {
    /// The key.
    pub(crate) key: String,
    /// What it throttles, in words.
    pub(crate) what: String,
    /// Its limit.
    pub(crate) limit: Limit,
}

/// Those of these Support Users and OAuth clients.
pub(crate) fn throttled<'a>(
    accounts: impl Iterator<Item = &'a SupportAccountName>,
    genesys_clients: &[String],
    genesys_per_minute: u32,
) -> Vec<Throttled> {
    let genesys = limits::genesys(genesys_per_minute);
    let of_account = |account: &'a SupportAccountName| {
        let calls = [
            (Call::GraphPost(account), "posts"),
            (Call::GraphRead(account), "members and messages"),
            (Call::GraphFrequentRead(account), "other reads"),
            (Call::GraphChats(account), "list of chats"),
            (Call::GraphDirectory(account), "look-ups"),
        ];
        calls.map(|(call, what)| Throttled {
            key: call.key(),
            what: format!("graph, {what} of {}", account.as_str()),
            limit: call.limit(genesys),
        })
    };
    let of_client = |(number, key)| Throttled {
        key,
        what: format!("genesys, client {}", number + 1),
        limit: genesys,
    };
    let clients = genesys_keys(genesys_clients).into_iter().enumerate();
    accounts
        .flat_map(of_account)
        .chain(clients.map(of_client))
        .collect()
}

/// The throttle keys of our OAuth clients. The first keeps its key when others come.
fn genesys_keys(clients: &[String]) -> Vec<String> {
    let key = |(number, id): (usize, &String)| match number {
        0 => Call::GenesysMessage.key(),
        _ => format!("genesys-client-{id}"),
    };
    clients.iter().enumerate().map(key).collect()
}

/// Calls whose health is one: a service can be well for one kind and down for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    GraphPost,
    GraphRead,
    GraphDirectory,
    GenesysMessage,
    GenesysReceipt,
    GenesysConversation,
    GenesysTyping,
    BotPost,
    BotRead,
    BotTyping,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::GraphPost,
        Self::GraphRead,
        Self::GraphDirectory,
        Self::GenesysMessage,
        Self::GenesysReceipt,
        Self::GenesysConversation,
        Self::GenesysTyping,
        Self::BotPost,
        Self::BotRead,
        Self::BotTyping,
    ];

    /// Whether messages wait while it is down.
    fn holds_messages(self) -> bool {
        !matches!(
            self,
            Self::GraphDirectory
                | Self::GenesysConversation
                | Self::GenesysTyping
                | Self::BotTyping
        )
    }

    const fn service(self) -> Service {
        match self {
            Self::GraphPost | Self::GraphRead | Self::GraphDirectory => Service::Graph,
            Self::GenesysMessage
            | Self::GenesysReceipt
            | Self::GenesysConversation
            | Self::GenesysTyping => Service::Genesys,
            Self::BotPost | Self::BotRead | Self::BotTyping => Service::Bot,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::GraphPost => "graph posts",
            Self::GraphRead => "graph reads",
            Self::GraphDirectory => "graph directories",
            Self::GenesysMessage => "genesys messages",
            Self::GenesysReceipt => "genesys receipts",
            Self::GenesysConversation => "genesys conversations",
            Self::GenesysTyping => "genesys typing",
            Self::BotPost => "bot posts",
            Self::BotRead => "bot reads",
            Self::BotTyping => "bot typing",
        }
    }
}
