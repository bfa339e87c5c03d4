//! The one gate to Graph and Genesys: wait for pause, pace and probe, call, note how it went.

mod gate;
mod pace;
mod probe;

use bridge::ids::{CorrelationId, Digest, SupportAccountName};
use bridge::pace::{Rank, TokenBucket};
use services::error::Service;
use tokio::time::Instant;

pub use gate::{Gate, Turn};

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

/// Kind of a call, by what the far side throttles and what can be down on its own: the table of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call<'a> {
    /// A post of a Support User: 1 a second in a short window, 83 % of it sustained (Microsoft Graph service-specific throttling
    /// limits, Teams).
    GraphPost(&'a SupportAccountName),
    /// A read of a Support User. The published limits differ by call and chat, so this only keeps bursts apart and obeys what
    /// Graph asked for.
    GraphRead(&'a SupportAccountName),
    /// A part of a Support User's list of chats: 1 a second for each user (the same page, `GET /me/chats`).
    GraphChats(&'a SupportAccountName),
    /// A further part of the list of one chat's messages: 1 a second for each chat (the same page).
    GraphMessages(&'a Digest),
    /// A look-up in a directory, which no message depends on. No limit is published that a bridge comes near.
    GraphDirectory(&'a SupportAccountName),
    /// A hosted content of one chat: as a post (the same page).
    GraphHostedContent(&'a Digest),
    /// A customer's message, by whichever of our OAuth clients. Calls of one client share 300 a minute (Genesys Cloud limits,
    /// `client.credentials.token.rate.per.minute`), a fifth of which is left for other instances' bursts.
    GenesysMessage,
    /// A receipt; it shares the clients' limits, and gives way to messages.
    GenesysReceipt,
}

impl Call<'_> {
    /// What waits together, and is throttled together unless there are several clients.
    fn key(self) -> String {
        match self {
            Self::GraphPost(account) => format!("graph-user-{}", account.as_str()),
            Self::GraphRead(account) => format!("graph-reads-{}", account.as_str()),
            Self::GraphChats(account) => format!("graph-chats-{}", account.as_str()),
            Self::GraphMessages(chat) => format!("graph-messages-{chat}"),
            Self::GraphDirectory(account) => format!("graph-directory-{}", account.as_str()),
            Self::GraphHostedContent(chat) => format!("graph-hosted-{chat}"),
            Self::GenesysMessage | Self::GenesysReceipt => "genesys-client".to_owned(),
        }
    }

    /// Uses a second, and how many may come at once after a quiet time.
    fn bucket(self) -> TokenBucket {
        let (per_second, burst) = match self {
            Self::GraphPost(_)
            | Self::GraphHostedContent(_)
            | Self::GraphChats(_)
            | Self::GraphMessages(_) => (0.83, 1.0),
            Self::GraphRead(_) | Self::GraphDirectory(_) => (5.0, 10.0),
            Self::GenesysMessage | Self::GenesysReceipt => (4.0, 40.0),
        };
        TokenBucket::new(per_second, burst)
    }

    /// Whether one of our clients at Genesys makes it.
    const fn is_of_genesys(self) -> bool {
        matches!(self, Self::GenesysMessage | Self::GenesysReceipt)
    }

    /// What it gives way to.
    const fn rank(self) -> Rank {
        match self {
            Self::GenesysReceipt => Rank::Receipt,
            _ => Rank::Message,
        }
    }

    /// What is up or down together.
    const fn kind(self) -> Kind {
        match self {
            Self::GraphPost(_) => Kind::GraphPost,
            Self::GraphRead(_)
            | Self::GraphHostedContent(_)
            | Self::GraphChats(_)
            | Self::GraphMessages(_) => Kind::GraphRead,
            Self::GraphDirectory(_) => Kind::GraphDirectory,
            Self::GenesysMessage => Kind::GenesysMessage,
            Self::GenesysReceipt => Kind::GenesysReceipt,
        }
    }
}

/// Calls whose health is one: a service can be well for one kind and down for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    GraphPost,
    GraphRead,
    GraphDirectory,
    GenesysMessage,
    GenesysReceipt,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::GraphPost,
        Self::GraphRead,
        Self::GraphDirectory,
        Self::GenesysMessage,
        Self::GenesysReceipt,
    ];

    /// Whether messages wait while it is down.
    fn holds_messages(self) -> bool {
        self != Self::GraphDirectory
    }

    const fn service(self) -> Service {
        match self {
            Self::GraphPost | Self::GraphRead | Self::GraphDirectory => Service::Graph,
            Self::GenesysMessage | Self::GenesysReceipt => Service::Genesys,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::GraphPost => "graph posts",
            Self::GraphRead => "graph reads",
            Self::GraphDirectory => "graph directories",
            Self::GenesysMessage => "genesys messages",
            Self::GenesysReceipt => "genesys receipts",
        }
    }
}
