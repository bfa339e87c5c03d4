//! Microsoft Graph, simulated: Teams chats, their messages, files and members, and change notifications.
//!
//! It refuses what Graph refuses (missing scopes, chats of others, posts above 28 KB, too many requests) and misbehaves where
//! Graph does: it rewrites HTML, and for every second post the notification is there before the post's own answer. Sources:
//! Microsoft Learn, "chatMessage resource type", "Send chatMessage in a channel or a chat", "List messages in a chat",
//! "Receive change notifications through webhooks", "Microsoft Graph service-specific throttling limits".

mod answers;
mod api;
mod caller;
mod changes;
mod changing;
mod chats;
mod control;
mod deliveries;
mod download;
mod files;
mod hosted;
mod listing;
mod notifications;
mod parts;
mod posted;
mod rewrite;
mod shown;
mod subscriptions;
#[cfg(test)]
mod tests;
mod throttle;
mod views;
mod written;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use time::OffsetDateTime;

use self::changes::ChangeType;
use self::chats::{Chats, NewMessage};
use self::deliveries::Deliveries;
use self::files::OneDrive;
use self::subscriptions::Subscriptions;
use self::throttle::Throttle;
use crate::entra::Entra;
use crate::hub::Direction;
use crate::shared::correlation;
use crate::world::World;

/// The simulated Graph.
#[derive(Debug)]
pub struct Graph {
    world: Arc<World>,
    entra: Arc<Entra>,
    chats: Mutex<Chats>,
    drive: OneDrive,
    subscriptions: Subscriptions,
    deliveries: Deliveries,
    throttle: Throttle,
}

impl Graph {
    /// A Graph without chats and subscriptions.
    ///
    /// # Panics
    /// When no certificate or key can be made, which only a broken build does.
    #[must_use]
    pub fn new(world: Arc<World>, entra: Arc<Entra>) -> Arc<Self> {
        let deliveries = Deliveries::new(Arc::clone(&world));
        let chats = Mutex::new(Chats::new(&world.endpoints.graph));
        Arc::new(Self {
            world,
            entra,
            chats,
            drive: OneDrive::new(),
            subscriptions: Subscriptions::new(),
            deliveries,
            throttle: Throttle::default(),
        })
    }

    /// The API, below `/v1.0`.
    pub fn router(self: &Arc<Self>) -> Router {
        api::router(Arc::clone(self))
    }

    /// OneDrive's downloads, at the root of [`crate::world::Endpoints::files`].
    pub fn files_router(self: &Arc<Self>) -> Router {
        download::router(Arc::clone(self))
    }

    /// The control interface's routes about Teams.
    pub fn control(self: &Arc<Self>) -> Router {
        control::router(Arc::clone(self))
    }

    /// The secret in the `clientState` of every subscription.
    #[must_use]
    pub fn client_state_secret(&self) -> String {
        self.subscriptions.secret().to_owned()
    }

    /// Private key and certificate of rich notifications, as PEM.
    #[must_use]
    pub fn notification_key_pem(&self) -> String {
        self.subscriptions.key_pem()
    }

    /// Makes the subscription of each Support User; Graph asks the notification address for its validation token first.
    ///
    /// # Errors
    /// The address did not echo the token.
    pub async fn subscribe(&self) -> anyhow::Result<()> {
        let url = self.notification_url();
        for account in &self.world.config.support_accounts {
            self.subscriptions
                .create(&url, account, &ChangeType::ALL)
                .await?;
        }
        Ok(())
    }

    fn notification_url(&self) -> String {
        format!("{}/api/graph/notifications", self.world.endpoints.functions)
    }

    fn chats(&self) -> MutexGuard<'_, Chats> {
        self.chats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A customer writes; returns the message's id. The notifications, if wanted, are on their way when this returns.
    fn customer_writes(&self, chat: &str, message: NewMessage, notify: bool) -> String {
        let id = self.chats().add(chat, message, OffsetDateTime::now_utc());
        let changes: &[ChangeType] = if notify { &[ChangeType::Created] } else { &[] };
        self.message_changed(chat, &id, "written", changes);
        id
    }

    /// Tells of what somebody did to a message in Teams, by this word and these notifications.
    fn message_changed(&self, chat: &str, id: &str, outcome: &str, notifications: &[ChangeType]) {
        let hub = &self.world.hub;
        let correlation = correlation::of_teams_message(chat, id);
        let attempt = hub.next_attempt(&correlation, "teams");
        hub.journey(&correlation, Direction::Inbound, "teams", attempt, outcome);
        for change in notifications {
            // Nobody waits for them.
            drop(self.notify(chat, id, *change, Some(correlation.clone())));
        }
        hub.event("chat", serde_json::json!({ "chat": chat }));
    }

    /// Puts the notifications of a change on their way; the receiver resolves when each was tried once.
    fn notify(
        &self,
        chat: &str,
        message: &str,
        change: ChangeType,
        correlation: Option<String>,
    ) -> tokio::sync::oneshot::Receiver<()> {
        let accounts = self.chats().support_accounts(chat, &self.world);
        let bodies: Vec<Vec<u8>> = accounts
            .iter()
            .filter_map(|account| self.compose(chat, message, account, change))
            .map(|body| body.to_string().into_bytes())
            .collect();
        self.deliveries
            .send(chat, &self.notification_url(), bodies, correlation)
    }
}
