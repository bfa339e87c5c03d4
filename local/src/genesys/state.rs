//! Everything that Genesys remembers.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::administration;
use super::conversations::Conversations;
use super::login::Login;
use super::media::Media;
use super::organisation::Things;
use super::profile::ContentProfile;
use super::typing::Typing;
use super::webhook::Webhooks;
use crate::crm::Crm;
use crate::shared::locked::Locked;
use crate::world::World;

/// The simulated Genesys Cloud.
pub struct Genesys {
    pub(super) world: Arc<World>,
    pub(super) login: Login,
    /// What the integration is set to, but for its secret.
    pub(super) integration: Locked<Map<String, Value>>,
    /// What an administrator makes besides.
    pub(super) things: Things,
    pub(super) conversations: Locked<Conversations>,
    /// What the flow's data actions ask.
    pub(super) crm: Crm,
    pub(super) webhooks: Webhooks,
    pub(super) media: Media,
    pub(super) profile: Locked<ContentProfile>,
    pub(super) typing: Locked<Typing>,
    /// Fetches customers' files.
    pub(super) client: reqwest::Client,
}

impl Genesys {
    /// An organisation with one integration, the bridge's OAuth clients, an administrator's and no conversations; its secrets are new.
    ///
    /// # Panics
    /// When no HTTP client can be built, which only a broken build does.
    #[must_use]
    pub fn new(world: Arc<World>) -> Arc<Self> {
        Arc::new(Self {
            login: Login::new(&world.config),
            integration: Locked::new(administration::integration(&world.endpoints.functions)),
            things: Things::default(),
            conversations: Locked::default(),
            crm: Crm::seeded(world.config.crm),
            webhooks: Webhooks::new(Arc::clone(&world)),
            media: Media::default(),
            profile: Locked::default(),
            typing: Locked::default(),
            client: world.authority.client().expect("a client can be built"),
            world,
        })
    }

    /// The secret of the bridge's first OAuth client.
    #[must_use]
    pub fn client_secret(&self) -> String {
        let secret = self.login.named("bridge", |client| client.secret.clone());
        secret.unwrap_or_default()
    }

    /// The secret of the OAuth client with this id.
    #[must_use]
    pub fn client_secret_of(&self, id: &str) -> String {
        let secret = self.login.client(id, |client| client.secret.clone());
        secret.unwrap_or_default()
    }

    /// What Genesys signs its webhooks with.
    #[must_use]
    pub fn webhook_secret(&self) -> String {
        self.webhooks.secret.lock().clone()
    }

    /// Tells the page of a change.
    pub(super) fn tell(&self, conversation: &str, thread: &str) {
        let what = json!({ "conversation": conversation, "thread": thread });
        self.world.hub.event("conversation", what);
    }
}
