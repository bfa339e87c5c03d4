//! Everything that the connector remembers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::delivery::Deliveries;
use crate::entra::{Entra, SigningKeys};
use crate::graph::{Graph, Person, UserType};
use crate::shared::content::Content;
use crate::shared::limits::Limits;
use crate::shared::locked::Locked;
use crate::world::World;

/// The simulated connector, for one bot.
pub struct Bot {
    pub(crate) world: Arc<World>,
    pub(crate) entra: Arc<Entra>,
    /// Keeps the customers' files.
    pub(crate) graph: Arc<Graph>,
    pub(crate) keys: SigningKeys,
    /// A key that is published without an endorsement for Teams.
    pub(crate) unendorsed: Locked<Option<SigningKeys>>,
    pub(crate) chats: Locked<BTreeMap<String, Chat>>,
    /// Customers' inline pictures by id.
    pub(crate) pictures: Locked<HashMap<String, (HeaderValue, Content)>>,
    pub(crate) deliveries: Deliveries,
    pub(crate) limits: Limits,
    /// What was answered with 4xx or 5xx is not delivered again.
    pub(crate) loses_refused: AtomicBool,
}

/// A chat of the bot, which begins when somebody installs the app.
pub struct Chat {
    pub id: String,
    pub is_group: bool,
    /// The tenant of whoever installed the app.
    pub tenant: String,
    pub is_installed: bool,
    pub is_blocked: bool,
    /// A write is under way.
    pub is_busy: bool,
    pub members: Vec<Person>,
    /// Oldest first.
    pub messages: Vec<Message>,
    /// Every write of the bot, typing included, oldest first.
    pub posted: Vec<Value>,
}

pub struct Message {
    /// Milliseconds since 1970, unique within the chat.
    pub id: String,
    /// Nobody for the bot's own.
    pub from: Option<Person>,
    /// What it says: `text`, `attachments`, `value`, …
    pub activity: Value,
    pub created: OffsetDateTime,
    pub edited: Option<OffsetDateTime>,
    pub deleted: Option<OffsetDateTime>,
    pub reactions: Vec<String>,
}

impl Bot {
    /// A connector without chats and with a fresh signing key.
    #[must_use]
    pub fn new(world: Arc<World>, entra: Arc<Entra>, graph: Arc<Graph>) -> Arc<Self> {
        Arc::new(Self {
            deliveries: Deliveries::new(Arc::clone(&world)),
            world,
            entra,
            graph,
            keys: SigningKeys::new(),
            unendorsed: Locked::default(),
            chats: Locked::default(),
            pictures: Locked::default(),
            limits: Limits::default(),
            loses_refused: AtomicBool::new(false),
        })
    }

    /// Below which its chats are.
    pub(crate) fn service_url(&self) -> String {
        format!("{}/amer/", self.world.endpoints.bot)
    }

    /// The bot in its chats.
    pub(crate) fn own_id(&self) -> String {
        format!("28:{}", self.world.config.bot_app)
    }

    /// Somebody's id, which means nothing to another bot.
    pub(crate) fn id_of(&self, person: &Person) -> String {
        let text = format!("{}\n{}", self.world.config.bot_app, person.user);
        let digest = digest(&SHA256, text.as_bytes());
        format!("29:1{}", URL_SAFE_NO_PAD.encode(digest))
    }

    /// Somebody as `from` and among members.
    pub(crate) fn account(&self, person: &Person) -> Value {
        let mut account = json!({ "id": self.id_of(person), "name": person.name });
        if person.user_type == UserType::AadUser {
            account["aadObjectId"] = json!(person.user);
        }
        account
    }

    /// The one who is meant by a `29:` id, an Entra object id or a sign-in name.
    pub(crate) fn find<'chat>(&self, chat: &'chat Chat, who: &str) -> Option<&'chat Person> {
        let is_meant = |it: &&Person| {
            let upn = it.upn.as_deref().unwrap_or_default();
            who == it.user || who == self.id_of(it) || who.eq_ignore_ascii_case(upn)
        };
        chat.members.iter().find(is_meant)
    }

    /// Tells the page of a change.
    pub(crate) fn changed(&self, chat: &str) {
        self.world.hub.event("bot", json!({ "chat": chat }));
    }
}

impl Chat {
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.messages.iter().find(|it| it.id == id)
    }

    pub fn message_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.messages.iter_mut().find(|it| it.id == id)
    }

    /// Adds a message that is written now and returns its id.
    pub fn add(&mut self, from: Option<Person>, activity: Value) -> String {
        let now = OffsetDateTime::now_utc();
        let id = (now.unix_timestamp_nanos() / 1_000_000..)
            .map(|id| id.to_string())
            .find(|id| self.message(id).is_none())
            .unwrap_or_default();
        self.messages.push(Message {
            id: id.clone(),
            from,
            activity,
            created: now,
            edited: None,
            deleted: None,
            reactions: Vec::new(),
        });
        id
    }

    /// `conversationType`
    pub fn kind(&self) -> &'static str {
        if self.is_group {
            "groupChat"
        } else {
            "personal"
        }
    }
}
