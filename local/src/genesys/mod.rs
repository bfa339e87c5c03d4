//! Genesys Cloud, simulated: login, Open Messaging inbound, the agent, and the webhook towards us.
//!
//! It refuses what Genesys refuses (wrong credentials, missing permissions, unknown integrations, malformed messages, too
//! many requests, answers that a structured message did not offer), drops media outside the content profile without a word,
//! and shows a repeated message twice, because Genesys documents no check of `messageId`. Sources: Genesys Cloud Developer Center,
//! "Open Messaging"; Genesys Cloud Platform API models `OpenInboundNormalizedMessage`, `OpenInboundNormalizedReceipt` and
//! `ErrorBody`; Genesys Cloud Resource Center, "Messaging threading timeline".

mod admin;
mod agent;
mod answers;
mod api;
mod checks;
mod control;
mod conversations;
mod fetch;
mod login;
mod media;
mod profile;
mod rate_limit;
mod structured;
#[cfg(test)]
mod tests;
mod webhook;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use serde_json::json;
use time::OffsetDateTime;

use self::admin::Administration;
use self::agent::Outgoing;
use self::conversations::{Conversations, time_text};
use self::login::Login;
use self::media::Media;
use self::profile::ContentProfile;
use self::rate_limit::RateLimit;
use self::webhook::{FirstAttempt, Webhooks};
use crate::hub::Direction;
use crate::shared::correlation;
use crate::world::World;

/// A message's answer waits at most this long for the flow's greeting to be delivered.
const GREETING_WAIT: Duration = Duration::from_secs(1);

/// The simulated Genesys Cloud. `Debug` shows neither secrets nor what was written.
pub struct Genesys {
    world: Arc<World>,
    login: Login,
    admin: Administration,
    rate_limit: RateLimit,
    conversations: Mutex<Conversations>,
    webhooks: Arc<Webhooks>,
    media: Media,
    profile: Mutex<ContentProfile>,
    /// Fetches customers' files.
    client: reqwest::Client,
}

impl fmt::Debug for Genesys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Genesys").finish_non_exhaustive()
    }
}

impl Genesys {
    /// An organisation with one integration, the OAuth clients of the bridge and of an administrator, and no conversations; its
    /// secrets are new.
    ///
    /// # Panics
    /// When no HTTP client can be built, which only a broken build does.
    #[must_use]
    pub fn new(world: Arc<World>) -> Arc<Self> {
        let webhooks = Arc::new(Webhooks::new(Arc::clone(&world)));
        let client = world.authority.client().expect("a client can be built");
        let rate_limit = RateLimit::new(world.config.genesys_rate_limit);
        Arc::new(Self {
            world,
            login: Login::new(),
            admin: Administration::new(),
            rate_limit,
            conversations: Mutex::default(),
            webhooks,
            media: Media::new(),
            profile: Mutex::default(),
            client,
        })
    }

    /// Login (`/oauth/token`) and API (`/api/v2/…`).
    pub fn router(self: &Arc<Self>) -> Router {
        api::router(Arc::clone(self))
    }

    /// The downloads of agents' files, at the root of [`crate::world::Endpoints::genesys_downloads`].
    pub fn media_router(self: &Arc<Self>) -> Router {
        media::router(Arc::clone(self))
    }

    /// The control interface's routes about Genesys.
    pub fn control(self: &Arc<Self>) -> Router {
        control::router(Arc::clone(self))
    }

    /// The OAuth client's secret.
    #[must_use]
    pub fn client_secret(&self) -> String {
        self.login.secret().to_owned()
    }

    /// What Genesys signs its webhooks with.
    #[must_use]
    pub fn webhook_secret(&self) -> String {
        self.webhooks.secret().to_owned()
    }

    fn conversations(&self) -> MutexGuard<'_, Conversations> {
        self.conversations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn profile(&self) -> MutexGuard<'_, ContentProfile> {
        self.profile.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The agent writes into a thread; returns the message's id. Its webhook is on its way when this returns.
    fn agent_writes(&self, thread: &str, outgoing: &Outgoing) -> String {
        // Only bots send structured content.
        let entity = if outgoing.is_structured() {
            "Bot"
        } else {
            "Human"
        };
        self.write(thread, outgoing, entity).0
    }

    /// The flow answers a conversation's first message before that message's own request is answered.
    async fn greet(&self, thread: &str, text: &str) {
        let (_, first_attempt) = self.write(thread, &Outgoing::text(text), "Bot");
        webhook::wait(first_attempt, GREETING_WAIT).await;
    }

    fn write(&self, thread: &str, outgoing: &Outgoing, entity: &str) -> (String, FirstAttempt) {
        let now = OffsetDateTime::now_utc();
        // Held until the webhook stands in its thread's line, so that the line has the conversation's order.
        let mut conversations = self.conversations();
        let placed = conversations.answer(thread, outgoing, now);
        let hub = &self.world.hub;
        let correlation = correlation::of_genesys_message(&placed.message);
        hub.journey(&correlation, Direction::Outbound, "genesys", 1, "written");
        hub.event(
            "conversation",
            json!({ "conversation": placed.conversation, "thread": thread }),
        );
        let body = webhook::body(
            &self.world.config.genesys_integration_id,
            thread,
            &placed,
            outgoing,
            &time_text(now),
            entity,
        );
        let first_attempt = self.webhooks.send(thread, &placed.message, &body);
        (placed.message, first_attempt)
    }
}
